"""What a learning loop says of itself, in English: sentences with places for values as Python's `format` fills them.

REST gives them filled; pages fill them in their reader's language. Knows no Django and no loop.
"""

ACTIVITIES = {
    "Completed": "done",
    "Stopped": "stopped",
    "Failed": "failed",
    "Audit": "people label {asked} of the model's objects again, without seeing its labels",
    "Withdrawing": "labels of the model that broke the promise are being taken back",
    "Selecting": "the next objects are being selected",
    "Reading": "the images are being read",
    "Asking": "the job's function is asked about the next objects",
    "Labeling": "people label {objects} objects",
    "Training": "a model is being trained",
    "Predicting": "the model predicts every object that is left",
    "AutoLabeling": "objects the model is sure of are being labeled",
}
"""What a loop does, by the state of its current round or by what comes between two of them, and at its end."""


NOTHING_TO_LEARN = "there is no labeled object to learn from"
NOTHING_LEFT = "no object is left to label"
ENOUGH_LABELS = "as many objects are labeled as the job may have"
ENOUGH_MODELS = "{number} models were trained, people label the rest"
NO_SAMPLE = "the first sample is not complete"
FAILED_BEFORE = "the trainings before failed, people label the rest"
BROKEN_PROMISE = "an audit has found the model's labels worse than promised, people label the rest"
NO_TRAINING = (
    NOTHING_TO_LEARN, NOTHING_LEFT, ENOUGH_LABELS, ENOUGH_MODELS, NO_SAMPLE, FAILED_BEFORE, BROKEN_PROMISE,
)  # fmt: skip
"""Why a round trains no model."""

PREPARED = "the job's own function says what people are shown, and was not asked about these objects"
NO_MONEY = "the job has no money left for it"
LIMITED = "people have labeled as many objects as the job allows"
NO_AUDIT = (PREPARED, NO_MONEY, LIMITED)
"""Why an audit asks nobody."""

UNKNOWN = "It is not known yet what further rounds will save: the next one sets objects aside to find out."
ANOTHER = (
    "Another round of {batch} objects, none of them to check the model on, is expected to let the model label "
    "{share:.0%} of what is left then."
)
ANOTHER_ASIDE = (
    "Another round of {batch} objects, {aside} of them to check the model on, is expected to let the model label "
    "{share:.0%} of what is left then."
)
SEVERAL = (
    "Another {rounds} rounds of {batch} objects, none of them to check the model on, are expected to let the model "
    "label {share:.0%} of what is left then."
)
SEVERAL_ASIDE = (
    "Another {rounds} rounds of {batch} objects, {aside} of them to check the model on, are expected to let the model "
    "label {share:.0%} of what is left then."
)
SAVES = "That saves people about {saving:.0f} of {left} objects."
SAVES_MONEY = "That saves people about {saving:.0f} of {left} objects, {worth:.2f} dollars."
NO_MORE_MODELS = (
    "Training further models is not expected to pay: as many models were trained as the job may have. "
    "People label the rest."
)
ONE_BATCH = (
    "Training further models is not expected to pay: the {left} objects left are one batch. People label the rest."
)
TOO_POOR = (
    "Training further models is not expected to pay: of the {checked} checked objects that the model does not label "
    "yet even the surest have an expected {measure} of {found:.2f}, {promised:.2f} is promised, and more labels would "
    "not change that in time. People label the rest."
)
TOO_WRONG = (
    "Training further models is not expected to pay: of the {checked} checked objects that the model does not label "
    "yet even the surest have an expected share of {found:.1%} wrong ones, at most {promised:.1%} is promised, and "
    "more labels would not change that in time. People label the rest."
)
TOO_FEW = (
    "Training further models is not expected to pay: the {left} objects left are too few to prove the promise on some "
    "and save the others: further rounds are expected to save {saving:.1f} of them. People label the rest."
)
TOO_FEW_MONEY = (
    "Training further models is not expected to pay: the {left} objects left are too few to prove the promise on some "
    "and save the others: further rounds are expected to save {saving:.1f} of them, {worth:.2f} dollars. People label "
    "the rest."
)
SENTENCES = (
    UNKNOWN, ANOTHER, ANOTHER_ASIDE, SEVERAL, SEVERAL_ASIDE, SAVES, SAVES_MONEY,
    NO_MORE_MODELS, ONE_BATCH, TOO_POOR, TOO_WRONG, TOO_FEW, TOO_FEW_MONEY,
)  # fmt: skip
"""All that a plan may say, with Python's places for values."""
