"""How many answers a check decides at a confidence, and how many of these it gets wrong."""

from collections.abc import Sequence
from typing import NamedTuple

THRESHOLDS = (0.7, 0.8, 0.85, 0.9, 0.95, 0.98)


class CurvePoint(NamedTuple):
    """Shares in [0, 1]: of all answers that are decided, and of the decided ones that are wrong.

    `least`: the confidence from which on answers are decided.
    """

    least: float
    decided: float
    wrong: float


class Curve(NamedTuple):
    """The points at fixed confidences; the most answers that can be decided with at most 1 % wrong;
    the smallest share wrong where 80 % are decided. None where no threshold reaches it."""

    points: tuple[CurvePoint, ...]
    at_one_percent: CurvePoint | None
    at_eighty: CurvePoint | None


def curve(verdicts: Sequence[tuple[float, bool]]) -> Curve:
    """The curve of verdicts, each a confidence and whether it is right."""
    steps = [_at(verdicts, least) for least in sorted({c for c, _ in verdicts})]
    few = [step for step in steps if step.wrong <= 0.01]
    many = [step for step in steps if step.decided >= 0.8]
    return Curve(
        tuple(_at(verdicts, least) for least in THRESHOLDS),
        max(few, key=lambda step: step.decided, default=None),
        min(many, key=lambda step: step.wrong, default=None),
    )


def _at(verdicts: Sequence[tuple[float, bool]], least: float) -> CurvePoint:
    decided = [right for confidence, right in verdicts if confidence >= least]
    wrong = decided.count(False) / len(decided) if decided else 0.0
    return CurvePoint(least, len(decided) / len(verdicts), wrong)


def shown(name: str, values: Curve) -> str:
    """The curve in one line a point."""
    rows = [f"{name}: confidence, decided, wrong among them"]
    rows += [f"  {p.least:6.2f} {p.decided:7.1%} {p.wrong:6.1%}" for p in values.points]
    for label, point in (
        ("most decided with at most 1 % wrong", values.at_one_percent),
        ("fewest wrong with 80 % decided", values.at_eighty),
    ):
        text = (
            "not reached"
            if point is None
            else f"{point.decided:.1%} decided, {point.wrong:.1%} wrong (from {point.least:.2f} on)"
        )
        rows.append(f"  {label}: {text}")
    return "\n".join(rows)
