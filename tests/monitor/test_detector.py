"""The detector of production days: what it learns, when it raises an alarm and when it ends it."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from llmeval.core.errors import NothingEvaluated, UsageError
from llmeval.monitor.day_counts import DayCount, joined_small_days, read_day_counts
from llmeval.monitor.detector import Detector, DetectorOptions, drop_start
from llmeval.monitor.replay import replay_days
from llmeval.monitor.simulation import DayModel, learned_day_model, simulate_detector
from llmeval.stats.sequential.mean_drop import (
    CAUTION,
    add_day,
    learn_reference,
    longer_window_is_safe,
    start_evidence,
    total_evidence,
)
from tests.support.command import llmeval


def stream(*parts: tuple[int, int, int]) -> list[DayCount]:
    """Days from (number of days, answers, passed)."""
    counts = [(answers, passed) for days, answers, passed in parts for _ in range(days)]
    return [DayCount(number, *each) for number, each in enumerate(counts, 1)]


def played(days: list[DayCount], options: DetectorOptions | None = None) -> Detector:
    detector = Detector(options or DetectorOptions())
    for each in days:
        detector.add(each)
    return detector


def test_window_by_hand() -> None:
    # rates .8 and 1.0: mean .9, variance .02; independent answers would vary by .9 * .1 / 10
    window = learn_reference(np.array([10, 10]), np.array([8, 10]))
    assert window.mean == pytest.approx(0.9)
    assert window.variance == pytest.approx(0.02)
    assert window.design_effect == pytest.approx(CAUTION * 0.02 / 0.009)
    assert window.null_mean == pytest.approx(0.9 - 1.645 * math.sqrt(0.02 / 2))


@pytest.mark.parametrize("passed", [0, 50])
def test_window_of_equal_days_stays_inside_the_unit_interval(passed: int) -> None:
    window = learn_reference(np.full(28, 50), np.full(28, passed))
    assert 0 < window.null_mean <= window.mean < 1
    assert window.design_effect == 1.0
    evidence = add_day(start_evidence(), window, 50, 0, 1e6)
    assert np.isfinite(evidence).all()


def test_evidence_of_the_first_day_by_hand() -> None:
    window = learn_reference(np.full(28, 100), np.full(28, 90))  # null mean .88, design effect 1
    evidence = add_day(start_evidence(), window, 10, 8, 1e9)
    expected = [
        (1 - share) ** 8 * (1 + share / 0.12 * 0.88) ** 2 for share in np.geomspace(0.02, 0.9, 8)
    ]
    assert evidence == pytest.approx(expected)
    again = add_day(evidence, window, 10, 8, 1e9)
    assert again == pytest.approx([(e + 1) * e for e in expected])
    assert total_evidence(again) == pytest.approx(np.mean(again))


def test_mean_evidence_of_a_day_on_the_boundary_is_one() -> None:
    """E[e] = 1 for independent answers whose mean is the null mean: summed over all outcomes."""
    window = learn_reference(np.full(28, 100), np.full(28, 90))
    null, n = float(window.null_mean), 12
    chances = [math.comb(n, k) * null**k * (1 - null) ** (n - k) for k in range(n + 1)]
    bets = [add_day(start_evidence(), window, n, k, 1e12) for k in range(n + 1)]
    assert np.average(bets, axis=0, weights=chances) == pytest.approx(np.ones(8))


def test_one_stream_is_one_row_of_many() -> None:
    rng = np.random.default_rng(5)
    answers, passed = np.full((3, 30), 40), rng.binomial(40, 0.8, (3, 30))
    many = learn_reference(answers, passed)
    for row in range(3):
        one = learn_reference(answers[row], passed[row])
        assert [float(each[row]) for each in many] == pytest.approx([float(each) for each in one])


@pytest.mark.parametrize(
    ("days", "alarms", "state"),
    [
        pytest.param(stream((28, 100, 90)), 0, "learning", id="28 days are learned"),
        pytest.param(stream((300, 100, 90)), 0, "quiet", id="nothing changes"),
        pytest.param(stream((60, 100, 90), (300, 100, 97)), 0, "quiet", id="better is no alarm"),
        pytest.param(stream((60, 100, 90), (300, 100, 89)), 0, "quiet", id="within the tolerance"),
        pytest.param(stream((60, 100, 90), (30, 100, 84)), 1, "alarm", id="six points lower"),
        pytest.param(
            stream((29, 100, 90), (30, 100, 84)), 1, "alarm", id="drop in the long window"
        ),
        pytest.param(stream((60, 100, 90), (1, 100, 0)), 1, "alarm", id="one day without a pass"),
        pytest.param(stream((28, 50, 50), (60, 50, 44)), 1, "alarm", id="all passed before"),
        pytest.param(
            stream((60, 100, 90), (20, 100, 70), (60, 100, 90)), 1, "quiet", id="recovers"
        ),
        pytest.param(
            stream((60, 100, 90), (20, 100, 70), (60, 100, 90), (20, 100, 70)),
            2,
            "alarm",
            id="a second drop is a second alarm",
        ),
    ],
)
def test_streams(days: list[DayCount], alarms: int, state: str) -> None:
    detector = played(days[:-1])
    last = detector.add(days[-1])
    assert len(detector.alarms) == alarms
    assert last.state == state
    assert (detector.open_alarm is not None) == (state == "alarm")


def test_a_drop_does_not_become_the_baseline() -> None:
    early, late = np.full(28, 90), np.full(28, 84)
    answers = np.full(56, 100)
    assert longer_window_is_safe(answers, np.concatenate([early, early]))
    assert not longer_window_is_safe(answers, np.concatenate([early, late]))
    slow = played(stream((28, 100, 90), (28, 100, 88), (5, 100, 88)))
    assert slow.window_days == 28
    assert played(stream((61, 100, 90))).window_days == 56


def test_alarm_tells_when_the_drop_began() -> None:
    detector = played(stream((70, 100, 91), (25, 100, 83)))
    assert detector.alarms[0].since == 71
    assert detector.alarms[0].rate == pytest.approx(0.83)


def test_start_of_a_drop_is_the_last_day_if_no_day_is_lower() -> None:
    assert drop_start(stream((10, 10, 9)), 0.5) == 9


def test_many_slices_need_more_evidence() -> None:
    days = stream((60, 100, 90), (5, 100, 80))
    assert played(days).alarms
    assert not played(days, DetectorOptions(family=10_000_000)).alarms


def test_small_days_wait_for_the_next_one() -> None:
    days = [
        DayCount(1, 3, 3),
        DayCount(2, 1, 0),
        DayCount(3, 1, 1),
        DayCount(4, 9, 8),
        DayCount(5, 2, 2),
    ]
    assert joined_small_days(days) == [DayCount(3, 5, 4), DayCount(4, 9, 8)]


@pytest.mark.parametrize(
    ("sd", "years", "median"), [(0.0, 0.01, 13), (0.02, 0.03, 15), (0.03, 0.05, 20)]
)
def test_rates_of_the_specification(sd: float, years: float, median: int) -> None:
    """100 answers a day, .90 to .84. 600 years: three standard errors at 1 % are 1.2 points."""
    figures = simulate_detector(
        DayModel(0.9, sd, np.array([100])), 0.06, DetectorOptions(), streams=600, seed=2
    )
    assert figures.years_with_alarm <= years
    assert figures.delay_median <= median
    assert figures.missed == 0


def test_day_model_gives_back_what_it_was_drawn_from() -> None:
    rng = np.random.default_rng(1)
    drawn = DayModel(0.85, 0.04, np.array([200])).drawn(rng, 1, 4000)[0]
    days = [DayCount(day, 200, int(passed)) for day, passed in enumerate(drawn)]
    learned = learned_day_model(days)
    assert learned.mean == pytest.approx(0.85, abs=0.003)
    assert learned.sd == pytest.approx(0.04, abs=0.003)


def test_replay_cuts_a_drop_that_is_larger_than_the_rate() -> None:
    replay = replay_days(stream((30, 100, 5)), 0.2, DetectorOptions())
    assert replay.drop == pytest.approx(0.9 * 0.05)


def lines_of(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in rows))
    return path


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["{"], "days.jsonl:1: is not JSON"),
        (["[" * 100_000], "days.jsonl:1: is not JSON"),
        ([[1, 2]], "days.jsonl:1: must be an object"),
        ([{"day": 1, "n": 5}], "days.jsonl:1: lacks passed"),
        ([{"day": 1, "n": 5, "passed": 6}], "passed is 6, but n is 5"),
        ([{"day": 1, "n": -1, "passed": -1}], "n must be a whole number of at least 0"),
        ([{"day": 1, "n": True, "passed": 0}], "n must be a whole number"),
        ([{"day": 1, "n": 5.5, "passed": 1}], "n must be a whole number"),
        ([{"day": "30.11.2026", "n": 5, "passed": 1}], "day must be a date"),
        ([{"day": None, "n": 5, "passed": 1}], "day must be a date"),
        (
            [{"day": 1, "n": 5, "passed": 1}, {"day": 1, "n": 5, "passed": 1}],
            "already stands in line 1",
        ),
        (
            [{"day": 1, "n": 5, "passed": 1}, {"day": "2026-11-30", "n": 5, "passed": 1}],
            "all dates or all",
        ),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, rows: list[object], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        read_day_counts(lines_of(tmp_path / "days.jsonl", *rows))


def test_days_are_sorted(tmp_path: Path) -> None:
    rows = [{"day": f"2026-11-{day}", "n": 7, "passed": 7} for day in (30, 28, 29)]
    read = read_day_counts(lines_of(tmp_path / "days.jsonl", *rows, ""))
    assert [each.day for each in read] == ["2026-11-28", "2026-11-29", "2026-11-30"]


def test_no_day_is_no_traffic(tmp_path: Path) -> None:
    with pytest.raises(NothingEvaluated):
        read_day_counts(lines_of(tmp_path / "days.jsonl", ""))


@pytest.mark.parametrize(
    ("days", "code"), [(stream((20, 100, 90)), 4), (stream((60, 100, 90), (20, 100, 75)), 0)]
)
def test_command(tmp_path: Path, days: list[DayCount], code: int) -> None:
    rows = [{"day": each.day, "n": each.answers, "passed": each.passed} for each in days]
    path = lines_of(tmp_path / "days.jsonl", *rows)
    told = llmeval("monitor", "simulate", "suites/qa.yaml", "--days", path, "--json")
    assert told.returncode == code
    document = json.loads(told.stdout)
    assert document["learning_days"] == 28
    assert [each["day"] for each in document["alarms"]] == ([] if code else [62])
    assert (document["false_alarms_per_year"] is None) == bool(code)
    shown = llmeval("monitor", "simulate", "suites/qa.yaml", "--days", path).stdout
    assert ("Still learning: day 20 of 28" if code else "ALARM on day 62") in shown
    assert max(map(len, shown.splitlines())) <= 80
