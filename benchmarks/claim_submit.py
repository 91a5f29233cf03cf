"""Claim and submit over HTTP, against the production server (web, message queue) and a durable PostgreSQL.

Each client is a worker with a token of its own and one persistent connection; a loop is one claim and one submit with
three boxes. Every cell gets a fresh job of redundancy 3. `loops_per_s_next_*` are loops of a single request: the submit
that claims the next task too, which is what the worker's page sends. `single_worker_flatness` is the time of the last
1,000 of 20,000 claims over the first 1,000, one worker on a redundancy-5 job of 100,000 tasks.

With `--server` several web servers run the same portal, in turns for `--rounds` rounds, and each has its line.

    python -m benchmarks.claim_submit [--tasks 1000 10000 100000] [--clients 1 8 32] [--seconds 10] [--flat 20000]
    python -m benchmarks.claim_submit --server portal gunicorn [--rounds 4] [--clients 8] [--seconds 5]
"""

import argparse
import json
import socket
import statistics
import sys
import threading
import time
from typing import Any

from benchmarks.report import machine, report
from benchmarks.stack import SERVERS, Stack, running

SIZE = {"width": 1920, "height": 1080}
IDLE_SECONDS = 5
"""Idle time after which a client connects again; the server closes connections after 15 s."""

NAMES = {1_000: "1k", 10_000: "10k", 100_000: "100k"}
ANSWER = {
    "boundingBox": {
        "boundingBoxes": [
            {"left": 100.5 + 300 * n, "top": 220.25, "width": 180, "height": 140.75, "label": "bee"} for n in range(3)
        ],
        "inputImageProperties": SIZE,
    }
}


def main() -> None:
    """Start a stack of its own, measure every cell, print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tasks", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    arguments.add_argument("--clients", type=int, nargs="*", default=[1, 8, 32])
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--flat", type=int, default=20_000)
    arguments.add_argument("--server", nargs="*", choices=[*SERVERS], default=[])
    arguments.add_argument("--rounds", type=int, default=4)
    options = arguments.parse_args()
    before = machine()
    with running() as stack:
        if options.server:
            for server, figures in compare(stack, options).items():
                report("claim_submit", figures, on=before, server=server)
        else:
            report("claim_submit", measure(stack, options), on=before, server="portal")


class Client:
    """A worker's program: one token, one persistent connection.

    It does as little work a request as possible, like wrk, because it shares the two cores with the server.
    """

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self._connect()
        self.head = (
            f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self.answer = json.dumps({"answer": ANSWER, "seconds": 8.2}).encode()

    def _connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        # Otherwise the kernel waits up to 40 ms for more data to send.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.last = time.monotonic()

    def call(self, method: str, path: str, body: bytes = b"{}") -> tuple[int, Any]:
        """Status and JSON of one request."""
        if time.monotonic() - self.last > IDLE_SECONDS:
            self._connect()
        request = f"{method} {path}".encode() + self.head + b"%d\r\n\r\n" % len(body) + body
        self.socket.sendall(request)
        received = self.socket.recv(65536)
        if not received:
            # The server closes idle connections when it replaces a process that has served its maximum of requests.
            self._connect()
            self.socket.sendall(request)
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        head = received[:end].lower()
        start = head.index(b"content-length:") + 15
        length = int(head[start : head.find(b"\r\n", start) if b"\r\n" in head[start:] else len(head)])
        while len(received) < end + 4 + length:
            received += self._receive()
        self.last = time.monotonic()
        return int(head[9:12]), json.loads(received[end + 4 :] or b"null")

    def _receive(self) -> bytes:
        part = self.socket.recv(65536)
        if not part:
            raise RuntimeError("the server closed the connection")
        return part

    def claim(self, queue_id: int) -> Any:
        """The assignment, None when there is none."""
        status, body = self.call("POST", f"/api/v1/work-queues/{queue_id}/claim")
        return expect(status, body)["assignment"]

    def submit(self, seat: int, *, claim_next: bool = False) -> Any:
        """Submit the answer; returns the next assignment if `claim_next`."""
        path = f"/api/v1/assignments/{seat}/submit" + ("?claim_next=true" if claim_next else "")
        status, body = self.call("POST", path, self.answer)
        return expect(status, body).get("next_assignment")


def expect(status: int, body: Any) -> Any:
    """The body of a success. Raises RuntimeError for anything else: a failed request must not count as a fast one."""
    if status != 200:
        raise RuntimeError(f"HTTP {status}: {body}")
    return body


# --- measurements -----------------------------------------------------------------------------------------------


def measure(stack: Stack, options: argparse.Namespace) -> dict[str, float]:
    """Every cell of clients and tasks, then the flatness of a single worker."""
    most = max([*options.clients, 1])
    account, team, tokens = make_people(most)
    figures: dict[str, float] = {}
    for tasks in options.tasks:
        for clients in options.clients:
            queue_id = make_job(account, team, tasks=tasks, redundancy=3)
            cell = f"{clients}c_{NAMES.get(tasks, tasks)}"
            figures |= run_cell(stack, tokens[:clients], queue_id, options.seconds, cell)
            stop_job(queue_id)
    if options.tasks and 8 in options.clients:
        queue_id = make_job(account, team, tasks=10_000, redundancy=3)
        figures |= run_cell(stack, tokens[:8], queue_id, options.seconds, "next_8c_10k", claim_next=True)
        stop_job(queue_id)
    if options.flat:
        figures |= flatness(stack, tokens[0], make_job(account, team, tasks=100_000, redundancy=5), options.flat)
    return figures


def compare(stack: Stack, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The same cell with each server in turns, so that what else the machine does hits all alike; medians of rounds.

    Raises SystemExit for more than one number of clients.
    """
    if len(options.clients) != 1:
        raise SystemExit("--server compares with one number of clients, as in --clients 8")
    clients = options.clients[0]
    account, team, tokens = make_people(clients)
    found: dict[str, list[dict[str, float]]] = {server: [] for server in options.server}
    for _ in range(options.rounds):
        for server in options.server:
            stack.serve(server)
            queue_id = make_job(account, team, tasks=10_000, redundancy=3)
            found[server].append(run_cell(stack, tokens, queue_id, options.seconds, server))
            stop_job(queue_id)
    names = {"loops_per_s": "loops_per_s", "p50_ms": "p50_ms", "p95_ms": "p95_ms", "server_cpu_ms": "cpu_ms_per_loop"}
    return {
        server: {new: statistics.median(each[f"{old}_{server}"] for each in rounds) for old, new in names.items()}
        for server, rounds in found.items()
    }


def run_cell(
    stack: Stack, tokens: list[str], queue_id: int, seconds: float, cell: str, *, claim_next: bool = False
) -> dict[str, float]:
    """Run all clients at once until the time is over or no task is left."""
    clients = [Client(stack.port, token) for token in tokens]
    for client in clients:
        client.submit(client.claim(queue_id)["id"])
    loops: list[float] = []
    errors: list[BaseException] = []
    start, cpu = time.perf_counter(), stack.cpu_seconds()

    def loop(client: Client) -> None:
        try:
            loops.extend(loop_times(client, queue_id, start + seconds, claim_next))
        except BaseException as error:  # noqa: BLE001 - raised again below, in the main thread
            errors.append(error)

    threads = [threading.Thread(target=loop, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, cpu = time.perf_counter() - start, stack.cpu_seconds() - cpu
    if errors:
        raise errors[0]
    loops.sort()
    figures = {
        f"loops_per_s_{cell}": len(loops) / took,
        f"p50_ms_{cell}": 1000 * statistics.median(loops),
        f"server_cpu_ms_{cell}": 1000 * cpu / len(loops),
        f"p95_ms_{cell}": 1000 * loops[int(0.95 * (len(loops) - 1))],
    }
    print(cell, {name: round(value, 1) for name, value in figures.items()}, file=sys.stderr, flush=True)
    return figures


def loop_times(client: Client, queue_id: int, until: float, claim_next: bool) -> list[float]:
    """Seconds of each loop of one client."""
    times = []
    seat = client.claim(queue_id) if claim_next else None
    while time.perf_counter() < until:
        began = time.perf_counter()
        if not claim_next:
            seat = client.claim(queue_id)
        if seat is None:
            break
        seat = client.submit(seat["id"], claim_next=claim_next)
        times.append(time.perf_counter() - began)
    return times


def flatness(stack: Stack, token: str, queue_id: int, claims: int) -> dict[str, float]:
    """One worker alone: the times of the last claims relative to the first."""
    client = Client(stack.port, token)
    times = []
    for _ in range(claims):
        began = time.perf_counter()
        seat = client.claim(queue_id)
        times.append(time.perf_counter() - began)
        client.submit(seat["id"])
    part = min(1000, claims // 4)
    first, last = times[:part], times[-part:]
    figures = {
        "single_worker_flatness": sum(last) / sum(first),
        "single_worker_flatness_of_medians": statistics.median(last) / statistics.median(first),
        "single_worker_claim_ms": 1000 * statistics.mean(last),
    }
    print({name: round(value, 3) for name, value in figures.items()}, file=sys.stderr, flush=True)
    return figures


# --- set-up -----------------------------------------------------------------------------------------------------


def make_people(workers: int) -> tuple[Any, Any, list[str]]:
    """An account with money, a team, and a token for each worker."""
    from marketplace.models import User, Worker
    from marketplace.services import accounts, wallets, workteams

    users = User.objects.bulk_create(
        User(username=f"bench{n}@example.org", email=f"bench{n}@example.org", password="!") for n in range(workers + 1)
    )
    account = accounts.create_account(name="Benchmark", owner=users[-1])
    wallets.deposit(account=account, amount_micros=10**12, reference="deposit:benchmark", by="system")
    team = workteams.create_team(account=account, name="bench", description="", by="system")
    tokens = []
    for user in users[:-1]:
        worker, _ = Worker.objects.get_or_create(user=user, defaults={"public_id": f"BENCH{user.pk:06d}"})
        workteams.add_worker(team=team, worker=worker, by="system")
        tokens.append(accounts.create_token(user=user, account=None, name="bench")[1])
    return account, team, tokens


def make_job(account: Any, team: Any, *, tasks: int, redundancy: int, **changes: Any) -> int:
    """A job in progress, all its objects open to people; `changes` are arguments of create_job."""
    from django.conf import settings
    from django.db import connection, transaction

    from labeling.models import DataObject, LabelingJob
    from labeling.services.jobs import creation, status
    from labeling.services.jobs.batches import open_batch
    from marketplace import storage

    manifest = storage.join(settings.STORE_URL, account.number, "benchmark.manifest")
    storage.write(manifest, b'{"source-ref": "s3://bench/0.jpg"}\n')
    name = f"bench-{LabelingJob.objects.count()}"
    with transaction.atomic():
        # One transaction, so that no background process sees the job without its objects.
        job = creation.create_job(
            account=account,
            by="system",
            name=name,
            labels=["bee", "wasp"],
            workteam=team,
            input_manifest_uri=manifest,
            title="Draw a box around each insect",
            description="Bees and wasps on flowers",
            workers_per_object=redundancy,
            price_micros=36_000,
            # With automated labeling the job opens no batches, so this program is the only one that does.
            **{"automated_labeling": {"enabled": True}, **changes},
        )
        with connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO labeling_dataobject (job_id, index, state, failure_reason, source_ref, width, height,
                                                    depth, upright_uri)
                   SELECT %s, n, 'Unlabeled', '', 's3://bench/' || n || '.jpg', %s, %s, 3, ''
                   FROM generate_series(0, %s) AS n""",
                [job.pk, SIZE["width"], SIZE["height"], tasks - 1],
            )
            cursor.execute(
                """INSERT INTO labeling_objectline (data_object_id, text)
                   SELECT id, '{"source-ref": "' || source_ref || '"}' FROM labeling_dataobject WHERE job_id = %s""",
                [job.pk],
            )
        LabelingJob.objects.filter(pk=job.pk).update(objects_total=tasks)
        status.move(job, "InProgress", by="system")
        ids = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True))
        open_batch(job=job, object_ids=ids, by="system")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return job.queue_id


def stop_job(queue_id: int) -> None:
    """Stop the job, so that its background work does not disturb the next measurement."""
    from labeling.models import LabelingJob
    from labeling.services.jobs import advancing, creation

    job = LabelingJob.objects.get(queue=queue_id)
    creation.stop_job(job=job, by="system")
    # The server's queue may be advancing the job just now; whoever is told so leaves it alone instead of waiting.
    while job.status == "Stopping":
        advancing.advance_job(job.pk)
        job.refresh_from_db()
        time.sleep(0.2)


if __name__ == "__main__":
    main()
