"""The rows of the history, one frozen record for each table.

The tables of SQLite and PostgreSQL are made from these records (`tables.py`), so that both have the
same columns. No row holds a text that a model wrote: only ids, names, digests and numbers.
"""

from typing import NamedTuple

import msgspec

from llmeval.history.verdicts import CaseList, Vector


class RunRow(msgspec.Struct, frozen=True):
    """One run."""

    run_id: str
    """Sorts by time."""
    suite: str
    """Name of the suite."""
    root: str
    """The folder of the runs (`--reports`), absolute. `export` and queries are about one folder."""
    path: str
    """The run's directory, absolute."""
    stamp: str
    """Sizes and times of the files that the row was made of. Another stamp: read them again."""
    started: str
    """ISO 8601, UTC."""
    ended: str | None
    """ISO 8601, UTC; null while the run continues, or where it was killed."""
    status: str
    """running, incomplete, complete or partial."""
    decision: str | None
    """PASS, FAIL, INCONCLUSIVE or INVALID; null without a gate, or before the end."""
    exit_code: int | None
    """Of the decision."""
    kind: str
    """run, score (stored answers scored again), merge (shards) or imported (answers that another
    tool or an application recorded).
    """
    parent: str | None
    """The run whose answers were scored again."""
    branch: str | None
    """Of git."""
    commit_id: str | None
    """Full hash. (`commit` is a word of SQL.)"""
    dirty: bool
    """Whether there were uncommitted changes."""
    environment: str | None
    """The suite's environment."""
    llmeval: str
    """Version."""
    candidate: str
    """Name of the model under test."""
    candidate_digest: str
    """Of its identity."""
    system_digest: str
    """Of the candidate, the prompt and the messages of a conversation: all that answers."""
    cases_digest: str
    """Of all cases."""
    judges_digest: str
    """Of all judges."""
    checks_digest: str
    """Of all checks."""
    params_digest: str
    """Of the candidate's parameters."""
    quarantine_digest: str
    """Of the ids in quarantine; empty without any."""
    repeats: int
    """Answers a case."""
    n: int
    """Cases with a record."""
    passed: int
    """Cases that pass everything."""
    failed: int
    """Cases that fail."""
    errors: int
    """Cases with an error."""
    unscored: int
    """Cases without a usable verdict."""
    needs_review: int
    """Cases that a person has to decide."""
    not_needed: int
    """Planned cases that did not run, because the run stopped early."""
    calls: int
    """Requests sent, all models together."""
    cached: int
    """Answers and verdicts from the cache."""
    tokens_in: int
    """Tokens of the requests."""
    tokens_out: int
    """Tokens of the replies."""
    cost_usd: float | None
    """Null unless a price is known."""
    wall_s: float | None
    """Seconds."""
    baseline: str | None
    """The path of the baseline that the gate names."""
    labels: int
    """Lines of people's labels."""
    suite_file: str
    """Path of the suite."""
    manifest_digest: str
    """Of `manifest.json`."""

    @property
    def finished(self) -> bool:
        """Whether the run is complete: only such runs are compared."""
        return self.status == "complete"

    @property
    def stopped_early(self) -> bool:
        """Whether cases did not run because every rule was decided. Its estimates are biased."""
        return self.not_needed > 0

    @property
    def short_commit(self) -> str:
        """The beginning of the commit; empty without one."""
        return (self.commit_id or "")[:7]


class TagRow(msgspec.Struct, frozen=True):
    """A tag of a run."""

    run_id: str
    """The run."""
    name: str
    """Such as release."""
    content: str
    """Its value."""


class MetricRow(msgspec.Struct, frozen=True):
    """One metric of a run over one slice, as in `summary.json`."""

    run_id: str
    """The run."""
    metric: str
    """Name."""
    slice: str
    """`tag=value`; empty for all cases."""
    n: int
    """Cases with a value."""
    mean: float | None
    """Mean of the values."""
    pass_rate: float | None
    """Share of the cases that pass in every repeat."""
    low: float | None
    """Lower end of the interval of the pass rate."""
    high: float | None
    """Upper end."""
    method: str
    """How the interval was computed."""
    stopped_early: bool
    """Whether the run stopped early: the estimate is biased."""
    scorer: str
    """Digest of the judge or of the checks that score it."""
    trust: str | None
    """TRUSTED or UNTRUSTED; null for checks."""


class DecisionRow(msgspec.Struct, frozen=True):
    """One rule of a run's gate, decided."""

    run_id: str
    """The run."""
    place: int
    """Its place among the rules."""
    rule: str
    """floor, limit, regression, ..."""
    metric: str
    """Empty for a rule about the run."""
    slice: str
    """`tag=value`; empty for all cases."""
    decision: str
    """PASS, FAIL, INCONCLUSIVE or INVALID."""
    estimate: float | None
    """The pass rate, or the difference."""
    low: float | None
    """Lower bound."""
    high: float | None
    """Upper bound."""
    threshold: float | None
    """The floor, or the margin."""
    baseline_run: str | None
    """The run that it is compared with."""


class JudgeRow(msgspec.Struct, frozen=True):
    """The judge of a metric in a run, with the certificate that its trust rests on."""

    run_id: str
    """The run."""
    metric: str
    """Name."""
    model: str
    """Its models."""
    digest: str
    """Of everything that influences a verdict."""
    certificate_digest: str | None
    """Of its certificate; null without one."""
    trust: str
    """TRUSTED or UNTRUSTED."""


class VectorRow(msgspec.Struct, frozen=True):
    """The verdicts of one metric of a run, compressed (`verdicts.py`)."""

    run_id: str
    """The run."""
    metric: str
    """Name."""
    case_list: str
    """Digest of the cases in the order of the verdicts."""
    repeats: int
    """Verdicts a case."""
    verdicts: bytes
    """One byte each, zlib."""
    numbers: bytes
    """Values in half precision, zlib; empty where they follow from the verdicts."""


class CaseListRow(msgspec.Struct, frozen=True):
    """The cases of one or more runs, compressed."""

    digest: str
    """Of the list."""
    n: int
    """How many."""
    ids: bytes
    """JSON, zlib."""
    digests: bytes
    """16 hex digits a case, zlib."""
    clusters: bytes
    """JSON, zlib; empty where no case has one."""


class SkippedRow(msgspec.Struct, frozen=True):
    """A directory that can't be indexed."""

    root: str
    """The folder of the runs."""
    path: str
    """The directory."""
    stamp: str
    """As in `RunRow`."""
    reason: str
    """Why, in a sentence."""


class RunProjection(NamedTuple):
    """Everything that the history holds of one run."""

    run: RunRow
    tags: tuple[TagRow, ...] = ()
    metrics: tuple[MetricRow, ...] = ()
    decisions: tuple[DecisionRow, ...] = ()
    judges: tuple[JudgeRow, ...] = ()
    vectors: tuple[Vector, ...] = ()
    cases: CaseList | None = None
