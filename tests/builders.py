"""Builders of test data: accounts with money, workers, teams, images in the store, data sets.

Every builder goes through the public services. Builders of labeling jobs are in tests/labeling/stories.py.
"""

import contextlib
import io
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from PIL import Image, ImageDraw

from labeling.models import Dataset
from labeling.services.intake import datasets
from marketplace import money, storage
from marketplace.models import Account, Subject, User, Worker, Workteam
from marketplace.services import accounts, boundaries, escrow, wallets, workteams

PASSWORD = "clover-and-heather-9"
_numbers = itertools.count(1)


@contextlib.contextmanager
def rolled_back():
    """What happens inside is undone at the end: each example of a Hypothesis test begins with an empty database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def a_user(*, email: str | None = None, is_operator: bool = False) -> User:
    """A user who can sign in with PASSWORD."""
    number = next(_numbers)
    return accounts.create_user(
        email=email or f"person{number}@example.org",
        password=PASSWORD,
        display_name=f"Person {number}",
        is_operator=is_operator,
    )


def an_operator() -> User:
    """A user who operates the installation."""
    return a_user(is_operator=True)


def an_account(*, funds: str = "100", owner: User | None = None, name: str | None = None) -> Account:
    """A requester account whose wallet holds `funds` dollars."""
    number = next(_numbers)
    account = accounts.create_account(name=name or f"Apiary {number}", owner=owner or a_user())
    if micros := money.parse(funds):
        wallets.deposit(account=account, amount_micros=micros, reference=f"deposit:{account.pk}:{number}", by="system")
    return account


def a_requester(*, funds: str = "100") -> tuple[User, Account]:
    """A user and the account they own."""
    user = a_user()
    return user, an_account(funds=funds, owner=user)


def a_worker(*, user: User | None = None) -> Worker:
    """A worker, with a new user unless one is given."""
    return workteams.register_worker(user or a_user())


def earn(worker: Worker, micros: int) -> None:
    """Pay the worker so many micro-dollars out of an account's escrow, for work that no assignment stands for."""
    account, fact = an_account(funds="1000"), Subject("test-work", next(_numbers))
    escrow.reserve(account=account, purpose=fact, subject=fact, amount_micros=micros, by="system")
    escrow.pay(
        purpose=fact, subject=fact, account=account, worker=worker, price_micros=micros, fee_micros=0, by="system"
    )


def a_team(*, account: Account, workers: int | Sequence[Worker] = 3, name: str | None = None) -> Workteam:
    """A private team of the account. `workers` is a number of new workers or a list of existing ones."""
    team = workteams.create_team(account=account, name=name or f"team-{next(_numbers)}", description="", by="system")
    for worker in [a_worker() for _ in range(workers)] if isinstance(workers, int) else workers:
        workteams.add_worker(team=team, worker=worker, by="system")
    return team


def image_bytes(
    *, size: tuple[int, int] = (48, 32), number: int = 0, form: str = "PNG", orientation: int | None = None
) -> bytes:
    """The bytes of an image file: one coloured square on a plain background. `number` changes colour and place."""
    picture = Image.new("RGB", size, (200, 220, 255 - number % 200))
    left, top = number * 7 % (size[0] // 2), number * 5 % (size[1] // 2)
    ImageDraw.Draw(picture).rectangle(
        (left, top, left + size[0] // 4, top + size[1] // 4), fill=(210, 60, number % 255)
    )
    buffer = io.BytesIO()
    options = {}
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def tiny_images(
    count: int, *, account: Account, form: str = "PNG", size: tuple[int, int] = (48, 32), folder: str | None = None
) -> list[str]:
    """Write `count` images into the account's part of the store, or into the URI `folder`; returns their URIs."""
    base = folder or storage.join(boundaries.base_of(account), "uploads", f"pictures-{next(_numbers)}")
    suffix = {"PNG": "png", "JPEG": "jpg"}[form]
    uris = [storage.join(base, f"{number:05d}.{suffix}") for number in range(count)]
    for number, uri in enumerate(uris):
        storage.write(uri, image_bytes(size=size, number=number, form=form), content_type=f"image/{form.lower()}")
    return uris


def a_manifest(account: Account, lines: Iterable[dict[str, Any] | bytes]) -> str:
    """A manifest in the account's part of the store: dictionaries become JSON, bytes are written as they are."""
    uri = storage.join(boundaries.base_of(account), "uploads", f"input-{next(_numbers)}.manifest")
    whole = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    storage.write(uri, whole, content_type="application/jsonl")
    return uri


def a_dataset(
    *, account: Account, kind: str = "folder", uri: str | None = None, made: bool = True, **changes: Any
) -> Dataset:
    """A data set of the account, of two new images or of what is at `uri`; processed at once if `made`."""
    uri = uri or tiny_images(2, account=account)[0].rsplit("/", 1)[0]
    name = changes.pop("name", f"set-{next(_numbers)}")
    dataset = datasets.create_dataset(
        account=account, name=name, source={"kind": kind, "uri": uri, **changes}, by="system"
    )
    if made:
        datasets.advance_dataset(dataset.pk)
        dataset.refresh_from_db()
    return dataset
