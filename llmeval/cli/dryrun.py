"""`llmeval run --dry-run`: what would be asked, and about what it would cost."""

import asyncio
from typing import TYPE_CHECKING, Any

from llmeval.cli.common import console, emit

if TYPE_CHECKING:
    from llmeval.runner.options import Options
    from llmeval.suite.loader import Suite


def show_estimate(suite: "Suite", options: "Options", *, as_json: bool) -> int:
    """Print the estimate; nothing is sent."""
    from rich.table import Table

    from llmeval.runner.estimate import estimate
    from llmeval.runner.plan import plan

    planned = plan(suite, options)
    try:
        rows: list[dict[str, Any]] = estimate(planned, options.reports)
    finally:
        asyncio.run(planned.close())
    if as_json:
        emit(rows)
        return 0
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2))
    for heading in ("role", "model", "calls", "tokens in", "tokens out", "cost"):
        table.add_column(heading, justify="left" if heading in ("role", "model") else "right")
    for row in rows:
        cost = "not known" if row["cost_usd"] is None else f"${row['cost_usd']:.4f}"
        table.add_row(
            row["role"],
            row["model"],
            f"{row['calls']:,}",
            f"~{row['input_tokens']:,}",
            f"~{row['output_tokens']:,}",
            cost,
        )
    console().print(table)
    runs = sorted({row["based_on"] for row in rows if row["based_on"]})
    source = (
        f"as in run {runs[0]}"
        if runs
        else "assumed from the prompts: this candidate has no earlier run here"
    )
    console().print(
        f"[dim]Tokens {source}. Cache hits and retries are not foreseen. Nothing was sent.[/]"
    )
    return 0
