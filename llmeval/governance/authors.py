"""Who wrote the change that a run tested, from git."""

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
        `author_digest` of each name and address, sorted; empty without a git checkout.
    """
    git = manifest.git
    if git is None or git.commit is None:
        return ()
    last = _log(folder, ["-1", git.commit])
    earlier = _log(folder, [f"--since={since}", git.commit]) if since else []
    return tuple(sorted({author_digest(name) for name in (*last, *earlier) if name.strip()}))


def _log(folder: Path, arguments: list[str]) -> list[str]:
    form = "--format=%an%n%ae%n%(trailers:key=Co-authored-by,valueonly)"
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "log", form, *arguments, "--"],
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode:
        return []
    names = []
    for line in done.stdout.decode(errors="replace").splitlines():
        name, opened, rest = line.partition("<")  # a co-author: Name <address>
        names += [name, rest.rstrip("> ")] if opened else [line]
    return names
