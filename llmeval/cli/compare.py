"""`llmeval compare`: runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Json, Reports, Trust, console, emit


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help=(
                "Two runs or more: directories, ids, or names such as main@latest, main@-7d,"
                " tag:release=1.2, baseline. The others are compared with the first."
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
    from llmeval.core.errors import ExitCode
    from llmeval.report.comparison_console import print_comparison
    from llmeval.store.directory import RunDir

    directories = [RunDir(path) for path in _directories(runs, reports)]
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


def _directories(names: list[Path], reports: Path) -> list[Path]:
    """The runs by name. A name that fits several suites means the suite of the first run that is a
    directory or an id. `latest` is none of the others.

    Raises:
        UsageError, StoreError: there is none, or it is not clear which one.
    """
    from llmeval.history.runs import LATEST, find
    from llmeval.store.directory import RunDir

    suite, paths = None, dict[int, Path]()
    # Ids first, so that they say which suite the names are about.
    for number in sorted(range(len(names)), key=lambda each: _is_rule(names[each])):
        name = names[number]
        but = list(paths.values()) if str(name) == LATEST else []
        paths[number] = find(name, reports, suite, but)
        suite = suite or RunDir(paths[number]).manifest().suite
    return [paths[number] for number in range(len(names))]


def _is_rule(name: Path) -> tuple[bool, bool]:
    """Whether a name depends on the runs that there are; `latest` comes after all others."""
    text = str(name)
    rule = text in ("latest", "baseline") or "@" in text or text.startswith("tag:")
    return rule, text == "latest"
