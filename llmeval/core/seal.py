"""The record of `seal.json`: what a finished run consists of, by digest.

A seal shows a change. It is not a signature: a person who rewrites the run and the seal is not
detected. The
digest of the seal is what approvals and signed statements name, and what belongs in a place that
llmeval does not control.
"""

from typing import Annotated

import msgspec

from llmeval.core.results import Decision

SEAL_SCHEMA = 1
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""The digest of a file's bytes, as hex."""


class SealedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    """In the run's directory, with `/` between folders; of an input of the suite, from the folder
    of the suite.
    """
    sha256: Sha256
    """Of its bytes."""
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    """Its size."""


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """`seal.json`, written when a run is complete."""

    schema: int = SEAL_SCHEMA
    """The format of the seal."""
    run_id: str
    """Of the run."""
    suite: str
    """Name of the suite."""
    files: tuple[SealedFile, ...]
    """The files in the run's directory that the decision is computed from, and summary.json."""
    inputs: tuple[SealedFile, ...] = ()
    """The files of the suite at that time: the suite file, its prompts, cases, certificates and
    lock file. They are not in the run's directory.
    """
    baseline: str | None = None
    """Which of `files` is the baseline's lock file; null where the gate compares nothing."""
    cases_root: Sha256
    """The Merkle root (RFC 9162, section 2.1) over the pairs (id, digest) of the cases, in the
    order of their hashes."""
    decision: Decision | None
    """Of the run; null where its gate decides nothing."""
    exit_code: int
    """That the decision means."""
    sealed_at: str
    """ISO 8601, UTC."""
    llmeval: str
    """Version of llmeval."""
    authors: tuple[Sha256, ...] = ()
    """Of the commits that the run tested: sha256 of each name and address in small letters; empty
    without a git checkout.
    """
    previous: Sha256 | None = None
    """The digest of the seal before this one; null for the first one."""
