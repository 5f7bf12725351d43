"""Summaries: from records to counts, metrics, slices and the decision."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.records import Answer, Case, ErrorInfo, Score, Status, to_json
from llmeval.core.results import Decision
from llmeval.gate.summary import summarise
from llmeval.store.directory import RunDir
from tests.support.rundirs import record_lines, seal

GATE = {
    "floors": {},
    "regression": None,
    "alpha": 0.05,
    "beta": 0.05,
    "max_unscored": 0.02,
    "on_inconclusive": "fail",
}


def manifest(n: int, repeats: int = 1, **gate: Any) -> dict[str, Any]:
    return {
        "schema": 3, "suite": "s", "run_id": "r", "status": "complete", "cases": {"n": n}, "repeats": repeats,
        "started": "2026-01-01T00:00:00Z", "digests": {"cases": "sha256:0", "judges": {}}, "checks": [],
        "gate": {**GATE, **gate}, "judges": {"judged": {"trust": "TRUSTED", "trust_reason": ""}}, "candidate": {"name": "c"},
    }  # fmt: skip


def write(
    folder: Path, what: dict[str, Any], units: list[tuple[Case, Answer, list[Score]]], seed: int = 0
) -> RunDir:
    random.Random(seed).shuffle(units)
    (folder / "manifest.json").write_text(json.dumps(what))
    for name, records in (
        ("cases.jsonl", [case for case, _, _ in units]),
        ("answers.jsonl", [answer for _, answer, _ in units]),
        ("scores.jsonl", [score for _, _, scores in units for score in scores]),
    ):
        (folder / name).write_bytes(record_lines(records))
    return RunDir(seal(folder))


def unit(
    i: int, status: Status, value: float | None, repeat: int = 0, **tags: str
) -> tuple[Case, Answer, list[Score]]:
    case = Case(f"c{i}", {}, tags=tags)
    error = ErrorInfo("provider", "x") if status is Status.ERROR else None
    answer = Answer(
        case_id=case.id, repeat=repeat, output=None if error else "x", error=error, attempts=1
    )
    passed = None if value is None else status is Status.PASS
    scores = [
        Score(
            case_id=case.id,
            repeat=repeat,
            metric="judged",
            status=status,
            value=value,
            passed=passed,
            source="judge",
        )
    ]
    return case, answer, [] if error else scores


def test_counts_and_metrics(tmp_path: Path) -> None:
    units = [unit(i, Status.PASS, 1.0, topic="a") for i in range(6)]
    units += [unit(i + 6, Status.FAIL, 0.5, topic="b") for i in range(2)]
    units += [unit(8, Status.UNSCORED, None, topic="b"), unit(9, Status.ERROR, None, topic="b")]
    summary = summarise(write(tmp_path, manifest(10), units))
    counts = summary.counts
    assert (counts.cases, counts.passed, counts.failed, counts.unscored, counts.errors) == (
        10,
        6,
        2,
        1,
        1,
    )
    whole, a, b = summary.metrics
    assert (whole.n, whole.passed, whole.mean, whole.unscored, whole.errors) == (8, 6, 0.875, 1, 1)
    assert (a.slice, a.n, a.pass_rate) == ("topic=a", 6, 1.0)
    assert (b.slice, b.n, b.pass_rate, b.unscored, b.errors) == ("topic=b", 2, 0.0, 1, 1)
    assert summary.gate.decision is Decision.INVALID
    assert "20.0% of the cases are missing" in summary.gate.reason


def test_the_order_of_records_does_not_matter(tmp_path: Path) -> None:
    rng = random.Random(3)
    units = [unit(i, Status.FAIL, rng.random(), repeat) for i in range(50) for repeat in range(3)]
    texts = []
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        texts.append(to_json(summarise(write(folder, manifest(50, 3), list(units), seed))))
    assert len(set(texts)) == 1


def test_an_incomplete_run_is_invalid(tmp_path: Path) -> None:
    summary = summarise(
        write(tmp_path, manifest(10), [unit(i, Status.PASS, 1.0) for i in range(9)])
    )
    assert (summary.status, summary.gate.decision, summary.gate.exit_code) == (
        "incomplete",
        Decision.INVALID,
        3,
    )


@pytest.mark.parametrize(
    ("floors", "decision"),
    [
        ({"judged": 0.5}, Decision.PASS),
        ({"judged": 0.5, "judged @ topic=b": 0.9}, Decision.FAIL),
        ({"judged": 0.78}, Decision.INCONCLUSIVE),
        ({"judged": 0.5, "judged @ topic=nowhere": 0.5}, Decision.INVALID),
        ({}, None),
    ],
)
def test_rules_come_together(
    tmp_path: Path, floors: dict[str, float], decision: Decision | None
) -> None:
    units = [unit(i, Status.PASS, 1.0, topic="a") for i in range(80)]
    units += [unit(i + 80, Status.FAIL, 0.0, topic="b") for i in range(20)]
    summary = summarise(write(tmp_path, manifest(100, floors=floors), units))
    assert summary.gate.decision is decision


def test_the_last_record_of_a_key_counts(tmp_path: Path) -> None:
    run = write(tmp_path, manifest(1), [unit(0, Status.FAIL, 0.0)])
    _, answer, scores = unit(0, Status.PASS, 1.0)
    with (tmp_path / "answers.jsonl").open("ab") as file:
        file.write(record_lines([answer]))
    # another unit's block between two blocks of one unit
    _, _, other = unit(5, Status.PASS, 1.0)
    with (tmp_path / "scores.jsonl").open("ab") as file:
        file.write(record_lines([*other, *scores]))
    seal(tmp_path)
    assert summarise(run).counts.passed == 1


@pytest.mark.parametrize(
    ("tried", "told"),
    [
        ([{"passed": False}] * 4, None),
        ([{"passed": False}] * 3 + [{"passed": True}], "it passed 1 of 4 known attacks"),
        ([{"passed": False}] * 2 + [{"failed": True}] * 2, None),
        (
            [{"passed": False}] + [{"failed": True}] * 3,
            "3 of 4 known attacks on the judge of judged got no answer",
        ),
        ([{}] * 4, None),
    ],
    ids=[
        "all fail",
        "one passes",
        "half got no answer",
        "most got no answer",
        "not for this template",
    ],
)
def test_attacks_on_a_judge(tmp_path: Path, tried: list[dict[str, Any]], told: str | None) -> None:
    run = write(tmp_path, manifest(1), [unit(0, Status.PASS, 1.0)])
    lines = [
        {"kind": "attack", "metric": "judged", "judge": "d", "case_id": f"a{i}", **t}
        for i, t in enumerate(tried)
    ]
    (tmp_path / "judge_probes.jsonl").write_bytes(record_lines(lines))
    seal(tmp_path)
    gate = summarise(run).gate
    assert (gate.decision is Decision.INVALID) is (told is not None)
    assert told is None or told in gate.reason
