"""The line of `draws/ID.jsonl`: the answers that were drawn for labelling."""

import msgspec

from llmeval.core.records import SCHEMA


class Stratum(msgspec.Struct, frozen=True):
    """A stratum: the answers of a run with the same verdict from the same source, or one class of
    its paired cases.
    """

    verdict: str
    """pass or fail; of paired cases both_pass, fell, rose or both_fail."""
    source: str
    """check, judge, or pair."""
    answers: int
    """Answers of the stratum in the run; of paired cases, how many cases."""
    drawn: int
    """Answers that were drawn from it."""

    @property
    def probability(self) -> float:
        """The probability with which each of its answers was drawn."""
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
    """The metric that is labelled."""
    n: int
    """The number of answers that the command line names."""
    seed: int
    """The seed of the random draw."""
    strata: tuple[Stratum, ...]
    """The strata. Each has its own random draw."""
    drawn: dict[str, int]
    """The stratum of each answer that was drawn, by the answer's key (`case_id` and repeat)."""
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
