"""What the history answers: trends that end where results stop being comparable, a case's life,
flaky cases, leaderboards with ties, filters.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import UsageError
from llmeval.history.case_life import life_of
from llmeval.history.flaky import flaky_cases, quarantine_entries
from llmeval.history.leaderboard import leaderboard_of
from llmeval.history.opening import OpenHistory, open_history
from llmeval.history.selection import filterable, select_runs
from llmeval.history.trends import trend_of
from llmeval.history.verdicts import Vector, Verdict, pack_vector, unpack_vector
from tests.support.history_runs import git, past_run

GOOD, BAD = 1.0, 0.0
OTHER_DATA = {"cases": "sha256:" + "c2" * 32}
OTHER_JUDGE = {"judges": {"correctness": "sha256:" + "d5" * 32}}
OTHER_MODEL = {"candidate": "sha256:" + "cb" * 32}


def runs_of(
    reports: Path, *columns: tuple[list[float | None], dict[str, Any]], metric: str = "facts"
) -> OpenHistory:
    """A run a day with the values of one metric and changes to its manifest."""
    for day, (values, about) in enumerate(columns, start=1):
        past_run(
            reports,
            f"202601{day:02d}T090000Z-{day:06x}",
            {metric: values},
            **{"git": git("main", f"{day:02x}f2c1"), **about},
        )
    return open_history(reports)


@pytest.fixture
def closing() -> Iterator[list[OpenHistory]]:
    opened: list[OpenHistory] = []
    yield opened
    for each in opened:
        each.store.close()


@pytest.mark.parametrize(
    ("metric", "change", "changed", "joined"),
    [
        ("facts", {"digests": OTHER_DATA}, ("data",), True),
        ("correctness", {"digests": OTHER_JUDGE}, ("judge",), False),
        ("facts", {"digests": OTHER_JUDGE}, None, False),
        ("facts", {"digests": OTHER_MODEL}, None, False),
        (
            "facts",
            {
                "quarantine": [
                    {"case_id": "c0", "reason": "x", "owner": "y", "expires": "2030-01-01"}
                ]
            },
            ("quarantine",),
            False,
        ),
    ],
)
def test_a_trend_ends_where_results_are_not_comparable(
    tmp_path: Path,
    closing: list[OpenHistory],
    metric: str,
    change: dict[str, Any],
    changed: tuple[str, ...] | None,
    joined: bool,
) -> None:
    values: list[float | None] = [GOOD, GOOD, BAD, GOOD]
    history = runs_of(
        tmp_path, (values, {}), (values, {}), (values, change), (values, change), metric=metric
    )
    closing.append(history)
    (trend,) = trend_of(history.store, history.query, "qa", metric)
    if changed is None:
        assert [len(line.points) for line in trend.lines] == [4]
        return
    assert [len(line.points) for line in trend.lines] == [2, 2]
    assert trend.lines[1].changed == changed
    common = trend.lines[1].common
    assert (common is not None) == joined
    if common is not None:
        assert (common.n, common.difference) == (4, 0.0)


def test_a_trend_says_what_it_shows(tmp_path: Path, closing: list[OpenHistory]) -> None:
    all_good, half = [GOOD] * 60, [GOOD, BAD] * 30
    flat = runs_of(tmp_path / "a", (all_good, {}), (all_good, {}), (all_good, {}))
    falls = runs_of(tmp_path / "b", (all_good, {}), (all_good, {}), (half, {}))
    spike = runs_of(tmp_path / "c", (all_good, {}), (half, {}), (all_good, {}))
    closing += [flat, falls, spike]
    words = [trend_of(h.store, h.query, "qa")[0].words for h in (flat, falls, spike)]
    assert words[0] == "no change shown since 2026-01-01 (p 1)"
    assert words[1] == "down 50.0 points since 2026-01-01 (p < 0.001)"
    assert words[2].startswith("fell by 50.0 points with 20260102T090000Z-000002 (p < 0.001)")


def test_runs_that_are_not_complete_are_left_out(
    tmp_path: Path, closing: list[OpenHistory]
) -> None:
    history = runs_of(
        tmp_path, ([GOOD, GOOD], {}), ([GOOD, GOOD], {"status": "incomplete"}), ([GOOD, GOOD], {})
    )
    closing.append(history)
    (trend,) = trend_of(history.store, history.query, "qa", "facts")
    assert [len(line.points) for line in trend.lines] == [2]
    assert trend.left_out == 1


@pytest.mark.parametrize(
    ("life", "words"),
    [
        ("pppp", "passing since 01f2c10 (2026-01-01), 4 runs"),
        ("ppff", "failing since 03f2c10 (2026-01-03), 2 runs"),
        ("fuff", "failing since 01f2c10 (2026-01-01), 3 runs"),
        (
            "ppfu",
            "failing since 03f2c10 (2026-01-03), 1 run; no grade in the newest run (unscored)",
        ),
        ("uu", "no grade in 2 runs; the newest says unscored"),
    ],
)
def test_a_case_says_since_when_it_fails(
    tmp_path: Path, closing: list[OpenHistory], life: str, words: str
) -> None:
    value: dict[str, float | None] = {"p": GOOD, "f": BAD, "u": None}
    history = runs_of(tmp_path, *(([GOOD, value[letter]], {}) for letter in life))
    closing.append(history)
    for metric in (None, "facts"):
        result = life_of(history.store, history.query, "qa", "c1", metric)
        assert result.words == words
        assert "".join(point.letter for point in result.points) == life


def test_a_change_of_the_case_ends_a_streak(tmp_path: Path, closing: list[OpenHistory]) -> None:
    history = runs_of(
        tmp_path, ([BAD], {}), ([BAD], {}), ([BAD], {"content": "2"}), ([BAD], {"content": "2"})
    )
    closing.append(history)
    result = life_of(history.store, history.query, "qa", "c0", "facts")
    assert result.words == "failing since 03f2c10 (2026-01-03), 2 runs; its case changed there"
    assert (result.flips, result.pairs) == (0, 2)


@pytest.mark.parametrize(
    ("suite", "case_id", "metric", "text"),
    [
        ("nowhere", "c0", None, "no complete run of the suite nowhere"),
        ("qa", "zzz", None, "has the case 'zzz'"),
        ("qa", "c0", "zzz", "has the metric zzz"),
    ],
)
def test_cases_that_are_not_there(
    tmp_path: Path,
    closing: list[OpenHistory],
    suite: str,
    case_id: str,
    metric: str | None,
    text: str,
) -> None:
    history = runs_of(tmp_path, ([GOOD], {}))
    closing.append(history)
    with pytest.raises(UsageError, match=text):
        life_of(history.store, history.query, suite, case_id, metric)


def test_flaky_is_what_changes_although_nothing_changed(
    tmp_path: Path, closing: list[OpenHistory]
) -> None:
    history = runs_of(
        tmp_path,
        ([GOOD, GOOD, GOOD], {}),
        ([GOOD, BAD, GOOD], {}),
        ([GOOD, GOOD, GOOD], {}),
        ([GOOD, GOOD, BAD], {"digests": OTHER_MODEL}),  # another model may answer otherwise
    )
    closing.append(history)
    (result,) = flaky_cases(history.store, history.query, "qa")
    assert (result.case_id, result.flips, result.pairs, result.letters) == ("c1", 2, 2, "pfpp")
    from datetime import date

    entries = quarantine_entries([result], "ada", date(2026, 1, 5))
    assert "- case: c1\n" in entries
    assert "expires: '2026-02-04'" in entries


def test_a_leaderboard_shows_ties_as_ties(tmp_path: Path, closing: list[OpenHistory]) -> None:
    for day, (name, rate) in enumerate((("best", 60), ("close", 58), ("worst", 10)), start=1):
        past_run(
            tmp_path,
            f"202601{day:02d}T090000Z-{day:06x}",
            {"facts": [float(i < rate) for i in range(60)]},
            candidate={"name": name},
        )
    history = open_history(tmp_path)
    closing.append(history)
    board = leaderboard_of(history.store, history.query, "qa", "facts")
    ranks = {entry.name: (entry.best, entry.worst) for entry in board.entries}
    assert ranks == {"best": (1, 2), "close": (1, 2), "worst": (3, 3)}
    assert (board.n, board.tests) == (60, 3)


def test_a_leaderboard_refuses_other_data_unless_the_common_cases_are_meant(
    tmp_path: Path, closing: list[OpenHistory]
) -> None:
    other = {"digests": {**OTHER_DATA, **OTHER_MODEL}, "candidate": {"name": "other"}}
    history = runs_of(tmp_path, ([GOOD, BAD], other), ([GOOD, GOOD, BAD], {}))
    closing.append(history)
    with pytest.raises(UsageError, match="--common"):
        leaderboard_of(history.store, history.query, "qa", "facts")
    board = leaderboard_of(history.store, history.query, "qa", "facts", common=True)
    assert board.n == 2
    assert [entry.mean for entry in board.entries] == [1.0, 0.5]


def test_another_judge_is_not_ranked(tmp_path: Path, closing: list[OpenHistory]) -> None:
    other = {"digests": {**OTHER_JUDGE, **OTHER_MODEL}, "candidate": {"name": "other"}}
    history = runs_of(tmp_path, ([GOOD], other), ([GOOD], {}), metric="correctness")
    closing.append(history)
    board = leaderboard_of(history.store, history.query, "qa", "correctness")
    assert [entry.name for entry in board.entries] == ["assistant"]
    assert board.left_out == ("other: another judge",)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 3),
        ({"branch": "main"}, 2),
        ({"where": ["branch!=main"]}, 1),
        ({"where": ["cases>=2", "candidate=assistant"]}, 3),
        ({"where": ["cost_usd>1"]}, 0),
        ({"since": "2026-01-02"}, 2),
        ({"decision": "none", "where": ["status=complete"]}, 0),
        ({"last": 1}, 1),
        ({"where": ["candidate=x' OR 1=1 --"]}, 0),
    ],
)
def test_filters(
    tmp_path: Path, closing: list[OpenHistory], options: dict[str, Any], expected: int
) -> None:
    history = runs_of(
        tmp_path,
        ([GOOD, BAD], {}),
        ([GOOD, BAD], {}),
        ([GOOD, BAD], {"git": git("fix", "ab")}),
    )
    closing.append(history)
    assert len(history.store.runs(select_runs(history.query, **options))) == expected


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"where": ["1=1"]}, "one of these names"),
        ({"where": ["candidate"]}, "NAME=VALUE"),
        ({"where": ["run_id; DROP TABLE runs=1"]}, "one of these names"),
        ({"where": ["cases=many"]}, "is a number"),
        ({"where": ["path=x"]}, "one of these names"),
        ({"decision": "GREEN"}, "choose one of"),
        ({"since": "soon"}, "not a time span"),
        ({"tags": ["release"]}, "is not a tag"),
    ],
)
def test_filters_that_are_refused(options: dict[str, Any], text: str) -> None:
    from llmeval.history.experiment_store import RunQuery

    with pytest.raises(UsageError, match=text):
        select_runs(RunQuery(), **options)


def test_every_filter_is_a_column(tmp_path: Path, closing: list[OpenHistory]) -> None:
    history = runs_of(tmp_path, ([GOOD], {}))
    closing.append(history)
    for name in filterable():
        history.store.runs(select_runs(history.query, where=[f"{name}!=0"]))


def test_vectors_survive_packing() -> None:
    verdicts = bytes([Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.PASS])
    vector = Vector("r", "m", "d", 2, verdicts, (1.0, 0.25, float("nan"), 0.5))
    result = unpack_vector(pack_vector(vector))
    assert (result.value(0), result.value(1)) == (0.625, 0.5)
    assert result.of_case(1) == bytes([Verdict.ERROR, Verdict.PASS])
