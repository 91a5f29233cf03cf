"""Real S3 servers on this machine: rclone, which checks signatures and expiry, and moto, which behaves like AWS."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

KEY_ID, SECRET = "waggle-test", "waggle-test-secret"


def free_port() -> int:
    """A TCP port on which nothing listens at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _rclone() -> str:
    beside = Path(sys.executable).with_name("rclone")
    found = str(beside) if beside.exists() else shutil.which("rclone")
    if not found:
        pytest.skip("rclone is not installed")
    return found


def wait_for(process: subprocess.Popen, port: int) -> None:
    """Return once somebody listens on a port; raises RuntimeError when the process ends, or after a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not start to listen within a minute")


@pytest.fixture(scope="session")
def s3_servers(tmp_path_factory):
    """The addresses of both servers by name; they are stopped when the test session ends."""
    ports = {"rclone": free_port(), "moto": free_port()}
    folder = tmp_path_factory.mktemp("s3")
    commands = {
        "rclone": [
            _rclone(), "serve", "s3", str(folder), "--addr", f"127.0.0.1:{ports['rclone']}",
            "--auth-key", f"{KEY_ID},{SECRET}", "--vfs-cache-mode", "off", "--config", os.devnull,
        ],
        "moto": [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(ports["moto"])],
    }  # fmt: skip
    processes = {
        name: subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name, command in commands.items()
    }
    try:
        for name, process in processes.items():
            wait_for(process, ports[name])
        yield {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def make_bucket(settings):
    """A function that points the settings at a server and makes and grants a bucket there; it returns its s3:// URI."""

    def make(endpoint: str) -> str:
        settings.S3_ENDPOINT_URL = settings.S3_PUBLIC_ENDPOINT_URL = endpoint
        settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY = KEY_ID, SECRET
        settings.S3_REGION, settings.S3_ADDRESSING_STYLE = "us-east-1", "path"
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
        )
        name = f"bees-{time.monotonic_ns()}"
        client.create_bucket(Bucket=name)
        settings.S3_INPUT_BUCKETS = frozenset({name})
        return f"s3://{name}"

    return make
