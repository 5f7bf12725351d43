"""A line of `draws.jsonl`: which answers were drawn to be labelled."""

import msgspec

from llmeval.core.records import SCHEMA


class Stratum(msgspec.Struct, frozen=True):
    """A part of the run's answers, by verdict and by what gave it; or a class of its paired
    cases.
    """

    verdict: str
    """pass or fail; of paired cases both_pass, fell, rose or both_fail."""
    source: str
    """check, judge, or pair."""
    answers: int
    """How many the run has; of paired cases, how many cases."""
    drawn: int
    """How many of them were drawn."""

    @property
    def probability(self) -> float:
        """With which each of its answers was drawn."""
        return self.drawn / self.answers


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """One draw: the same metric, n and seed draw the same answers of the same run."""

    schema: int = SCHEMA
    """The format of the run directory."""
    draw_id: str
    """Unique."""
    run_id: str
    """The run whose answers were drawn."""
    metric: str
    """The metric to label."""
    n: int
    """How many were to be drawn."""
    seed: int
    """Of the random draw."""
    strata: tuple[Stratum, ...]
    """Parts of the run's answers, each drawn from by itself."""
    drawn: dict[str, int]
    """Key of an answer (`case_id` and repeat) -> its stratum."""
    baseline: str | None = None
    """The run id of the baseline, where both answers of each case were drawn to decide a
    regression; null where a judge is measured.
    """
    baseline_outputs: dict[str, str] = {}
    """Of such a draw, key -> sha256 of the text of the baseline's answer."""

    @property
    def pairs(self) -> bool:
        """Whether both answers of each case were drawn."""
        return self.baseline is not None
