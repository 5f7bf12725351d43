"""`llmeval plan`: the cases and calls that a decision with stated error rates takes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Env, Json, Reports, SuitePath, console, emit
from llmeval.core.formatting import round_points
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.planning.metric_profile import MetricProfile
    from llmeval.planning.sample_size import FloorSize, RegressionSize
    from llmeval.planning.suite_plan import RunCost, SuitePlan

Detect = Annotated[
    str | None,
    typer.Option(
        help=(
            "The drop to detect: 3pt, 3%, 0.03. Default: the suite's margin, or 5pt; 3pt"
            " from 2,000 cases."
        ),
        metavar="DROP",
    ),
]
Metric = Annotated[str | None, typer.Option(help="Only this metric.", metavar="NAME")]


def plan(
    suite: SuitePath,
    detect: Detect = None,
    metric: Metric = None,
    env: Env = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Size a suite: the cases, calls, cost and time that its decisions take.

    No model is called.
    """
    from llmeval.api.planning import plan as plan_suite

    planned = plan_suite(suite, detect=detect, metric=metric, environment=env, reports=reports)
    if as_json:
        emit(planned.document())
    else:
        _print(planned)
    return 0


def _print(plan: "SuitePlan") -> None:
    out, profile = console(), plan.profile
    (alpha, beta), n = profile.suite.spec.gate.first_rates, len(profile.cases)
    first = " of a first attempt" if profile.suite.spec.gate.attempts > 1 else ""
    out.soft_wrap = True
    out.print(
        f"[bold]{profile.suite.name}[/]: {_spent(plan.cost(n))},"
        f" {count(profile.suite.spec.repeats, 'repeat')}. Error rates{first}:"
        f" {100 * alpha:.3g}% for a wrong FAIL, {100 * beta:.3g}% for a wrong PASS; 95% to decide."
    )
    for shape, size in plan.regression:
        out.print(f"\n[bold]{shape.metric}[/]")
        out.print(
            f"  {count(shape.cases, 'case')} can certify {_certified(size)}; {_advice(shape, size)}"
        )
        if size.needed is None:
            continue
        if size.needed > shape.cases == n:
            out.print(f"  That takes {_spent(plan.cost(size.needed))}.")
        out.print(
            "  At this size, early stopping (`run --stop early`) is expected to use"
            f" {size.used_same:.0%} of the calls if nothing changed, {size.used_margin:.0%} at a"
            f" drop of {round_points(size.margin)}."
        )
    if plan.floors:
        _print_floors(plan.floors)
    for warning in profile.never:
        out.print(f"⚠ {warning}", style="yellow", markup=False)
    out.print("\n[dim]Based on:[/]")
    for note in dict.fromkeys(profile.notes):
        out.print(f"[dim]  {note}[/]")
    out.print("[dim]No model was called.[/]")


def _print_floors(floors: "list[FloorSize]") -> None:
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2))
    for heading in ("floor", "at least", "cases", "passes needed", "cases needed"):
        table.add_column(heading, justify="left" if heading == "floor" else "right")
    for floor in floors:
        table.add_row(
            floor.rule,
            f"{floor.floor:.0%}",
            f"{floor.cases:,}",
            "more than there are" if floor.must_have is None else f"{floor.must_have:,}",
            (
                f"none: {floor.rate:.0%} now"
                if floor.needed is None
                else f"{floor.needed:,} at {floor.rate:.0%}"
            ),
        )
    console().print()
    console().print(table)


def _certified(size: "RegressionSize") -> str:
    return "no drop at all" if size.certifies >= 1 else f"a drop of {round_points(size.certifies)}"


def _advice(shape: "MetricProfile", size: "RegressionSize") -> str:
    if size.needed is None:
        return (
            f"no number of cases can rule out {round_points(size.margin)}: the judge may differ by"
            f" {round_points(shape.shift)} between the two sides (`judge_shift`), which is all of"
            " that margin as the judge sees it. Labels of the run decide instead."
        )
    if shape.cases >= size.needed:
        return f"for {round_points(size.margin)} {size.needed:,} would do."
    return f"for {round_points(size.margin)} you need {size.needed:,}."


def _spent(costs: "RunCost") -> str:
    money = (
        "cost not known (no price in the suite)"
        if costs.cost_usd is None
        else f"${costs.cost_usd:.2f}"
    )
    minutes = costs.minutes
    time = (
        ""
        if minutes is None
        else ", under a minute"
        if minutes < 1
        else f", about {count(round(minutes), 'minute')}"
    )
    return f"{count(costs.cases, 'case')}, {count(costs.calls, 'call')}, {money}{time}"
