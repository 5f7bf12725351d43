"""Two directories with one run id: which one the history keeps."""

import os
from typing import NamedTuple

from llmeval.history.rows import RunRow, SkippedRow
from llmeval.store.directory import MANIFEST

_COPY = "a copy of the run at {}"
_TWO_RUNS = (
    "another run of this id is at {}: one of them was edited or restored. Delete the wrong one"
)


class RunIdentity(NamedTuple):
    """What tells two runs of one id apart."""

    run_id: str
    """The id."""
    root: str
    """The folder of the runs."""
    path: str
    """The run's directory."""
    stamp: str
    """As in `RunRow`."""
    manifest_digest: str
    """Of `manifest.json`."""
    status: str
    """running, incomplete or complete."""


def identity_of(run: RunRow) -> RunIdentity:
    """The identity of a row."""
    return RunIdentity(run.run_id, run.root, run.path, run.stamp, run.manifest_digest, run.status)


def loser(new: RunIdentity, there: RunIdentity, *, shared: bool) -> SkippedRow | None:
    """The directory that is left out, with the reason; None where the new one replaces the other.

    The same directory may change, and a copy of a run is the same run. A run that was copied while
    it continued has another manifest in the end. On one machine the first path is kept, so that the
    answer does not depend on the order of indexing.

    Args:
        new: to be added.
        there: in the history.
        shared: whether several machines write to the history. Then the first run is kept.
    """
    same = new.manifest_digest == there.manifest_digest
    if shared:
        if same or new.path == there.path or "running" in (new.status, there.status):
            return None
        return _left_out(new, there, _TWO_RUNS)
    gone = not os.path.exists(os.path.join(there.path, MANIFEST))
    if new.path == there.path or new.root != there.root or gone:
        return None
    kept, left = sorted((new, there), key=lambda each: each.path)
    return _left_out(left, kept, _COPY if same else _TWO_RUNS)


def _left_out(left: RunIdentity, kept: RunIdentity, reason: str) -> SkippedRow:
    return SkippedRow(
        root=left.root, path=left.path, stamp=left.stamp, reason=reason.format(kept.path)
    )
