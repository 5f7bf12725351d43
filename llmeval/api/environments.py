"""The manifest that a run of a suite would begin with, before any run."""

import asyncio
from pathlib import Path

from llmeval.core.manifest import Manifest
from llmeval.runner.manifest import make_manifest
from llmeval.runner.options import Options
from llmeval.runner.plan import plan
from llmeval.suite.loader import load_suite


def planned_manifest(suite: str | Path, environment: str | None = None) -> Manifest:
    """The manifest of a run that would begin now. No model is called.

    Args:
        suite: the suite's file.
        environment: one of the suite's environments; None for the suite as it is.

    Raises:
        SuiteError, UsageError: anything that would go wrong for every case.
        NothingEvaluated: no case is left.
    """
    options = Options()
    planned = plan(load_suite(Path(suite), environment), options, trial=True)
    try:
        return make_manifest(planned, options, "planned")
    finally:
        asyncio.run(planned.close())
