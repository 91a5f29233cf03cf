"""A Stripe of our own on loopback: what Waggle uses of its HTTP API, with idempotency keys and signed events.

It keeps what it is told in memory, as Stripe does: forms in, JSON out, one answer for each idempotency key, transfers
only from what its balance holds. What people do on Stripe's pages, and what banks do, are methods.
"""

import http.server
import itertools
import json
import re
import threading
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

SECRET_KEY = "sk_test_waggle"  # noqa: S105
SIGNING_SECRET = "whsec_own"  # noqa: S105
CONNECT_SECRET = "whsec_connected"  # noqa: S105
CODES = {"balance_insufficient": "You have insufficient funds in your Stripe account."}


class Refused(Exception):
    """An answer with an error: status, type, code, text."""

    def __init__(self, status: int, kind: str, code: str, text: str):
        super().__init__(text)
        self.status, self.body = status, {"error": {"type": kind, "code": code, "message": text}}


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Stripe's form encoding, `a[b][0][c]=1`, as nested dictionaries."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        place, parts = found, re.findall(r"[^\[\]]+", name)
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        place[parts[-1]] = value
    return found


class FakeStripe:
    """The state of Stripe, and a server on loopback."""

    def __init__(self) -> None:
        self.balance = 10_000_000
        self.objects: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self.calls: list[tuple[str, str, str]] = []
        self.refuse: dict[str, str] = {}
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.base = f"http://{self.host}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End the server."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    # --- what people and banks do -------------------------------------------------------------------------------

    def pay(self, session_id: str, *, status: str = "paid") -> dict[str, Any]:
        """The payer pays a session."""
        session = self.objects[session_id]
        session |= {"payment_status": status, "status": "complete", "payment_intent": self._id("pi")}
        return session

    def charge_of(self, session: dict[str, Any], *, refunded: int) -> dict[str, Any]:
        """The charge of a paid session, of which so many cents were given back."""
        amount = session["amount_total"]
        return {
            "id": self._id("ch"), "object": "charge", "payment_intent": session["payment_intent"],
            "amount": amount, "amount_refunded": refunded, "refunded": refunded == amount,
        }  # fmt: skip

    def dispute_of(self, session: dict[str, Any], *, status: str = "needs_response") -> dict[str, Any]:
        """A dispute about the whole of a paid session."""
        return {
            "id": self._id("dp"), "object": "dispute", "payment_intent": session["payment_intent"],
            "amount": session["amount_total"], "status": status,
        }  # fmt: skip

    def onboard(self, account_id: str) -> dict[str, Any]:
        """A worker tells Stripe all it wants to know."""
        account = self.objects[account_id]
        account |= {"payouts_enabled": True, "details_submitted": True, "capabilities": {"transfers": "active"}}
        return account

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Every object of a kind ("transfer"), oldest first."""
        return [one for one in self.objects.values() if one["object"] == kind]

    def event(
        self, kind: str, found: dict[str, Any], *, account: str = "", event_id: str = "", at: float | None = None
    ) -> tuple[bytes, str]:
        """(body, signature) of an event, signed now or `at` a time; `account` for those of connected accounts."""
        event = {"id": event_id or self._id("evt"), "object": "event", "type": kind, "data": {"object": found}}
        if account:
            event["account"] = account
        body = json.dumps(event)
        secret = CONNECT_SECRET if account else SIGNING_SECRET
        moment = int(time.time() if at is None else at)
        return body.encode(), stripe.WebhookSignature.generate_signature_header(body, secret, moment)

    # --- the API ------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, given: dict[str, Any], account: str) -> dict[str, Any]:
        """One request. Raises Refused."""
        route = re.sub(r"/(acct|tr|po|cs)_[^/]+", "/*", path.removeprefix("/v1"))
        if code := self.refuse.get(route if method == "POST" else ""):
            raise Refused(400, "invalid_request_error", code, CODES.get(code, f"This is refused: {code}."))
        named = next((part for part in path.split("/") if re.match(r"(acct|tr|po|cs)_", part)), "")
        if named and named not in self.objects:
            raise Refused(404, "invalid_request_error", "resource_missing", f"No such object: {named}")
        routes = {
            ("POST", "/checkout/sessions"): self._session,
            ("POST", "/accounts"): lambda given, _: self._made("acct", "account", **given, payouts_enabled=False),
            ("GET", "/accounts/*"): lambda *_: self.objects[named],
            ("POST", "/account_links"): lambda given, _: {
                "object": "account_link", "url": f"{self.base}/setup/{given['account']}", "created": 1, "expires_at": 2,
            },
            ("POST", "/transfers"): self._transfer,
            ("GET", "/transfers"): lambda given, _: self._list("transfer", transfer_group=given["transfer_group"]),
            ("GET", "/transfers/*"): lambda *_: self.objects[named],
            ("POST", "/transfers/*/reversals"): lambda given, _: self._reversal(self.objects[named], given),
            ("POST", "/payouts"): self._payout,
            ("GET", "/payouts"): lambda _, account: self._list("payout", account=account),
        }  # fmt: skip
        if (method, route) not in routes:
            raise Refused(404, "invalid_request_error", "", f"Unrecognized request URL ({method}: {path}).")
        return routes[method, route](given, account)

    def _session(self, given: dict[str, Any], account: str) -> dict[str, Any]:
        price = given["line_items"]["0"]["price_data"]
        session = self._made(
            "cs", "checkout.session", payment_status="unpaid", status="open", currency=price["currency"],
            amount_total=int(price["unit_amount"]), metadata=given["metadata"], success_url=given["success_url"],
        )  # fmt: skip
        session["url"] = f"{self.base}/pay/{session['id']}"
        return session

    def _transfer(self, given: dict[str, Any], account: str) -> dict[str, Any]:
        amount = int(given["amount"])
        if given["destination"] not in self.objects:
            raise Refused(400, "invalid_request_error", "resource_missing", "No such destination.")
        if amount > self.balance:
            raise Refused(400, "invalid_request_error", "balance_insufficient", CODES["balance_insufficient"])
        self.balance -= amount
        return self._made("tr", "transfer", **{**given, "amount": amount, "amount_reversed": 0, "reversed": False})

    def _reversal(self, transfer: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        amount = int(given.get("amount", transfer["amount"]))
        if transfer["amount_reversed"] + amount > transfer["amount"]:
            raise Refused(400, "invalid_request_error", "", "The transfer has been reversed already.")
        self.balance += amount
        transfer["amount_reversed"] += amount
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        return self._made("trr", "transfer_reversal", amount=amount, transfer=transfer["id"])

    def _payout(self, given: dict[str, Any], account: str) -> dict[str, Any]:
        return self._made("po", "payout", **{**given, "amount": int(given["amount"]), "account": account})

    def _list(self, kind: str, **wanted: str) -> dict[str, Any]:
        found = [one for one in self.of_kind(kind) if wanted.items() <= one.items()]
        return {"object": "list", "data": found[::-1], "has_more": False, "url": "/v1"}

    def _made(self, prefix: str, kind: str, **fields: Any) -> dict[str, Any]:
        made = {"id": self._id(prefix), "object": kind, **fields}
        self.objects[made["id"]] = made
        return made

    def _id(self, prefix: str) -> str:
        return f"{prefix}_test_{next(self.numbers)}"

    def _keyed(self, method: str, path: str, pairs: list[tuple[str, str]], headers: Any) -> tuple[int, dict[str, Any]]:
        """(status, body): of a POST with a key that was used before, the first answer again."""
        if headers["Authorization"] != f"Bearer {SECRET_KEY}":
            return 401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}
        key, account = headers.get("Idempotency-Key", ""), headers.get("Stripe-Account", "")
        asked = json.dumps([method, path, pairs, account])
        with self.lock:
            self.calls.append((method, path, key))
            if key and method == "POST" and key in self.answers:
                earlier, status, body = self.answers[key]
                if earlier != asked:
                    text = "Keys for idempotent requests can only be used with the same parameters."
                    return 400, {"error": {"type": "idempotency_error", "message": text}}
                return status, body
            try:
                status, body = 200, self.answer(method, path, nested(pairs), account)
            except Refused as error:
                status, body = error.status, error.body
            if key and method == "POST":
                self.answers[key] = (asked, status, json.loads(json.dumps(body)))
            return status, body

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Reads a request and writes the answer of the fake."""

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if not parts.path.startswith("/v1/"):
                    self._write(200, b"<!doctype html><title>Stripe</title><h1>Stripe</h1>", "text/html")
                    return
                status, body = fake._keyed("GET", parts.path, parse_qsl(parts.query), self.headers)
                self._write(status, json.dumps(body).encode())

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                pairs = parse_qsl(form, keep_blank_values=True)
                status, body = fake._keyed("POST", urlsplit(self.path).path, pairs, self.headers)
                self._write(status, json.dumps(body).encode())

            def _write(self, status: int, body: bytes, kind: str = "application/json") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        return Handler
