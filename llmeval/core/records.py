"""What a run writes line by line: cases, answers, scores and labels, as plain frozen records.

Everything on disk is one of these, or of `llmeval.core.results`, as JSON (UTF-8, keys equal field
names). `SCHEMA` numbers the format of the run directory; a reader refuses any other. Everything
else of llmeval imports this module.
"""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from llmeval.core.answer_parts import AnswerTurn as AnswerTurn
from llmeval.core.answer_parts import Ended as Ended
from llmeval.core.answer_parts import ErrorInfo as ErrorInfo
from llmeval.core.answer_parts import Usage as Usage
from llmeval.core.answer_parts import UserPart as UserPart
from llmeval.core.json_values import clean_text as clean_text
from llmeval.core.json_values import plain as plain
from llmeval.core.message_parts import MessagePart as MessagePart
from llmeval.core.trace_steps import Trace as Trace

SCHEMA = 3

Fields = Mapping[str, Any]
"""A case's own data, for the templates."""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn of a conversation."""

    role: str
    """system, user or assistant."""
    content: str
    """Its text, with a placeholder for each image."""
    parts: tuple[MessagePart, ...] = ()
    """Texts and images in their order; left out without an image."""


class Case(msgspec.Struct, frozen=True):
    """One test: a question with its data, and the expectations for a good answer."""

    id: str
    """Unique in the suite."""
    fields: dict[str, Any]
    """The case's own data: whatever its templates use."""
    references: tuple[str, ...] = ()
    """Any of them is a right answer."""
    context: str | None = None
    """A text the answer must be grounded in."""
    facts: tuple[dict[str, Any], ...] = ()
    """As written in the case."""
    checks: tuple[Any, ...] = ()
    """As written in the case, in addition to those of the suite."""
    messages: tuple[Message, ...] = ()
    """Sent instead of the prompt of the suite."""
    tags: dict[str, str] = {}
    """The value of each tag; each tag and value form a slice."""
    cluster: str | None = None
    """Cases with the same cluster are not independent."""
    expires: str | None = None
    """The last day the case is valid, ISO 8601."""
    digest: str = ""
    """sha256 over the case's own content."""
    source: str = ""
    """File and line that it came from."""
    schema: int = SCHEMA
    """The format of the run directory."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A model's reply to a case and repeat. If a reply came with the error, its usage,
    finish_reason and reasoning are kept.

    The answer of a conversation has `turns`. Then its output, reasoning, finish_reason and data are
    those of the last turn; its tool calls are those of all turns in order; its usage, latency and
    attempts are sums over the turns.
    """

    schema: int = SCHEMA
    """The format of the run directory."""
    case_id: str
    """The case."""
    repeat: int = 0
    """Which of the repeats, from 0."""
    request: str = ""
    """Digest of the request."""
    output: str | None = None
    """The text; null exactly when `error` gives the reason."""
    reasoning: str | None = None
    """The model's thoughts, apart from its answer; no check and no judge sees them."""
    finish_reason: str | None = None
    """Why the model stopped, as the endpoint reports it."""
    usage: Usage | None = None
    """Tokens of the call."""
    latency_ms: float | None = None
    """The duration of the successful attempt; null when replayed."""
    cached: bool = False
    """Whether it came from the cache."""
    attempts: int = 0
    """Calls sent for it; 0 for one from the cache."""
    cost_usd: float | None = None
    """Null unless the suite states prices."""
    model: str | None = None
    """Name that the endpoint returned."""
    fingerprint: str | None = None
    """Build fingerprint that the endpoint returned."""
    tool_calls: tuple[dict[str, Any], ...] = ()
    """Tools that the model called: `name`, `arguments` and, where it is returned, `result`."""
    data: dict[str, Any] | None = None
    """The data that the application returned next to the text, by name; null for text alone."""
    trace: Trace | None = None
    """What the application did for the answer; null where it does not return that."""
    turns: tuple[AnswerTurn, ...] = ()
    """Of a conversation, all turns in order; the last one of a missing answer has the error. Empty
    for an answer to a single prompt.
    """
    ended: Ended | None = None
    """How the conversation ended; null without one, or with an error."""
    user: UserPart | None = None
    """What the simulated user did; null without one."""
    error: ErrorInfo | None = None
    """Why there is no output."""
    answered_at: str | None = None
    """When the reply came, ISO 8601 in UTC; null without a reply, and in older records."""
    reused_from: str | None = None
    """The id of another run that made the call; null if this run made it."""

    @property
    def text(self) -> str:
        """The output; an empty string when there is none."""
        return self.output or ""


class Span(msgspec.Struct, frozen=True):
    """A place in the answer's text, counted in code points."""

    start: int
    """First character."""
    end: int
    """After the last character."""
    message: str = ""
    """What is wrong at this place."""
    rule: str = ""
    """The rule that reports it."""
    severity: Literal["error", "advice", "info"] = "error"
    """Only errors fail a check."""


class Status(StrEnum):
    """The status of one score."""

    PASS = "pass"
    FAIL = "fail"
    UNSCORED = "unscored"
    """The judge gave no usable verdict."""
    NOT_SCORED = "not_scored"
    """The judge has not been called yet: the run was interrupted. The same command continues it."""
    NEEDS_REVIEW = "needs_review"
    """Every judge replied, and none was sure. A human label decides."""
    ERROR = "error"
    """There is no answer to score, or the check could not be carried out."""
    NOT_APPLICABLE = "not_applicable"
    """The check does not apply to this case; no metric counts it."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one answer."""

    schema: int = SCHEMA
    """The format of the run directory."""
    case_id: str
    """The case."""
    repeat: int = 0
    """Which of the repeats, from 0."""
    metric: str
    """Name of the metric."""
    status: Status
    """Outcome of the score."""
    value: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """In [0, 1]; null unless `status` is pass or fail."""
    passed: bool | None = None
    """Null unless `status` is pass or fail."""
    source: Literal["check", "judge", "human"] = "check"
    """What scored it."""
    reason: str = ""
    """One sentence for people."""
    evidence: tuple[Span, ...] = ()
    """Places in the answer."""
    unscored: str | None = None
    """Why there is no value."""
    error: ErrorInfo | None = None
    """Why the check or the judge could not score the answer."""
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """The calibrated probability in [0.5, 1] that the verdict is right; null without one."""
    judge: str | None = None
    """Digest of the judge."""
    attempts: int = 0
    """Calls sent for it."""
    cached: bool = False
    """Whether the verdict came from the cache."""
    usage: Usage | None = None
    """Tokens of the judge's calls."""
    cost_usd: float | None = None
    """Null unless the suite states prices."""
    details: dict[str, Any] | None = None
    """Details for the report: a fact's verdicts, a judge's criteria."""
    answered_at: str | None = None
    """When the judge replied (the first of several replies), ISO 8601 in UTC; null without a
    judge's reply.
    """
    reused_from: str | None = None
    """The id of another run that made at least one of the calls; null if this run made all of them.
    """

    @property
    def unanswered(self) -> bool:
        """Whether the judge could not be called (no connection, quota, budget...). False for a
        judge that replied without a usable verdict.
        """
        return self.error is not None and self.error.kind != "judge"

    @property
    def undecided(self) -> bool:
        """Whether a judge replied that it can't decide. The result is not missing: a person can
        decide.
        """
        return self.status is Status.UNSCORED and self.error is None and self.source == "judge"


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A person's verdict on one answer and metric: a line of `labels/NAME.jsonl`, never changed.

    The last line of a reviewer on (case, repeat, metric) counts.
    """

    schema: int = SCHEMA
    """The format of the run directory."""
    label_id: str = ""
    """Unique."""
    run_id: str = ""
    """The run whose answer was read."""
    case_id: str
    """The case."""
    repeat: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Which of the repeats, from 0."""
    metric: str
    """The metric that the label is about."""
    output_digest: str = ""
    """sha256 of the text that was judged; empty if the browser has no SHA-256."""
    human_verdict: Literal["pass", "fail", "unsure", "withdrawn"]
    """The person's verdict; `withdrawn` takes the last one back."""
    judge_verdict: str | None = None
    """The status that the judge gave."""
    comment: str = ""
    """Free text."""
    proposed: tuple[str, ...] = ()
    """Of a label on a reference: the references that the case should have."""
    reviewer: str = ""
    """Name."""
    source: Literal["human"] = "human"
    """Always human."""
    blind: bool = False
    """Whether the judge's verdict was hidden until the person had decided."""
    sampling: Literal["random", "stratified", "triage"] = "triage"
    """How the answer was chosen. Only random and stratified draws measure how often a judge errs.
    """
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    """The probability with which the answer was drawn, for random and stratified draws."""
    adjudication: bool = False
    """Whether it decides between reviewers who disagree."""
    at: str = ""
    """ISO 8601, UTC."""


_ENCODER = msgspec.json.Encoder()
_CANONICAL = msgspec.json.Encoder(order="deterministic")


def to_json(record: object) -> bytes:
    """One line of JSON, without the newline. Values that JSON or UTF-8 can't hold are replaced
    (`plain`); they never raise an error.
    """
    try:
        return _ENCODER.encode(record)
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError):
        return _ENCODER.encode(plain(record))


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes. NaN and infinities are
    refused.

    Raises:
        ValueError: for a float that JSON can't hold.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("NaN and infinity have no JSON form")
    try:
        return _CANONICAL.encode(value)
    except UnicodeEncodeError:
        return _CANONICAL.encode(plain(value))


def utc_now(timespec: str = "seconds") -> str:
    """The time in UTC, ISO 8601 with a Z. `timespec` is that of `datetime.isoformat`."""
    return datetime.now(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def utc_time(seconds: float) -> str:
    """Seconds since 1970 as `utc_now` writes the time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def digest(value: object) -> str:
    """`sha256:` and the hex digest of the canonical JSON of `value` (of the bytes themselves for
    bytes).
    """
    data = value if isinstance(value, bytes) else canonical_json(value)
    return "sha256:" + hashlib.sha256(data).hexdigest()
