"""The certificate of a judge: what human labels showed about it, with the answers that show whether
it has changed since.
"""

from typing import Any

import msgspec

from llmeval.core.records import SCHEMA, Case, Message


class Figure(msgspec.Struct, frozen=True):
    """A statistic and its 95 % interval; `value` None where the labels lack answers of one kind."""

    value: float | None
    low: float
    high: float


class FigureGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of the labels, or the answers of one system (an arm): counts, judge's verdict first,
    and figures.
    """

    name: str
    n: int
    pass_pass: int
    pass_fail: int
    fail_pass: int
    fail_fail: int
    sensitivity: Figure
    specificity: Figure
    youden: Figure


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One bias probe: n answers judged as they are and changed in a way that must not matter.

    `p`: exact McNemar; `adjusted`: Holm's over all probes. `detectable`: the smallest shift of the
    pass rate that n answers find with a probability of 80 %. `needed`: answers for which that is 5
    points. `note`: why it was not carried out.
    """

    name: str
    n: int = 0
    became_pass: int = 0
    became_fail: int = 0
    p: float = 1.0
    adjusted: float = 1.0
    found: bool = False
    detectable: float | None = None
    needed: int | None = None
    note: str = ""


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """An answer whose verdict is known: judged again in every run, it shows when the judge has
    changed.
    """

    case: Case
    asked: tuple[Message, ...]
    answer: str
    passed: bool


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled answer that the judge sees otherwise than people: where a rubric needs repair, or
    a label does.
    """

    id: str
    people: bool
    judge: bool | None
    question: str
    answer: str
    references: tuple[str, ...] = ()
    reason: str = ""


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What labels showed about one judge. `judge`: its digest; `parts`: what the digest is made of.

    `figures`: sensitivity, specificity, youden, balanced_accuracy, accuracy, mcc, kappa, ac1.
    `youden_lower`: J's one-sided 95 % lower bound. `counts`: of the labels; `weighted`: as if they
    were drawn at random within people's verdicts, which is what a pass rate is corrected by.
    `natural`: share of verdicts that change between identical calls, for the anchors' alarm.
    """

    schema: int = SCHEMA
    judge: str
    trusted: bool
    reason: str = ""
    labels: int = 0
    suite: str = ""
    metric: str = ""
    made: str = ""
    expires: str = ""
    llmeval: str = ""
    parts: dict[str, Any] = {}
    provenance: dict[str, Any] = {}
    counts: dict[str, int] = {}
    weighted: dict[str, float] = {}
    figures: dict[str, Figure] = {}
    youden_lower: float | None = None
    leniency_p: float | None = None
    probabilities: dict[str, Any] | None = None
    retest: dict[str, Any] | None = None
    slices: tuple[FigureGroup, ...] = ()
    arms: tuple[FigureGroup, ...] = ()
    people: dict[str, Any] | None = None
    alt_test: dict[str, Any] | None = None
    probes: tuple[Probe, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    natural: float = 0.02
    anchor_calls: int = 1
    """Calls behind each anchor's verdict, which all agreed."""
    anchors: tuple[Anchor, ...] = ()
