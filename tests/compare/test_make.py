"""Comparisons from run directories: what is paired, said, ranked, and refused."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from llmeval.compare.compare import compare
from llmeval.core.errors import UsageError
from llmeval.stats.estimation.difference import difference
from tests.support.runs import run_of

N = 120
GOOD: list[float | None] = [1.0] * 90 + [0.0] * 30


def fallen(*cases: int, column: Sequence[float | None] = GOOD) -> list[float | None]:
    return [0.0 if i in cases else value for i, value in enumerate(column)]


def checks(name: str) -> list[dict[str, Any]]:
    return [{"metric": name, "name": name, "version": 2}]


def test_wins_ties_losses_and_the_cases_that_moved(tmp_path: Path) -> None:
    now = [*fallen(*range(20))[:118], 1.0, None]
    found = compare([run_of(tmp_path / "a", {"m": GOOD}), run_of(tmp_path / "b", {"m": now})])
    (row,) = found.metrics
    assert (row.letter, row.n, row.lost, row.wins, row.losses, row.ties) == ("B", N, 1, 1, 20, 98)
    assert (row.before, row.now) == (pytest.approx(90 / 119), pytest.approx(71 / 119))
    assert row.difference == pytest.approx(
        difference([*[-1.0] * 20, *[0.0] * 98, 1.0, float("nan")]).estimate
    )
    assert (row.word, found.tests, found.boards) == ("worse", 1, ())
    assert [flip.case_id for flip in row.fell] == [f"c{i}" for i in range(20)]
    assert [(flip.case_id, flip.before, flip.now) for flip in row.rose] == [("c118", 0.0, 1.0)]


def test_the_worst_fall_comes_first(tmp_path: Path) -> None:
    a = run_of(tmp_path / "a", {"m": [1.0, 0.8, 0.9, 0.2]})
    b = run_of(tmp_path / "b", {"m": [0.7, 0.8, 0.1, 0.6]})
    (row,) = compare([a, b]).metrics
    assert [(flip.case_id, round(flip.now - flip.before, 6)) for flip in row.fell] == [
        ("c2", -0.8),
        ("c0", -0.3),
    ]
    assert [flip.case_id for flip in row.rose] == ["c3"]


def test_many_tests_need_more(tmp_path: Path) -> None:
    """Enough by itself, not as one of six: what is said holds over everything that is said."""
    once = fallen(*range(6))
    a, b = run_of(tmp_path / "a", {"m": GOOD}), run_of(tmp_path / "b", {"m": once})
    assert [row.word for row in compare([a, b]).metrics] == ["worse"]
    more = {f"x{i}": GOOD for i in range(5)}
    a, b = run_of(tmp_path / "c", {"m": GOOD, **more}), run_of(tmp_path / "d", {"m": once, **more})
    found = compare([a, b])
    assert found.tests == 6
    assert {row.word for row in found.metrics} == {"no difference shown"}
    assert found.metrics[0].p == pytest.approx(found.metrics[0].adjusted / 6)  # type: ignore[operator]


def test_another_judge_or_check_is_said_and_not_compared(tmp_path: Path) -> None:
    values = {"correctness": GOOD, "punctuation": GOOD, "max_words": GOOD}
    a = run_of(tmp_path / "a", values)
    digests = {"judges": {"correctness": "sha256:other"}}
    b = run_of(
        tmp_path / "b", {**values, "extra": GOOD}, digests=digests, checks=checks("punctuation")
    )
    rows = {row.metric: row for row in compare([a, b]).metrics}
    assert {name: row.word for name, row in rows.items()} == dict.fromkeys(rows, "not comparable")
    assert "another judge scored B (b)" in rows["correctness"].why
    assert "`llmeval score a --suite suites/qa.yaml`" in rows["correctness"].why
    assert "another check scored B" in rows["punctuation"].why
    assert "A (a) has no such metric" in rows["extra"].why
    assert not compare([a, b]).comparable


def test_cases_of_other_content_are_not_paired(tmp_path: Path) -> None:
    a, b = run_of(tmp_path / "a", {"m": GOOD}), run_of(tmp_path / "b", {"m": GOOD[:100]})
    found = compare([a, b])
    assert (found.runs[1].shared, len(found.runs[1].missing), found.metrics[0].n) == (100, 20, 100)
    other = compare([a, run_of(tmp_path / "c", {"m": GOOD}, content="2")])
    assert (other.runs[1].shared, len(other.runs[1].changed)) == (0, N)
    assert "no case is in both" in other.metrics[0].why
    assert not other.comparable


def test_slices_that_moved(tmp_path: Path) -> None:
    tags = [{"topic": ("law", "tax", "sport")[i % 3]} for i in range(N)]
    law = [i for i in range(0, 60, 3)]
    a, b = (
        run_of(tmp_path / "a", {"m": GOOD}, tags=tags),
        run_of(tmp_path / "b", {"m": fallen(*law)}, tags=tags),
    )
    found = compare([a, b]).slices
    assert [(row.slice, row.moved, row.losses) for row in found[:1]] == [("topic=law", True, 20)]
    assert {row.slice for row in found if not row.moved} == {"topic=tax", "topic=sport"}


def test_leaderboards_show_ties_as_ties(tmp_path: Path) -> None:
    columns = {"a": GOOD, "b": fallen(5), "c": fallen(*range(40)), "d": fallen(*range(80))}
    found = compare([run_of(tmp_path / name, {"m": column}) for name, column in columns.items()])
    (board,) = found.boards
    assert found.tests == 6
    assert [(place.letter, place.best, place.worst) for place in board.places] == [
        ("A", 1, 2), ("B", 1, 2), ("C", 3, 3), ("D", 4, 4),
    ]  # fmt: skip
    assert board.places[0].mean == pytest.approx(0.75)


def test_a_run_scored_otherwise_is_left_out_of_the_board(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, {"punctuation": GOOD}) for name in "ab"]
    runs.append(run_of(tmp_path / "c", {"punctuation": GOOD}, checks=checks("punctuation")))
    (board,) = compare(runs).boards
    assert ([place.letter for place in board.places], board.left_out) == (["A", "B"], ("C",))


def test_what_differs_is_listed(tmp_path: Path) -> None:
    a = run_of(tmp_path / "a", {"m": GOOD})
    b = run_of(
        tmp_path / "b",
        {"m": GOOD},
        repeats=3,
        candidate={"name": "new", "params": {"temperature": 1}},
    )
    rows = {row.key: row for row in compare([a, b]).differing}
    assert rows["repeats"].values == ("1", "3")
    assert rows["repeats"].matters
    assert rows["candidate.params.temperature"].values == ("0", "1")
    assert not rows["candidate.params.temperature"].matters


def test_a_run_is_not_compared_with_itself(tmp_path: Path) -> None:
    a = run_of(tmp_path / "a", {"m": GOOD})
    with pytest.raises(UsageError, match="named twice"):
        compare([a, a])
    with pytest.raises(UsageError, match="2 to 26"):
        compare([a])
