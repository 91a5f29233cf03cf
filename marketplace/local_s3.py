"""The S3 server of a laptop: rclone over the folder of the local store, whose first folders are its buckets.

It listens on loopback only, with a key of its own that is made once and kept under var/ with mode 0600; further keys
can be admitted. Pure: it is read by settings.py, is run by rclone, and knows nothing of Django.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

KEYS_FILE, ADMITTED_FILE, CACHE = "local_s3.json", "local_s3_admitted.json", "local_s3_cache"
VAR, FOLDER = "LOCAL_S3_VAR", "LOCAL_S3_FOLDER"
"""What `main` is told by the server's environment."""

KEY_ID = re.compile(r"[A-Za-z0-9]{16,128}")
SECRET_LENGTH = range(20, 129)
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
        made = Keys("WAGGLE" + secrets.token_hex(7).upper(), secrets.token_urlsafe(30))
        temporary = _written(path, made._asdict())
        # link() fails when another process was first: both then read the same keys.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    try:
        return Keys(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: does not hold a pair of keys ({error}); delete it to have new ones made") from None


def admit(var: Path, given: Keys) -> None:
    """Accept a further pair, such as an access key of the portal: boto3 has one pair for all services.

    Raises ValueError for what is no pair of keys.
    """
    if not KEY_ID.fullmatch(given.access_key_id) or len(given.secret_access_key) not in SECRET_LENGTH:
        raise ValueError(
            "an access key ID of 16 to 128 letters and digits, and a secret of 20 to 128 characters expected"
        )
    known = _admitted(var) | {given.access_key_id: given.secret_access_key}
    _written(var / ADMITTED_FILE, known).replace(var / ADMITTED_FILE)


def dismiss(var: Path, access_key_id: str) -> bool:
    """No longer accept a pair; returns whether it was accepted. The server forgets it within five minutes."""
    known = _admitted(var)
    if known.pop(access_key_id, None) is None:
        return False
    _written(var / ADMITTED_FILE, known).replace(var / ADMITTED_FILE)
    return True


def secret_of(var: Path, access_key_id: str) -> str | None:
    """The secret of a key that is accepted, None for another one."""
    own = keys(var)
    return own.secret_access_key if access_key_id == own.access_key_id else _admitted(var).get(access_key_id)


def _admitted(var: Path) -> dict[str, str]:
    path = var / ADMITTED_FILE
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _written(path: Path, content: dict[str, str]) -> Path:
    """A new file beside `path` with this content, which nobody else may read."""
    temporary = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        json.dump(content, stream)
    return temporary


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


def command(*, port: int, var: Path) -> list[str]:
    """The server, which asks `main` about each access key: none is among the arguments, which everybody can list."""
    return [
        *(rclone(), "serve", "s3", "--addr", f"{HOST}:{port}", "--config", os.devnull),
        # rclone parts this at blanks and knows no quotes, so that it may hold no paths: see `environment`.
        *("--auth-proxy", f"{Path(sys.executable).name} -m marketplace.local_s3"),
        # Uploads are complete on disk when they are acknowledged; unfinished files of the portal are not listed.
        *("--vfs-cache-mode", "off", "--dir-cache-time", FRESH, "--exclude", ".*.part"),
        *("--cache-dir", str(var / CACHE), "--log-level", "NOTICE"),
    ]


def environment(*, folder: Path, var: Path) -> dict[str, str]:
    """The environment of the server: where `main` is found, and what it reads."""
    return {
        **os.environ,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        VAR: str(var),
        FOLDER: str(folder),
    }


def main(var: Path, folder: Path) -> int:
    """Answer rclone's question on standard input, {"user": ID}: with the secret, and what the key's requests are about.

    ETags are MD5 digests: `hasher` keeps those of files that have not changed, or each listing would read every file.
    """
    try:
        secret = secret_of(var, json.load(sys.stdin)["user"])
    except (ValueError, TypeError, KeyError) as error:
        print(f"a question about an access key expected: {error}", file=sys.stderr)
        return 1
    if secret is None:
        print("there is no such access key", file=sys.stderr)
        return 1
    backend = {"type": "hasher", "remote": str(folder), "hashes": "md5", "max_age": "off", "_root": ""}
    print(json.dumps(backend | {"_secret_access_key": secret}))
    return 0


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


if __name__ == "__main__":
    sys.exit(main(Path(os.environ[VAR]), Path(os.environ[FOLDER])))
