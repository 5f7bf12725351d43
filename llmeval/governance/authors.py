"""Who wrote the change that a run tested, from git."""

import os
import subprocess
from pathlib import Path

from llmeval.core.manifest import Manifest
from llmeval.governance.approvals import author_digest

_SECONDS = 30


def authors_of(manifest: Manifest, folder: Path, since: str | None) -> tuple[str, ...]:
    """The digests of names and addresses of the authors of the commits that a run tested.

    Args:
        manifest: of the run; its commit is the last one.
        folder: within the checkout.
        since: the time of the approval of the baseline; None: the last commit alone.

    Returns:
        `author_digest` of each name and address, sorted. Empty where the authors are unknown:
        without a git checkout, with uncommitted changes, and in a shallow clone that may lack
        commits since the baseline.
    """
    git = manifest.git
    if git is None or git.commit is None or git.dirty:
        return ()
    if since and _git(folder, ["rev-parse", "--is-shallow-repository"]) != "false\n":
        return ()
    last = _log(folder, ["-1", git.commit])
    earlier = _log(folder, [f"--since={since}", git.commit]) if since else []
    return tuple(sorted({author_digest(name) for name in (*last, *earlier) if name.strip()}))


def _log(folder: Path, arguments: list[str]) -> list[str]:
    form = "--format=%an%n%ae%n%(trailers:key=Co-authored-by,valueonly)"
    names = []
    for line in _git(folder, ["log", form, *arguments, "--"]).splitlines():
        name, opened, rest = line.partition("<")  # a co-author: Name <address>
        names += [name, rest.rstrip("> ")] if opened else [line]
    return names


def _git(folder: Path, arguments: list[str]) -> str:
    """What git prints; empty where it fails. Variables such as GIT_DIR would name another
    repository, so git does not get them.
    """
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "--no-replace-objects", *arguments],
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout.decode(errors="replace")
