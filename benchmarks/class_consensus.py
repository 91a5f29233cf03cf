"""Consensus of classes on real crowd labels with golds: majority, Wawa, Dawid-Skene and ours; then ours with a
stopping rule, answers arriving in random order, against the same accuracy at fixed redundancy.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.consensus_data import DATASETS
from benchmarks.report import report
from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.classes import votes
from labeling.consolidation.stopping import Stopping
from labeling.consolidation.workers.votes import VoteWorkers

SETS = ("bluebirds", "snow_rte", "snow_wsd", "barzan_tweets")
TARGETS = (0.8, 0.9, 0.95, 0.98)
Table = dict[str, list[WorkerAnswer[str]]]


def load(name: str) -> tuple[Table, dict[str, str], list[str]]:
    """Votes by task in the order of the file (the last of a worker's repeats counts), golds, labels."""
    given: Table = defaultdict(list)
    with open(DATASETS / "crowd_labels" / name / "labels.csv", encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            given[row["task"]].append(WorkerAnswer(row["worker"], row["label"], number))
    with open(DATASETS / "crowd_labels" / name / "gold.csv", encoding="utf-8") as lines:
        gold = {row["task"]: row["label"] for row in csv.DictReader(lines)}
    table = {task: votes.latest_votes(rows) for task, rows in given.items()}
    labels = sorted({vote.value for rows in table.values() for vote in rows} | set(gold.values()))
    return table, gold, labels


def accuracy(chances: Mapping[str, Mapping[str, float]], gold: Mapping[str, str]) -> float:
    """Share of golds with the most probable label; ties are split evenly."""
    right = 0.0
    for task, label in gold.items():
        said = chances.get(task, {})
        top = max(said.values(), default=0.0)
        best = [name for name, chance in said.items() if chance >= top - 1e-12]
        right += (label in best) / len(best) if best else 0.0
    return right / len(gold)


def majority(table: Table) -> dict[str, dict[str, float]]:
    return {
        task: _shares(Counter({v.value: 0 for v in rows}) + Counter(v.value for v in rows))
        for task, rows in table.items()
    }


def wawa(table: Table) -> dict[str, dict[str, float]]:
    """Worker agreement with aggregate: votes weighted by how often each worker agrees with the majority."""
    plain = {
        task: max(sorted(said), key=lambda label, said=said: said[label]) for task, said in majority(table).items()
    }
    agreed: dict[str, list[bool]] = defaultdict(list)
    for task, rows in table.items():
        for vote in rows:
            agreed[vote.worker].append(vote.value == plain[task])
    weight = {worker: float(np.mean(marks)) for worker, marks in agreed.items()}
    out = {}
    for task, rows in table.items():
        counts: Counter[str] = Counter()
        for vote in rows:
            counts[vote.value] += weight[vote.worker]
        out[task] = _shares(counts)
    return out


def dawid_skene(table: Table, labels: Sequence[str], rounds: int = 60) -> dict[str, dict[str, float]]:
    """Plain Dawid & Skene from a majority start, no smoothing beyond 1e-6."""
    tasks, workers = sorted(table), sorted({v.worker for rows in table.values() for v in rows})
    task_number, worker_number = ({name: i for i, name in enumerate(names)} for names in (tasks, workers))
    t, w, k = np.array(
        [(task_number[task], worker_number[v.worker], labels.index(v.value)) for task in tasks for v in table[task]]
    ).T
    truth = np.zeros((len(tasks), len(labels)))
    np.add.at(truth, (t, k), 1.0)
    truth /= truth.sum(axis=1, keepdims=True)
    for _ in range(rounds):
        prior = np.log(truth.mean(axis=0) + 1e-6)
        confusion = np.full((len(workers), len(labels), len(labels)), 1e-6)
        np.add.at(confusion, (w, slice(None), k), truth[t])
        confusion = np.log(confusion / confusion.sum(axis=2, keepdims=True))
        score = np.tile(prior, (len(tasks), 1))
        np.add.at(score, t, confusion[w, :, k])
        truth = np.exp(score - score.max(axis=1, keepdims=True))
        truth /= truth.sum(axis=1, keepdims=True)
    return {task: dict(zip(labels, truth[i].tolist(), strict=True)) for i, task in enumerate(tasks)}


def ours(table: Table, labels: Sequence[str], models: VoteWorkers | None = None) -> dict[str, dict[str, float]]:
    known = models or votes.fit_workers([ObjectAnswers(tuple(rows)) for rows in table.values()], labels=labels)
    return {task: votes.posterior(rows, labels, known) for task, rows in table.items()}


def arriving(table: Table, labels: Sequence[str], target: float, seed: int) -> tuple[Table, float]:
    """The votes asked for when each task stops by the rule; workers are fitted anew after each round of asking."""
    rng = np.random.default_rng(seed)
    queue = {task: [rows[i] for i in rng.permutation(len(rows))] for task, rows in sorted(table.items())}
    seen = {task: rows[:2] for task, rows in queue.items()}
    open_ = set(queue)
    while open_:
        models = votes.fit_workers([ObjectAnswers(tuple(rows)) for rows in seen.values()], labels=labels)
        for task in sorted(open_):
            most = len(queue[task])
            rule = Stopping(max_answers=most, min_answers=min(2, most), target_confidence=target)
            if votes.should_ask_more(seen[task], labels=labels, rule=rule, workers=models).ask:
                seen[task] = queue[task][: len(seen[task]) + 1]
            else:
                open_.discard(task)
    return seen, float(np.mean([len(rows) for rows in seen.values()]))


def fixed_curve(table: Table, labels: Sequence[str], gold: Mapping[str, str], seed: int) -> list[tuple[int, float]]:
    """(answers a task, accuracy of majority) for growing fixed redundancy, the same order of arrival."""
    rng = np.random.default_rng(seed)
    queue = {task: [rows[i] for i in rng.permutation(len(rows))] for task, rows in sorted(table.items())}
    most = max(map(len, queue.values()))
    return [(n, accuracy(majority({task: rows[:n] for task, rows in queue.items()}), gold)) for n in range(1, most + 1)]


def _shares(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values()) or 1.0
    return {label: n / total for label, n in counts.items()}


def main() -> None:
    figures: dict[str, float] = {}
    for name in SETS:
        table, gold, labels = load(name)
        figures[f"{name}_majority"] = accuracy(majority(table), gold)
        figures[f"{name}_wawa"] = accuracy(wawa(table), gold)
        figures[f"{name}_dawid_skene"] = accuracy(dawid_skene(table, labels), gold)
        figures[f"{name}_ours"] = accuracy(ours(table, labels), gold)
        figures[f"{name}_answers"] = float(np.mean([len(rows) for rows in table.values()]))
        curve = fixed_curve(table, labels, gold, 1)
        for target in TARGETS:
            seen, mean = arriving(table, labels, target, 1)
            reached = accuracy(ours(seen, labels), gold)
            needed = next((n for n, value in curve if value >= reached - 1e-9), curve[-1][0])
            figures |= {
                f"{name}_{target}_answers": mean,
                f"{name}_{target}_accuracy": reached,
                f"{name}_{target}_majority_needs": needed,
                f"{name}_{target}_saved": 1 - mean / needed,
            }
        print(name, {k: round(v, 4) for k, v in figures.items() if k.startswith(name)}, flush=True)
    report("class_consensus", figures)


if __name__ == "__main__":
    main()
