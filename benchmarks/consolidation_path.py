"""How many files one consolidation of boxes passes through, and how often control moves between them.

Watches the Python functions of labeling/consolidation during one `consolidate` of three answers. `files` are those
whose functions ran; `moves` counts how often control went from one file to another, by a call or by a return from one.
The figures that end in `_without_arrays` leave out arrays.py, the small array functions that every step may call.
Run by `python -m benchmarks.consolidation_path [--show]`.
"""

import sys
from types import FrameType
from typing import Any

from benchmarks.report import report
from labeling.consolidation.boxes import consolidator
from labeling.consolidation.boxes.answers import WorkerAnswer
from labeling.formats.shapes import Box

FOLDER = "labeling/consolidation/"
ARRAYS = "arrays.py"


def path_of_one_consolidation() -> list[str]:
    """The file in control after each call and each return, relative to the folder of the consolidators."""
    answers = [
        WorkerAnswer(worker, (Box("bee", 100 + shift, 100, 50, 40), Box("wasp", 300 - shift, 200, 60, 60)))
        for shift, worker in enumerate(("ann", "bob", "cy"))
    ]
    path: list[str] = []

    def note(frame: FrameType | None, event: str, argument: Any) -> None:
        if event == "return" and frame is not None:
            frame = frame.f_back
        if event in ("call", "return") and frame is not None and FOLDER in frame.f_code.co_filename:
            path.append(frame.f_code.co_filename.rsplit(FOLDER, 1)[1])

    sys.setprofile(note)
    try:
        consolidator.consolidate(answers, labels=["bee", "wasp"], image_size=(640, 480))
    finally:
        sys.setprofile(None)
    return path


def visits(path: list[str]) -> list[str]:
    """`path` with stays in one file as one visit."""
    return [name for before, name in zip(["", *path], path, strict=False) if name != before]


def figures_of(path: list[str]) -> dict[str, float]:
    """The counts that the head of this file names."""
    steps = [name for name in path if name != ARRAYS]
    return {
        "files": len(set(path)),
        "moves": len(visits(path)) - 1,
        "files_without_arrays": len(set(steps)),
        "moves_without_arrays": len(visits(steps)) - 1,
    }


def main() -> None:
    path = path_of_one_consolidation()
    if "--show" in sys.argv:
        print("\n".join(visits(path)))
    report("consolidation_path", figures_of(path))


if __name__ == "__main__":
    main()
