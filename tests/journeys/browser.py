"""A person's browser without a screen: cookies, forms and redirects, over real HTTP."""

import http.cookiejar
import json
import urllib.parse
import urllib.request
from typing import Any


class Browser:
    """Fetches pages and sends forms at one site. HTTP errors are raised as urllib.error.HTTPError."""

    def __init__(self, base: str):
        self.base = base
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        """The page."""
        return self.bytes(path).decode()

    def bytes(self, path: str) -> bytes:
        """What is at a path, or at an address of the site."""
        with self.opener.open(self.base + path.removeprefix(self.base), timeout=60) as response:
            content: bytes = response.read()
            return content

    def post(self, path: str, form: dict[str, str]) -> str:
        """Send a form; returns the page one is led to."""
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        data = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": token}).encode()
        request = urllib.request.Request(self.base + path, data, {"Referer": self.base + path, "Origin": self.base})
        with self.opener.open(request, timeout=60) as response:
            return response.read().decode()

    def send(self, path: str, body: dict[str, Any]) -> Any:
        """Send JSON to the API, as a script of the page does; returns the JSON it answers."""
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        headers = {"Referer": self.base, "X-CSRFToken": token, "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), headers)
        with self.opener.open(request, timeout=60) as response:
            return json.load(response)


def signed_in(base: str, email: str, password: str) -> Browser:
    """A browser in which this user has signed in."""
    browser = Browser(base)
    browser.get("/sign-in/")
    browser.post("/sign-in/", {"username": email, "password": password})
    return browser
