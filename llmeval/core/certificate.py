"""The certificate of a judge: its agreement with human labels, and the answers that show later
whether it has changed.
"""

from typing import Any

import msgspec

from llmeval.core.records import SCHEMA, AnswerTurn, Case, Message


class Figure(msgspec.Struct, frozen=True):
    """A statistic and its 95 % interval."""

    value: float | None
    """Null if the labels contain no good answers, or no bad answers."""
    low: float
    """Lower end."""
    high: float
    """Upper end."""


class FigureGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of the labels, or the answers of one system (an arm). In the names of the counts, the
    judge's verdict comes first.
    """

    name: str
    """Slice or system."""
    n: int
    """Labelled answers."""
    pass_pass: int
    """Both pass."""
    pass_fail: int
    """The judge passes, people fail."""
    fail_pass: int
    """The judge fails, people pass."""
    fail_fail: int
    """Both fail."""
    sensitivity: Figure
    """Share of good answers that the judge passes."""
    specificity: Figure
    """Share of bad answers that the judge fails."""
    youden: Figure
    """Sensitivity + specificity - 1."""
    system: str = ""
    """Of an arm: `Digests.system` of the runs whose answers were labelled; empty for labels from a
    file.
    """


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A bias probe: n answers are judged twice, unchanged and with a change
    that must not matter.
    """

    name: str
    """What was changed."""
    n: int = 0
    """Answers."""
    became_pass: int = 0
    """Verdicts that went from fail to pass."""
    became_fail: int = 0
    """Verdicts that went from pass to fail."""
    p: float = 1.0
    """Exact McNemar test."""
    adjusted: float = 1.0
    """The p-value after Holm's correction over all probes."""
    found: bool = False
    """Whether the probe shows a bias."""
    detectable: float | None = None
    """The smallest shift of the pass rate that n answers detect with a probability of 80 %."""
    needed: int | None = None
    """The number of answers at which that smallest shift is 5 points."""
    note: str = ""
    """Why it was not carried out."""


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """An answer whose verdict is labelled: judged again in every run, it shows when the judge has
    changed.
    """

    case: Case
    """The case."""
    asked: tuple[Message, ...]
    """The messages that the candidate was sent."""
    answer: str
    """The text to judge."""
    passed: bool
    """The judge's verdict at the time of the certificate."""
    data: dict[str, Any] | None = None
    """The data of the answer, for prompts that use them."""
    turns: tuple[AnswerTurn, ...] = ()
    """The turns of a conversation, for prompts that use them."""


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled answer on which judge and people differ: the rubric or a label needs repair."""

    id: str
    """The case."""
    people: bool
    """Whether people pass it."""
    judge: bool | None
    """Whether the judge passes it; null without a verdict."""
    question: str
    """The question of the case."""
    answer: str
    """The text."""
    references: tuple[str, ...] = ()
    """Right answers."""
    reason: str = ""
    """The judge's reason."""


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The results of comparing one judge with human labels."""

    schema: int = SCHEMA
    """The format."""
    judge: str
    """Digest of the judge."""
    trusted: bool
    """Whether its verdicts may decide a rule."""
    reason: str = ""
    """Why, in a sentence."""
    labels: int = 0
    """How many."""
    suite: str = ""
    """The suite of the judge."""
    metric: str = ""
    """The metric of the judge."""
    made: str = ""
    """ISO 8601."""
    expires: str = ""
    """The last day on which it is valid, ISO 8601."""
    llmeval: str = ""
    """Version of llmeval that wrote it."""
    parts: dict[str, Any] = {}
    """The values that the digest is computed from."""
    provenance: dict[str, Any] = {}
    """Where the labels came from."""
    counts: dict[str, int] = {}
    """Labels by the verdicts of judge and people."""
    weighted: dict[str, float] = {}
    """The same counts, weighted as if the labels had been drawn at random within the human
    verdicts. The correction of a pass rate uses them.
    """
    figures: dict[str, Figure] = {}
    """sensitivity, specificity, youden, balanced_accuracy, accuracy, mcc, kappa, ac1."""
    youden_lower: float | None = None
    """J's one-sided 95 % lower bound."""
    leniency_p: float | None = None
    """McNemar test of whether the judge passes more than people do."""
    probabilities: dict[str, Any] | None = None
    """Calibration of stated probabilities."""
    retest: dict[str, Any] | None = None
    """Verdicts of identical calls."""
    slices: tuple[FigureGroup, ...] = ()
    """By slice."""
    arms: tuple[FigureGroup, ...] = ()
    """By system."""
    people: dict[str, Any] | None = None
    """Agreement of reviewers with one another."""
    alt_test: dict[str, Any] | None = None
    """Whether the judge agrees with people as well as they do with one another."""
    probes: tuple[Probe, ...] = ()
    """Bias probes."""
    disagreements: tuple[Disagreement, ...] = ()
    """Labelled answers on which judge and people differ."""
    natural: float = 0.02
    """Share of verdicts that change between identical calls. The drift alarm of the anchors uses
    it.
    """
    anchor_calls: int = 1
    """The number of calls for each anchor's verdict. All of them agreed."""
    anchors: tuple[Anchor, ...] = ()
    """Answers that are judged again in each run."""
