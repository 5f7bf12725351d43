"""From what is known of a suite to the gate that `prove` plays."""

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from llmeval.cli.sizing import Known, margin_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llmeval.gate.claims import Claim, Members
    from llmeval.gate.proof import Setup
    from llmeval.gate.shape import Shape
    from llmeval.records import Case


def setup_for(known: Known, detect: str | None, *, early: bool) -> "Setup":
    """The suite's floors and regression rules; a regression rule for each metric where it has none.

    Args:
        known: the suite. detect: the margin of all rules of regression instead of their own.
        early: whether the run may stop early.

    Raises:
        UsageError: as `margin_for`.
    """
    from llmeval.gate.claims import Terms
    from llmeval.gate.proof import Setup

    gate = known.suite.spec.gate
    cases = _in_order(known.cases, known.suite.spec.seed)
    clusters = _numbers(cases)
    shapes = {shape.metric: shape for shape in known.shapes}
    repeats = known.suite.spec.repeats
    claims = [*_floors(known, cases, clusters), *_regressions(known, detect, cases, clusters)]
    metrics = list(dict.fromkeys(claim.metric for claim in claims))
    if repeats > 1:
        known.notes.append(
            f"{repeats} answers a case; what differs between runs is taken for chance within a case, and none of it for "
            "another model"
        )
    if len(metrics) > 1:
        known.notes.append("the metrics err independently of each other (assumed)")
    worlds = {metric: _shape(known, shapes[metric], claims).world(clusters, repeats) for metric in metrics}
    return Setup(
        worlds=worlds, claims=tuple(claims),
        terms=Terms(gate.alpha, gate.beta, len(claims), early),
    )  # fmt: skip


def _shape(known: Known, shape: "Shape", claims: "list[Claim]") -> "Shape":
    """The shape; of a metric with a floor and without a past run half way between the highest floor and all."""
    from llmeval.gate.claims import Floor

    floors = [claim.threshold for claim in claims if isinstance(claim, Floor) and claim.metric == shape.metric]
    if not floors or known.past.rate(shape.metric) is not None:
        return shape
    people = (1 + max(floors)) / 2
    known.notes.append(f"{shape.metric}: pass rate {people:.0%} here (assumed: halfway between its floor and all)")
    return replace(shape, rate=people * shape.sensitivity + (1 - people) * (1 - shape.specificity))


def _regressions(known: Known, detect: str | None, cases: "list[Case]", clusters: "NDArray[np.int64]") -> "list[Claim]":
    from llmeval.gate.claims import Regression
    from llmeval.gate.floors import parse_key

    rule, shapes = known.suite.spec.gate.regression, {shape.metric: shape for shape in known.shapes}
    margins = {} if rule is None else dict(rule.margins)
    if not margins:
        margins = {metric: margin_for(known, metric, detect) for metric in shapes}
    found: list[Claim] = []
    for key, own in margins.items():
        metric, where = parse_key(key)
        if metric not in shapes:
            continue
        members = _members(known, key, where, cases, clusters)
        margin = own if detect is None else margin_for(known, metric, detect)
        if members is not None:
            found.append(Regression(name=key, metric=metric, members=members, margin=margin))
    return found


def _floors(known: Known, cases: "list[Case]", clusters: "NDArray[np.int64]") -> "list[Claim]":
    from llmeval.gate.claims import Floor
    from llmeval.gate.floors import parse_key

    shapes, found = {shape.metric: shape for shape in known.shapes}, []
    for key, threshold in known.suite.spec.gate.floors.items():
        metric, where = parse_key(key)
        members = _members(known, key, where, cases, clusters) if metric in shapes else None
        if members is None:
            continue
        corrected = shapes[metric].labels is not None and known.suite.spec.repeats == 1
        if corrected and known.suite.judge(metric).when == "uncertain":
            corrected = False
        if shapes[metric].labels is not None and not corrected:
            known.notes.append(f"{key}: what the floor is about is what the judge says, not corrected by labels")
        found.append(Floor(name=key, metric=metric, members=members, threshold=threshold, corrected=corrected))
    return list(found)


def _members(
    known: Known, key: str, where: tuple[str, str] | None, cases: "list[Case]", clusters: "NDArray[np.int64]"
) -> "Members | None":
    import numpy as np

    from llmeval.gate.claims import members_of

    rows = [row for row, case in enumerate(cases) if where is None or case.tags.get(where[0]) == where[1]]
    if not rows:
        known.notes.append(f"{key}: not played, no case has this tag")
        return None
    return members_of(np.array(rows), clusters)


def _in_order(cases: "list[Case]", seed: int) -> "list[Case]":
    """In random order, as a run that may stop early asks them, those of one cluster behind each other."""
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
