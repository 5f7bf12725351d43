"""`llmeval status`: what has to be renewed."""

from pathlib import Path

from llmeval.cli.common import Env, Json, Reports, SuitePath, console, emit


def status(
    suite: SuitePath, env: Env = None, reports: Reports = Path("reports"), as_json: Json = False
) -> int:
    """Show which parts are fresh, due or overdue: model, data, judges, baseline, labels.

    Exit code 0: nothing is overdue. 1: something is, or its age is unknown.
    """
    from datetime import UTC, datetime

    from rich.table import Table

    from llmeval.api.status import status_of
    from llmeval.core.errors import ExitCode
    from llmeval.suite.loader import load_suite

    now = datetime.now(UTC)
    loaded = load_suite(suite, env)
    parts = status_of(loaded, reports)
    overdue = any(part.state(now) == "overdue" for part in parts)
    if as_json:
        rows = []
        for part in parts:
            age = part.age(now)
            rows.append(
                {
                    "part": part.part,
                    "state": part.state(now),
                    "since": None if part.since is None else part.since.isoformat(),
                    "age_days": None if age is None else round(age.total_seconds() / 86400, 2),
                    "max_age_days": part.max_days,
                }
            )
        emit({"schema": 1, "suite": loaded.name, "overdue": overdue, "parts": rows})
        return ExitCode.GATE_FAILED if overdue else ExitCode.PASS
    table = Table(box=None, pad_edge=False)
    for name in ("part", "state", "age", "allowed", "counted from"):
        table.add_column(name, no_wrap=name == "part")
    for part in parts:
        age = part.age(now)
        shown = "unknown" if age is None else f"{age.days} days"
        table.add_row(part.part, part.state(now), shown, f"{part.max_days} days", part.source)
    console().print(table)
    return ExitCode.GATE_FAILED if overdue else ExitCode.PASS
