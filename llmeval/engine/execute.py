"""One run from start to end: plan, directory, pipeline, manifest."""

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmeval.engine.anchors import judge_anchors
from llmeval.engine.attacks import try_attacks
from llmeval.engine.build import Plan
from llmeval.engine.manifest import digests, make_manifest, new_run_id
from llmeval.engine.options import Options
from llmeval.engine.pipeline import Ending, Pipeline, Recorded
from llmeval.engine.progress import Display, NoDisplay, Progress
from llmeval.engine.scoring import fails_when_blocked
from llmeval.engine.stopping import Stopper, Watch
from llmeval.engine.store import RunWriter
from llmeval.errors import UsageError
from llmeval.records import Status, utc_now
from llmeval.rundir import RunDir

_WHOLE = ("complete", "decided")
"""Endings of a run that did all it was to do."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `reason`: why it is not complete, for people. `wall_s`: seconds of this process's part."""

    run: RunDir
    ending: Ending
    reason: str
    wall_s: float
    warnings: tuple[str, ...] = ()


def execute(
    plan: Plan,
    options: Options,
    show: Callable[[Progress], Display] = lambda progress: NoDisplay(),
    stored: RunDir | None = None,
    watch: Watch = lambda run, manifest: None,
) -> Outcome:
    """Run a plan, or go on with it where its directory says that it began earlier.

    Args:
        plan: from `build.plan`; closed at the end.
        options: where the run goes and how far.
        show: makes the display of the progress.
        stored: a run whose answers are scored again.
        watch: makes what may end the run before its last case.

    Raises:
        UsageError: the directory holds another run.
        StoreError: the directory can't be used, or stopped being usable (the disk is full).
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(_execute(plan, options, show, stored, watch))
        finally:
            runner.run(plan.close())


async def _execute(
    plan: Plan, options: Options, show: Callable[[Progress], Display], stored: RunDir | None, watch: Watch
) -> Outcome:
    run_id = new_run_id()
    folder = options.reports / plan.suite.name / ("" if plan.shard is None else "shards")  # no trend shows a part
    writer = RunWriter(options.out or folder / run_id)
    try:
        manifest = _manifest(plan, options, writer.run, run_id)
        if stored is not None and manifest["parent_run"] is None:
            manifest["parent_run"] = stored.manifest()["run_id"]
            asked = {case.id for case in plan.cases}
            for answer in stored.answers():
                if answer.case_id in asked:
                    writer.answer(answer)
        writer.write_manifest(manifest)
        recorded = _recorded(plan, writer.run)
        if plan.may_stop:
            _write_order(plan, writer, recorded)
        total = len(plan.cases) * plan.suite.spec.repeats
        progress = Progress(total=total, resumed=len(recorded.scored), done=len(recorded.scored))
        stopper = watch(writer.run, manifest) if plan.may_stop else None
        pipeline = Pipeline(plan, writer, recorded, options.concurrency, progress, stopper)
        gc.freeze()  # what is here now stays: the collector need not look at it again and again
        started = time.monotonic()
        with show(progress):
            if plan.in_turn:
                pipeline = await _answer_first(pipeline, plan, writer, options, progress, stopper)
            ending = await pipeline.run()
            if ending in _WHOLE and plan.tries_judges:
                await judge_anchors(plan, writer.run, manifest, progress)
                await try_attacks(plan, writer.run, progress)
        wall = time.monotonic() - started
        manifest.update(
            ended=utc_now(),
            status="complete" if ending in _WHOLE else "incomplete",
            wall_s=round(manifest.get("wall_s", 0.0) + wall, 3),
        )
        for key, seen in pipeline.returned.items():
            manifest["candidate"][key] = sorted(seen | set(manifest["candidate"][key]))
        writer.write_manifest(manifest)
    finally:
        writer.close()
    warnings = (plan.cache.warning,) if plan.cache is not None and plan.cache.warning else ()
    return Outcome(RunDir(writer.path), ending, pipeline.reason, wall, (*plan.quarantine.warnings, *warnings))


def _write_order(plan: Plan, writer: RunWriter, recorded: Recorded) -> None:
    """All planned cases, in the order they will be asked: a run that stops early is read by it."""
    for case in plan.cases:
        if case.id not in recorded.cases:
            writer.case(case)
            recorded.cases.add(case.id)


async def _answer_first(
    pipeline: Pipeline,
    plan: Plan,
    writer: RunWriter,
    options: Options,
    progress: Progress,
    stopper: Stopper | None,
) -> Pipeline:
    """Ask the candidate everything, let go of its weights; gives the pipeline that has the rest to do."""
    progress.note = "first all answers, then all verdicts: both models do not fit in memory together"
    ending = await pipeline.run(scoring=False)
    if ending != "complete":
        return pipeline
    await plan.candidate.caller.model.close()
    progress.note = ""
    recorded = _recorded(plan, writer.run, lost=True)
    rest = Pipeline(plan, writer, recorded, options.concurrency, progress, stopper)
    rest.returned = pipeline.returned
    return rest


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one: a fifth less CPU a call (docs/benchmarks.md)."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _manifest(plan: Plan, options: Options, run: RunDir, run_id: str) -> dict[str, Any]:
    """The manifest of the run that goes on here, or a new one."""
    if not run.exists():
        return make_manifest(plan, options, run_id)
    manifest = run.manifest()
    changed = [
        name for name, value in digests(plan).items() if manifest["digests"].get(name) != value and name != "suite"
    ]
    if changed:
        raise UsageError(
            f"{run.path} holds a run that differs in: {', '.join(changed)}. "
            "Name another directory with --out, or leave --out away for a new one"
        )
    stop = manifest["gate"].get("stop", "never")
    if (stop == "early") != plan.may_stop:
        raise UsageError(f"{run.path} holds a run that began with --stop {stop}; go on with the same")
    manifest.update(status="running", ended=None)
    return manifest


def _recorded(plan: Plan, run: RunDir, *, lost: bool = False) -> Recorded:
    """What need not be asked again. Answers whose judge did not answer are scored again, and lost calls asked again,
    unless `lost` lets them be."""
    offsets = run.answer_index()
    if not offsets:
        return Recorded({}, set(), set())
    failed = set()
    if not lost:
        missing = (a for a in run.answers() if a.error is not None and not fails_when_blocked(plan, a))
        failed = {(a.case_id, a.repeat) for a in missing}
    answers = {key: offset for key, offset in offsets.items() if key not in failed}
    case_metrics = {case.id: {b.metric for b in plan.checks_for(case)} for case in plan.cases if case.checks}
    common = {bound.metric for bound in plan.checks}
    scored = set()
    for key, scores in run.scores():
        metrics = {score.metric for score in scores}
        expected = case_metrics.get(key[0], common) | set(plan.judges)
        unjudged = any(s.status is Status.UNSCORED and s.error is not None for s in scores)
        if key in answers and expected <= metrics and not unjudged:
            scored.add(key)
    return Recorded(answers, scored, {case.id for case in run.cases()})
