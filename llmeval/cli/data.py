"""`llmeval data`: tests of the cases of a suite."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli import completion
from llmeval.cli.common import Env, Json, Reports, SuitePath, console, emit, suite_files

if TYPE_CHECKING:
    from llmeval.datatests.check import DataReport
    from llmeval.datatests.findings import DataFinding

app = typer.Typer(
    help="Test the cases of suites: duplicates, leaks, doubtful references, degenerate answers.",
    no_args_is_help=True,
)
SuitePaths = Annotated[
    list[Path],
    typer.Argument(
        help="Suite files.",
        metavar="SUITE...",
        show_default=False,
        autocompletion=completion.suites,
    ),
]
MOST_SHOWN = 5
"""The most findings of one rule that the terminal shows. `--json` has all."""


@app.command()
def check(
    suites: SuitePaths,
    env: Env = None,
    fast: Annotated[
        bool,
        typer.Option(help="Leave out the rules that run checks or read stored runs or a corpus."),
    ] = False,
    rules: Annotated[
        str | None, typer.Option(help="Only these rules, such as D001,D003.", metavar="IDS")
    ] = None,
    reports: Reports = Path("reports"),
    runs: Annotated[
        bool, typer.Option("--runs/--no-runs", help="Read the stored runs of the suite.")
    ] = True,
    against: Annotated[
        Path | None,
        typer.Option(help="A corpus (.txt, .jsonl, or a folder) for D005.", metavar="PATH"),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="A lock file for D019.", metavar="LOCK")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(help="Write the findings as SARIF.", metavar="FILE")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(help="Write the findings as JUnit XML.", metavar="FILE")
    ] = None,
    write_clusters: Annotated[
        Path | None,
        typer.Option(help="Write the proposed clusters: one {id, cluster} a line.", metavar="FILE"),
    ] = None,
    as_json: Json = False,
) -> int:
    """Test the cases of suites. No model is called.

    Exit code 0: no finding of level error. 1: at least one. 2: a suite can't be read. 3: a rule
    crashed. 5: no case.
    """
    from llmeval.core.errors import ExitCode
    from llmeval.datatests.check import CheckOptions, check_data
    from llmeval.datatests.clusters import write_cluster_proposals
    from llmeval.datatests.output import write_junit_report, write_sarif
    from llmeval.suite.loader import load_suite

    options = CheckOptions(
        fast=fast,
        only=frozenset((rules or "").replace(",", " ").split()),
        reports=reports if runs else None,
        against=against,
        baseline=baseline,
    )
    results = [check_data(load_suite(suite, env), options) for suite in suite_files(suites)]
    if sarif is not None:
        write_sarif(sarif, results, Path.cwd())
    if junit is not None:
        write_junit_report(junit, results)
    if write_clusters is not None:
        write_cluster_proposals(write_clusters, results)
    if as_json:
        documents = [result.document() for result in results]
        emit(documents[0] if len(documents) == 1 else {"suites": documents})
    else:
        for result in results:
            show_report(result)
    return ExitCode.GATE_FAILED if any(result.failed for result in results) else ExitCode.PASS


def show_report(report: "DataReport") -> None:
    """Print the findings for people, at most 80 columns wide where words allow it."""
    out = console()
    counts = report.counts
    summary = ", ".join(
        f"{counts[level]} {name}"
        for level, name in (("error", "errors"), ("warn", "warnings"), ("info", "notes"))
    )
    accepted = f", {len(report.accepted)} accepted" if report.accepted else ""
    for shown in _limited(report):
        _print_finding(shown)
    _print_not_applicable(report)
    mark = "✘" if report.failed else "✔"
    out.print(
        f"{mark} {report.suite.path}: {report.cases:,} cases, {summary}{accepted}",
        markup=False,
        style="red" if report.failed else "green",
        soft_wrap=True,
    )


def _print_not_applicable(report: "DataReport") -> None:
    import textwrap

    by_reason: dict[str, list[str]] = {}
    for rule, reason in report.not_applicable.items():
        by_reason.setdefault(reason, []).append(rule)
    for reason, rules in by_reason.items():
        line = f"not applicable: {', '.join(rules)}: {reason}"
        print(textwrap.fill(line, 80, subsequent_indent="  ", break_on_hyphens=False))


def _limited(report: "DataReport") -> "list[DataFinding | str]":
    """The first findings of each rule, and a line on the rest."""
    shown: list[DataFinding | str] = []
    by_rule: dict[str, list[DataFinding]] = {}
    for finding in report.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    for rule, findings in by_rule.items():
        shown += findings[:MOST_SHOWN]
        if len(findings) > MOST_SHOWN:
            more = len(findings) - MOST_SHOWN
            shown.append(f"... and {more:,} more of {rule}; --json prints all")
    return shown


def _print_finding(finding: "DataFinding | str") -> None:
    import textwrap

    from llmeval.report.safe_text import visible

    if isinstance(finding, str):
        print(finding)
        return
    where = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
    print(visible(where))
    text = visible(f"{finding.rule} {finding.level}: {finding.message}. {finding.fix}.")
    sys.stdout.write(
        textwrap.fill(
            text,
            80,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        + "\n"
    )


@app.command()
def card(
    suite: SuitePath,
    env: Env = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write there instead of to the terminal.", metavar="FILE"),
    ] = None,
    as_json: Json = False,
) -> int:
    """Write a data set card: source, licence, languages, size, slices, findings, digests.

    Markdown with the front matter of Hugging Face dataset cards. `source`, `licence` and
    `languages` come from the suite's .data.yaml file.
    """
    from llmeval.core.errors import ExitCode
    from llmeval.core.files import write_atomically, writing
    from llmeval.datatests.card import data_card
    from llmeval.suite.loader import load_suite

    loaded = load_suite(suite, env)
    written = data_card(loaded)
    text = written.markdown((out.parent if out else loaded.base).resolve())
    if out is not None:
        with writing(out):
            write_atomically(out, text.encode())
    if as_json:
        emit(written.document())
    elif out is None:
        sys.stdout.write(text)
    else:
        print(f"The card of {loaded.name}: {out}")
    return ExitCode.PASS


@app.command()
def fix(
    suite: SuitePath,
    env: Env = None,
    reports: Reports = Path("reports"),
    out: Annotated[
        Path | None,
        typer.Option(help="Write the patch there instead of to the terminal.", metavar="FILE"),
    ] = None,
    as_json: Json = False,
) -> int:
    """Write a patch for the references that people call wrong. No file of data is changed.

    The labels come from `llmeval review RUN --doubtful`. Apply the patch with `git apply`.
    """
    from llmeval.core.errors import ExitCode, UsageError
    from llmeval.core.files import write_atomically, writing
    from llmeval.core.redaction import redact
    from llmeval.datatests.repair_patch import repair_patch
    from llmeval.report.safe_text import one_line, visible
    from llmeval.suite.loader import load_suite

    patch = repair_patch(load_suite(suite, env), reports, Path.cwd())
    if out is None and not as_json and visible(redact(patch.diff)) != patch.diff:
        raise UsageError(
            "the patch has characters that the terminal would change, such as carriage returns:"
            " write it with --out FILE"
        )
    if out is not None:
        with writing(out):
            write_atomically(out, patch.diff.encode())
    if as_json:
        left_out = [{"case": case, "reason": reason} for case, reason in patch.left_out]
        emit({"repaired": list(patch.repaired), "left_out": left_out, "diff": patch.diff})
        return ExitCode.PASS
    if out is None:
        sys.stdout.write(patch.diff)
    more = "" if out is None else f", in {out}"
    print(f"{len(patch.repaired)} cases repaired in the patch{more}", file=sys.stderr)
    for case, reason in patch.left_out:
        print(f"  left out: {one_line(case, 80)}: {one_line(reason, 300)}", file=sys.stderr)
    return ExitCode.PASS


@app.command()
def diff(
    first: Annotated[Path, typer.Argument(help="The suite with the earlier cases.", metavar="A")],
    second: Annotated[Path, typer.Argument(help="The suite with the later cases.", metavar="B")],
    as_json: Json = False,
) -> int:
    """Name the cases that differ between two versions of a suite.

    Cases are matched by id. The last line says what the differences mean for a comparison.
    """
    from llmeval.core.errors import ExitCode
    from llmeval.datatests.changes import changes_between
    from llmeval.report.safe_text import visible
    from llmeval.suite.loader import load_suite

    changes = changes_between(load_suite(first), load_suite(second))
    kinds = {"added": changes.added, "gone": changes.gone, "changed": changes.changed}
    if as_json:
        named = {kind: list(names) for kind, names in kinds.items()}
        emit({**named, "same": changes.same, "consequence": changes.consequence})
        return ExitCode.PASS
    for kind, names in kinds.items():
        print(f"{kind}: {len(names):,}")
        for name in names:
            print(f"  {visible(name)}")
    print(f"same: {changes.same:,}")
    print(changes.consequence)
    return ExitCode.PASS
