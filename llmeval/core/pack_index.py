"""The record of `index.json` in an evidence pack."""

from typing import Annotated

import msgspec

from llmeval.core.results import Decision
from llmeval.core.seal import SealedFile, Sha256

PACK_SCHEMA = 1


class PackedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a pack."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    """Its folder in the pack."""
    run_id: str
    """The run."""
    suite: str
    """Name of its suite."""
    seal: Sha256
    """The digest of its seal."""
    decision: Decision | None
    """As the seal states it."""


class PackedChain(msgspec.Struct, frozen=True, kw_only=True):
    """A chain of events in a pack."""

    path: str
    """In the pack."""
    anchor: Sha256 | None
    """The hash of its last event when it was packed; null where branches were not joined."""


class PackIndex(msgspec.Struct, frozen=True, kw_only=True):
    """`index.json` of a pack."""

    schema: int = PACK_SCHEMA
    """The format of the pack."""
    llmeval: str
    """Version of llmeval that wrote it."""
    runs: tuple[PackedRun, ...]
    """The runs, by folder."""
    chains: tuple[PackedChain, ...] = ()
    """The chains of events next to the suites of these runs."""
    maps: tuple[str, ...] = ()
    """The tables of clauses in the pack."""
    absent: tuple[str, ...] = ()
    """Files that a seal names by digest and that the pack does not hold, with the reason."""
    files: tuple[SealedFile, ...] = ()
    """Every file of the pack but this one."""
