"""What the decisions of a suite take: cases, calls, cost and minutes, before the first call."""

from typing import TYPE_CHECKING, Any, NamedTuple

from llmeval.core.metric_ref import cluster_key
from llmeval.planning.suite_profile import (
    SINCE_RELEASE,
    SuiteProfile,
    margin_for,
    margin_of,
    release_profiles,
    slice_profiles,
)

if TYPE_CHECKING:
    from llmeval.planning.metric_profile import MetricProfile
    from llmeval.planning.sample_size import FloorSize, RegressionSize


class RunCost(NamedTuple):
    """What a run of some size takes."""

    cases: int
    calls: int
    cost_usd: float | None
    """US dollars; None where the suite does not state the price of each model."""
    minutes: float | None
    """None without a past run to measure the pace."""


class SuitePlan(NamedTuple):
    """The plan of a suite: the size that each of its rules needs."""

    profile: SuiteProfile
    regression: "list[tuple[MetricProfile, RegressionSize]]"
    floors: "list[FloorSize]"

    def cost(self, cases: int) -> RunCost:
        """Calls, cost and minutes of a run of `cases` cases, in proportion to the suite's own."""
        profile = self.profile
        scale = cases / len(profile.cases)
        costs = [row["cost_usd"] for row in profile.rows]
        pace = profile.past.seconds_a_case
        return RunCost(
            cases=cases,
            calls=round(scale * sum(row["calls"] for row in profile.rows)),
            cost_usd=None if None in costs else scale * sum(costs),
            minutes=None if pace is None else pace * cases / 60,
        )

    def document(self) -> dict[str, Any]:
        """The plan as plain values, for JSON."""
        profile = self.profile
        alpha, beta = profile.suite.spec.gate.first_rates
        return {
            "suite": profile.suite.name,
            "cases": len(profile.cases),
            "repeats": profile.suite.spec.repeats,
            "rules": profile.rule_count,
            "alpha": alpha,
            "beta": beta,
            "now": self.cost(len(profile.cases))._asdict(),
            "regression": [
                {
                    "metric": metric.metric,
                    **size._asdict(),
                    "enough": size.needed is not None and metric.cases >= size.needed,
                    "pass_rate": metric.rate,
                    "discordance": metric.discordance,
                    "youden_lower": metric.youden_lower,
                    "design_effect": metric.effect,
                    "needs": None if size.needed is None else self.cost(size.needed)._asdict(),
                }
                for metric, size in self.regression
            ],
            "floors": [floor._asdict() for floor in self.floors],
            "never_decided": profile.never,
            "notes": profile.notes,
        }


def plan_suite(profile: SuiteProfile, detect: str | None = None) -> SuitePlan:
    """The sizes that the suite's rules need.

    Args:
        profile: the suite.
        detect: the drop to plan for, such as `3pt` or `0.03`; None: the suite's own margins.

    Raises:
        UsageError: `detect` is not a drop between 0 and 100 points.
    """
    from llmeval.planning.sample_size import plan_regression

    rates, count = profile.suite.spec.gate.first_rates, profile.rule_count
    planned = [
        *(
            (metric, margin_for(profile, metric.metric, detect))
            for metric in [*profile.metrics, *slice_profiles(profile)]
        ),
        *(
            (metric, _release_margin(profile, metric.metric, detect))
            for metric in release_profiles(profile)
        ),
    ]
    sizes = [
        (metric, plan_regression(metric, margin, *rates, rules=count)) for metric, margin in planned
    ]
    return SuitePlan(profile, sizes, _floor_sizes(profile))


def _release_margin(profile: SuiteProfile, name: str, detect: str | None) -> float:
    if detect is not None:
        return margin_of(detect, len(profile.cases))
    return profile.release_margins[name.removesuffix(SINCE_RELEASE)].value


def _floor_sizes(profile: SuiteProfile) -> "list[FloorSize]":
    from llmeval.core.metric_ref import parse_metric_ref
    from llmeval.gate.rules.threshold import floor_rates
    from llmeval.planning.sample_size import plan_floor

    metrics, gate = {each.metric: each for each in profile.metrics}, profile.suite.spec.gate
    sizes = []
    for key, floor in floor_rates(gate.record().floors).items():
        name, slice_ = parse_metric_ref(key)
        metric = metrics.get(name)
        if metric is None:
            continue
        within = [
            case
            for case in profile.cases
            if slice_ is None or case.tags.get(slice_[0]) == slice_[1]
        ]
        clusters = [cluster_key(case.id, case.cluster) for case in within]
        rate = metric.people if metric.labels else metric.rate
        if metric.labels:
            profile.notes.append(
                f"{name}: the sizes of its floors assume a judge without errors. `llmeval simulate`"
                " shows how often they decide with its errors and labels"
            )
        if profile.past.rate(name) is None:
            rate = (1 + floor) / 2
            profile.notes.append(
                f"{key}: pass rate {rate:.0%} for the floor (assumed: the midpoint between the"
                " floor and 100%)"
            )
        sizes.append(plan_floor(key, floor, rate, clusters, gate.first_rates[0], metric.effect))
    return sizes
