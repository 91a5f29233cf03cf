"""Uploads over HTTP: every file of a request is kept under a key of ours, with the name it was sent with."""

import json

import pytest
import urllib3
from django.test import Client
from django.urls import reverse

from labeling.models import Dataset
from labeling.services.intake import datasets
from marketplace import storage
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
POOL = urllib3.PoolManager(retries=False)
BOUNDARY = "a-line-between"
NAMES = ["蜜蜂.jpg", "黄蜂.jpg", "street/a.jpg", "garden/a.jpg", "x y.jpg", "../../etc/passwd", "..", "/", "C:\\a.jpg"]


def form_of(files: list[tuple[str, bytes]]) -> bytes:
    """A multipart body as browsers write it: names in UTF-8, as they are."""
    parts = []
    for name, content in files:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{quoted}"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def send(live_server, requester, files: list[tuple[str, bytes]]) -> tuple[int, dict]:
    """Upload these files in one request."""
    headers = {
        "Authorization": f"Bearer {requester.secret}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    response = POOL.request("POST", f"{live_server.url}/api/v1/uploads", body=form_of(files), headers=headers)
    return response.status, response.json()


def test_names_are_kept_as_they_were_sent_and_collide_no_more(live_server, requester):
    files = [(name, builders.image_bytes(number=number)) for number, name in enumerate(NAMES)]
    status, answer = send(live_server, requester, files)
    assert status == 201, answer
    assert [file["name"] for file in answer["files"]] == NAMES
    assert [storage.read(file["uri"]) for file in answer["files"]] == [content for _, content in files]
    assert all(file["uri"].startswith(answer["uri"] + "/") for file in answer["files"])
    dataset = builders.a_dataset(account=requester.account, uri=answer["uri"])
    assert (dataset.objects_total, dataset.bad_lines) == (len(NAMES), 0)
    lines = [json.loads(line) for line in storage.read(dataset.manifest_uri).splitlines()]
    assert sorted(line["source-name"] for line in lines) == sorted(NAMES)


def test_a_broken_form_is_refused_as_before(live_server, requester):
    headers = {"Authorization": f"Bearer {requester.secret}", "Content-Type": "multipart/form-data"}
    response = POOL.request("POST", f"{live_server.url}/api/v1/uploads", body=b"x", headers=headers)
    assert response.status == 400 and "Multipart form parse error" in response.json()["detail"]


def test_the_form_without_its_script_keeps_every_file_too():
    user, _ = builders.a_requester()
    client = Client()
    client.force_login(user)
    files = [builders.image_bytes(number=number) for number in range(4)]
    sent = list(zip(["a.png", "a.png", "蜂.png", "峰.png"], files, strict=True))
    fields = {"name": "bees", "kind": "upload", "selection": "full"}
    head = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    body = "".join(head).encode() + form_of(sent)
    address = reverse("requester:dataset-new")
    response = client.generic("POST", address, body, content_type=f"multipart/form-data; boundary={BOUNDARY}")
    assert response.status_code == 302, response.content.decode()
    row = Dataset.objects.get(name="bees")
    datasets.advance_dataset(row.pk)
    row.refresh_from_db()
    assert (row.objects_total, row.bad_lines) == (4, 0)


def test_too_many_files_in_one_request_are_refused_with_the_limit_and_the_way_out(live_server, requester):
    files = [(f"{number}.png", b"x") for number in range(101)]
    status, problem = send(live_server, requester, files)
    assert status == 413
    assert "at most 100 files: send the others in further requests with the `folder`" in problem["detail"]
    client = Client()
    client.force_login(requester.user)
    address, kind = reverse("requester:dataset-new"), f"multipart/form-data; boundary={BOUNDARY}"
    response = client.generic("POST", address, form_of(files), content_type=kind)
    assert response.status_code == 400
    assert "one request may have at most 100 files. Pack them into a zip file" in response.content.decode()
    assert send(live_server, requester, files[:100])[0] == 201
