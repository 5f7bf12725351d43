"""From the profile of a suite to the gate that `simulate` tries."""

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from llmeval.core.metric_ref import cluster_key
from llmeval.planning.simulation_conditions import IDEAL, SimulationConditions
from llmeval.planning.suite_profile import SINCE_RELEASE, SuiteProfile, margin_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llmeval.core.gate_record import GateRecord
    from llmeval.core.records import Case
    from llmeval.planning.metric_profile import MetricProfile
    from llmeval.planning.simulated_rules import ErrorRates, RuleMembers, SimulatedRule
    from llmeval.planning.simulation import SimulationSetup


def setups_for(
    profile: SuiteProfile,
    detect: str | None,
    *,
    early: bool,
    conditions: SimulationConditions = IDEAL,
) -> "tuple[SimulationSetup | None, list[SimulationSetup]]":
    """The gates to simulate: the suite's own, and where it has no regression rule one a metric.

    Args:
        profile: the suite.
        detect: the margin of all regression rules, instead of their stated ones.
        early: whether the run may stop early.
        conditions: what goes wrong in the runs.

    Returns:
        The suite's gate (None where it states no rule), and the gates with one regression rule for
        each metric.

    Raises:
        UsageError: as `margin_for`.
    """
    from llmeval.core.metric_ref import metric_of, parse_metric_ref
    from llmeval.planning.simulated_rules import SimulatedRegression
    from llmeval.planning.simulation import SimulationSetup

    spec = profile.suite.spec
    cases = _in_order(profile.cases, spec.seed)
    clusters, metrics = (
        conditions.clusters(_numbers(cases), spec.seed),
        {each.metric: each for each in profile.metrics},
    )
    margins, release = (
        {key: margin.value for key, margin in stated.items() if metric_of(key) in metrics}
        for stated in (profile.margins, profile.release_margins)
    )

    def rule(key: str, own: float | None, ending: str = "") -> "SimulatedRegression | None":
        metric, where = parse_metric_ref(key)
        members = _members(profile, key, where, cases, clusters)
        margin = own if detect is None and own is not None else margin_for(profile, metric, detect)
        return members and SimulatedRegression(
            name=f"{key}{ending}",
            metric=metric,
            members=members,
            margin=margin,
            shift=metrics[metric].shift,
            baseline_runs=metrics[metric].baseline_runs,
        )

    def setup(rules: "list[SimulatedRule]", metrics: "dict[str, MetricProfile]") -> SimulationSetup:
        verdict_models = {
            rule.metric: replace(
                metrics[rule.metric].verdict_model(clusters, spec.repeats),
                judge_shift=conditions.judge_shift,
                missing=conditions.missing,
                missing_where=conditions.missing_where,
            )
            for rule in rules
        }
        count = max(len(rules), profile.rule_count if rules == stated else 1)
        terms = _terms(spec.gate.record(), count, early=early, attempts=conditions.attempts)
        return SimulationSetup(verdict_models=verdict_models, rules=tuple(rules), terms=terms)

    stated = [
        *_floors(profile, cases, clusters),
        *filter(None, (rule(*each) for each in margins.items())),
        *filter(None, (rule(*each, SINCE_RELEASE) for each in release.items())),
    ]
    if release:
        profile.notes.append(
            "the release has the results of the baseline (assumed), so a rule about it decides as"
            " one about the baseline with its margin"
        )
    left = profile.rule_count - len(stated)
    if stated and left > 0:
        profile.notes.append(
            f"{left} more rules share alpha (limits, margins of numbers, `--metric`); they are"
            " counted and not simulated"
        )
    others = (
        [] if profile.margins else list(filter(None, (rule(metric, None) for metric in metrics)))
    )
    profile.notes.extend(conditions.notes(spec.gate.attempts))
    if spec.repeats > 1:
        profile.notes.append(
            f"{spec.repeats} answers a case; what differs between runs is taken for chance within a"
            " case"
        )
    if len({rule.metric for rule in stated}) > 1:
        profile.notes.append("the metrics err independently of each other (assumed)")
    placed = {name: _placed(profile, each, stated) for name, each in metrics.items()}
    return setup(stated, placed) if stated else None, [setup([rule], metrics) for rule in others]


def _terms(gate: "GateRecord", rules: int, *, early: bool, attempts: int) -> "ErrorRates":
    """The error rates of each attempt of a change."""
    from llmeval.planning.simulated_rules import ErrorRates

    alpha, beta = gate.first_rates
    later = (gate.rates_at(number) for number in range(2, attempts + 1))
    return ErrorRates(
        alpha=alpha,
        beta=beta,
        rules=rules,
        early=early,
        later=tuple(rates for rates in later if rates is not None),
        whole=(gate.alpha, gate.beta),
        pools=gate.attempts > 1,
        max_unscored=gate.max_unscored,
    )


def _placed(
    profile: SuiteProfile, metric_profile: "MetricProfile", rules: "list[SimulatedRule]"
) -> "MetricProfile":
    """The profile of a metric, with the pass rate that the simulation uses.

    A metric with a floor and without a past run gets the midpoint between its highest floor and
    100 %: at the assumed rate of other metrics the floor might always fail.
    """
    from llmeval.planning.simulated_rules import SimulatedFloor

    floors = [
        rule.threshold
        for rule in rules
        if isinstance(rule, SimulatedFloor) and rule.metric == metric_profile.metric
    ]
    if not floors or profile.past.rate(metric_profile.metric) is not None:
        return metric_profile
    people = (1 + max(floors)) / 2
    profile.notes.append(
        f"{metric_profile.metric}: the simulation uses a pass rate of {people:.0%} (assumed: the"
        " midpoint between the floor and 100%)"
    )
    return replace(
        metric_profile,
        rate=people * metric_profile.sensitivity + (1 - people) * (1 - metric_profile.specificity),
    )


def _floors(
    profile: SuiteProfile, cases: "list[Case]", clusters: "NDArray[np.int64]"
) -> "list[SimulatedRule]":
    from llmeval.core.metric_ref import parse_metric_ref
    from llmeval.gate.rules.threshold import floor_rates
    from llmeval.planning.simulated_rules import SimulatedFloor

    metrics, rules = (
        {each.metric: each for each in profile.metrics},
        [],
    )
    for key, threshold in floor_rates(profile.suite.spec.gate.record().floors).items():
        metric, where = parse_metric_ref(key)
        members = _members(profile, key, where, cases, clusters) if metric in metrics else None
        if members is None:
            continue
        corrected = metrics[metric].labels is not None and profile.suite.spec.repeats == 1
        if corrected and profile.suite.judge(metric).when == "uncertain":
            corrected = False
        if metrics[metric].labels is not None and not corrected:
            profile.notes.append(
                f"{key}: what the floor is about is what the judge says, not corrected by labels"
            )
        rules.append(
            SimulatedFloor(
                name=key, metric=metric, members=members, threshold=threshold, corrected=corrected
            )
        )
    return list(rules)


def _members(
    profile: SuiteProfile,
    key: str,
    where: tuple[str, str] | None,
    cases: "list[Case]",
    clusters: "NDArray[np.int64]",
) -> "RuleMembers | None":
    import numpy as np

    from llmeval.planning.simulated_rules import members_of

    rows = [
        row
        for row, case in enumerate(cases)
        if where is None or case.tags.get(where[0]) == where[1]
    ]
    if not rows:
        profile.notes.append(f"{key}: not simulated, no case has this tag")
        return None
    return members_of(np.array(rows), clusters)


def _in_order(cases: "list[Case]", seed: int) -> "list[Case]":
    """In random order, as a run that may stop early asks them, those of one cluster behind each
    other.
    """
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(cluster_key(case.id, case.cluster), []).append(case)
    order = list(groups.values())
    random.Random(seed).shuffle(order)
    return [case for group in order for case in group]


def _numbers(cases: "list[Case]") -> "NDArray[np.int64]":
    import numpy as np

    numbers: dict[str, int] = {}
    names = (cluster_key(case.id, case.cluster) for case in cases)
    return np.array([numbers.setdefault(name, len(numbers)) for name in names])
