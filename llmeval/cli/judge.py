"""`llmeval judge`: is a judge to be trusted? Measured on labels, probed for biases, shown."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmeval.cli.common import Env, Json, Reports, console, emit

if TYPE_CHECKING:
    from rich.status import Status

    from llmeval.judges.assurance.certificate import Certificate, Probe
    from llmeval.judges.assurance.labelled_answers import LabelledAnswer
    from llmeval.judges.ensemble import MemberVerdict
    from llmeval.runner.plan import RunPlan

app = typer.Typer(help="Certify judges, and probe them for bias.", no_args_is_help=True)

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
        help="Labelled answers (.jsonl), or a run's directory; may be given several times.",
        metavar="FILE|RUN",
    ),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache.")]


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
        bool, typer.Option("--probes", help="Probe for biases too: about five times the calls.")
    ] = False,
    days: Annotated[int, typer.Option(help="Days until it expires.", min=1)] = 90,
    env: Env = None,
    no_cache: NoCache = False,
    as_json: Json = False,
) -> int:
    """Measure a judge on labelled answers and write its certificate.

    TRUSTED from a lower bound of Youden's J of 0.60, on 100 labels with 30 of either kind. What it
    showed is written down either way, and exits 0: a judge that is not to be trusted is a result.
    """
    import msgspec

    from llmeval import __version__
    from llmeval.judges.assurance.certify import certify as measure
    from llmeval.judges.assurance.certify import usable
    from llmeval.judges.assurance.probes import probe

    plan, judge, path = _judge(target, env, use_cache=not no_cache)
    items = _items(plan, judge.metric, labels)

    async def ask() -> "Certificate":
        made = await measure(judge, items, suite=plan.suite.name, days=days, version=__version__)
        return (
            msgspec.structs.replace(made, probes=await probe(judge, usable(items)))
            if probes
            else made
        )

    with _status(
        f"asking the judge about {len(items):,} labelled answers, some of them"
        f" {'several times' if probes else 'again'}"
    ):
        certificate = _asked(plan, ask())
    where = (
        out or path or plan.suite.base / "certificates" / f"{plan.suite.name}-{judge.metric}.json"
    )
    written = _write(certificate, where, labels)
    if as_json:
        emit({**_plain(certificate), "path": str(where), "page": str(written)})
    else:
        _print(certificate)
        console().print(f"{where} and {written}", markup=False, soft_wrap=True)
        if path is None:
            named = os.path.relpath(where, plan.suite.base)
            console().print(
                f"Runs use it once the suite names it: judges: {{{judge.metric}: {{certificate:"
                f" {named}, ...}}}}",
                markup=False,
                soft_wrap=True,
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
    """Probe a judge for biases: the same answers longer, formatted, said to come from experts,
    signed by the judge.

    Exact paired tests, Holm over the probes. Exits 0 whatever is found.
    """
    from llmeval.judges.assurance.certify import usable
    from llmeval.judges.assurance.probes import probe

    plan, judge, _ = _judge(target, env, use_cache=not no_cache)
    items = usable(_items(plan, judge.metric, labels))
    with _status(f"asking the judge about {len(items):,} labelled answers, each in several forms"):
        found = _asked(plan, probe(judge, items))
    if as_json:
        emit([_plain(each) for each in found])
    else:
        _print_probes(found)
    return 0


@app.command()
def show(
    target: Target, reports: Reports = Path("reports"), env: Env = None, as_json: Json = False
) -> int:
    """Show whether a suite's judges are trusted, why, until when, and what would void that."""
    from llmeval.core.records import digest
    from llmeval.history.anchor_history import past_anchors
    from llmeval.judges.assurance.certificate import parts_of, read_certificate, trust

    plan = _plan(target, env, use_cache=False)
    metric = target.rpartition(":")[2] if _metric_of(target) else None
    shown: list[dict[str, Any]] = []
    for name, judge in plan.judges.items():
        if metric not in (None, name):
            continue
        stated = plan.suite.judge(name).certificate
        path = None if stated is None else plan.suite.base / stated
        state = trust(judge.digest, path, parts_of(judge))
        found, anchors = None if path is None else read_certificate(path), None
        if path is not None and found is not None and state.state == "TRUSTED":
            from llmeval.judges.assurance.anchors import over_runs  # brings numpy

            bound = {"digest": judge.digest, "certificate_digest": digest(path.read_bytes())}
            anchors = over_runs(past_anchors(reports / plan.suite.name, name, bound), found)
            state = anchors.verdict() or state
        shown.append(
            {
                "metric": name,
                "trust": state.state,
                "reason": state.reason,
                "digest": judge.digest,
                "certificate": stated,
                "made": found and found.made,
                "expires": found and found.expires,
                "labels": found and found.labels,
                "anchors": anchors and anchors._asdict(),
                "voided_by": parts_of(judge),
            }
        )
    _closed(plan)
    if as_json:
        emit(shown)
        return 0
    out = console()
    if not shown:
        out.print("The suite has no such judge." if metric else "The suite has no judge.")
    for each in shown:
        colour = "green" if each["trust"] == "TRUSTED" else "yellow"
        out.print(f"[{colour}]{each['trust']}[/]  [bold]{each['metric']}[/]")
        out.print(f"  why         {each['reason']}", markup=False)
        out.print(f"  certificate {each['certificate'] or 'none'}", markup=False)
        if each["made"]:
            out.print(
                f"  made        {each['made']}, expires {each['expires']}, {each['labels']} labels",
                markup=False,
            )
        if each["anchors"] and each["anchors"]["runs"]:
            out.print(
                "  anchors     {changed} of {n} changed in {runs} runs, p = {p:.2g}".format(
                    **each["anchors"]
                )
            )
        out.print("  voided by a change of", markup=False)
        parts = each["voided_by"]
        for seat in parts.get("seats", {"": parts}).values():
            _print_parts(seat)
        rules = {
            key: value
            for key, value in parts.items()
            if key not in ("seats", "model", "protocol", "params")
        }
        if rules:
            out.print(f"    rules     {rules}", markup=False)
    return 0


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


def _plan(target: str, env: str | None, *, use_cache: bool) -> "RunPlan":
    """The suite's plan, made without its certificates: one of them may be what is to be written."""
    from dataclasses import replace

    from llmeval.cli.model_download import pull_for
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan
    from llmeval.suite.loader import load_suite

    metric = _metric_of(target)
    suite = load_suite(Path(target.rpartition(":")[0] if metric else target), env)
    pull_for(suite, None)
    judges = {
        name: spec.model_copy(update={"certificate": None})
        for name, spec in suite.spec.judges.items()
    }
    made = plan(
        replace(suite, spec=suite.spec.model_copy(update={"judges": judges})),
        Options(use_cache=use_cache),
    )
    made.suite = suite
    return made


def _judge(
    target: str, env: str | None, *, use_cache: bool
) -> "tuple[RunPlan, MemberVerdict, Path | None]":
    """The plan, the judge meant, and where the suite says that its certificate lies."""
    from llmeval.core.errors import UsageError

    made = _plan(target, env, use_cache=use_cache)
    metric = _metric_of(target)
    if metric is None and len(made.judges) == 1:
        metric = next(iter(made.judges))
    if metric not in made.judges:
        if not made.judges:
            raise UsageError(f"{target}: the suite has no judge")
        known = ", ".join(made.judges)
        raise UsageError(f"{target}: name the judge as SUITE:METRIC; the suite's judges: {known}")
    stated = made.suite.judge(metric).certificate
    return made, made.judges[metric], None if stated is None else made.suite.base / stated


def _items(plan: "RunPlan", metric: str, labels: list[Path]) -> "list[LabelledAnswer]":
    """Labelled answers from files and runs."""
    from llmeval.core.errors import SuiteError
    from llmeval.core.records import Case, Message
    from llmeval.judges.assurance.labelled_answers import HumanLabel, from_file, from_run
    from llmeval.review.intake import answers_of, fits
    from llmeval.store.directory import LABELS, RunDir
    from llmeval.store.labels import current, read

    def asked(case: Case) -> tuple[Message, ...]:
        try:
            return plan.messages(case)
        except (
            SuiteError
        ):  # the case is not the suite's own: the prompt may use what it does not have
            return (Message("user", str(case.fields.get("question", ""))),)

    cases = {case.id: case for case in plan.cases}
    items = []
    for path in labels:
        if not path.is_dir():
            items += from_file(path, cases, asked)
            continue
        answers = answers_of(RunDir(path))
        said = [
            HumanLabel(
                label.case_id,
                label.repeat,
                label.reviewer,
                label.human_verdict == "pass",
                label.adjudication,
                label.sampling,
                label.probability,
                label.blind,
            )
            for label in current(read(path / LABELS)).values()
            if label.metric == metric
            and label.human_verdict in ("pass", "fail")
            and fits(label, answers)
        ]
        items += from_run(RunDir(path), said, asked)
    return items


def _asked(plan: "RunPlan", work: Any) -> Any:
    """The result of asking; the plan's models are closed afterwards."""
    import asyncio

    async def run() -> Any:
        try:
            return await work
        finally:
            await plan.close()

    return asyncio.run(run())


def _status(what: str) -> "Status":
    """What is going on, on a terminal only."""
    from rich.console import Console

    return Console(stderr=True).status(what)


def _closed(plan: "RunPlan") -> None:
    import asyncio

    asyncio.run(plan.close())


def _write(certificate: "Certificate", where: Path, labels: list[Path]) -> Path:
    """Certificate and page; gives the page's path."""
    import json

    import msgspec

    from llmeval.core.files import write_atomically
    from llmeval.core.records import digest
    from llmeval.judges.assurance.certificate_markdown import page

    digests = {path.name: digest(path.read_bytes()) for path in labels if path.is_file()}
    certificate = msgspec.structs.replace(
        certificate, provenance={**certificate.provenance, "files": digests}
    )
    beside = where.with_suffix(".md")
    write_atomically(
        where, json.dumps(_plain(certificate), indent=1, ensure_ascii=False).encode() + b"\n"
    )
    write_atomically(beside, page(certificate).encode())
    return beside


def _print(certificate: "Certificate") -> None:
    from rich.table import Table

    out = console()
    state = "[green]TRUSTED[/]" if certificate.trusted else "[yellow]UNTRUSTED[/]"
    out.print(f"{state}  [bold]{certificate.metric}[/] of {certificate.suite}")
    out.print(f"{certificate.reason}.\n", markup=False)
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2))
    for heading in ("figure", "value", "95 % interval"):
        table.add_column(heading)
    for name, found in certificate.figures.items():
        value = "–" if found.value is None else f"{found.value:.2f}"
        table.add_row(name.replace("_", " "), value, f"{found.low:.2f} to {found.high:.2f}")
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


def _print_probes(found: "tuple[Probe, ...]") -> None:
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
    for each in found:
        if each.note:
            table.add_row(each.name, "–", "–", "–", "–", "–", "–", "not tried")
            continue
        told = "[yellow]yes[/]" if each.found else "none"
        table.add_row(
            each.name,
            str(each.n),
            str(each.became_pass),
            str(each.became_fail),
            f"{each.adjusted:.2g}",
            f"{100 * (each.detectable or 0):.1f} pt",
            f"{each.needed or 0:,}",
            told,
        )
    console().print(table)
    console().print(
        "`shows`: the smallest shift of the pass rate that so many answers show in four of five"
        " tries; `for 5 pt`: how many answers would show one of 5 points."
    )


def _plain(record: Any) -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(record)
    return found
