"""One run from start to end: plan, directory, pipeline, manifest."""

import asyncio
import gc
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from llmeval.core.errors import StoreError, UsageError
from llmeval.core.manifest import Digests, Ending, Manifest, Session
from llmeval.core.records import Case, utc_now
from llmeval.core.used_judges import with_trust_of
from llmeval.models.base import AdaptsRequests
from llmeval.runner.anchors import judge_anchors
from llmeval.runner.attacks import try_attacks
from llmeval.runner.attempts import attempts_seen
from llmeval.runner.event_loop import loop_factory
from llmeval.runner.idle_work import IdleWork
from llmeval.runner.manifest import digests, make_manifest, new_run_id, with_unfinished
from llmeval.runner.observers import Observers
from llmeval.runner.options import Options
from llmeval.runner.plan import RunPlan
from llmeval.runner.progress import Progress
from llmeval.runner.recorded_answers import RecordedAnswers
from llmeval.runner.resumed import recorded_answers
from llmeval.runner.services import RunServices
from llmeval.runner.work_through import RunWork, work_through
from llmeval.store.directory import ANSWERS, PARTIAL, RECORDS, SHARDS, RunDir
from llmeval.store.run_observer import RunObserver, RunStart
from llmeval.store.writer import RunWriter

_WHOLE = ("complete", "decided")
"""Endings of a complete run."""


@dataclass(frozen=True)
class RunEnd:
    """How a run ended. `reason`: why it is not complete, for people. `wall_s`: duration of this
    process's part in seconds.
    """

    run: RunDir
    ending: Ending
    reason: str
    wall_s: float
    warnings: tuple[str, ...] = ()
    attempts: tuple[RunDir, ...] = ()
    """Earlier attempts of the same change that can be read, the oldest first."""


def execute(
    plan: RunPlan,
    options: Options,
    observers: Iterable[RunObserver] = (),
    stored: RunDir | None = None,
    services: RunServices = RunServices(),  # noqa: B008 (frozen)
    runner: asyncio.Runner | None = None,
) -> RunEnd:
    """Run a plan, or continue its run if the directory contains an unfinished one.

    Args:
        plan: from `build.plan`; closed at the end.
        options: the options of the run.
        observers: follow the run until it ended; see `RunObserver`.
        stored: a run whose answers are scored again.
        services: functions of other packages for the run.
        runner: the event loop of several runs that share models; they stay open. By default the run
            has its own loop, and closes its models.

    Raises:
        UsageError: the directory holds another run.
        StoreError: the directory can't be used, or stopped being usable (the disk is full).
    """
    work_of_run = _execute(plan, options, Observers(observers), stored, services)
    if runner is not None:
        return runner.run(work_of_run)
    with asyncio.Runner(loop_factory=loop_factory()) as own:
        try:
            return own.run(work_of_run)
        finally:
            own.run(plan.close())


async def _execute(
    plan: RunPlan,
    options: Options,
    observers: Observers,
    stored: RunDir | None,
    services: RunServices,
) -> RunEnd:
    run_id = options.run_id or new_run_id()
    path = options.out or run_folder(plan, options) / run_id
    if RunDir(path).exists():
        RunDir(path).verify()  # before the first append: new digests would hide earlier changes
    writer = RunWriter(path)
    try:
        before = writer.run.manifest() if writer.run.exists() else None
        manifest = _manifest(plan, options, writer, run_id, stored)
        # Attempts that were decided since it began count too: else runs that are interrupted, and
        # ended one after another, would each be a first one.
        source = None if stored is None else stored.manifest()
        seen = attempts_seen(manifest, run_folder(plan, options), parent=source)
        manifest = structs.replace(manifest, attempt=seen.record)
        _refuse_ended(plan, writer, before)
        if plan.may_stop:
            plan.cases.shuffle(_order_seed(manifest))
        if plan.cache is not None:
            plan.cache.run = manifest.run_id
        manifest = _begin_session(manifest, writer)
        if stored is not None:
            _copy_answers(plan, writer, stored)
        recorded = recorded_answers(plan, writer)
        total = len(plan.cases) * plan.suite.spec.repeats
        scored = len(recorded.scored)
        progress = Progress(
            total=total,
            resumed=scored,
            done=scored,
            counted=lambda: plan.budget.calls,
            traffic=plan.traffic,
        )
        stopper = None
        if plan.may_stop:
            order = _write_order(plan, writer, recorded)
            stopper = services.stopper(writer.run, manifest, order)
            for _ in order:  # everything is written, also if the stopper is not used
                pass
        work = RunWork(
            plan, options, services, manifest.run_id, writer, recorded, progress, stopper
        )
        gc.freeze()  # the objects that exist now live until the end, so the collector can skip them
        started = time.monotonic()
        with observers.following(RunStart(manifest, progress)) as following:
            async with IdleWork(services) as idle:
                end = await work_through(work, following)
                if end.ending in _WHOLE and plan.tries_judges:
                    manifest = await judge_anchors(plan, writer, manifest, services.past_anchors)
                    await try_attacks(plan, writer)
                if end.ending in _WHOLE or idle.done:  # else it is done again with the rest
                    data = await idle.data_record()
                    manifest = structs.replace(manifest, data=data or manifest.data)
        wall = time.monotonic() - started
        manifest = with_unfinished(plan, manifest, end.unfinished)
        manifest = _with_returned(manifest, end.returned)
        manifest = with_trust_of(manifest, end.judges)
        _end_session(manifest, writer, (end.ending, end.reason), wall)
    finally:
        writer.close()
    warnings = (*_warnings(plan, end.ending), *end.warnings)
    return RunEnd(RunDir(writer.path), end.ending, end.reason, wall, warnings, seen.runs)


def _warnings(plan: RunPlan, ending: Ending) -> tuple[str, ...]:
    """Warnings of the run. A budget that ended the run is its reason instead."""
    warnings = list(plan.quarantine.warnings)
    if plan.cache is not None and plan.cache.warning:
        warnings.append(plan.cache.warning)
    if plan.budget.stopped is not None and ending != "budget":
        warnings.append(plan.budget.stopped)
    for model in plan.closing:
        warnings += model.adaptations if isinstance(model, AdaptsRequests) else ()
    return tuple(warnings)


def _refuse_ended(plan: RunPlan, writer: RunWriter, before: Manifest | None) -> None:
    """Refuse a directory whose run is complete: its old result would look like a new one.

    Args:
        plan: the plan to run.
        writer: writes to the run's directory.
        before: the manifest before this process.

    Raises:
        UsageError: the run is complete, and no answer is missing.
    """
    if before is None or before.status != "complete":
        return
    left = len(plan.cases) * plan.suite.spec.repeats - len(recorded_answers(plan, writer).scored)
    if left == 0 or before.ending == "decided":
        raise UsageError(
            f"{writer.path} contains a run that ended at {before.ended} and is complete. For a new"
            " run name another directory with --out, or run without --out. `llmeval report"
            f" {writer.path}` shows this one"
        )


def _with_returned(manifest: Manifest, returned: Mapping[str, set[str]]) -> Manifest:
    """The manifest with the names and fingerprints that the candidate's endpoint returned."""
    candidate = manifest.candidate
    models, fingerprints = (returned.get(key, set()) for key in ("returned_models", "fingerprints"))
    return structs.replace(
        manifest,
        candidate=structs.replace(
            candidate,
            returned_models=tuple(sorted(models | set(candidate.returned_models))),
            fingerprints=tuple(sorted(fingerprints | set(candidate.fingerprints))),
        ),
    )


def run_folder(plan: RunPlan, options: Options) -> Path:
    """The folder for the runs of a plan. Shards and partial runs have separate folders, so that
    trends, `latest` and attempts contain only whole runs.
    """
    kind = "" if plan.shard is None else SHARDS
    return options.reports / plan.suite.name / (PARTIAL if plan.selection is not None else kind)


def _copy_answers(plan: RunPlan, writer: RunWriter, stored: RunDir) -> None:
    """The answers of a stored run to the cases of a plan, without those that are already recorded.
    Each answer follows its case.
    """
    there = {case.id for case in writer.run.outlines()}
    answered = writer.run.answer_offsets()
    case_ids, parent = set(), stored.manifest().run_id
    for case in plan.cases:
        case_ids.add(case.id)
        if case.id not in there:
            writer.case(case)
    for answer in stored.answers():
        if answer.case_id in case_ids and (answer.case_id, answer.repeat) not in answered:
            writer.answer(structs.replace(answer, reused_from=answer.reused_from or parent))
    writer.answers = 0


def _begin_session(manifest: Manifest, writer: RunWriter) -> Manifest:
    """The manifest with this process's part. A session that was killed gets the number of answers
    that it recorded.
    """
    sessions = list(manifest.sessions)
    if sessions and sessions[-1].ended is None and manifest.parent_run is None:
        earlier = sum(session.answers for session in sessions[:-1])
        left = max(0, writer.count(ANSWERS) - earlier)
        sessions[-1] = structs.replace(sessions[-1], answers=left)
    begun = structs.replace(manifest, sessions=(*sessions, Session(utc_now())))
    writer.write_manifest(begun)
    return begun


def _end_session(
    manifest: Manifest, writer: RunWriter, how: tuple[Ending, str], wall: float
) -> None:
    """Write the complete manifest: how and why this process's part ended, and the digests of the
    files. `wall`: the duration of the part in seconds.
    """
    ending, reason = how
    now = utc_now()
    session = structs.replace(manifest.sessions[-1], ended=now, answers=writer.answers)
    writer.end(
        structs.replace(
            manifest,
            ended=now,
            status="complete" if ending in _WHOLE else "incomplete",
            ending=ending,
            ending_reason=None if ending in _WHOLE else reason,
            wall_s=round((manifest.wall_s or 0.0) + wall, 3),
            records=writer.records(),
            sessions=(*manifest.sessions[:-1], session),
        )
    )


def _order_seed(manifest: Manifest) -> str | int:
    """The seed for the order of the cases: the run's id, so that no case is last in every run. A
    run without a recorded seed used the suite's `seed`.
    """
    return manifest.order_seed if manifest.order_seed is not None else manifest.seed or 0


def _write_order(plan: RunPlan, writer: RunWriter, recorded: RecordedAnswers) -> Iterator[Case]:
    """All planned cases in the order in which they run. Each is recorded first, because a run that
    stops early is evaluated in that order.
    """
    for case in plan.cases:
        if case.id not in recorded.cases:
            writer.case(case)
            recorded.cases.add(case.id)
        yield case


def _manifest(
    plan: RunPlan, options: Options, writer: RunWriter, run_id: str, stored: RunDir | None
) -> Manifest:
    """The manifest of the run to continue, or a new one."""
    run, source = writer.run, None if stored is None else stored.manifest()
    parent = None if source is None else source.run_id
    if not run.exists():
        if left := [name for name in RECORDS if writer.count(name)]:
            raise StoreError(
                f"{run.path} has no manifest.json but contains {', '.join(left)}, so the run of"
                " these records is unknown. Name another directory with --out"
            )
        new_manifest = structs.replace(make_manifest(plan, options, run_id), parent_run=parent)
        if source is not None:
            new_manifest = structs.replace(new_manifest, user=source.user)
        if stored is None or not plan.may_stop:
            return new_manifest
        # The stored answers belong to the first cases in the order of their run.
        return structs.replace(new_manifest, order_seed=_order_seed(stored.manifest()))
    manifest = run.manifest()
    now = digests(plan)
    changed = [
        field.name
        for field in structs.fields(Digests)
        if getattr(manifest.digests, field.name) != getattr(now, field.name)
        and field.name != "suite"
    ]
    if changed:
        raise UsageError(
            f"{run.path} contains a run that differs in: {', '.join(changed)}. "
            "For a new run name another directory with --out, or run without --out"
        )
    stop = manifest.gate.stop
    if (stop == "early") != plan.may_stop:
        raise UsageError(
            f"{run.path} contains a run that began with --stop {stop}; continue with the same value"
        )
    if manifest.parent_run != parent:
        raise UsageError(
            f"{run.path} contains a run with its own answers; name another directory with --out"
        )
    # the records that it states are those of the run as it was
    return structs.replace(
        manifest,
        status="running",
        ended=None,
        ending=None,
        ending_reason=None,
        records=None,
    )
