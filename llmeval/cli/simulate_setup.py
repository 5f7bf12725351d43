"""From what is known of a suite to the gate that `prove` plays."""

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from llmeval.cli.profile import SuiteProfile, margin_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llmeval.core.records import Case
    from llmeval.planning.metric_profile import MetricProfile
    from llmeval.planning.simulated_rules import RuleMembers, SimulatedRule
    from llmeval.planning.simulation import SimulationSetup


def setups_for(
    known: SuiteProfile, detect: str | None, *, early: bool
) -> "tuple[SimulationSetup | None, list[SimulationSetup]]":
    """The gate that the suite states, None where it states nothing; and where it has no rule of
    regression one for each metric, by itself.

    Args:
        known: the suite. detect: the margin of all rules of regression instead of their own.
        early: whether the run may stop early.

    Raises:
        UsageError: as `margin_for`.
    """
    from llmeval.gate.rules.floors import parse_key
    from llmeval.gate.rules.threshold import margins_in
    from llmeval.planning.simulated_rules import ErrorRates, SimulatedRegression
    from llmeval.planning.simulation import SimulationSetup

    spec = known.suite.spec
    cases = _in_order(known.cases, spec.seed)
    clusters, shapes = _numbers(cases), {shape.metric: shape for shape in known.shapes}
    margins = {key: margin.value for key, margin in margins_in(spec.gate.record().margins).items()}
    known_ones = {key: margin for key, margin in margins.items() if parse_key(key)[0] in shapes}

    def rule(key: str, own: float | None) -> "SimulatedRegression | None":
        metric, where = parse_key(key)
        members = _members(known, key, where, cases, clusters)
        margin = own if detect is None and own is not None else margin_for(known, metric, detect)
        return members and SimulatedRegression(
            name=key, metric=metric, members=members, margin=margin
        )

    def setup(claims: "list[SimulatedRule]", shapes: "dict[str, MetricProfile]") -> SimulationSetup:
        worlds = {
            claim.metric: shapes[claim.metric].world(clusters, spec.repeats) for claim in claims
        }
        terms = ErrorRates(spec.gate.alpha, spec.gate.beta, len(claims), early)
        return SimulationSetup(worlds=worlds, claims=tuple(claims), terms=terms)

    stated = [
        *_floors(known, cases, clusters),
        *filter(None, (rule(*each) for each in known_ones.items())),
    ]
    others = [] if margins else list(filter(None, (rule(metric, None) for metric in shapes)))
    if spec.repeats > 1:
        known.notes.append(
            f"{spec.repeats} answers a case; what differs between runs is taken for chance within a"
            " case"
        )
    if len({claim.metric for claim in stated}) > 1:
        known.notes.append("the metrics err independently of each other (assumed)")
    placed = {name: _placed(known, shape, stated) for name, shape in shapes.items()}
    return setup(stated, placed) if stated else None, [setup([claim], shapes) for claim in others]


def _placed(
    known: SuiteProfile, shape: "MetricProfile", claims: "list[SimulatedRule]"
) -> "MetricProfile":
    """The shape; of a metric with a floor and without a past run halfway between the highest floor
    and all.
    """
    from llmeval.planning.simulated_rules import SimulatedFloor

    floors = [
        claim.threshold
        for claim in claims
        if isinstance(claim, SimulatedFloor) and claim.metric == shape.metric
    ]
    if not floors or known.past.rate(shape.metric) is not None:
        return shape
    people = (1 + max(floors)) / 2
    known.notes.append(
        f"{shape.metric}: with its floor, a pass rate of {people:.0%} is played (assumed: the"
        " midpoint between the floor and 100%)"
    )
    return replace(shape, rate=people * shape.sensitivity + (1 - people) * (1 - shape.specificity))


def _floors(
    known: SuiteProfile, cases: "list[Case]", clusters: "NDArray[np.int64]"
) -> "list[SimulatedRule]":
    from llmeval.gate.rules.floors import parse_key
    from llmeval.gate.rules.threshold import floor_rates
    from llmeval.planning.simulated_rules import SimulatedFloor

    shapes, found = {shape.metric: shape for shape in known.shapes}, []
    for key, threshold in floor_rates(known.suite.spec.gate.record().floors).items():
        metric, where = parse_key(key)
        members = _members(known, key, where, cases, clusters) if metric in shapes else None
        if members is None:
            continue
        corrected = shapes[metric].labels is not None and known.suite.spec.repeats == 1
        if corrected and known.suite.judge(metric).when == "uncertain":
            corrected = False
        if shapes[metric].labels is not None and not corrected:
            known.notes.append(
                f"{key}: what the floor is about is what the judge says, not corrected by labels"
            )
        found.append(
            SimulatedFloor(
                name=key, metric=metric, members=members, threshold=threshold, corrected=corrected
            )
        )
    return list(found)


def _members(
    known: SuiteProfile,
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
        known.notes.append(f"{key}: not played, no case has this tag")
        return None
    return members_of(np.array(rows), clusters)


def _in_order(cases: "list[Case]", seed: int) -> "list[Case]":
    """In random order, as a run that may stop early asks them, those of one cluster behind each
    other.
    """
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(f"\0{case.id}" if case.cluster is None else case.cluster, []).append(case)
    order = list(groups.values())
    random.Random(seed).shuffle(order)
    return [case for group in order for case in group]


def _numbers(cases: "list[Case]") -> "NDArray[np.int64]":
    import numpy as np

    numbers: dict[str, int] = {}
    names = (f"\0{case.id}" if case.cluster is None else case.cluster for case in cases)
    return np.array([numbers.setdefault(name, len(numbers)) for name in names])
