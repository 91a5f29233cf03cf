"""The S3 server of a laptop: rclone over the folder of the local store, whose first folders are its buckets.

It listens on loopback only, with a key of its own that is made once and kept under var/ with mode 0600. Pure: it is
read by settings.py and knows nothing of Django.
"""

import contextlib
import json
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

KEYS_FILE = "local_s3.json"
HOST = "127.0.0.1"
FRESH = "1s"
"""How old a folder may be that rclone lists: the portal writes files beside it."""


class Keys(NamedTuple):
    """A pair of keys that boto3 signs requests with."""

    access_key_id: str
    secret_access_key: str


class NoRclone(RuntimeError):
    """rclone is not installed; the message says how to get it."""


def keys(var: Path) -> Keys:
    """The keys under this folder, made at the first call. Raises ValueError for a file that holds something else."""
    path = var / KEYS_FILE
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        made = Keys("WAGGLE" + secrets.token_hex(7).upper(), secrets.token_urlsafe(30))
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            json.dump(made._asdict(), stream)
        # link() fails when another process was first: both then read the same keys.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    try:
        return Keys(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: does not hold a pair of keys ({error}); delete it to have new ones made") from None


def endpoint(port: int) -> str:
    """The address at which the server listens."""
    return f"http://{HOST}:{port}"


def rclone() -> str:
    """The path of rclone: the one beside Python, else the system's. Raises NoRclone."""
    beside = Path(sys.executable).with_name("rclone")
    found = str(beside) if beside.exists() else shutil.which("rclone")
    if not found:
        raise NoRclone("rclone is not installed: run `make setup`, which takes it from requirements.txt")
    return found


def command(*, folder: Path, port: int) -> list[str]:
    """What serves the folder. The keys are not among the arguments, which every user of the machine can list."""
    return [
        rclone(), "serve", "s3", str(folder), "--addr", f"{HOST}:{port}", "--config", os.devnull,
        # Uploads are complete on disk when they are acknowledged; unfinished files of the portal are not listed.
        "--vfs-cache-mode", "off", "--dir-cache-time", FRESH, "--exclude", ".*.part", "--log-level", "NOTICE",
    ]  # fmt: skip


def environment(given: Keys) -> dict[str, str]:
    """The variable that tells rclone which keys to accept."""
    return {"RCLONE_AUTH_KEY": f'"{given.access_key_id},{given.secret_access_key}"'}


def exports(*, port: int, region: str, given: Keys) -> dict[str, str]:
    """The variables by which boto3 and the AWS CLI find the server without any change to code."""
    return {
        "AWS_ENDPOINT_URL_S3": endpoint(port),
        "AWS_ACCESS_KEY_ID": given.access_key_id,
        "AWS_SECRET_ACCESS_KEY": given.secret_access_key,
        "AWS_DEFAULT_REGION": region,
    }


def default_bucket(account_number: str, region: str) -> str:
    """The bucket of an account, named as the SageMaker SDK names its default bucket."""
    return f"sagemaker-{region}-{account_number}"


def own_bucket(bucket: str, account_number: str) -> bool:
    """Whether a bucket of the local server belongs to the account: its name ends in the number."""
    return bucket.endswith(f"-{account_number}")
