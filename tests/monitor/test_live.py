"""`llmeval compare --live`: a canary next to the stable version, on live traffic."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from llmeval.core.errors import NothingEvaluated
from llmeval.governance.audit import append_event
from llmeval.monitor.live_blocks import LiveAnswer, live_blocks
from llmeval.stats.sequential.live_difference import live_difference
from llmeval.suite.loader import load_suite
from tests.support.command import llmeval
from tests.support.tables import each_row
from tests.support.traffic import traffic_line, write_monitored

Passes = Callable[[int], bool]


def write_side(
    folder: Path, name: str, passes: Passes, count: int = 120, ids: str = "same"
) -> None:
    """Traffic of one version: `passes` says which answers pass."""
    lines = [
        {**traffic_line(0, number, passes(number)), "trace_id": f"{ids}-{number}"}
        for number in range(count)
    ]
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def compared(folder: Path) -> tuple[int, dict[str, object]]:
    files = ("stable.jsonl", "canary.jsonl")
    done = llmeval("compare", "--live", *files, "--suite", "suite.yaml", "--json", cwd=folder)
    return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}


def quarter(number: int) -> bool:
    return number % 4 != 0


@each_row(
    ("stable", "canary", "ids", "code", "state"),
    [
        (quarter, lambda _: True, "same", 0, "not worse"),
        (lambda _: True, quarter, "same", 1, "worse"),
        (quarter, quarter, "same", 0, "not worse"),
        (lambda n: n % 2 == 0, lambda n: n % 2 == 1, "same", 4, "not decided"),
        (lambda n: n % 5 != 0, lambda _: False, "other", 1, "worse"),
    ],
)
def test_the_answers_decide(
    tmp_path: Path, stable: Passes, canary: Passes, ids: str, code: int, state: str
) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    write_monitored(folder)
    write_side(folder, "stable", stable)
    write_side(folder, "canary", canary, ids=ids)
    result, document = compared(folder)
    assert (result, document["state"], document["paired"]) == (code, state, ids == "same")


def test_a_version_is_not_compared_with_itself(tmp_path: Path) -> None:
    write_monitored(tmp_path)
    write_side(tmp_path, "stable", quarter)
    (tmp_path / "canary.jsonl").symlink_to("stable.jsonl")
    code, document = compared(tmp_path)
    assert code == 2 and "not compared with itself" in str(document["error"])


def test_a_decision_is_an_event_and_missing_answers_are_never_in_favour(tmp_path: Path) -> None:
    write_monitored(tmp_path)
    append_event(tmp_path / "audit.jsonl", "Ann", "started", "audit.jsonl")
    write_side(tmp_path, "stable", quarter)
    write_side(tmp_path, "canary", lambda _: True)
    assert compared(tmp_path)[0] == 0
    assert "the canary is not worse" in (tmp_path / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in (tmp_path / "canary.jsonl").read_text().splitlines()]
    for share in (1, 2):
        silent = [
            {**line, "output": None} if n % share == 0 else line for n, line in enumerate(lines)
        ]
        text = "".join(json.dumps(line) + "\n" for line in silent)
        (tmp_path / "canary.jsonl").write_text(text)
        code, document = compared(tmp_path)
        assert code in (3, 4) and document["metrics"][0]["missing"] == [0, 120 // share]  # type: ignore[index]


def test_answers_of_today_count_and_earlier_ones_of_the_stable_version_do_not(
    tmp_path: Path,
) -> None:
    from llmeval.api.live_comparison import compare_live

    write_monitored(tmp_path)
    suite = load_suite(tmp_path / "suite.yaml")
    for name, first in (("stable", 0), ("canary", 40)):
        lines = [traffic_line(0, number, True) for number in range(first, 60)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    result = compare_live(suite, tmp_path / "stable.jsonl", tmp_path / "canary.jsonl", now=now)
    assert result.answers == (20, 20)
    (tmp_path / "canary.jsonl").write_text("")
    with pytest.raises(NothingEvaluated, match="there is no answer"):
        compare_live(suite, tmp_path / "stable.jsonl", tmp_path / "canary.jsonl", now=now)


def test_blocks_follow_from_times_alone() -> None:
    def answers(text: str, times: str, score: float) -> list[LiveAnswer]:
        return [LiveAnswer(f"{text}{time}", time, None, score) for time in times]

    blocks = live_blocks(answers("s", "01346", 1.0), answers("c", "257", 0.5))
    assert (blocks.lowest, blocks.left_out, blocks.paired) == ([-0.5] * 3, 0, False)
    session = [LiveAnswer(f"c{n}", str(n), "one session", 1.0) for n in range(5)]
    blocks = live_blocks(answers("s", "03", 1.0), session)
    assert (len(blocks.lowest), blocks.repeated) == (1, 4)
    missing = live_blocks([LiveAnswer("a", "0", None, None)], [LiveAnswer("a", "0", None, 1.0)])
    assert (missing.lowest, missing.highest) == ([0.0], [1.0])


def test_the_error_rates_hold_at_every_moment() -> None:
    drawn = np.random.default_rng(3)
    first = {"worse": 0, "not worse": 0, "": 0}
    for fall in (0.0, 0.05):
        for _ in range(60):
            values = drawn.binomial(1, 0.9 - fall, 400) - drawn.binomial(1, 0.9, 400)
            word = live_difference(values, values, 0.05, 0.05).first  # type: ignore[arg-type]
            first[word] += word == ("not worse" if fall else "worse")
    assert first["worse"] <= 7 and first["not worse"] <= 7  # 5 % of 60, and three standard errors
