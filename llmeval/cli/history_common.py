"""What the commands that ask the history share."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmeval.history.opening import OpenHistory
    from llmeval.history.rows import RunRow

HistoryUrl = Annotated[
    str | None,
    typer.Option(
        "--history",
        help=(
            "The history of a team, postgresql://USER@HOST/DB, or a file; default:"
            " LLMEVAL_HISTORY, or a file in LLMEVAL_HOME."
        ),
        metavar="URL",
        show_default=False,
    ),
]
SuiteName = Annotated[
    str,
    typer.Argument(help="The name of the suite, or its file.", metavar="SUITE", show_default=False),
]
MetricName = Annotated[
    str | None, typer.Option("--metric", help="Only this metric.", metavar="NAME")
]
Branch = Annotated[
    str | None, typer.Option("--branch", help="Only runs of this branch.", metavar="NAME")
]
_MANY = 200
"""Runs to index from which on the progress is shown."""


def open_for(reports: Path, url: str | None) -> "OpenHistory":
    """The history for a command, with warnings and progress on stderr."""
    from llmeval.history.opening import open_history

    return open_history(reports, url, _warn, _progress)


def suite_name(named: str) -> str:
    """The name of a suite that is stated by its name or by its file.

    Raises:
        SuiteError: the file is not a suite.
    """
    path = Path(named)
    if path.suffix not in (".yaml", ".yml") or not path.is_file():
        return named
    from llmeval.core.errors import SuiteError
    from llmeval.suite.yaml_file import parse

    data = parse(path.read_text(encoding="utf-8"), str(path)).data
    if not isinstance(data, dict) or not isinstance(data.get("suite"), str):
        raise SuiteError(f"{path}: it has no key `suite`")
    return str(data["suite"])


def run_document(row: "RunRow", tags: "Mapping[str, str]") -> dict[str, object]:
    """A run for `--json`."""
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(row)
    for name in ("root", "stamp"):
        del plain[name]
    plain["cases"] = plain.pop("n")
    plain["commit"] = plain.pop("commit_id")
    return {**plain, "tags": dict(tags)}


def not_shown(history: "OpenHistory") -> None:
    """Say on stderr which directories are not part of the answer."""
    skipped = history.report.skipped
    if skipped:
        more = "" if len(skipped) == 1 else f", and {len(skipped) - 1} more"
        _warn(
            f"not in the history: {skipped[0].path} ({skipped[0].reason}){more};"
            " `llmeval history check` lists them"
        )


def _warn(line: str) -> None:
    from llmeval.report.safe_text import one_line

    print(f"llmeval: {one_line(line, 600)}", file=sys.stderr)


def _progress(done: int, of: int) -> None:
    if of >= _MANY and (done % (_MANY * 5) == 0 or done == of):
        print(f"llmeval: history: {done:,} of {of:,} runs indexed", file=sys.stderr)


def index_again(run: Path) -> None:
    """Tell the history that people changed something about a run; a failure is a warning."""
    from llmeval.history.opening import index_finished

    if warning := index_finished(run):
        _warn(warning)
