"""What a shell offers after Tab: suites, runs, models, checks. Reads a few small files; never
raises, never calls.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import typer

_MOST = 50
_SUITE = re.compile(rb"^suite:", re.M)


def suites(incomplete: str) -> list[str]:
    """Suite files at or below where the word points, two folders deep at most."""
    start = Path(incomplete)
    folder = start if incomplete.endswith("/") else start.parent
    paths = (str(path) for depth in ("*", "*/*", "*/*/*") for path in _yaml(folder, depth))
    return [name for name in paths if name.startswith(incomplete)][:_MOST]


def runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of runs, the newest first, and `latest`."""
    reports = Path(ctx.params.get("reports") or "reports")
    names = sorted((path.parent.name for path in reports.glob("*/*/manifest.json")), reverse=True)
    return [name for name in ["latest", *names] if name.startswith(incomplete)][:_MOST]


def candidates(ctx: typer.Context, incomplete: str) -> list[str]:
    """The models of the suite that the command line names."""
    return [name for name in _keys(ctx, "models") if name.startswith(incomplete)]


def environments(ctx: typer.Context, incomplete: str) -> list[str]:
    """The environments of the suite that the command line names."""
    return [name for name in _keys(ctx, "environments") if name.startswith(incomplete)]


def checks(incomplete: str) -> list[str]:
    """Names of checks."""
    from llmeval.checks.index import HOMES

    return [name for name in HOMES if name.startswith(incomplete)]


def examples(incomplete: str) -> list[str]:
    """Suites that come with llmeval."""
    from llmeval.core.resources import resource

    shipped = resource("suites").glob(f"{incomplete}*.yaml")
    return sorted(path.stem for path in shipped if "." not in path.stem)


def local_models(incomplete: str) -> list[str]:
    """Bundled models."""
    from llmeval.models.local import pull

    return [model.name for model in pull.available() if model.name.startswith(incomplete)]


def _yaml(folder: Path, pattern: str) -> Iterator[Path]:
    for end in ("yaml", "yml"):
        for path in sorted(folder.glob(f"{pattern}.{end}")):
            try:
                with path.open("rb") as file:
                    if _SUITE.search(file.read(4096)):
                        yield path
            except OSError:
                continue


def _keys(ctx: typer.Context, part: str) -> list[str]:
    from llmeval.core.errors import LlmevalError
    from llmeval.suite import yaml_file

    # an option that still waits for its value makes click leave the arguments before it in `args`
    named = ctx.params.get("suites") or ctx.params.get("suite") or ctx.args
    keys: list[str] = []
    for path in named if isinstance(named, list | tuple) else [named]:
        try:
            data = yaml_file.parse(Path(path).read_text(encoding="utf-8"), str(path)).data
        except (OSError, UnicodeDecodeError, LlmevalError):
            continue
        inside = data.get(part) if isinstance(data, dict) else None
        keys += inside if isinstance(inside, dict) else []
    return keys
