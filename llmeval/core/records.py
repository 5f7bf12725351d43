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

from llmeval.core.json_values import clean_text as clean_text
from llmeval.core.json_values import plain as plain

SCHEMA = 2

Fields = Mapping[str, Any]
"""A case's own data: whatever its templates use."""


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation. `role` is system, user or assistant."""

    role: str
    content: str


class Case(msgspec.Struct, frozen=True):
    """One test: what is asked (through `fields`), and what is known about a good answer.

    `references`: any of them is a right answer. `context`: a text the answer must be grounded in.
    `facts`, `checks`: as written in the case, parsed by those who use them. `tags`: {slice: value}.
    `cluster`: cases that share it are not independent. `digest`: sha256 over the case's own
        content.
    """

    id: str
    fields: dict[str, Any]
    references: tuple[str, ...] = ()
    context: str | None = None
    facts: tuple[dict[str, Any], ...] = ()
    checks: tuple[Any, ...] = ()
    messages: tuple[Message, ...] = ()
    tags: dict[str, str] = {}
    cluster: str | None = None
    expires: str | None = None
    digest: str = ""
    source: str = ""
    schema: int = SCHEMA


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one call, as the endpoint counted them; None where it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    """Those of the output tokens that went into reasoning."""


class ErrorInfo(msgspec.Struct, frozen=True):
    """Why something has no result.

    `kind` is one of:

    - `config`: the suite can't be carried out for this case (a template lacks a field, a model
        can't take the request);
    - `provider`: the endpoint gave no answer (no connection, an error status, a reply that can't be
        read);
    - `blocked`: the provider's filter withheld the answer;
    - `truncated`: the reply ended before its answer began (all tokens went into reasoning);
    - `quota`: the account's quota or credit is used up, and waiting does not help: the run ends;
    - `budget`: the run's own budget is used up (`--max-cost`, `--max-calls`, `--max-minutes`): the
        run ends;
    - `candidate`: the candidate's own code raised, or returned what is no answer;
    - `judge`: the judge replied, and none of its replies is a usable verdict;
    - `check`: the check could not be carried out on this answer.
    """

    kind: str
    message: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A model's reply to (case, repeat). `output` is None exactly when `error` says why.

    `latency_ms`: of the successful attempt, None when replayed. `attempts`: calls sent for it (0 =
        from cache).
    `cost_usd`: None unless the suite states prices. `model`, `fingerprint`: what the endpoint said
    it is. An answer with an error keeps what came with the reply (usage, finish_reason, reasoning),
    where one came.
    """

    schema: int = SCHEMA
    case_id: str
    repeat: int = 0
    request: str = ""
    output: str | None = None
    reasoning: str | None = None
    """The model's thoughts, apart from its answer; no check and no judge sees them."""
    finish_reason: str | None = None
    usage: Usage | None = None
    latency_ms: float | None = None
    cached: bool = False
    attempts: int = 0
    cost_usd: float | None = None
    model: str | None = None
    fingerprint: str | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    error: ErrorInfo | None = None
    answered_at: str | None = None
    """When the reply came, ISO 8601 in UTC; None where no reply came, and in older records."""
    reused_from: str | None = None
    """The id of another run that made the call; None where this run did."""

    @property
    def text(self) -> str:
        """The output; an empty string when there is none."""
        return self.output or ""


class Span(msgspec.Struct, frozen=True):
    """A place in the answer's text: code points [start, end), what was found there, and by which
    rule.
    """

    start: int
    end: int
    message: str = ""
    rule: str = ""
    severity: Literal["error", "advice", "info"] = "error"


class Status(StrEnum):
    """What became of one score."""

    PASS = "pass"
    FAIL = "fail"
    UNSCORED = "unscored"
    """The judge gave no usable verdict."""
    NOT_SCORED = "not_scored"
    """The judge has not been asked yet: the run was interrupted. The same command goes on here."""
    OPEN = "open"
    """Judges answered and none was sure: it is for a person, whose label decides. Nothing was
    lost.
    """
    ERROR = "error"
    """There is no answer to score, or the check could not be carried out."""
    NOT_APPLICABLE = "not_applicable"
    """The check has nothing to say about this case; no metric counts it."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one answer. `value` in [0, 1] and `passed` are None unless `status` is pass or
    fail.

    `unscored`: the reason why there is no value. `confidence`: P(the verdict is right) in [0.5, 1]
    where the source states one that is calibrated. `details`: more for the report (a fact's
    verdicts, a judge's criteria).
    """

    schema: int = SCHEMA
    case_id: str
    repeat: int = 0
    metric: str
    status: Status
    value: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    passed: bool | None = None
    source: Literal["check", "judge", "human"] = "check"
    reason: str = ""
    evidence: tuple[Span, ...] = ()
    unscored: str | None = None
    error: ErrorInfo | None = None
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    judge: str | None = None
    attempts: int = 0
    cached: bool = False
    usage: Usage | None = None
    cost_usd: float | None = None
    details: dict[str, Any] | None = None
    answered_at: str | None = None
    """When the judge replied, ISO 8601 in UTC, of several replies the first; None where no judge
    was asked.
    """
    reused_from: str | None = None
    """The id of another run that made at least one of the calls; None where this run made all."""

    @property
    def unanswered(self) -> bool:
        """Whether the source could not be asked (no connection, quota, budget...). A judge that
        replied without a usable verdict was."""
        return self.error is not None and self.error.kind != "judge"

    @property
    def undecided(self) -> bool:
        """Whether a judge gave a verdict that takes no side. Nothing is missing: a person can
        decide.
        """
        return self.status is Status.UNSCORED and self.error is None and self.source == "judge"


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A person's verdict on one answer and metric: a line of `labels.jsonl`, never changed once
    written.

    The last line of a reviewer on (case, repeat, metric) counts; `withdrawn` takes it back.
    `output_digest`: of the text that was judged (`digest` of its UTF-8), empty where the browser
    offers none. `blind`: the judge's verdict was hidden until the person had decided. `sampling`:
    how the answer came before the person; `probability`: with which it was drawn, for random and
    stratified ones. Only those say how often a judge errs. `judge_verdict`: the status the judge
    had given. `adjudication`: decides between reviewers who differ. `at`: ISO 8601.
    """

    schema: int = SCHEMA
    label_id: str = ""
    run_id: str = ""
    case_id: str
    repeat: Annotated[int, msgspec.Meta(ge=0)] = 0
    metric: str
    output_digest: str = ""
    human_verdict: Literal["pass", "fail", "unsure", "withdrawn"]
    judge_verdict: str | None = None
    comment: str = ""
    reviewer: str = ""
    source: Literal["human"] = "human"
    blind: bool = False
    sampling: Literal["random", "stratified", "triage"] = "triage"
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    adjudication: bool = False
    at: str = ""


_ENCODER = msgspec.json.Encoder()
_CANONICAL = msgspec.json.Encoder(order="deterministic")


def to_json(record: object) -> bytes:
    """One line of JSON, without the newline. What JSON or UTF-8 can't hold is replaced (`plain`),
    never an error.
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
    """The time in UTC, ISO 8601 with a Z, to the second (or as `datetime.isoformat` takes
    `timespec`).
    """
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
