"""The truth about a folder of images (COCO annotations), found by an image's bytes. Pure but for reading the folder."""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labeling.formats.images import ImageError, normalise


@dataclass(frozen=True)
class TrueBox:
    """A box of the truth, in pixels."""

    left: float
    top: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class TrueImage:
    """An image and all its true boxes."""

    name: str
    width: int
    height: int
    boxes: tuple[TrueBox, ...]


def _true_box(ltwh: list[float], label: str) -> TrueBox:
    left, top, width, height = ltwh
    return TrueBox(left, top, width, height, label)


def digest(content: bytes) -> str:
    """The name an image goes by: the SHA-256 of its bytes."""
    return hashlib.sha256(content).hexdigest()


class Truth:
    """`annotations.coco.json` with the pictures in `images/` beside it."""

    def __init__(self, annotations: Path):
        """Raises ValueError naming what is missing in the file or the folder."""
        try:
            coco = json.loads(annotations.read_text(encoding="utf-8-sig"))
            self.labels = [c["name"] for c in sorted(coco["categories"], key=lambda c: c["id"])]
            names = {c["id"]: c["name"] for c in coco["categories"]}
            boxes: dict[int, list[TrueBox]] = {}
            for a in coco["annotations"]:
                boxes.setdefault(a["image_id"], []).append(_true_box(a["bbox"], names[a["category_id"]]))
            self.images = [
                TrueImage(i["file_name"], i["width"], i["height"], tuple(boxes.get(i["id"], ())))
                for i in coco["images"]
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{annotations}: not COCO annotations: {error!r}") from error
        self.folder = annotations.parent / "images"
        self.by_name = {image.name: image for image in self.images}
        self._by_digest: dict[str, TrueImage] = {}
        for image in self.images:
            path = self.folder / image.name
            if not path.is_file():
                raise ValueError(f"{annotations}: the image {image.name} is not in {self.folder}")
            content = path.read_bytes()
            self._by_digest[digest(content)] = image
            with suppress(ImageError):  # Whether it is an image is for the job to say.
                # Workers see photos upright, which are other bytes when the camera was turned.
                self._by_digest[digest(normalise(content))] = image

    def find(self, content: bytes) -> TrueImage | None:
        """The truth about the image with these bytes; None for one that is not in the set."""
        return self._by_digest.get(digest(content))

    def at(self, uri: str) -> TrueImage | None:
        """The truth about the image with this relative name or address, by the longest end of it that is a name."""
        parts = uri.split("/")
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((self.by_name[end] for end in ends if end in self.by_name), None)
