"""Checking a suite as a run does before its first call, without a call."""

import asyncio
from typing import Any

from llmeval.api.own_thread import own_loop
from llmeval.api.retiring import check_retired
from llmeval.api.view import PathLike
from llmeval.suite.loader import Suite, load_suite


@own_loop
def validate(suite: PathLike | Suite, *, environment: str | None = None) -> dict[str, Any]:
    """What a suite consists of, and warnings; what ends a run before its first call is an error.

    Models are made and functions imported as for a run. Nothing is called or downloaded, and no
    weights are read.

    Args:
        suite: a suite file, or one that is loaded.
        environment: a name under the suite's `environments`.

    Returns:
        `suite`, `cases` (how many), `cases_digest`, `checks`, `judges`, `metrics` (of the suite's
        checks and judges), `quarantined`, `rules` and `warnings`.

    Raises:
        UsageError, SuiteError: anything wrong. NothingEvaluated: the suite has no case.
        StoreError: the baseline is a run that can't be read.
    """
    from llmeval.gate.rules.threshold import floor_rates
    from llmeval.planning.attainability import Attainability
    from llmeval.planning.margin_reach import counted, never_decided, rules_of
    from llmeval.runner.options import Options
    from llmeval.runner.plan import facts_of, plan

    loaded = suite if isinstance(suite, Suite) else load_suite(suite, environment)
    gate = loaded.spec.gate
    alpha, _ = gate.first_rates
    attainability = Attainability(
        floor_rates(gate.record().floors), alpha, early=gate.stop == "early"
    )
    planned = plan(loaded, Options(), watch=attainability.add, trial=True)
    try:
        check_retired(loaded, planned.retired, planned.cases)
        facts = facts_of(planned)
    finally:
        asyncio.run(planned.close())
    warnings = [*facts["warnings"], *_baseline(loaded), *attainability.warnings()]
    return {**facts, "warnings": [*warnings, *never_decided(rules_of(planned), counted(planned))]}


def _baseline(suite: Suite) -> list[str]:
    """Read the baseline, where there is one; a warning where there is none yet."""
    from llmeval.gate.baseline import read_baseline
    from llmeval.runner.options import Options
    from llmeval.runner.plan import baseline_of

    path = baseline_of(suite, Options())
    if path is not None and path.exists():
        read_baseline(path)
    if path is None or path.exists():
        return []
    return [
        f"gate.regression.baseline: there is no {path} yet, so the run will be INVALID. `llmeval"
        " baseline approve` makes a run the baseline"
    ]
