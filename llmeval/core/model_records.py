"""The models of a run in its manifest: the candidate, and each judge with its trust."""

from typing import Annotated, Any, Literal

import msgspec

from llmeval.core.certificate import Figure
from llmeval.core.gate_record import Count

LabelCount = Annotated[int, msgspec.Meta(ge=0)] | Annotated[float, msgspec.Meta(ge=0)]


class PriceRecord(msgspec.Struct, frozen=True):
    """US dollars per million tokens."""

    input: float
    """Tokens of the request."""
    output: float
    """Tokens of the reply."""


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A model in its role."""

    name: str = ""
    """The name under the suite's `models`."""
    identity: dict[str, Any] = {}
    """Everything that identifies the model, without secrets. The keys depend on the provider."""
    host: str | None = None
    """The host of the endpoint; null for other models."""
    params: dict[str, Any] = {}
    """What is sent with each request."""
    on_blocked: Literal["missing", "fail"] = "missing"
    """How an answer counts that the provider's content filter withheld: `missing` or `fail`."""


class CandidateRecord(ModelRecord, frozen=True, kw_only=True):
    """The model under test."""

    name: str
    """The name under the suite's `models`."""
    price: PriceRecord | None = None
    """Null where the suite states none."""
    on_error: Literal["missing", "fail"] = "missing"
    """What an answer counts as that the application ended with its own error."""
    returned_models: tuple[str, ...] = ()
    """Names that the endpoint returned."""
    fingerprints: tuple[str, ...] = ()
    """Build fingerprints that the endpoint returned."""


class SimulatedUserRecord(ModelRecord, frozen=True, kw_only=True):
    """The model that plays the user of conversations."""

    seed: int
    """Sent with each request, plus the number of the repeat."""
    goal: str
    """Template of its goal."""
    persona: str = ""
    """Template of its persona."""
    stop: str
    """Template of when it ends the conversation."""
    digest: str
    """sha256 over model, parameters, templates and prompt."""
    judge: str | None = None
    """Digest of the judge of its messages; null without one."""
    judge_identity: dict[str, Any] | None = None
    """Everything that decides what that judge says."""


class DriftRecord(msgspec.Struct, frozen=True):
    """The anchors of several runs together."""

    runs: Count
    """How many runs."""
    changed: Count
    """Verdicts that differ from the certificate."""
    n: Count
    """Anchors judged."""
    p: float
    """The p-value of the hypothesis that no more verdicts change than between identical calls."""


class AnchorsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a judge's anchors in this run."""

    n: Count = 0
    """Anchors with a verdict of the judge."""
    lost: Count = 0
    """Anchors that could not be judged."""
    changed: Count = 0
    """Anchors with another verdict than the certificate's."""
    alarm: int | None = None
    """The number of changed verdicts from which the judge is UNTRUSTED; null if too few were
    judged.
    """
    false_alarm: float | None = None
    """Probability that an unchanged judge raises the alarm."""
    drift: DriftRecord | None = None
    """This run with earlier ones; null if too few anchors were judged."""


class LabelTable(msgspec.Struct, frozen=True, kw_only=True):
    """Labelled answers by the judge's verdict and people's, in this order; weighted counts
    need not be whole numbers.
    """

    pass_pass: LabelCount
    """Both pass."""
    pass_fail: LabelCount
    """The judge passes, people fail."""
    fail_pass: LabelCount
    """The judge fails, people pass."""
    fail_fail: LabelCount
    """Both fail."""
    undecided: LabelCount = 0
    """Labelled answers without a verdict of the judge."""


class JudgeArm(msgspec.Struct, frozen=True, kw_only=True):
    """What labels showed about a judge on the answers of one system."""

    name: str
    """The system's name."""
    system: str
    """`Digests.system` of its runs."""
    sensitivity: Figure
    """Share of good answers that the judge passes."""
    specificity: Figure
    """Share of bad answers that the judge fails."""


class JudgeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The judge of a metric: its models and protocol, and whether it is trusted."""

    model: str = ""
    """The names of its models, joined by ` + `."""
    identity: dict[str, Any] = {}
    """The identity of its first model; see `ModelRecord.identity`."""
    host: str | None = None
    """Where its first model ran."""
    params: dict[str, Any] = {}
    """What is sent with each request."""
    prompt: str | None = None
    """The name of its protocol."""
    prompt_version: int | str | None = None
    """Version of the protocol."""
    seats: tuple[ModelRecord, ...] | None = None
    """Its models, if it has several."""
    digest: str = ""
    """The digest of everything that influences a verdict."""
    when: str | None = "always"
    """Which answers it judges."""
    attacks: bool = True
    """Whether each run tests it with known attacks."""
    certificate: str | None = None
    """The file, as the suite names it."""
    trust: Literal["TRUSTED", "UNTRUSTED"] = "UNTRUSTED"
    """Whether its verdicts may decide a rule."""
    trust_reason: str = ""
    """Why, in a sentence."""
    labels: LabelTable | None = None
    """The labels of its certificate, if the judge is TRUSTED."""
    weighted: LabelTable | None = None
    """The same labels, weighted by how the labels were drawn."""
    arms: tuple[JudgeArm, ...] = ()
    """What its certificate's labels show for each system whose runs were labelled."""
    certificate_digest: str | None = None
    """sha256 of the certificate's file."""
    calibration: dict[str, Any] | None = None
    """The method of calibration, and its coefficients."""
    anchors: AnchorsRecord | None = None
    """Null if no anchors were judged."""
