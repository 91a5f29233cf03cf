"""Sentences of the other rooms that pages tell, with places for values as `formats.filled` fills them.

As in words.py they stand here marked, so that the catalogs have them; `tests/frontend/test_languages.py` says which
ones are missing.
"""

from django.utils.translation import gettext_noop as word
from django.utils.translation import ngettext_lazy

LOOP = (
    word("done"),
    word("stopped"),
    word("failed"),
    word("people label {asked} of the model's objects again, without seeing its labels"),
    word("labels of the model that broke the promise are being taken back"),
    word("the next objects are being selected"),
    word("the images are being read"),
    word("the job's function is asked about the next objects"),
    word("people label {objects} objects"),
    word("a model is being trained"),
    word("the model predicts every object that is left"),
    word("objects the model is sure of are being labeled"),
    word("there is no labeled object to learn from"),
    word("no object is left to label"),
    word("as many objects are labeled as the job may have"),
    word("{number} models were trained, people label the rest"),
    word("the first sample is not complete"),
    word("the trainings before failed, people label the rest"),
    word("an audit has found the model's labels worse than promised, people label the rest"),
    word("the job's own function says what people are shown, and was not asked about these objects"),
    word("the job has no money left for it"),
    word("people have labeled as many objects as the job allows"),
    word("It is not known yet what further rounds will save: the next one sets objects aside to find out."),
    word(
        "Another round of {batch} objects, none of them to check the model on, is expected to let the model label"
        " {share:.0%} of what is left then."
    ),
    word(
        "Another round of {batch} objects, {aside} of them to check the model on, is expected to let the model "
        "label {share:.0%} of what is left then."
    ),
    word(
        "Another {rounds} rounds of {batch} objects, none of them to check the model on, are expected to let the "
        "model label {share:.0%} of what is left then."
    ),
    word(
        "Another {rounds} rounds of {batch} objects, {aside} of them to check the model on, are expected to let "
        "the model label {share:.0%} of what is left then."
    ),
    word("That saves people about {saving:.0f} of {left} objects."),
    word("That saves people about {saving:.0f} of {left} objects, {worth:.2f} dollars."),
    word(
        "Training further models is not expected to pay: as many models were trained as the job may have. People "
        "label the rest."
    ),
    word(
        "Training further models is not expected to pay: the {left} objects left are one batch. People label the rest."
    ),
    word(
        "Training further models is not expected to pay: of the {checked} checked objects that the model does not"
        " label yet even the surest have an expected {measure} of {found:.2f}, {promised:.2f} is promised, and "
        "more labels would not change that in time. People label the rest."
    ),
    word(
        "Training further models is not expected to pay: of the {checked} checked objects that the model does not"
        " label yet even the surest have an expected share of {found:.1%} wrong ones, at most {promised:.1%} is "
        "promised, and more labels would not change that in time. People label the rest."
    ),
    word(
        "Training further models is not expected to pay: the {left} objects left are too few to prove the promise"
        " on some and save the others: further rounds are expected to save {saving:.1f} of them. People label the"
        " rest."
    ),
    word(
        "Training further models is not expected to pay: the {left} objects left are too few to prove the promise"
        " on some and save the others: further rounds are expected to save {saving:.1f} of them, {worth:.2f} "
        "dollars. People label the rest."
    ),
)
"""What a learning loop says of itself, with places for values."""

TASK_TYPES = (
    word(
        "Correct the boxes and press Submit. Your boxes become the label and count as gold: they also teach how good "
        "each worker is."
    ),
    word("Their boxes are the label."),
    word("Your boxes for object {index} are the label now."),
    word("The boxes did not arrive. Draw them again and save."),
    word("a box"),
    word("One a line. Their order is the class index."),
    word(
        "Recall: the share of real objects this worker draws, and the class whose recall is much lower than that. "
        "False positives: how many boxes per image are about no object. Scatter: how far the edges lie from the "
        "crowd's, 1 is usual."
    ),
    word(
        "Correct the polygons and press Submit. Your polygons become the label and count as gold: they also teach how"
        " good each worker is."
    ),
    word("Their polygons are the label."),
    word("Your polygons for object {index} are the label now."),
    word("The polygons did not arrive. Draw them again and save."),
    word("a polygon"),
    word(
        "Recall: the share of real objects that this worker draws. False positives: how many polygons per image are "
        "about no object."
    ),
    word(
        "Correct the lines and press Submit. Your lines become the label and count as gold: they also teach how good "
        "each worker is."
    ),
    word("Their lines are the label."),
    word("Your lines for object {index} are the label now."),
    word("The lines did not arrive. Draw them again and save."),
    word("a line"),
    word(
        "Recall: the share of real objects along which this worker draws a line. False positives: how many lines per "
        "image are about no object."
    ),
    word(
        "Correct the points and press Submit. Your points become the label and count as gold: they also teach how "
        "good each worker is."
    ),
    word("Their points are the label."),
    word("Your points for object {index} are the label now."),
    word("The points did not arrive. Set them again and save."),
    word("a point"),
    word("The names of the points, one a line. Their order is the class index."),
    word(
        "Recall: the share of the points that this worker sets. False positives: how many points per image are "
        "nowhere near what they are named after."
    ),
    word(
        "Choose the class and press Submit. Your choice becomes the label and counts as gold: it also teaches how "
        "good each worker is."
    ),
    word("Their choice is the label."),
    word("Your choice for object {index} is the label now."),
    word("The choice did not arrive. Choose again and save."),
    word("a choice"),
    word("One a line, at least two. Their order is the class index."),
    word(
        "Chooses right: the share of this worker's choices that agree with the labels, and the class missed much more"
        " often than that."
    ),
    word(
        "Choose every class that fits, or none of them, and press Submit. Your choices become the label and count as "
        "gold: they also teach how good each worker is."
    ),
    word("Their choices are the label."),
    word("Your choices for object {index} are the label now."),
    word("The choices did not arrive. Choose again and save."),
    word("Two or more, one a line. Their order is the class index; workers can also say that none fits."),
    word(
        "Finds: the share of the classes of an object that this worker chooses. Wrong: how often a class is chosen "
        "that the object does not have."
    ),
    word(
        "Correct the painting and press Submit. It becomes the label and counts as gold: it also teaches how good "
        "each worker is."
    ),
    word("What they painted is the label."),
    word("Your masks for object {index} are the label now."),
    word("The masks did not arrive. Paint them again and save."),
    word("the masks"),
    word(
        "What to paint, one a line, at most 255; what is none of them is left unpainted. Their order, from 1 on, is "
        "the value of a pixel in the label's PNG. The label attribute's name ends in -ref."
    ),
    word(
        "Paints right: F1 of the pixels that this worker paints, for each class the share of it that is painted. "
        "Recall: the share of what is there that is painted. Precision: the share of the painting that is right."
    ),
    word(
        "Correct the painted objects and press Submit. They become the label and count as gold: they also teach how "
        "good each worker is."
    ),
    word("Your objects for object {index} are the label now."),
    word("What to paint, one a line. Every object gets a mask of its own. The label attribute's name ends in -ref."),
    word(
        "Paints right: F1 of the objects that this worker paints, for each class the share of them that is painted; "
        "one is right with an overlap (IoU) of one half. Recall: the share of the objects that is painted. Precision:"
        " the share of the painted ones that are there."
    ),
    word(
        "Correct the marked entities and press Submit. They become the label and count as gold: they also teach how "
        "good each worker is."
    ),
    word("What they marked is the label."),
    word("Your entities for object {index} are the label now."),
    word("The entities did not arrive. Mark them again and save."),
    word("an entity"),
    word("The kinds of entities, one a line. Their order is the class index."),
    word(
        "Recall: the share of the entities that this worker marks. Exact: how often a boundary is at the very "
        "character. False positives: how many marks a text are about no entity."
    ),
    word(
        "Choose how good the earlier label is and press Submit. Your choice becomes the verdict and counts as gold: "
        "it also teaches how good each worker is."
    ),
    word("Their choice is the verdict."),
    word("What workers choose from, such as good and bad: one a line, at least two. Their order is the class index."),
    word("Say why (you need not)"),
    word("Every class of the earlier labels, and new ones below them: one a line. Their order is the class index."),
    word(
        "Every class of the earlier labels, and new ones below them: one a line, at most 255. Their order, from 1 on,"
        " is the value of a pixel in the label's PNG. The label attribute's name ends in -ref."
    ),
    word(
        "Every class of the earlier labels, and new ones below them: one a line. Their order is the class index. The "
        "label attribute's name ends in -ref."
    ),
    word("Answers of a form are not decided here: correct them in the output."),
    word("Their answer is the label."),
    word("Your answer for object {index} is the label now."),
    word("The answer did not arrive. Fill in the form again and save."),
    word("an answer"),
    word("One a line, for task.input.labels; none where the template needs none."),
    word(
        "Agrees: the share of the worker's choices, flags, labels and pairs of a ranking that agree with the merged "
        "fields. Numbers and free texts are not counted."
    ),
)
"""What pages say about labels of the task types."""

COLUMNS = (
    word("Recall"),
    word("False positives"),
    word("Scatter"),
    word("Chooses right"),
    word("Wrong"),
    word("Paints right"),
    word("Precision"),
    word("Exact"),
    word("Agrees"),
)
"""Figures of workers' skills."""

CROWDS = (
    word("Careful: trained people who take their time"),
    word("Mixed: what an open crowd is like"),
    word("Careless: hurried people, little training"),
    word("Mixed, and one in four answers at random"),
    word("As in your earlier jobs of this task type"),
)
"""The crowds that a forecast can be made with."""

FORECAST = (
    word("F1 at IoU 0.5"),
    word("F1 of right shapes"),
    word("Mean likeness of right shapes"),
    word("Right labels"),
    word("F1 of the classes"),
    word("F1 of pixels"),
    word("F1 of objects"),
    word("F1 of exact entities"),
    word("Objects found by one worker"),
    word("Right class"),
    word("False boxes per picture"),
    word("Scatter of the edges, share of the box"),
    word("Objects per picture"),
    word("Things painted by one worker"),
    word("Distance beside a thing, of its side"),
    word("False masks per image"),
    word("Things per image"),
    word("Things found by one worker"),
    word("False shapes per picture"),
    word("Scatter of the points, share of the shape"),
    word("Shapes per picture"),
    word("Entities found by one worker"),
    word("Boundaries at the very character"),
    word("False marks per text"),
    word("Entities per text"),
    word("Classes found by one worker"),
    word("Wrong classes chosen"),
    word("Share of the classes that an object has"),
    word("Right answers of one worker"),
    word("Spread of difficulty, logits"),
)
"""Figures of quality that are forecast, and what a crowd is assumed to be like."""

RULES = (
    word(
        "5 of the last 6 answers below 20% of the others' median seconds, or 10% of the expected ones while few "
        "others have answered"
    ),
    word("14 of the last 20 tasks declined"),
    word("the upper end of the accuracy's 90 % interval below 50%, once there are 5 pieces of evidence"),
    word("the last 6 answers or more empty, with a chance below 0.001 by what others drew"),
    word("3 of the last 20 answers the same to the pixel, boxes around 90% of the image left out"),
    word("3 answers in a row with marks and neither pointer movements nor keys"),
    word("3 of the last 10 answers with more than 3 events by scripts for each by the person"),
    word("the last 15 answers' seconds spread by less than 18% of their mean"),
    word(
        "30 answers or more of which every stretch has each class equally often, with a chance below 0.001, where the"
        " others' answers to the same tasks do not"
    ),
)
"""What the rules about workers' answers find."""

STORIES = (
    word("{summary}, adjusted"),
    word("{summary}, as they were"),
    word("Somebody changed the earlier label."),
    word("Nobody changed the earlier label."),
    word("The box is the mean of the boxes, by weight."),
    word("The box is the box closest to all others."),
    word("The box is the one box there is."),
    word("Proposed, and kept by {drew} of {of}."),
    word("Drawn by {drew} of {of}."),
    word("The box is made from theirs."),
    word("Dropped: nobody gave it a label of this job."),
    word("Dropped: only {chance:.0%} likely to be right, for people disagree on what it is."),
    word("Dropped: only {chance:.0%} likely to be right."),
    word("no label"),
    word("They began with a model's boxes."),
    word("left it as it was proposed"),
    word("deleted it"),
    word("did not draw it"),
    word("{value}, chosen by vote."),
    word("{value}, each label by vote."),
    word("{value}, the robust mean of the numbers given."),
    word("{value}, the merged order."),
    word("{value}, the text that is most like the others."),
    word("Left out: {reason}."),
    word("All answers stand side by side."),
    word("Between {low:g} and {high:g} with 95 %."),
    word("no value"),
    word("It is there with a chance of {chance:.2f}."),
    word("No label of this job."),
    word("That is fewer than half."),
    word("Only {chance:.0%} likely to be right."),
    word("Chosen by {chose} of {of}."),
    word("Said by {said} of {of}."),
    word("did not choose it"),
    word("Marked by {drew} of {of}."),
    word("did not mark it"),
    word("{pixels:,} pixels are what most of them painted."),
    word("Dropped: too few agree."),
    word("Painted by {drew} of {of}."),
    word("did not paint it"),
    word(
        "The chance that it is right lies between {low} and {high}; of ordinary workers {difficulty} would get it "
        "wrong."
    ),
    word("{agreed} of them chose {label}."),
    word("A model counted as one more, which they did not see."),
    word("{kept} kept, {dropped} dropped."),
    word("{kept} kept."),
    word("Attributes: {each}."),
    word("They wrote: {comments}"),
    word("An object may have been overlooked: the chance is {percent}."),
    word("A box may be badly placed: the chance is {percent}."),
    word("A box may have the wrong class: the chance is {percent}."),
    word("A box may mark something that is no object: the chance is {percent}."),
    word("The label may be wrong: the chance is {percent}."),
    word(
        "People seem to make the same mistakes on the same objects, so that agreement says less than usual about "
        "being right: confidences have been lowered. Golds for some 20 objects would teach how sure to be."
    ),
    word("Overlap"),
    word("Weight"),
    word("Likeness"),
    word("From"),
    word("To"),
    word("Answer"),
    word("Attributes"),
)
"""What is told of how a label came about, and titles of columns about it."""

COUNTED = (
    ngettext_lazy("{number} box", "{number} boxes"),
    ngettext_lazy("{number} answer", "{number} answers"),
    ngettext_lazy("{number} object", "{number} objects"),
    ngettext_lazy("{number} point", "{number} points"),
    ngettext_lazy("{number} class", "{number} classes"),
    ngettext_lazy("{number} entity", "{number} entities"),
    ngettext_lazy("{number} polygon", "{number} polygons"),
    ngettext_lazy("{number} line", "{number} lines"),
    ngettext_lazy("{number} mask", "{number} masks"),
    ngettext_lazy("{number} person answered.", "{number} people answered."),
)
"""What is told of a number of things."""
