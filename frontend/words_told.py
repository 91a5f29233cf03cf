"""Sentences of the other rooms that pages tell, with places for values as `formats.filled` fills them.

As in words.py they stand here marked, so that the catalogs have them; `tests/frontend/test_languages.py` says which
ones are missing.
"""

from django.utils.translation import gettext_noop as word

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
