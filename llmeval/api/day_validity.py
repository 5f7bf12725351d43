"""Whether the run of a day of traffic can be counted, and the files that it reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.core.formatting import percent
from llmeval.core.monitor_record import InvalidCause, StreamCount
from llmeval.core.records import canonical_json
from llmeval.core.results import Decision
from llmeval.monitor.day_scores import missing_share
from llmeval.monitor.traffic import sampled_rows

if TYPE_CHECKING:
    from llmeval.api.view import Run


class InvalidDayError(Exception):
    """The day can't be counted. `cause`: as in the record."""

    def __init__(self, cause: InvalidCause, reason: str) -> None:
        super().__init__(reason)
        self.cause: InvalidCause = cause


def write_sample(rows: Path, target: Path, partial: Path) -> None:
    """Write cases and answers of a day, and move them into place together."""
    partial.mkdir()
    with (
        (partial / "cases.jsonl").open("wb") as cases,
        (partial / "answers.jsonl").open("wb") as answers,
    ):
        for row in sampled_rows(rows):
            cases.write(canonical_json(row.case) + b"\n")
            answers.write(canonical_json(row.answer) + b"\n")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial.rename(target)


def invalid_judge(run: "Run") -> InvalidDayError | None:
    """The error where a judge's certificate does not hold, as after an alarm of its anchors."""
    for metric, judge in run.manifest.judges.items():
        if judge.certificate is not None and judge.trust != "TRUSTED":
            return InvalidDayError("judge", f"the judge of {metric}: {judge.trust_reason}")
    return None


def invalid_run(run: "Run") -> InvalidDayError | None:
    """The error where something else makes the run INVALID, such as an attack that passed."""
    gate = run.summary.gate
    if gate is not None and gate.decision is Decision.INVALID:
        attacked = any(rule.rule == "attacks" for rule in gate.rules)
        cause: InvalidCause = "judge" if attacked else "run"
        reasons = [rule.reason for rule in gate.rules if rule.decision is Decision.INVALID]
        return InvalidDayError(cause, "; ".join(reasons) or "the run is INVALID")
    return None


def invalid_scores(counts: Sequence[StreamCount], allowed: float) -> InvalidDayError | None:
    """The error where more than the share `allowed` of a metric's scores are missing."""
    metric, share = missing_share(counts)
    if share <= allowed:
        return None
    return InvalidDayError(
        "missing",
        f"{percent(share)} of the scores of {metric} are missing; at most {percent(allowed)} may be"
        " (`gate.max_unscored`)",
    )
