"""The records of `manifest.json`: who ran what, with what, and how far it came.

Every value that a reader uses has its type here. `manifest_file` reads and checks the file. What is
open stays a mapping: a model's identity and parameters, and the options of a check.
"""

from typing import Annotated, Any, Literal

import msgspec

from llmeval.core.attempt import AttemptRecord
from llmeval.core.gate_record import Count, GateRecord
from llmeval.core.gate_terms import Rejudged
from llmeval.core.records import SCHEMA
from llmeval.core.results import Quarantined, Retired

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=200)]
"""No path: a suite's name and a run's id become folders."""
Ending = Literal["complete", "decided", "interrupted", "budget", "quota", "outage"]
"""How a process's part of a run ended; decided: early, as every rule was decided."""
LabelCount = Annotated[int, msgspec.Meta(ge=0)] | Annotated[float, msgspec.Meta(ge=0)]
Ordinal = Annotated[int, msgspec.Meta(ge=1)]


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A model in its role."""

    name: str = ""
    """The name under the suite's `models`."""
    identity: dict[str, Any] = {}
    """Everything that decides what answers, without secrets; the keys depend on the provider."""
    host: str | None = None
    """Where it ran; None for what is no endpoint."""
    params: dict[str, Any] = {}
    """What is sent with each request."""
    on_blocked: Literal["missing", "fail"] = "missing"
    """What an answer counts as that the provider's filter withheld."""


class CandidateRecord(ModelRecord, frozen=True, kw_only=True):
    """The model under test."""

    name: str
    returned_models: tuple[str, ...] = ()
    """Names that the endpoint returned."""
    fingerprints: tuple[str, ...] = ()
    """Build fingerprints that the endpoint returned."""


class DriftRecord(msgspec.Struct, frozen=True):
    """The anchors of several runs together."""

    runs: Count
    changed: Count
    n: Count
    p: float
    """Of "no more verdicts change than between identical calls"."""


class AnchorsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the anchors of a judge showed in this run."""

    n: Count = 0
    """Anchors that the judge gave a verdict on."""
    lost: Count = 0
    """Anchors that could not be judged."""
    changed: Count = 0
    """Anchors with another verdict than the certificate's."""
    alarm: int | None = None
    """From how many changed verdicts on the judge is UNTRUSTED; None where too few were judged."""
    false_alarm: float | None = None
    """Probability that an unchanged judge raises the alarm."""
    drift: DriftRecord | None = None


class LabelTable(msgspec.Struct, frozen=True, kw_only=True):
    """Labelled answers by the judge's verdict and people's, in this order; weighted ones are no
    whole numbers.
    """

    pass_pass: LabelCount
    pass_fail: LabelCount
    fail_pass: LabelCount
    fail_fail: LabelCount
    undecided: LabelCount = 0
    """Labelled answers without a verdict of the judge."""


class JudgeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The judge of a metric: what it is, and whether it is trusted."""

    model: str = ""
    """The names of its models, joined by ` + `."""
    identity: dict[str, Any] = {}
    """Of its first model; see `ModelRecord.identity`."""
    host: str | None = None
    params: dict[str, Any] = {}
    prompt: str | None = None
    """The name of its protocol."""
    prompt_version: int | str | None = None
    seats: tuple[ModelRecord, ...] | None = None
    """Its models, where it has several."""
    digest: str = ""
    """Of everything that decides a verdict."""
    when: str | None = "always"
    """Which answers it judges."""
    attacks: bool = True
    """Whether known attacks are tried on it."""
    certificate: str | None = None
    """The file, as the suite names it."""
    trust: Literal["TRUSTED", "UNTRUSTED"] = "UNTRUSTED"
    trust_reason: str = ""
    labels: LabelTable | None = None
    """The labels of its certificate, where it is TRUSTED."""
    weighted: LabelTable | None = None
    """The same labels, weighted by how the labels were drawn."""
    certificate_digest: str | None = None
    """sha256 of the certificate's file."""
    calibration: dict[str, Any] | None = None
    """The method, and its coefficients."""
    anchors: AnchorsRecord | None = None
    """None where no anchors were judged."""


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """What two runs must share to be the same experiment, as sha256."""

    suite: str = ""
    cases: str = ""
    prompt: str = ""
    checks: str = ""
    candidate: str = ""
    judges: dict[str, str]
    """By metric, the digest of its judge."""


class SampleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A seeded random part of the suite's cases."""

    n: Count
    seed: int = 0
    stratify: str | None = None


class CasesRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases the run asks."""

    n: Count
    """Cases of this run."""
    of: Count | None = None
    """Cases of the suite's source."""
    source: str = ""
    sample: SampleRecord | None = None
    limit: int | None = None
    """The value of `--limit`."""


class GitRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the repository that the suite is in."""

    commit: str | None = None
    tree: str | None = None
    """Of the commit's files: the same in a commit that changes nothing."""
    branch: str | None = None
    dirty: bool = False
    changes: str | None = None
    """sha256 of the changes to its files that are not committed; None where there are none."""


class SoftwareRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the run was made with."""

    version: str = ""
    """Of llmeval."""
    python: str = ""
    platform: str = ""
    packages: dict[str, str] = {}


class ShardRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a run this is."""

    index: Ordinal
    of: Ordinal
    n: Count
    """Cases of the whole run."""
    digests: Digests
    """Of the whole run."""


class RecordFile(msgspec.Struct, frozen=True):
    """What a file of records holds."""

    lines: Count
    sha256: str
    """Of its bytes."""


class Session(msgspec.Struct, frozen=True):
    """One process's part of a run."""

    started: str
    """ISO 8601, UTC."""
    ended: str | None = None
    """ISO 8601, UTC; None where the process was killed."""
    answers: Count = 0
    """How many answers it recorded."""


class ShardOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """A shard of which a merged run was made."""

    shard: str
    run_id: str
    cases: Count = 0
    started: str = ""
    ended: str | None = None
    wall_s: float | None = None
    git: GitRecord | None = None
    llmeval: SoftwareRecord = SoftwareRecord()
    hosts: dict[str, str | None] = {}
    """By role (`candidate`, or a judge's metric), where its model ran."""


class Undrawn(msgspec.Struct, frozen=True):
    """What a sample's suite lacks of its baseline: ids of cases that are not in its source, or have
    other content there.
    """

    baseline: str
    """The run id of the baseline."""
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Scoring(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is scored."""

    digests: Digests
    checks: tuple[dict[str, Any], ...]
    """The suite's checks: `metric`, and what identifies the check (its name, version and arguments,
    or the checks that it puts together).
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


class GateInputs(Scoring, frozen=True, kw_only=True):
    """Everything that makes a run easier or harder to pass."""

    gate: GateRecord
    repeats: Annotated[int, msgspec.Meta(ge=1, lt=2**16)]
    """Answers a case."""
    quarantine: tuple[Quarantined, ...] = ()
    """Cases that count in no rule."""
    retired: tuple[Retired, ...] = ()
    """Cases of the baseline that are not asked any more, or asked otherwise, on purpose."""


class Manifest(GateInputs, frozen=True, kw_only=True):
    """`manifest.json`: written before the first call, and again when a process's part ends."""

    schema: int = SCHEMA
    run_id: Name
    suite: Name
    suite_file: str = ""
    description: str = ""
    started: str
    """ISO 8601, UTC."""
    ended: str | None = None
    """ISO 8601, UTC; None while the run goes on."""
    status: Literal["running", "incomplete", "complete"]
    llmeval: SoftwareRecord = SoftwareRecord()
    git: GitRecord | None = None
    """None where the suite is in no repository."""
    modules: str | None = None
    """Of a `python` candidate: digest of the modules that it imported from below the suite or the
    working directory.
    """
    environment: str | None = None
    environment_changes: tuple[str, ...] = ()
    """What the environment changes in the suite."""
    cases: CasesRecord
    candidate: CandidateRecord
    concurrency: int | None = None
    seed: int | None = None
    order_seed: str | int | None = None
    """The seed of the order of the cases, of a run that may stop early; None: the suite's `seed`."""
    quarantine_ended: tuple[Quarantined, ...] = ()
    """Entries whose last day was over: these cases count."""
    warnings: tuple[str, ...] = ()
    """What is odd about the suite."""
    undrawn: Undrawn | None = None
    """Of a sample: which cases of its baseline the suite's source lacks."""
    rejudged: Rejudged | None = None
    """Of the answers of a baseline, scored anew: what it is compared as."""
    parent_run: str | None = None
    """The id of the run whose answers were scored again."""
    command: tuple[str, ...] = ()
    attempt: AttemptRecord | None = None
    """Which attempt of its change this is; None in a run that counts no attempts."""
    shard: ShardRecord | None = None
    """None in a whole run."""
    merged_from: tuple[ShardOrigin, ...] = ()
    """The shards, in a run that was put together from them."""
    sessions: tuple[Session, ...] = ()
    ending: Ending | None = None
    """How the last session ended; None while it goes on."""
    ending_reason: str | None = None
    """Why the run is not complete."""
    wall_s: float | None = None
    """Seconds of all sessions."""
    unfinished_calls: dict[str, Count] = {}
    """Calls by role, for cases that the run did not finish."""
    records: dict[str, RecordFile] | None = None
    """Each file of records; None while the run goes on."""
    digest: str = ""
    """sha256 over the canonical JSON of everything else in this file."""
    other_keys: dict[str, Any] = {}
    """Keys of a newer writer, which are written back as they were; in the file they stand beside
    the others.
    """

    @property
    def quarantined(self) -> frozenset[str]:
        """Ids of the cases that count in no rule."""
        return frozenset(entry.case_id for entry in self.quarantine)

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
        """How many cases the suite's source has, where the run asks fewer; None otherwise."""
        of = self.cases.of
        return of if of is not None and of > self.cases.n else None
