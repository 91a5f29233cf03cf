"""Print one block of requirements.txt (web, learner or dev): images install only what they need."""

import sys
from pathlib import Path

BLOCKS = ("web", "learner", "dev")


def block(text: str, name: str) -> list[str]:
    """The pins under the heading `# --- name`. Raises ValueError when there is no such heading."""
    lines: list[str] = []
    inside = found = False
    for line in text.splitlines():
        if line.startswith("# ---"):
            inside = line.removeprefix("# ---").split(":")[0].strip(" -") == name
            found = found or inside
        elif inside and line.strip() and not line.startswith("#"):
            lines.append(line.strip())
    if not found:
        raise ValueError(f"there is no block {name!r}; there are: {', '.join(BLOCKS)}")
    return lines


if __name__ == "__main__":
    print("\n".join(block(Path(sys.argv[1]).read_text(), sys.argv[2])))
