"""How a suite's gate differs from that of a git revision, or of a lock file: what a pull request
does to it.
"""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llmeval.core.errors import UsageError
from llmeval.core.results import GateChange
from llmeval.store.directory import MANIFEST
from llmeval.suite import yaml_file
from llmeval.suite.loader import Suite, parse_suite

Read = Callable[[str], str | None]
"""A file's text by its path relative to the suite; None where there is none."""


@dataclass(frozen=True)
class SuiteAt(Suite):
    """A suite at a git revision. The files next to it are read from that revision too."""

    read: Read = lambda name: None

    def read_text(self, name: str, path: yaml_file.Path) -> str:
        """See `Suite.read_text`."""
        text = self.read(name)
        if text is None:
            raise self.error(path, f"there is no {name} at that revision")
        return text

    def has_text(self, name: str) -> bool:
        """See `Suite.has_text`."""
        return self.read(name) is not None


def changes_against(suite: Suite, reference: str) -> tuple[GateChange, ...] | None:
    """How the gate of a suite differs from what it was; None where the suite is not there at that
    revision.

    Args:
        suite: as it is now.
        reference: a lock file or a run's directory, else a git revision.

    Raises:
        UsageError: no such file and no such revision.
        SuiteError: the suite, or a file next to it, can't be read at that revision.
    """
    from llmeval.gate.baseline import read_baseline
    from llmeval.gate.gate_terms import changes, terms_of
    from llmeval.runner.stated_gate import stated

    now = terms_of(stated(suite))
    path = Path(reference)
    if path.is_file() or (path / MANIFEST).exists():
        before = read_baseline(path).gate
        return None if before is None else changes(before, now)
    old = suite_at(suite, reference)
    return None if old is None else changes(terms_of(stated(old)), now)


def suite_at(suite: Suite, revision: str) -> Suite | None:
    """A suite as it was at a git revision; None where its file is not there.

    Raises:
        UsageError: git knows no such revision. SuiteError: it was not valid.
    """
    base = suite.base.resolve()
    commit = _git(
        base, "rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"
    )
    if commit is None:
        raise UsageError(
            f"--against {revision}: there is no such file, and git knows no such revision here. In"
            " CI fetch the whole history (`fetch-depth: 0`)"
        )

    def read(name: str) -> str | None:
        return _git(base, "show", f"{commit.strip()}:./{os.path.relpath(base / name, base)}")

    text = read(suite.path.name)
    if text is None:
        return None
    earlier = parse_suite(text, suite.path, suite.environment, f"{revision}:{suite.path}")
    return SuiteAt(
        earlier.spec,
        earlier.document,
        earlier.path,
        earlier.environment,
        earlier.changes,
        earlier.undefined,
        read=read,
    )


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None where it refuses.

    Raises:
        UsageError: git can't be run.
    """
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise UsageError(f"--against: git {arguments[0]}: {error}") from None
    return done.stdout if done.returncode == 0 else None
