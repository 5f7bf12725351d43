"""Functions of other packages that are called during a run. They are passed to the run, and never
stored in its plan.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from llmeval.core.data_record import DataCheckRecord
from llmeval.core.manifest import Manifest
from llmeval.core.records import Answer, Case, Score
from llmeval.runner.options import Options
from llmeval.runner.plan import RunPlan
from llmeval.runner.stopping import Watch

Verdicts = Callable[[str, Case, Answer], Score | None]
"""Called with a metric, a case and its answer. Returns the verdict that needs no call, or None."""
PastAnchors = Callable[[Manifest, str], list[tuple[int, int]]]
"""Called with a manifest and a metric. Returns (changed, anchors) of earlier runs, the oldest
first.
"""
MakeVerdicts = Callable[[RunPlan, Options], Verdicts]
"""A function of a module, which a worker in another process calls with its plan and options."""

DataTestSteps = Callable[[], Generator[None, None, DataCheckRecord]]
"""Carries out the data tests in short steps, and returns their record."""


def no_verdicts(plan: RunPlan, options: Options) -> Verdicts:
    """Each verdict needs a call."""
    return lambda metric, case, answer: None


@dataclass(frozen=True)
class RunServices:
    """The services of one run; the defaults do nothing."""

    verdicts: Verdicts = lambda metric, case, answer: None
    past_anchors: PastAnchors = lambda manifest, metric: []
    make_verdicts: MakeVerdicts = no_verdicts
    """Makes `verdicts` in a worker."""
    stopper: Watch = lambda run, manifest, order: None
    """Makes the stopper, which may end the run before its last case."""
    data_tests: DataTestSteps | None = None
    """None: this run has no data tests."""
    load_reports: Callable[[], Iterator[None]] = lambda: iter(())
    """Loads what the reports need, in short steps."""
