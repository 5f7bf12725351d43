"""`manifest.json`, read and held against its own digest and against the types that readers rely on.

The manifest is still a plain dictionary for its readers; `_Manifest` states which of its values
they use. A directory may come from anyone: what has another type is refused here, so that no reader
meets it.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from llmeval.core.checksums import manifest_digest
from llmeval.core.errors import StoreError
from llmeval.core.records import SCHEMA

_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=200)]
"""No path: a suite's name and a run's id become folders."""
_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Level = Annotated[float, msgspec.Meta(gt=0, lt=1)]


class _Candidate(msgspec.Struct):
    name: str
    identity: dict[str, Any] = {}
    params: dict[str, Any] = {}
    host: str | None = None
    returned_models: list[str] = []
    fingerprints: list[str] = []


class _Judge(msgspec.Struct):
    digest: str = ""
    trust: Literal["TRUSTED", "UNTRUSTED"] = "UNTRUSTED"
    trust_reason: str = ""
    model: str = ""
    params: dict[str, Any] = {}
    when: str = "always"
    host: str | None = None
    seats: list[dict[str, Any]] | None = None
    labels: dict[str, Any] | None = None
    anchors: dict[str, Any] | None = None


class _Digests(msgspec.Struct):
    judges: dict[str, str]
    cases: str = ""


class _Cases(msgspec.Struct):
    n: _Count


class _Check(msgspec.Struct):
    metric: str


class _FloorRule(msgspec.Struct):
    min: _Share
    scale: Literal["people", "judge"] = "people"


class _MarginRule(msgspec.Struct):
    margin: _Share
    scale: Literal["people", "judge"] = "people"


class _Regression(msgspec.Struct):
    baseline: str | None = None
    margins: dict[str, _Share | _MarginRule] = {}


class _Gate(msgspec.Struct):
    floors: dict[str, _Share | _FloorRule]
    regression: _Regression | None
    alpha: _Level
    beta: _Level
    max_unscored: _Share
    on_inconclusive: Literal["fail", "warn", "pass"]
    stop: Literal["early", "never"] = "never"
    must_pass: Literal["all"] | list[str] | dict[str, str] | None = None


class _Quarantined(msgspec.Struct, forbid_unknown_fields=True):
    case_id: str
    reason: str
    owner: str
    expires: str
    passed: bool | None = None


class _Shard(msgspec.Struct):
    index: Annotated[int, msgspec.Meta(ge=1)]
    of: Annotated[int, msgspec.Meta(ge=1)]
    n: _Count
    digests: _Digests


class RecordFile(msgspec.Struct, frozen=True):
    """What the manifest says about a file of records: how many lines it has, and the sha256 of its
    bytes.
    """

    lines: _Count
    sha256: str


class Session(msgspec.Struct, frozen=True):
    """One process's part of a run.

    `started`, `ended`: ISO 8601, UTC; `ended` is None where the process was killed. `answers`: how
        many it recorded.
    """

    started: str
    ended: str | None = None
    answers: _Count = 0


class _Manifest(msgspec.Struct):
    """The values that readers use. Those without a default must be there."""

    schema: int
    run_id: _Name
    suite: _Name
    started: str
    status: Literal["running", "incomplete", "complete"]
    digests: _Digests
    cases: _Cases
    candidate: _Candidate
    judges: dict[str, _Judge]
    checks: list[_Check]
    repeats: Annotated[int, msgspec.Meta(ge=1, lt=2**16)]
    gate: _Gate
    digest: str
    suite_file: str = ""
    description: str = ""
    ended: str | None = None
    wall_s: float | None = None
    environment: str | None = None
    environment_changes: list[str] = []
    git: dict[str, Any] | None = None
    llmeval: dict[str, Any] = {}
    parent_run: str | None = None
    command: list[str] = []
    quarantine: list[_Quarantined] = []
    quarantine_ended: list[_Quarantined] = []
    shard: _Shard | None = None
    sessions: list[Session] = []
    records: dict[str, RecordFile] | None = None


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest from its file.

    Raises:
        StoreError: it is not there, was made by another version, was changed by hand, or a value
            has the wrong type.
    """
    try:
        loaded = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        raise StoreError(
            f"{path.parent} has no {path.name}: not a run directory, or the run never got that far"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path} can't be read: {error}") from None
    check_schema(loaded.get("schema"), path)
    try:
        msgspec.convert(loaded, _Manifest)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not a manifest of llmeval: {error}") from None
    if manifest_digest(loaded) != loaded["digest"]:
        raise StoreError(
            f"{path} was changed after it was written: its digest does not fit its content. "
            "Take it from a copy of the run, or run the suite again"
        )
    return loaded


def check_schema(schema: object, path: Path) -> None:
    """Refuse a file of another format of the run directory.

    Raises:
        StoreError: says who made it, and what to do.
    """
    if isinstance(schema, int) and schema < SCHEMA:
        raise StoreError(
            f"{path} was made by an older llmeval (format {schema}, this one reads format"
            f" {SCHEMA}): run the suite again"
        )
    if schema != SCHEMA:
        raise StoreError(
            f"{path} has schema {schema}, this llmeval reads up to {SCHEMA}: upgrade llmeval"
        )
