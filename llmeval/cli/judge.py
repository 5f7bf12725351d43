"""`llmeval judge`: is a judge to be trusted? Measured on labels, probed for biases, shown."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmeval.cli.common import Env, Json, Reports, console, emit
from llmeval.cli.judging_display import JudgingDisplay

if TYPE_CHECKING:
    from llmeval.api.judging import JudgeTrust
    from llmeval.core.certificate import Certificate, Probe

app = typer.Typer(help="Certify judges and probe them for bias.", no_args_is_help=True)

Target = Annotated[
    str,
    typer.Argument(
        help="A suite file, and the judge's metric where it has several.",
        metavar="SUITE[:METRIC]",
        show_default=False,
    ),
]
Labels = Annotated[
    list[Path],
    typer.Option(
        "--labels",
        help="Labelled answers (.jsonl), or a run's directory. Repeat the option for several.",
        metavar="FILE|RUN",
    ),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Do not use the cache.")]


@app.command()
def certify(
    target: Target,
    labels: Labels,
    out: Annotated[
        Path | None,
        typer.Option(
            help=(
                "The certificate; its page is written next to it as .md. Default: where the suite"
                " names it, or certificates/ next to the suite."
            ),
            metavar="FILE.json",
        ),
    ] = None,
    probes: Annotated[
        bool, typer.Option("--probes", help="Probe for bias too; takes about five times the calls.")
    ] = False,
    days: Annotated[
        int, typer.Option(help="The certificate is valid for so many days.", min=1)
    ] = 90,
    env: Env = None,
    no_cache: NoCache = False,
    as_json: Json = False,
) -> int:
    """Measure a judge on labelled answers and write its certificate.

    TRUSTED from a lower bound of Youden's J of 0.60, on 100 labels with 30 of either kind. What it
    showed is written down either way, and exits 0: a judge that is not to be trusted is a result.

    While it runs it shows the verdicts so far, and about how much time and money is left.
    """
    from llmeval.api import judging

    suite, metric = _open(target, env)
    with JudgingDisplay() as display:
        done = judging.certify(
            suite,
            labels,
            metric=metric,
            out=out,
            probes=probes,
            days=days,
            environment=env,
            use_cache=not no_cache,
            on_start=lambda n: display.begin(
                n, f"some of them {'several times' if probes else 'again'}"
            ),
            on_progress=display.show,
        )
    if as_json:
        emit({**_plain(done.certificate), "path": str(done.path), "page": str(done.page)})
        return 0
    _print(done.certificate)
    console().print(f"{done.path} and {done.page}", markup=False, soft_wrap=True)
    if done.suite_entry is not None:
        entry = f"{{{done.certificate.metric}: {{certificate: {done.suite_entry}, ...}}}}"
        console().print(
            f"Runs use it once the suite names it: judges: {entry}", markup=False, soft_wrap=True
        )
    return 0


@app.command("probe")
def probe_(
    target: Target,
    labels: Labels,
    env: Env = None,
    no_cache: NoCache = False,
    as_json: Json = False,
) -> int:
    """Probe a judge for bias: does something irrelevant change its verdict?

    The judge sees the same answers longer, formatted, attributed to experts, or signed by itself.
    The tests are exact and paired, with Holm's correction over the probes. The exit code is 0
    whatever the result.
    """
    from llmeval.api import judging

    suite, metric = _open(target, env)
    with JudgingDisplay() as display:
        results = judging.probe_judge(
            suite,
            labels,
            metric=metric,
            environment=env,
            use_cache=not no_cache,
            on_start=lambda n: display.begin(n, "each in several forms"),
        )
    if as_json:
        emit([_plain(each) for each in results])
    else:
        _print_probes(results)
    return 0


@app.command()
def show(
    target: Target, reports: Reports = Path("reports"), env: Env = None, as_json: Json = False
) -> int:
    """Show whether the judges of a suite are trusted, and why.

    Shows also until when, and which changes would void it.
    """
    from llmeval.api import judging

    suite, metric = _open(target, env)
    judges = judging.judge_trust(suite, metric=metric, environment=env, reports=reports)
    if as_json:
        emit([_trust_document(each) for each in judges])
        return 0
    if not judges:
        console().print("The suite has no such judge." if metric else "The suite has no judge.")
    for each in judges:
        _print_trust(each)
    return 0


def _trust_document(judge: "JudgeTrust") -> dict[str, object]:
    certificate = judge.certificate
    return {
        "metric": judge.metric,
        "trust": judge.trust.state,
        "reason": judge.trust.reason,
        "digest": judge.digest,
        "certificate": judge.certificate_path,
        "made": certificate and certificate.made,
        "expires": certificate and certificate.expires,
        "labels": certificate and certificate.labels,
        "anchors": judge.anchors and judge.anchors._asdict(),
        "voided_by": judge.parts,
    }


def _print_trust(judge: "JudgeTrust") -> None:
    out = console()
    colour = "green" if judge.trust.state == "TRUSTED" else "yellow"
    lines = [("why", judge.trust.reason), ("certificate", judge.certificate_path or "none")]
    if judge.certificate is not None:
        certificate = judge.certificate
        lines.append(
            (
                "made",
                f"{certificate.made}, expires {certificate.expires}, {certificate.labels} labels",
            )
        )
    if judge.anchors and judge.anchors.runs:
        text = "{changed} of {n} changed in {runs} runs, p = {p:.2g}"
        lines.append(("anchors", text.format(**judge.anchors._asdict())))
    out.print(f"[{colour}]{judge.trust.state}[/]  [bold]{judge.metric}[/]")
    for name, text in lines:
        out.print(f"  {name:11} {text}", markup=False)
    out.print("  voided by a change of", markup=False)
    for member in judge.parts.get("seats", {"": judge.parts}).values():
        _print_parts(member)
    shown = ("seats", "model", "protocol", "params")
    rules = {key: value for key, value in judge.parts.items() if key not in shown}
    if rules:
        out.print(f"    rules     {rules}", markup=False)


def _print_parts(parts: dict[str, Any]) -> None:
    """One model's part of a judge."""
    out = console()
    model = {
        key: value for key, value in parts["model"].items() if key not in ("files", "chat_template")
    }
    out.print(
        f"    model     {', '.join(f'{k} {v}' for k, v in model.items() if v is not None)}",
        markup=False,
    )
    if "files" in parts["model"]:
        out.print(f"    weights   any of {len(parts['model']['files'])} files", markup=False)
    out.print(
        f"    prompt    {parts['protocol']['name']}, version {parts['protocol']['version']}",
        markup=False,
    )
    out.print(f"    params    {parts['params']}", markup=False)


def _metric_of(target: str) -> str | None:
    """The metric behind the last colon, where there is one and it is not a part of the path."""
    path, colon, metric = target.rpartition(":")
    return metric if colon and path and not Path(target).exists() else None


def _open(target: str, env: str | None) -> tuple[Path, str | None]:
    """The suite file and the metric of `SUITE[:METRIC]`. A bundled model is pulled if need be."""
    from llmeval.cli.model_download import pull_for
    from llmeval.suite.loader import load_suite

    metric = _metric_of(target)
    path = Path(target.rpartition(":")[0] if metric else target)
    pull_for(load_suite(path, env), None)
    return path, metric


def _print(certificate: "Certificate") -> None:
    from rich.table import Table

    out = console()
    state = "[green]TRUSTED[/]" if certificate.trusted else "[yellow]UNTRUSTED[/]"
    out.print(f"{state}  [bold]{certificate.metric}[/] of {certificate.suite}")
    out.print(f"{certificate.reason}.\n", markup=False)
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2))
    for heading in ("figure", "value", "95 % interval"):
        table.add_column(heading)
    for name, figure in certificate.figures.items():
        value = "–" if figure.value is None else f"{figure.value:.2f}"
        table.add_row(name.replace("_", " "), value, f"{figure.low:.2f} to {figure.high:.2f}")
    out.print(table)
    again = certificate.retest
    if again is not None:
        out.print(
            f"\nAsked {again['calls']} times: the same verdict on {again['unanimous']} of"
            f" {again['items']} answers."
        )
    out.print(f"{certificate.provenance['allows']}", markup=False)
    if certificate.probes:
        _print_probes(certificate.probes)
    out.print(f"{len(certificate.disagreements)} disagreements are listed on the page.")


def _print_probes(probes: "tuple[Probe, ...]") -> None:
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 1))
    for heading in (
        "probe",
        "answers",
        "to pass",
        "to fail",
        "p (Holm)",
        "shows",
        "for 5 pt",
        "bias",
    ):
        table.add_column(heading, no_wrap=True)
    for each in probes:
        if each.note:
            table.add_row(each.name, "–", "–", "–", "–", "–", "–", "not tried")
            continue
        bias = "[yellow]yes[/]" if each.found else "none"
        table.add_row(
            each.name,
            str(each.n),
            str(each.became_pass),
            str(each.became_fail),
            f"{each.adjusted:.2g}",
            f"{100 * (each.detectable or 0):.1f} pt",
            f"{each.needed or 0:,}",
            bias,
        )
    console().print(table)
    console().print(
        "`shows`: the smallest shift of the pass rate that so many answers show in four of five"
        " tries; `for 5 pt`: how many answers would show one of 5 points."
    )


def _plain(record: object) -> dict[str, object]:
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(record)
    return plain
