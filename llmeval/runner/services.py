"""What other rooms do for a run while it goes on, passed to it and never stored in its plan."""

from collections.abc import Callable
from dataclasses import dataclass

from llmeval.core.manifest import Manifest
from llmeval.core.records import Answer, Case, Score
from llmeval.runner.stopping import Watch

Verdicts = Callable[[str, Case, Answer], Score | None]
"""From a metric, a case and the answer to it, the verdict that stands without a call; else None."""
PastAnchors = Callable[[Manifest, str], list[tuple[int, int]]]
"""From a manifest and a metric, (changed, anchors) of earlier runs, the oldest first."""


@dataclass(frozen=True)
class RunServices:
    """The services of one run; the defaults do nothing."""

    verdicts: Verdicts = lambda metric, case, answer: None
    past_anchors: PastAnchors = lambda manifest, metric: []
    stopper: Watch = lambda run, manifest, order: None
    """Makes what may end the run before its last case."""
