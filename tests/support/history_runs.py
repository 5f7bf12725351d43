"""Complete runs with a summary, written from values: what a history is made of."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmeval.gate.summary import summarise
from llmeval.store.directory import RunDir, summary_bytes
from tests.support.runs import run_of

DIGESTS: dict[str, Any] = {
    "suite": "sha256:" + "5a" * 32,
    "cases": "sha256:" + "c1" * 32,
    "prompt": "sha256:" + "9e" * 32,
    "checks": "sha256:" + "17" * 32,
    "candidate": "sha256:" + "ca" * 32,
    "judges": {"correctness": "sha256:" + "d4" * 32},
}
"""The digests of a run, unless a test states others."""


def past_run(
    reports: Path,
    run_id: str,
    values: Mapping[str, Sequence[float | None]],
    *,
    suite: str = "qa",
    **about: Any,
) -> RunDir:
    """A run below `reports`, with its `summary.json`. `about`: over the manifest's own keys, and
    the arguments of `run_of`.
    """
    digests = {**DIGESTS, **about.pop("digests", {})}
    digits = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T{run_id[9:11]}:00:00Z"
    run = run_of(
        reports / suite / run_id,
        values,
        **{"suite": suite, "started": digits, "digests": digests, **about},
    )
    (run.path / "summary.json").write_bytes(summary_bytes(summarise(run)))
    return run


def git(branch: str, commit: str) -> dict[str, object]:
    """The manifest's `git` of a clean checkout."""
    return {"commit": commit.ljust(40, "0"), "branch": branch, "dirty": False}
