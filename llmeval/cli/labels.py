"""`llmeval labels`: what people say about a run's answers, drawn, taken in, given out, counted."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from llmeval.cli.common import Json, Reports, RunPath, console, emit, find_run
from llmeval.cli.history_common import index_again
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.core.draw import Draw, Stratum
    from llmeval.review.draw import Drawn
    from llmeval.store.directory import RunDir

_SHOWN = 20
app = typer.Typer(
    help="Manage human labels: sample, import, export, statistics.", no_args_is_help=True
)

Metric = Annotated[
    str | None,
    typer.Option(help="The metric; default: the only judged one.", metavar="METRIC"),
]
Out = Annotated[
    Path | None, typer.Option(help="Write there instead of to the terminal.", metavar="FILE")
]


@app.command()
def sample(
    run: RunPath,
    n: Annotated[int, typer.Option("--n", help="How many answers.", metavar="N")] = 100,
    purpose: Annotated[
        Literal["judge", "regression"],
        typer.Option(
            "--for",
            help="judge: to measure the judge. regression: both answers of paired cases, to decide"
            " whether the run is worse than its baseline.",
        ),
    ] = "judge",
    metric: Metric = None,
    baseline_run: Annotated[
        Path | None,
        typer.Option(
            help="With `--for regression`: the directory of the baseline's run, where it is not"
            " below --reports.",
            metavar="DIR",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="The same seed draws the same answers.", metavar="N")
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the sheet goes: .csv or .jsonl; default: CSV on the terminal.",
            metavar="FILE",
        ),
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Draw random answers for people to label.

    The sheet has an empty column `verdict`: write pass, fail or unsure, and take it in with
    `llmeval labels import`. The judge's verdict is not on it. Fewer than 100 labels, or fewer than
    30 of either kind, certify no judge.

    With `--for regression` both answers of N / 2 cases are drawn, by what the judge says of the
    two: both pass, fell, rose, both fail. `llmeval gate RUN` then decides the regression by these
    labels, whatever the judge's errors are.
    """
    from llmeval.review.draw import draw, judged_metric, keep
    from llmeval.review.sheet import COLUMNS, rows, to_csv
    from llmeval.store.directory import RunDir

    directory = RunDir(find_run(run, reports))
    name = judged_metric(directory, metric)
    if purpose == "regression":
        sampled, drawn = _pairs(directory, name, n, seed, baseline_run, reports)
    else:
        sampled, drawn = draw(directory, name, n, seed)
    keep(directory, sampled)
    table = rows(sampled, drawn)
    strata = [{**_plain(part), "probability": part.probability} for part in sampled.strata]
    if out is not None:
        _write(
            out,
            _jsonl(table) if out.suffix.lower() == ".jsonl" else "\ufeff" + to_csv(table, COLUMNS),
        )
    if as_json:
        emit(
            {
                "draw": sampled.draw_id,
                "metric": sampled.metric,
                "seed": seed,
                "n": len(table),
                "strata": strata,
                "out": None if out is None else str(out),
                "rows": table if out is None else [],
            }
        )
    elif out is None:
        sys.stdout.write(to_csv(table, COLUMNS))
    else:
        console().print(
            f"{count(len(table), 'answer')} to label on {sampled.metric}, in {out}:", markup=False
        )
        for part in sampled.strata:
            console().print(f"  {_stratum(part)}", markup=False)
        console().print(
            f"Write pass, fail or unsure into `verdict`, then: llmeval labels import {out} --run"
            f" {run} --reviewer NAME"
        )
    return 0


def _pairs(
    run: "RunDir", metric: str, n: int, seed: int, baseline_run: Path | None, reports: Path
) -> "tuple[Draw, list[Drawn]]":
    """A draw to decide a regression.

    Raises:
        UsageError: no baseline, or its answers are not there.
    """
    from llmeval.core.errors import UsageError
    from llmeval.gate.baseline import read_baseline
    from llmeval.history.runs import of_id
    from llmeval.review.pair_draw import draw_pairs
    from llmeval.store.directory import RunDir

    rule = run.manifest().gate.regression
    stated = None if rule is None or rule.baseline is None else Path(rule.baseline)
    source = stated or baseline_run
    if source is None:
        raise UsageError(
            f"{run.path}: its gate compares with no baseline; name the run to compare with by"
            " --baseline-run DIR"
        )
    baseline = read_baseline(source)
    directory = baseline_run or (source if source.is_dir() else None)
    before = directory or of_id(baseline.run_id, reports)
    if before is None:
        raise UsageError(
            f"the answers of the baseline {baseline.run_id} are not below {reports}, and people"
            " label them too: name the directory of that run with --baseline-run DIR"
        )
    return draw_pairs(run, RunDir(before), baseline, metric, n, seed)


def _stratum(part: "Stratum") -> str:
    """A part of a draw, as people read it."""
    if part.source == "pair":
        from llmeval.gate.pair_classes import SHOWN, PairClass

        return (
            f"{part.drawn:>4} of {part.answers:,} pairs that by the judge"
            f" {SHOWN[PairClass(part.verdict)]}"
        )
    who = "the judge" if part.source == "judge" else "a check"
    return f"{part.drawn:>4} of {part.answers:,} that {who} gave a {part.verdict}"


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Label records or sheets: .jsonl, .csv.", metavar="FILE...", show_default=False
        ),
    ],
    run: Annotated[
        Path, typer.Option(help="The run they are about: directory or id.", metavar="RUN")
    ],
    reviewer: Annotated[
        str | None,
        typer.Option(help="The reviewer, if the file does not name one.", metavar="NAME"),
    ] = None,
    metric: Metric = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Import labels into a run, from the review page or from filled sheets.

    Importing a file twice adds nothing. A verdict that settles a dispute is left out: it comes
    from `llmeval review adjudicate`.
    """
    from llmeval.core.errors import UsageError
    from llmeval.core.person_names import person_name
    from llmeval.review.intake import take_in
    from llmeval.store.directory import RunDir

    directory = RunDir(find_run(run, reports))
    name = "" if reviewer is None else person_name(reviewer, "--reviewer")
    taken = take_in(directory, files, name, metric)
    if taken.refused and not taken.added and not taken.known:
        raise UsageError(
            f"no label is of this run's answers ({len(taken.refused)} refused); the first:"
            f" {taken.refused[0]}"
        )
    index_again(directory.path)
    if as_json:
        emit(taken._asdict())
        return 0
    out = console()
    out.print(
        f"{count(taken.added, 'label')} added, {taken.known:,} there already,"
        f" {count(taken.empty, 'row')} without a verdict."
    )
    for line in taken.refused[:10]:
        out.print(f"  left out: {line}", markup=False)
    if len(taken.refused) > 10:
        out.print(f"  and {len(taken.refused) - 10:,} more")
    return 0


@app.command()
def export(
    run: RunPath,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    out: Out = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Export all labels of a run, with corrections: JSONL, or CSV."""
    import msgspec

    from llmeval.core.records import Label
    from llmeval.review.sheet import to_csv
    from llmeval.store.directory import LABELS
    from llmeval.store.labels import BASELINE_LABELS, REFERENCE_LABELS, merge, read

    path = find_run(run, reports)
    labels: list[dict[str, Any]] = [
        msgspec.to_builtins(label)
        for label in merge(
            *(read(path / name) for name in (LABELS, BASELINE_LABELS, REFERENCE_LABELS))
        )
    ]
    if as_json and out is None:
        emit(labels)
        return 0
    text = to_csv(labels, Label.__struct_fields__) if as_csv else _jsonl(labels)
    if out is None:
        sys.stdout.write(text)
    else:
        _write(out, ("\ufeff" if as_csv else "") + text)
        if as_json:
            emit({"labels": len(labels), "out": str(out)})
        else:
            console().print(f"{count(len(labels), 'label')} in {out}", markup=False)
    return 0


@app.command()
def stats(run: RunPath, reports: Reports = Path("reports"), as_json: Json = False) -> int:
    """Count the labels of a run: by reviewer, agreement of people, agreement of the judge."""
    from llmeval.cli.labels_screen import print_metric, print_references, print_repairs
    from llmeval.review.figures import figures
    from llmeval.review.references import wrong_references
    from llmeval.review.repair import evidence, plain
    from llmeval.store.directory import RunDir

    directory = RunDir(find_run(run, reports))
    run_figures, repairs = figures(directory), evidence(directory)
    wrong = wrong_references(directory)
    if as_json:
        emit(
            {
                **run_figures,
                "repair": [plain(each) for each in repairs],
                "references": [each._asdict() for each in wrong],
            }
        )
        return 0
    out = console()
    by = ", ".join(f"{name} {count:,}" for name, count in run_figures["reviewers"].items())
    out.print(f"{count(run_figures['labels'], 'label')}{': ' + by if by else ''}", markup=False)
    if run_figures["stale"]:
        out.print(
            f"{count(run_figures['stale'], 'label')} of answers that the run does not have now: not"
            " counted."
        )
    for metric in run_figures["metrics"]:
        print_metric(metric)
    print_repairs(repairs)
    print_references(wrong)
    return 0


def _plain(record: object) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


def _jsonl(table: list[dict[str, object]]) -> str:
    from llmeval.core.records import to_json

    return "".join(to_json(row).decode() + "\n" for row in table)


def _write(path: Path, text: str) -> None:
    from llmeval.core.errors import UsageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(f"{path}: can't be written: {error}") from None
