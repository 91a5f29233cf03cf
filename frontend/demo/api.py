"""A small client of the public REST API, for the simulated crowd and the demo. It must not know the database."""

import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import urllib3


class ApiError(RuntimeError):
    """The API answered with an error; `code` and `problem` are what it said."""

    def __init__(self, status: int, problem: dict[str, Any], where: str):
        super().__init__(f"{where}: {status} {problem.get('detail') or problem}")
        self.code = status
        self.problem = problem


class Api:
    """One caller with one token. Safe to use from several threads."""

    def __init__(self, *, base_url: str, token: str, pool: urllib3.PoolManager | None = None):
        self.base_url = base_url.rstrip("/")
        self.token = token
        retries = urllib3.Retry(total=8, backoff_factor=0.2, status_forcelist=(502, 503, 504), allowed_methods=None)
        self.pool = pool or urllib3.PoolManager(maxsize=32, retries=retries, timeout=120)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str) -> Any:
        """GET a JSON document."""
        return self._json("GET", path, None, {})

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Any:
        """POST JSON with an idempotency key, so that a retry after a lost answer does nothing twice."""
        return self._json("POST", path, body or {}, {"Idempotency-Key": key or uuid.uuid4().hex})

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """PUT a JSON document."""
        return self._json("PUT", path, body, {})

    def upload(self, path: str, files: list[tuple[str, bytes]], folder: str | None = None) -> Any:
        """POST files as a multipart form."""
        fields: list[Any] = [("files", (name, content, "application/octet-stream")) for name, content in files]
        if folder:
            fields.append(("folder", folder))
        response = self.pool.request("POST", self.base_url + path, fields=fields, headers=self._headers())
        return self._parse(response, f"POST {path}")

    def bytes(self, path: str) -> bytes:
        """GET a file. Only the own server's addresses are followed."""
        url = path if "://" in path else self.base_url + path
        own = urlsplit(url).netloc == urlsplit(self.base_url).netloc
        response = self.pool.request("GET", url, headers=self._headers() if own else {})
        if response.status != 200:
            raise ApiError(response.status, {"detail": response.data[:200].decode(errors="replace")}, f"GET {path}")
        return response.data

    def pages(self, path: str) -> list[dict[str, Any]]:
        """Every row of a paged list."""
        rows: list[dict[str, Any]] = []
        url: str | None = path
        while url:
            page = self.get(url.removeprefix(self.base_url))
            rows += page["results"]
            url = page.get("next")
            if url:
                parts = urlsplit(url)
                url = f"{parts.path}?{parts.query}"
        return rows

    def _json(self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Any:
        response = self.pool.request(method, self.base_url + path, json=body, headers={**self._headers(), **headers})
        return self._parse(response, f"{method} {path}")

    def _parse(self, response: urllib3.BaseHTTPResponse, where: str) -> Any:
        if response.status >= 400:
            try:
                problem = json.loads(response.data)
            except ValueError:
                problem = {"detail": response.data[:300].decode(errors="replace")}
            raise ApiError(response.status, problem, where)
        return json.loads(response.data) if response.data else None
