"""`llmeval compare`: runs side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Json, Reports, Trust, console, emit

if TYPE_CHECKING:
    from llmeval.store.directory import RunDir


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
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help=(
                "Two files of traffic, the stable version and its canary: is the canary worse?"
                " Valid at any time, so call it again until it decides. Needs --suite."
            ),
        ),
    ] = False,
    margin: Annotated[
        str | None,
        typer.Option(
            help="With --live: the largest fall that is accepted, such as 5pt (default).",
            metavar="DROP",
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
        typer.Option(help="The suite with the judge or, with --live, the checks.", metavar="FILE"),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id", help="Of two files of results: the column with the id.", metavar="COLUMN"
        ),
    ] = None,
    score_column: Annotated[
        str | None,
        typer.Option(
            "--score", help="Of two files of results: the column with the score.", metavar="COLUMN"
        ),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            "--history",
            help=(
                "Compare two runs by the verdicts in this history (postgresql://USER@HOST/DB or a"
                " file): their directories may be on other machines."
            ),
            metavar="URL",
        ),
    ] = None,
    reports: Reports = Path("reports"),
    trust: Trust = False,
    as_json: Json = False,
) -> int:
    """Compare runs case by case, or two files of results of any tool.

    Shows what got better or worse, which cases changed, what differs between the runs, and a
    ranking.

    Exit codes: 0 something could be compared, 3 nothing could: other cases, judges or checks. With
    --live: 0 the canary is not worse, 1 worse, 3 invalid, 4 not decided yet, 5 no answers.
    """
    import msgspec

    from llmeval.cli.pairwise import preferences, show_preferences
    from llmeval.compare.compare import compare as compared
    from llmeval.core.errors import ExitCode, UsageError
    from llmeval.report.comparison_console import print_comparison
    from llmeval.store.directory import RunDir

    if live:
        from llmeval.cli.compare_live import compare_traffic

        others = best or unpaired or html is not None or judge is not None
        _refuse(others, "--live takes two files of traffic")
        return compare_traffic(runs, suite, margin, as_json=as_json)
    if margin is not None:
        raise UsageError("--margin is an option of --live")
    if history is not None:
        from llmeval.cli.compare_history import compare_in_history

        others = best or unpaired or html is not None or judge is not None
        _refuse(others, "the history has no answers")
        return compare_in_history(runs, history, reports, as_json=as_json)
    if id_column is not None or score_column is not None or any(map(_is_results, runs)):
        from llmeval.cli.compare_files import compare_files

        _refuse(best or html is not None or judge is not None, "files have no answers")
        return compare_files(runs, id_column, score_column, as_json=as_json)
    directories = [RunDir(path) for path in run_directories(runs, reports)]
    if unpaired:
        others = best or html is not None or judge is not None or len(directories) != 2
        _refuse(others, "--unpaired takes two runs of other cases")
        return _windows(directories[0], directories[1], label, as_json=as_json)
    if label is not None:
        raise UsageError("--label is an option of --unpaired")
    comparison = compared(directories, best=best)
    preferred = [] if judge is None else preferences(directories, judge, suite, trust=trust)
    if html is not None:
        from llmeval.report.html.comparison_page import write_comparison

        write_comparison(comparison, directories, html)
    if as_json:
        more = (
            {}
            if judge is None
            else {"preferences": {"judge": judge, "runs": msgspec.to_builtins(preferred)}}
        )
        emit({**msgspec.to_builtins(comparison), **more})
    else:
        print_comparison(console(), comparison)
        if judge is not None:
            show_preferences(console(), preferred, judge)
        if html is not None:
            console().print(f"\nPage: {html}", soft_wrap=True)
    return ExitCode.PASS if comparison.comparable else ExitCode.INVALID


def _refuse(others: bool, why: str) -> None:
    """Refuse options that need two runs of the same cases.

    Raises:
        UsageError: there are such options. `why`: said in front.
    """
    from llmeval.core.errors import UsageError

    if others:
        raise UsageError(
            f"{why}, and --best, --html and --judge compare answers of runs to the same cases"
        )


def _is_results(path: Path) -> bool:
    """Whether an argument is a file of results, and not a run."""
    return path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".ndjson", ".json") and path.is_file()


def _windows(first: "RunDir", second: "RunDir", label: str | None, *, as_json: bool) -> int:
    """Two runs of other cases."""
    import msgspec

    from llmeval.compare.unpaired import compare_windows
    from llmeval.core.errors import ExitCode
    from llmeval.report.windows_console import print_windows

    comparison = compare_windows(first, second, label=label)
    if as_json:
        emit(msgspec.to_builtins(comparison))
    else:
        print_windows(console(), comparison)
    return ExitCode.PASS if comparison.comparable else ExitCode.INVALID


def run_directories(names: list[Path], reports: Path) -> list[Path]:
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
