"""`llmeval compare --live STABLE CANARY`: is the canary worse than the stable version?

Both files are traffic, as for `monitor`, and the suite's checks and judges score them. The test is
valid whenever one stops, so a schedule may call it until it decides.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmeval.api.day_validity import InvalidDayError, invalid_judge, invalid_run, write_sample
from llmeval.api.traffic_suite import monitor_of, traffic_suite
from llmeval.core.errors import ExitCode, NothingEvaluated, UsageError
from llmeval.core.records import Status
from llmeval.governance.audit import AUDIT, append_event
from llmeval.governance.canonical import canonical_bytes, sha256_of
from llmeval.monitor.live_blocks import LiveAnswer, live_blocks
from llmeval.monitor.traffic import SamplingTerms, sample_traffic, sampled_rows
from llmeval.suite.loader import Suite
from llmeval.suite.monitor_schema import MonitorSpec

if TYPE_CHECKING:
    from llmeval.api.view import Run
    from llmeval.store.run_observer import RunObserver

ALPHA = 0.05
MARGIN = 0.05
_ACTOR = "llmeval compare"


class LiveMetric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of both versions. Rates and differences are shares."""

    metric: str
    """Name of the metric."""
    word: str
    """`worse`, `not worse`, or `not decided`."""
    stable: float | None
    """Mean score of the stable version; null without a score."""
    canary: float | None
    """Mean score of the canary; null without a score."""
    difference: float | None
    """Mean of the blocks, canary minus stable; null without a block."""
    low: float
    """Lower bound of the difference at 95 %, valid whenever one stops."""
    high: float
    """Upper bound, as `low`."""
    p_worse: float
    """Of "the canary is not worse"."""
    p_not_worse: float
    """Of "the canary is worse by the margin"."""
    blocks: int
    """Differences that the tests read."""
    missing: tuple[int, int] = (0, 0)
    """Missing scores of the stable version and of the canary. They count as the worst case."""


class LiveComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A canary next to the stable version."""

    schema: int = 1
    suite: str
    state: str
    """`not worse`, `worse`, `not decided`, or `invalid`."""
    exit_code: int
    """0, 1, 4 or 3."""
    margin: float
    """The largest fall that is accepted, in (0, 1)."""
    answers: tuple[int, int]
    """Of the stable version and of the canary."""
    paired: bool
    """Whether both versions answered the same trace ids."""
    since: str
    """Time of the first answer of the canary; earlier answers do not count."""
    left_out: int
    """Answers without a counterpart."""
    repeated: int
    """Later answers of a session, which count once."""
    metrics: tuple[LiveMetric, ...] = ()
    reason: str = ""
    """Why it is invalid."""


@dataclass(frozen=True, slots=True)
class _Side:
    """The scored answers of one version, by metric."""

    answers: int
    by_metric: dict[str, list[LiveAnswer]]
    problem: InvalidDayError | None


def compare_live(
    suite: Suite,
    stable: Path,
    canary: Path,
    *,
    margin: float = MARGIN,
    now: datetime | None = None,
    observers: "Sequence[RunObserver]" = (),
) -> LiveComparison:
    """Compare the answers of two versions to live traffic.

    Args:
        suite: a suite with `monitor`; its `metrics`, `map` and `redact` hold here too.
        stable, canary: a file or folder of traffic each.
        margin: the largest fall of a metric that is accepted, in (0, 1).
        now: the time, UTC; by default that of the machine.
        observers: follow the scoring.

    Raises:
        SuiteError: the suite has no monitor. UsageError: a file can't be read, or both are the
            same. NothingEvaluated: one of them has no answer.
    """
    if stable.resolve() == canary.resolve():
        raise UsageError(
            f"{canary}: the traffic of the canary is that of the stable version. A version is not"
            " compared with itself"
        )
    spec = monitor_of(suite)
    moment = now or datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="llmeval-live-") as folder:
        work = Path(folder)
        second = _draw(spec, canary, moment, work / "canary")
        since = min(at for at, _ in second.values())
        first = _draw(spec, stable, moment, work / "stable", since)
        sides = [
            _scored(suite, spec, work / name, drawn, observers)
            for name, drawn in (("stable", first), ("canary", second))
        ]
    result = _compared(suite.name, spec.metrics, sides[0], sides[1], margin, since)
    _note(suite, result)
    return result


_Drawn = dict[str, tuple[str, str | None]]
"""(time, cluster) by id."""


def _draw(spec: MonitorSpec, source: Path, now: datetime, folder: Path, since: str = "") -> _Drawn:
    """Write the answers of a source from a time on to files of cases and answers."""
    rows = folder / "days"
    rows.mkdir(parents=True)
    tags = tuple(each.partition("=")[0].strip() for each in spec.slices)
    terms = SamplingTerms(
        rate=1.0, now=now, mapped=spec.map, tags=tags, redact=spec.redact, today=True
    )
    sample = sample_traffic(source, terms, rows)
    drawn: _Drawn = {}
    chosen = folder / "chosen.jsonl"
    with chosen.open("wb") as file:
        for day in sorted(sample.days):
            for row in sampled_rows(rows / f"{day}.jsonl"):
                if row.at >= since:
                    cluster = row.case.get("cluster")
                    drawn[row.id] = (row.at, None if cluster is None else str(cluster))
                    file.write(msgspec.json.encode(row) + b"\n")
    if not drawn:
        when = f" from {since} on" if since else ""
        aside = ", ".join(f"{n:,}: {why}" for why, n in sorted(sample.set_aside.items()))
        raise NothingEvaluated(
            f"{source}: there is no answer{when}" + (f" (set aside: {aside})" if aside else "")
        )
    write_sample(chosen, folder / "scored", folder / "partial")
    return drawn


def _scored(
    suite: Suite,
    spec: MonitorSpec,
    folder: Path,
    drawn: _Drawn,
    observers: "Sequence[RunObserver]",
) -> _Side:
    from llmeval.api.running import carry_out
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan

    files = folder / "scored"
    scored = traffic_suite(suite, spec, files / "cases.jsonl", files / "answers.jsonl")
    options = Options(out=folder / "run", reports=folder)
    run = carry_out(plan(scored, options), options, observers)
    by_metric: dict[str, list[LiveAnswer]] = {}
    for metric in spec.metrics:
        by_metric[metric] = list(_answers(run, metric, drawn))
    problem = invalid_judge(run) or invalid_run(run)
    if run.manifest.status != "complete":
        problem = InvalidDayError("run", f"the scoring is not complete: {run.reason}")
    return _Side(len(drawn), by_metric, problem)


def _answers(run: "Run", metric: str, drawn: _Drawn) -> Iterator[LiveAnswer]:
    """The scores of a metric. An answer to which it does not apply is left out."""
    scores = {key[0]: block for key, block in run.directory.scores()}
    for identifier, (at, cluster) in drawn.items():
        own = next((each for each in scores.get(identifier, ()) if each.metric == metric), None)
        if own is not None and own.status is Status.NOT_APPLICABLE:
            continue
        value = None if own is None or own.status not in (Status.PASS, Status.FAIL) else own.value
        yield LiveAnswer(identifier, at, cluster, value)


def _compared(
    suite: str, metrics: Sequence[str], stable: _Side, canary: _Side, margin: float, since: str
) -> LiveComparison:
    problem = stable.problem or canary.problem
    rows, paired, left_out, repeated = [], False, 0, 0
    for metric in metrics:
        blocks = live_blocks(stable.by_metric[metric], canary.by_metric[metric])
        # worse: any metric may show it, so they share the rate; not worse: all of them must
        seen = blocks.tested(margin, ALPHA, ALPHA / len(metrics))
        sides = (stable.by_metric[metric], canary.by_metric[metric])
        rows.append(
            LiveMetric(
                metric=metric,
                word=seen.first or "not decided",
                stable=_mean(sides[0]),
                canary=_mean(sides[1]),
                difference=seen.mean,
                low=seen.low,
                high=seen.high,
                p_worse=seen.p_worse,
                p_not_worse=seen.p_not_worse,
                blocks=seen.blocks,
                missing=(_missing(sides[0]), _missing(sides[1])),
            )
        )
        paired, left_out = blocks.paired, max(left_out, blocks.left_out)
        repeated = max(repeated, blocks.repeated)
    state, code = _state([row.word for row in rows], problem)
    return LiveComparison(
        suite=suite,
        state=state,
        exit_code=int(code),
        margin=margin,
        answers=(stable.answers, canary.answers),
        paired=paired,
        since=since,
        left_out=left_out,
        repeated=repeated,
        metrics=tuple(rows),
        reason="" if problem is None else str(problem),
    )


def _state(words: Sequence[str], problem: InvalidDayError | None) -> tuple[str, ExitCode]:
    if problem is not None:
        return "invalid", ExitCode.INVALID
    if "worse" in words:
        return "worse", ExitCode.GATE_FAILED
    if all(word == "not worse" for word in words):
        return "not worse", ExitCode.PASS
    return "not decided", ExitCode.INCONCLUSIVE


def _mean(answers: Sequence[LiveAnswer]) -> float | None:
    values = [each.score for each in answers if each.score is not None]
    return sum(values) / len(values) if values else None


def _missing(answers: Sequence[LiveAnswer]) -> int:
    return sum(each.score is None for each in answers)


def _note(suite: Suite, result: LiveComparison) -> None:
    """Add a decision to the audit chain of the suite, where there is one."""
    chain = suite.base / AUDIT
    if chain.exists() and result.state in ("worse", "not worse"):
        digest = sha256_of(canonical_bytes(msgspec.to_builtins(result)))
        figures = "; ".join(
            f"{row.metric}: {row.low:+.3f} to {row.high:+.3f}" for row in result.metrics
        )
        note = f"the canary is {result.state} ({figures})"
        append_event(chain, _ACTOR, "canary compared", f"suite {suite.name}", digest, note)
