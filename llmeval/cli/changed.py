"""`run --changed-since`: which suites a change touches, by git."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.core.errors import UsageError

if TYPE_CHECKING:
    from llmeval.suite.loader import Suite


def touched(suites: "Sequence[Suite]", since: str) -> "list[Suite]":
    """The suites with a file that changed since the branch left `since`, committed or not.

    Raises:
        UsageError: no git repository, no such revision, or too little history.
    """
    from llmeval.suite.files import files_of

    changed: dict[Path, set[Path]] = {}
    affected = []
    for suite in suites:
        root = Path(_git(suite.base, "rev-parse", "--show-toplevel"))
        if root not in changed:
            changed[root] = _changed(root, since)
        if files_of(suite) & changed[root]:
            affected.append(suite)
    return affected


def _changed(root: Path, since: str) -> set[Path]:
    try:
        base = _git(root, "merge-base", since, "HEAD")
    except UsageError:
        raise UsageError(
            f"--changed-since {since}: git knows no such revision, or not where this branch left"
            " it. In CI fetch the whole history (`fetch-depth: 0`)"
        ) from None
    listed = _git(root, "diff", "--name-only", "-z", base) + "\0"
    listed += _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return {(root / name).resolve() for name in listed.split("\0") if name}


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        lines = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise UsageError(f"git {arguments[0]}: {lines[-1] if lines else error}") from None
    return done.stdout.strip("\n")
