"""What a look at an answer counts in its worker's reputation, against a look at a known true label. Pure."""

AGREEMENT_WEIGHT = 1.0
"""Of agreeing with a sure label that is made of very many other answers."""


def agreement_weight(answers: int, confidence: float | None) -> float:
    """What agreement with a label of so many answers counts.

    The label is partly made of the answer itself, so it counts for less where there are few: (answers - 1) / answers.
    None: the label has no confidence.
    """
    if answers < 2:
        return 0.0
    return AGREEMENT_WEIGHT * (1.0 if confidence is None else max(confidence, 0.0)) * (answers - 1) / answers
