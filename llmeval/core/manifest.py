"""The records of `manifest.json`: the suite, models, software and progress of a run.

Every value that a reader uses has its type here. `manifest_file` reads and checks the file. Parts
without fixed keys stay a mapping: a model's identity and parameters, and the options of a check.
"""

from typing import Annotated, Any, Literal

import msgspec

from llmeval.core.approvals import ApprovalPolicy
from llmeval.core.attempt import AttemptRecord
from llmeval.core.data_record import DataCheckRecord
from llmeval.core.gate_record import Count, GateRecord
from llmeval.core.gate_terms import Rejudged
from llmeval.core.model_records import CandidateRecord, JudgeRecord, SimulatedUserRecord
from llmeval.core.records import SCHEMA, digest
from llmeval.core.results import Quarantined, Retired

Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z",
        max_length=200,
    ),
]
"""A name that is not a path: a suite's name and a run's id become folders."""
Ending = Literal["complete", "decided", "interrupted", "budget", "quota", "outage"]
"""How a process's part of a run ended. `decided`: it stopped early, because every rule was decided.
"""
Ordinal = Annotated[int, msgspec.Meta(ge=1)]


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """What two runs must share to be the same experiment, as sha256."""

    suite: str = ""
    """Cases, prompt, checks, names of judges, repeats and gate together."""
    cases: str = ""
    """All cases. Their order does not matter."""
    prompt: str = ""
    """Templates of the prompt."""
    conversation: str = ""
    """The messages to the candidate in several turns: `turns`, `until`, `max_turns` and the
    simulated user. Empty where each case is a single prompt.
    """
    checks: str = ""
    """The checks and their arguments."""
    candidate: str = ""
    """Identity of the candidate."""
    judges: dict[str, str]
    """By metric, the digest of its judge."""

    @property
    def system(self) -> str:
        """What gives the answers, 16 hex digits: the candidate's identity and the prompt. Labels of
        one system's answers may not hold for another's.
        """
        return digest([self.candidate, self.prompt])[7:23] if self.candidate else ""


class SampleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A seeded random part of the suite's cases."""

    n: Count
    """How many cases."""
    seed: int = 0
    """The seed of the random draw."""
    stratify: str | None = None
    """A field or tag whose values keep their shares."""


class CasesRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The cases of the run."""

    n: Count
    """Cases of this run."""
    of: Count | None = None
    """Cases of the suite's source."""
    source: str = ""
    """As the suite states it; `inline` for cases in the suite itself."""
    sample: SampleRecord | None = None
    """Null if the run has all cases."""
    limit: int | None = None
    """The value of `--limit`."""


class GitRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the repository that the suite is in."""

    commit: str | None = None
    """Full hash."""
    tree: str | None = None
    """The git tree of the commit. A commit that changes no file has the same tree."""
    branch: str | None = None
    """Name."""
    dirty: bool = False
    """Whether there are uncommitted changes."""
    changes: str | None = None
    """sha256 of the uncommitted changes; null without any."""


class SoftwareRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The software that made the run."""

    version: str = ""
    """Of llmeval."""
    python: str = ""
    """Version of Python."""
    platform: str = ""
    """Operating system and processor."""
    packages: dict[str, str] = {}
    """Versions by name."""


class ShardRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a run this is."""

    index: Ordinal
    """Its number, from 1."""
    of: Ordinal
    """How many parts."""
    n: Count
    """Cases of the whole run."""
    digests: Digests
    """The digest of the whole run's cases."""


class SelectionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases of the suite a partial run has. A partial run never passes the suite's gate."""

    n: Count
    """Cases of the partial run."""
    of: Count
    """Cases of the whole run."""
    cases: tuple[str, ...] = ()
    """The values of `--case`."""
    tags: tuple[str, ...] = ()
    """The values of `--tag`, each `name=value`."""
    failed_of: str | None = None
    """The id of the run whose failing cases were selected."""
    last_failed: bool = False
    """Whether `--last-failed` chose that run, and not `--failed`."""

    @property
    def how(self) -> str:
        """The options that selected the cases: --tag topic=law, --failed 20261130T1200Z-abc."""
        failed = "--last-failed: the failing cases of" if self.last_failed else "--failed"
        parts = [f"--case {name}" for name in self.cases[:5]]
        parts += [f"and {len(self.cases) - 5:,} more"] if len(self.cases) > 5 else []
        parts += [f"--tag {tag}" for tag in self.tags]
        parts += [] if self.failed_of is None else [f"{failed} {self.failed_of}"]
        return ", ".join(parts)

    @property
    def sentence(self) -> str:
        """12 of 200 cases were selected (--tag topic=law)."""
        verb = "was" if self.n == 1 else "were"
        return f"{self.n:,} of {self.of:,} cases {verb} selected ({self.how})."


class GridCellRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The place of a run in a grid of candidates and prompts."""

    grid: str
    """The id of the grid."""
    candidate: str
    """The candidate, as the page names its column."""
    prompt: str = ""
    """The prompt, as the page names its column; empty where the grid has one prompt."""


class RecordFile(msgspec.Struct, frozen=True):
    """The state of a file of records."""

    lines: Count
    """How many."""
    sha256: str
    """Of its bytes."""


class Session(msgspec.Struct, frozen=True):
    """One process's part of a run."""

    started: str
    """ISO 8601, UTC."""
    ended: str | None = None
    """ISO 8601, UTC; null where the process was killed."""
    answers: Count = 0
    """The number of answers that it recorded."""


class ShardOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """A shard of a merged run."""

    shard: str
    """Its number, from 1."""
    run_id: str
    """Of the shard."""
    cases: Count = 0
    """Cases of the shard."""
    started: str = ""
    """ISO 8601, UTC."""
    ended: str | None = None
    """ISO 8601, UTC."""
    wall_s: float | None = None
    """Seconds."""
    git: GitRecord | None = None
    """State of the repository."""
    llmeval: SoftwareRecord = SoftwareRecord()
    """Software of the shard."""
    hosts: dict[str, str | None] = {}
    """By role (`candidate`, or a judge's metric), where its model ran."""


class Undrawn(msgspec.Struct, frozen=True):
    """Ids of the baseline's cases that the source of a sample lacks, or has with other content."""

    baseline: str
    """The run id of the baseline."""
    gone: tuple[str, ...] = ()
    """Ids that are not in the suite's source."""
    changed: tuple[str, ...] = ()
    """Ids with other content in the source."""


class ScoringInputs(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is scored."""

    digests: Digests
    """What two runs must share to be the same experiment."""
    checks: tuple[dict[str, Any], ...]
    """The suite's checks: `metric`, and what identifies the check (its name, version and arguments,
    or the checks that it combines). The last entries are your own functions that single cases name:
    `metric`, `in: cases` and `source`, the digest of the source.
    """
    judges: dict[str, JudgeRecord]
    """By metric."""

    @property
    def check_metrics(self) -> tuple[str, ...]:
        """The metrics of the checks, in their order."""
        return tuple(str(check["metric"]) for check in self.checks)

    @property
    def untrusted(self) -> frozenset[str]:
        """The metrics whose judge is not trusted."""
        return frozenset(name for name, judge in self.judges.items() if judge.trust != "TRUSTED")


class GateInputs(ScoringInputs, frozen=True, kw_only=True):
    """Everything that makes a run easier or harder to pass."""

    gate: GateRecord
    """The rules, as the suite states them."""
    measure: dict[str, str] = {}
    """Numbers of an answer by name: the expressions of the suite."""
    repeats: Annotated[int, msgspec.Meta(ge=1, lt=2**16)]
    """Answers a case."""
    quarantine: tuple[Quarantined, ...] = ()
    """Cases that count in no rule."""
    retired: tuple[Retired, ...] = ()
    """Cases of the baseline that were removed from the suite, or changed, on purpose."""
    approvals: ApprovalPolicy | None = None
    """Who must approve the run before it becomes a baseline or is promoted; null for nobody."""


class Manifest(GateInputs, frozen=True, kw_only=True):
    """`manifest.json`: written before the first call, and again when a process's part ends."""

    schema: int = SCHEMA
    """The format of the run directory."""
    run_id: Name
    """Sorts by time."""
    suite: Name
    """Name of the suite."""
    suite_file: str = ""
    """Path of the suite."""
    description: str = ""
    """Of the suite."""
    started: str
    """ISO 8601, UTC."""
    ended: str | None = None
    """ISO 8601, UTC; null while the run continues."""
    status: Literal["running", "incomplete", "complete"]
    """Whether the run continues, ended before its last case, or is complete."""
    llmeval: SoftwareRecord = SoftwareRecord()
    """Versions of llmeval, Python and packages."""
    git: GitRecord | None = None
    """Null if the suite is not in a repository."""
    modules: str | None = None
    """Of a `python` candidate: digest of the modules that it imported from the suite's folder or
    the working directory.
    """
    environment: str | None = None
    """Name under the suite's `environments`."""
    environment_changes: tuple[str, ...] = ()
    """What the environment changes in the suite."""
    cases: CasesRecord
    """The cases of the run."""
    candidate: CandidateRecord
    """The model under test."""
    user: SimulatedUserRecord | None = None
    """Who plays the user of the conversations; null where no model does."""
    concurrency: int | None = None
    """The most cases that run at the same time."""
    seed: int | None = None
    """Of the suite."""
    order_seed: str | int | None = None
    """The seed for the order of the cases in a run that may stop early; null: `seed`."""
    quarantine_ended: tuple[Quarantined, ...] = ()
    """Entries whose last day was over: these cases count."""
    warnings: tuple[str, ...] = ()
    """Warnings about the suite."""
    data: DataCheckRecord | None = None
    """The data tests at the time of the run; null if the run did not carry them out."""
    undrawn: Undrawn | None = None
    """Of a sample: the cases of its baseline that the suite's source lacks."""
    rejudged: Rejudged | None = None
    """Of a run that scored a baseline's answers again: what it keeps of that baseline."""
    parent_run: str | None = None
    """The id of the run whose answers were scored again."""
    command: tuple[str, ...] = ()
    """Arguments of the process that began the run."""
    attempt: AttemptRecord | None = None
    """Which attempt of its change this is; null in a run that counts no attempts."""
    shard: ShardRecord | None = None
    """Null in a whole run."""
    selection: SelectionRecord | None = None
    """Of a partial run: which cases it has; null in a run of the whole suite."""
    grid: GridCellRecord | None = None
    """Null in a run that is not a cell of a grid."""
    prompt: str | None = None
    """Path or text of the prompt that `--prompt` or `matrix` put in place of the suite's prompt."""
    merged_from: tuple[ShardOrigin, ...] = ()
    """The shards of a merged run."""
    sessions: tuple[Session, ...] = ()
    """Every process that worked on the run, in order."""
    ending: Ending | None = None
    """How the last session ended; null while it continues."""
    ending_reason: str | None = None
    """Why the run is not complete."""
    wall_s: float | None = None
    """Seconds of all sessions."""
    unfinished_calls: dict[str, Count] = {}
    """Calls by role that are in no record: for cases that the run did not finish, or for other
    shards (`--steal`).
    """
    records: dict[str, RecordFile] | None = None
    """Each file of records; null while the run continues."""
    digest: str = ""
    """sha256 over the canonical JSON of everything else in this file."""
    other_keys: dict[str, Any] = {}
    """Keys that a newer version of llmeval wrote. They are written back unchanged, next to the
    other keys.
    """

    @property
    def quarantined(self) -> frozenset[str]:
        """Ids of the cases that count in no rule."""
        return frozenset(entry.case_id for entry in self.quarantine)

    @property
    def is_part(self) -> bool:
        """Whether the run has only a part of the suite's cases on purpose: a shard, or a partial
        run. The gate of the suite is not decided on it.
        """
        return self.shard is not None or self.selection is not None

    @property
    def may_stop(self) -> bool:
        """Whether the run may end before its last case, as soon as every rule is decided."""
        return self.gate.stop == "early"

    @property
    def baseline(self) -> str | None:
        """The path of the baseline that the gate names; None where it compares nothing."""
        return None if self.gate.regression is None else self.gate.regression.baseline

    @property
    def sampled_of(self) -> int | None:
        """How many cases the suite's source has, if the run has fewer; None otherwise."""
        of = self.cases.of
        return of if of is not None and of > self.cases.n else None
