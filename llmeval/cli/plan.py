"""`llmeval plan`: what a decision with stated error rates takes, before the first call."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmeval.cli.common import Env, Json, Reports, SuitePath, console, emit
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.cli.profile import SuiteProfile
    from llmeval.planning.metric_profile import MetricProfile
    from llmeval.planning.sample_size import FloorSize, RegressionSize

Detect = Annotated[
    str | None,
    typer.Option(
        help=(
            "The drop that must not pass: 3pt, 3%, 0.03. Default: the suite's margin, or 5pt; 3pt"
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
    """Size a suite: the cases, labels, calls, cost and minutes that its decisions take. Nothing is
    asked.
    """
    from llmeval.cli.profile import know, margin_for, slices_of
    from llmeval.planning.sample_size import plan_regression
    from llmeval.suite.loader import load_suite

    known = know(load_suite(suite, env), metric, reports)
    gate = known.suite.spec.gate
    shapes = [*known.shapes, *slices_of(known)]
    sized = [
        (
            shape,
            plan_regression(shape, margin_for(known, shape.metric, detect), gate.alpha, gate.beta),
        )
        for shape in shapes
    ]
    floors = _floors(known)
    if as_json:
        emit(_document(known, sized, floors))
    else:
        _print(known, sized, floors)
    return 0


def _floors(known: "SuiteProfile") -> "list[FloorSize]":
    from llmeval.gate.rules.floors import parse_key
    from llmeval.gate.rules.threshold import floor_rates
    from llmeval.planning.sample_size import plan_floor

    shapes, gate = {shape.metric: shape for shape in known.shapes}, known.suite.spec.gate
    found = []
    for key, floor in floor_rates(gate.record().floors).items():
        metric, slice_ = parse_key(key)
        shape = shapes.get(metric)
        if shape is None:
            continue
        within = [
            case for case in known.cases if slice_ is None or case.tags.get(slice_[0]) == slice_[1]
        ]
        clusters = [f"\0{case.id}" if case.cluster is None else case.cluster for case in within]
        rate = shape.people if shape.labels else shape.rate
        if shape.labels:
            known.notes.append(
                f"{metric}: its floors are sized as if the judge was always right; with its errors"
                " and its labels `llmeval prove` tells how often they decide"
            )
        if known.past.rate(metric) is None:
            rate = (1 + floor) / 2
            known.notes.append(
                f"{key}: pass rate {rate:.0%} for the floor (assumed: the midpoint between the"
                " floor and 100%)"
            )
        found.append(plan_floor(key, floor, rate, clusters, gate.alpha, shape.effect))
    return found


def _costs(known: "SuiteProfile", cases: int) -> dict[str, Any]:
    """Calls, US dollars (None where a price is not stated) and minutes (None without a past run),
    for so many cases.
    """
    scale = cases / len(known.cases)
    costs = [row["cost_usd"] for row in known.rows]
    pace = known.past.seconds_a_case
    return {
        "cases": cases,
        "calls": round(scale * sum(row["calls"] for row in known.rows)),
        "cost_usd": None if None in costs else scale * sum(costs),
        "minutes": None if pace is None else pace * cases / 60,
    }


def _document(
    known: "SuiteProfile",
    sized: "list[tuple[MetricProfile, RegressionSize]]",
    floors: "list[FloorSize]",
) -> dict[str, Any]:
    gate = known.suite.spec.gate
    return {
        "suite": known.suite.name,
        "cases": len(known.cases),
        "repeats": known.suite.spec.repeats,
        "alpha": gate.alpha,
        "beta": gate.beta,
        "now": _costs(known, len(known.cases)),
        "regression": [
            {
                "metric": shape.metric,
                **size._asdict(),
                "enough": shape.cases >= size.needed,
                "pass_rate": shape.rate,
                "discordance": shape.discordance,
                "youden_lower": shape.youden_lower,
                "design_effect": shape.effect,
                "needs": _costs(known, size.needed),
            }
            for shape, size in sized
        ],
        "floors": [floor._asdict() for floor in floors],
        "notes": known.notes,
    }


def _print(
    known: "SuiteProfile",
    sized: "list[tuple[MetricProfile, RegressionSize]]",
    floors: "list[FloorSize]",
) -> None:
    from rich.table import Table

    out, gate, n = console(), known.suite.spec.gate, len(known.cases)
    out.soft_wrap = True
    out.print(
        f"[bold]{known.suite.name}[/]: {_spent(_costs(known, n))},"
        f" {count(known.suite.spec.repeats, 'repeat')}. Error rates: {gate.alpha:.0%} for a wrong"
        f" FAIL, {gate.beta:.0%} for a wrong PASS; 95% to decide."
    )
    for shape, size in sized:
        out.print(f"\n[bold]{shape.metric}[/]")
        out.print(
            f"  {count(shape.cases, 'case')} can certify {_certified(size)}; {_advice(shape, size)}"
        )
        if size.needed > shape.cases == n:
            out.print(f"  That takes {_spent(_costs(known, size.needed))}.")
        out.print(
            "  At this size, early stopping (`run --stop early`) is expected to use"
            f" {size.used_same:.0%} of the calls if nothing changed, {size.used_margin:.0%} at a"
            f" drop of {_points(size.margin)}."
        )
    if floors:
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
        out.print()
        out.print(table)
    out.print("\n[dim]Based on:[/]")
    for note in dict.fromkeys(known.notes):
        out.print(f"[dim]  {note}[/]")
    out.print("[dim]Nothing was asked.[/]")


def _points(share: float) -> str:
    return f"{100 * share:.3g} points"


def _certified(size: "RegressionSize") -> str:
    return "no drop at all" if size.certifies >= 1 else f"a drop of {_points(size.certifies)}"


def _advice(shape: "MetricProfile", size: "RegressionSize") -> str:
    if shape.cases >= size.needed:
        return f"for {_points(size.margin)} {size.needed:,} would do."
    return f"for {_points(size.margin)} you need {size.needed:,}."


def _spent(costs: dict[str, Any]) -> str:
    money = (
        "cost not known (no price in the suite)"
        if costs["cost_usd"] is None
        else f"${costs['cost_usd']:.2f}"
    )
    minutes = costs["minutes"]
    time = (
        ""
        if minutes is None
        else ", under a minute"
        if minutes < 1
        else f", about {count(round(minutes), 'minute')}"
    )
    return f"{count(costs['cases'], 'case')}, {count(costs['calls'], 'call')}, {money}{time}"
