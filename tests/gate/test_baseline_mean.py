"""Baselines of several runs and the chain beside a release, without run directories."""

import math
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from llmeval.core.baseline_lock import Approval, BaselineLock, BaselineNumbers, BaselineValues
from llmeval.core.errors import UsageError
from llmeval.core.manifest import Digests
from llmeval.gate.baseline import lock_digest
from llmeval.gate.baseline_runs import LEAST_MOMENT, differences, extended, joined, second_moment
from llmeval.gate.release_anchor import followed, released, updated

WHO = Approval("ada", "release 4", "2026-11-30T10:00:00+00:00")


def lock(name: str, *values: Any, **more: Any) -> BaselineLock:
    found = BaselineLock(
        suite="s",
        run_id=name,
        candidate="app",
        decision="PASS",
        approved=WHO,
        digests=Digests(suite="s", cases="c", prompt="p", checks="k", judges={}),
        cases={f"c{number}": f"d{number}" for number in range(len(values))},
        metrics={"m": BaselineValues("k", tuple(values))},
    )
    return structs.replace(found, **more)


def test_each_case_is_the_mean_of_its_runs() -> None:
    values = np.random.default_rng(1).random((4, 30)).round(3)
    found = joined([lock(f"r{number}", *row) for number, row in enumerate(values)])
    assert list(found.results("m").values()) == pytest.approx(values.mean(axis=0))
    noise = float(values.var(axis=0, ddof=1).mean())
    assert found.metrics["m"].noise == pytest.approx(noise, abs=1e-8)
    assert second_moment(found, "m") == pytest.approx(noise * 1.25, abs=1e-8)
    assert [run.run_id for run in found.runs] == ["r0", "r1", "r2", "r3"]
    assert found.run_id == "r3" and found.answers == 4


def test_runs_may_hold_their_cases_in_different_orders() -> None:
    other = lock("b", 1, 0, 0)
    turned = structs.replace(
        other,
        cases=dict(reversed(other.cases.items())),
        metrics={"m": BaselineValues("k", (0, 0, 1))},
        numbers={"latency": BaselineNumbers((3.0, 2.0, 1.0))},
    )
    first = lock("a", 1, 0, 1, numbers={"latency": BaselineNumbers((1.0, 2.0, 3.0))})
    mean = joined([first, turned])
    assert mean.numbers["latency"].values == ((1.0, 1.0), (2.0, 2.0), (3.0, 3.0))
    assert mean.results("m") == {"c0": 1, "c1": 0, "c2": 0.5}


def test_missing_results_leave_a_gap() -> None:
    found = joined(
        [lock("a", 1, None, None, "-"), lock("b", 1, 1, None, "-"), lock("c", 0, 1, None, "-")]
    )
    column = found.metrics["m"]
    assert column.values[:2] == pytest.approx((2 / 3, 2 / 3)) and column.values[2:] == (None, "-")
    assert column.gaps == {"c1": pytest.approx(1 / 3)}
    results = found.results("m")
    assert results["c1"] == pytest.approx(2 / 3 + 1 / 6) and math.isnan(results["c2"])
    assert "c3" not in results
    mixed = joined([lock("a", 1), lock("b", "-")])
    assert mixed.gaps("m") == {"c0": 0.5}, "a metric that applies in one run only is missing there"


def test_numbers_are_those_of_the_newest_runs() -> None:
    def numbers(run: int) -> dict[str, BaselineNumbers]:
        latency = BaselineNumbers((float(run), None if run == 2 else 10.0 + run))
        return {"latency": latency} | ({"cost": latency} if run == 3 else {})

    runs = [lock(f"r{run}", 1, 0, numbers=numbers(run)) for run in range(1, 8)]
    two = joined(runs[:2])
    assert two.numbers["latency"] == BaselineNumbers(((1.0, 2.0), (11.0, None)), 2)
    three = joined(runs[:3])
    assert three.numbers["cost"] == BaselineNumbers(((None, None, 3.0), (None, None, 13.0)), 3)
    seven = joined(runs).numbers
    assert seven["latency"].runs == 5 and seven["latency"].values[0] == (3.0, 4.0, 5.0, 6.0, 7.0)
    assert seven["cost"].values[0] == (3.0, None, None, None, None), "missing in the newer runs"
    assert math.isnan(joined(runs[:2]).numbers_of("latency")["c1"][1])


def test_runs_that_agree_keep_a_least_moment() -> None:
    found = joined([lock("a", 1, 0), lock("b", 1, 0)])
    assert found.metrics["m"].noise == 0 and second_moment(found, "m") == LEAST_MOMENT
    assert second_moment(lock("a", 1, 0), "m") is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"suite": "other"}, "it is of the suite other"),
        ({"cases": {"c0": "x"}}, "differs in its cases"),
        ({"metrics": {"m": BaselineValues("j", (1,))}}, "differs in its scoring of m"),
        ({"metrics": {}}, "differs in its metrics"),
        ({"left_out": {"c9": "d"}}, "scored again without some of its cases"),
        ({"run_id": "a"}, "a run counts once"),
    ],
)
def test_what_differs_is_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        extended(lock("a", 1), lock("b", 1, **change))


def test_digests_are_compared_part_by_part() -> None:
    one = lock("a", 1)
    for part, told in (
        ("prompt", "prompt"), ("checks", "checks"), ("suite", "gate or repeats"),
    ):  # fmt: skip
        other = lock("b", 1, digests=structs.replace(one.digests, **{part: "x"}))
        assert differences(one, other) == [f"it differs in its {told}"]


def test_the_chain_holds_each_drop_from_the_release() -> None:
    first = followed(lock("a", 1, 1, 1, 1), None)
    anchored = released(first, WHO)
    assert anchored.release is not None and anchored.release.chain == ()
    assert [link.release for link in anchored.chain] == [True]
    second = followed(lock("b", 1, 1, 1, 0), anchored)
    third = followed(lock("c", 1, 1, 0, 0), second)
    assert [link.drops["m"] for link in third.chain] == [0, 0.25, 0.5]
    assert third.release == anchored.release, "it stays until a person names another"
    grown = updated(extended(third, lock("d", 1, 1, 1, 0)))
    assert len(grown.chain) == 3 and grown.chain[-1].runs == 2
    assert grown.chain[-1].drops["m"] == 0.375
    again = released(third, WHO, lock("e", 1, 1, 1, 0))
    assert [link.release for link in again.chain] == [True, False, False, True]
    with pytest.raises(UsageError, match="shares no case"):
        released(third, WHO, lock("e", 1, cases={"z": "z"}))


def test_the_digest_is_of_everything_but_the_last_day() -> None:
    found = released(followed(joined([lock("a", 1, 0), lock("b", 1, 1)]), None), WHO)
    until = structs.replace(found, approved=structs.replace(WHO, expires="2026-01-31"))
    assert lock_digest(found) == lock_digest(until)
    for change in (
        {"chain": ()},
        {"release": None},
        {"runs": found.runs[:1]},
        {"approved": structs.replace(WHO, by="bob")},
        {"cases": {"c0": "d0", "c1": "x"}},
    ):
        assert lock_digest(structs.replace(found, **change)) != lock_digest(found), change
