"""A consolidation of boxes reads from top to bottom, as the table of docs/consensus.md has it."""

from benchmarks.consolidation_path import figures_of, path_of_one_consolidation

STEPS = [
    "boxes/consolidator.py",
    "workers/models.py",
    "boxes/answers.py",
    "answers.py",
    "boxes/inference.py",
    "clustering.py",
    "boxes/fusion.py",
    "existence.py",
    "boxes/confidence.py",
    "boxes/explanation.py",
]


def test_each_step_of_a_consolidation_is_a_file_and_comes_once():
    path = [name for name in path_of_one_consolidation() if name != "arrays.py"]
    assert list(dict.fromkeys(path)) == STEPS
    assert figures_of(path)["moves"] <= 30
