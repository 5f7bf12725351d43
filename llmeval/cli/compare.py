"""`llmeval compare`: runs side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Json, Reports, Trust, console, emit, find_run

if TYPE_CHECKING:
    from llmeval.store.directory import RunDir


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help=(
                "Two runs or more: directories, ids, or `latest` (of the same suite). The"
                " others are compared with the first."
            ),
            metavar="RUN RUN...",
            show_default=False,
        ),
    ],
    best: Annotated[
        bool,
        typer.Option(
            "--best",
            help="Say which runs may be the best, ties included, at 95% over all runs and metrics.",
        ),
    ] = False,
    unpaired: Annotated[
        bool,
        typer.Option(
            "--unpaired",
            help=(
                "Two runs of other cases, such as two weeks of traffic: metrics, and without"
                " references the length and the labels of the answers."
            ),
        ),
    ] = False,
    label: Annotated[
        str | None,
        typer.Option(
            help="With --unpaired: where the label is in an answer, such as $.department.",
            metavar="PATH",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write an offline page too.", metavar="FILE")
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            help="Ask this judge of the suite which answer is better, in both orders.",
            metavar="NAME",
        ),
    ] = None,
    suite: Annotated[
        Path | None,
        typer.Option(help="The suite with the judge; default: the first run's.", metavar="FILE"),
    ] = None,
    reports: Reports = Path("reports"),
    trust: Trust = False,
    as_json: Json = False,
) -> int:
    """Compare runs case by case.

    Shows what got better or worse, which cases changed, what differs between the runs, and a
    ranking.

    Exit codes: 0 something could be compared, 3 nothing could: other cases, judges or checks.
    """
    import msgspec

    from llmeval.cli.pairwise import preferences, show_preferences
    from llmeval.compare.compare import compare as compared
    from llmeval.core.errors import ExitCode, UsageError
    from llmeval.report.comparison_console import print_comparison
    from llmeval.store.directory import RunDir

    directories = [RunDir(path) for path in _found(runs, reports)]
    if unpaired:
        if best or html is not None or judge is not None or len(directories) != 2:
            raise UsageError(
                "--unpaired takes two runs, and none of --best, --html and --judge, which compare"
                " answers to the same cases"
            )
        return _windows(directories[0], directories[1], label, as_json=as_json)
    if label is not None:
        raise UsageError("--label is an option of --unpaired")
    found = compared(directories, best=best)
    preferred = [] if judge is None else preferences(directories, judge, suite, trust=trust)
    if html is not None:
        from llmeval.report.html.comparison_page import write_comparison

        write_comparison(found, directories, html)
    if as_json:
        more = (
            {}
            if judge is None
            else {"preferences": {"judge": judge, "runs": msgspec.to_builtins(preferred)}}
        )
        emit({**msgspec.to_builtins(found), **more})
    else:
        print_comparison(console(), found)
        if judge is not None:
            show_preferences(console(), preferred, judge)
        if html is not None:
            console().print(f"\nPage: {html}", soft_wrap=True)
    return ExitCode.PASS if found.comparable else ExitCode.INVALID


def _windows(first: "RunDir", second: "RunDir", label: str | None, *, as_json: bool) -> int:
    """Two runs of other cases."""
    import msgspec

    from llmeval.compare.unpaired import compare_windows
    from llmeval.core.errors import ExitCode
    from llmeval.report.windows_console import print_windows

    made = compare_windows(first, second, label=label)
    if as_json:
        emit(msgspec.to_builtins(made))
    else:
        print_windows(console(), made)
    return ExitCode.PASS if made.comparable else ExitCode.INVALID


def _found(names: list[Path], reports: Path) -> list[Path]:
    """The runs by name. `latest` is the newest run of the suite of the first that is named
    otherwise, and none of these.

    Raises:
        StoreError: there is none.
    """
    from llmeval.history.runs import LATEST, latest_of
    from llmeval.store.directory import RunDir

    named = [find_run(name, reports) for name in names if str(name) != LATEST]
    if len(named) == len(names) or not named:
        return [find_run(name, reports) for name in names]
    latest = latest_of(RunDir(named[0]).manifest().suite, reports, named, complete=False)
    return [latest if str(name) == LATEST else find_run(name, reports) for name in names]
