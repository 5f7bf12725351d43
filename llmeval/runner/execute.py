"""One run from start to end: plan, directory, pipeline, manifest."""

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from llmeval.core.errors import StoreError, UsageError
from llmeval.core.manifest import Digests, Ending, Manifest, Session
from llmeval.core.records import Case, Status, utc_now
from llmeval.runner.anchors import judge_anchors
from llmeval.runner.attacks import try_attacks
from llmeval.runner.attempts import attempt_of
from llmeval.runner.manifest import digests, make_manifest, new_run_id
from llmeval.runner.options import Options
from llmeval.runner.pipeline import Pipeline, RecordedAnswers
from llmeval.runner.plan import RunPlan
from llmeval.runner.progress import Display, NoDisplay, Progress
from llmeval.runner.scoring import fails_when_blocked
from llmeval.runner.services import RunServices
from llmeval.store.directory import ANSWERS, CASES, RECORDS, RunDir
from llmeval.store.writer import RunWriter

_IN_TURN = "first all answers, then all verdicts: both models do not fit in memory together"
_WHOLE = ("complete", "decided")
"""Endings of a run that did all it was to do."""


@dataclass(frozen=True)
class RunEnd:
    """How a run ended. `reason`: why it is not complete, for people. `wall_s`: seconds of this
    process's part.
    """

    run: RunDir
    ending: Ending
    reason: str
    wall_s: float
    warnings: tuple[str, ...] = ()


def execute(
    plan: RunPlan,
    options: Options,
    show: Callable[[Progress], Display] = lambda progress: NoDisplay(),
    stored: RunDir | None = None,
    services: RunServices = RunServices(),  # noqa: B008 (frozen)
) -> RunEnd:
    """Run a plan, or go on with it where its directory says that it began earlier.

    Args:
        plan: from `build.plan`; closed at the end.
        options: where the run goes and how far.
        show: makes the display of the progress.
        stored: a run whose answers are scored again.
        services: what other rooms do for it.

    Raises:
        UsageError: the directory holds another run.
        StoreError: the directory can't be used, or stopped being usable (the disk is full).
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(_execute(plan, options, show, stored, services))
        finally:
            runner.run(plan.close())


async def _execute(
    plan: RunPlan,
    options: Options,
    show: Callable[[Progress], Display],
    stored: RunDir | None,
    services: RunServices,
) -> RunEnd:
    run_id = new_run_id()
    path = options.out or run_folder(plan, options) / run_id
    if RunDir(path).exists():
        RunDir(
            path
        ).verify()  # before anything is appended: new digests would hide what was changed
    writer = RunWriter(path)
    try:
        before = writer.run.manifest() if writer.run.exists() else None
        manifest = _manifest(plan, options, writer, run_id, stored)
        _refuse_ended(plan, writer, before)
        if plan.may_stop:
            plan.cases.shuffle(_order_seed(manifest))
        if plan.cache is not None:
            plan.cache.run = manifest.run_id
        manifest = _begin_session(manifest, writer)
        if stored is not None:
            _copy_answers(plan, writer, stored)
        recorded = _recorded(plan, writer)
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
            for _ in order:  # all of it is written, whether a stopper takes it or not
                pass
        pipeline = Pipeline(
            plan, writer, recorded, options.concurrency, progress, services.verdicts, stopper
        )
        gc.freeze()  # what is here now stays: the collector need not look at it again and again
        started = time.monotonic()
        with show(progress):
            if plan.in_turn:
                progress.stated = _IN_TURN
                ending = await pipeline.run(scoring=False)
                if ending == "complete":
                    rest = await _after_the_answers(plan, writer, progress)
                    pipeline = pipeline.going_on(rest)
            ending = await pipeline.run()
            if ending in _WHOLE and plan.tries_judges:
                manifest = await judge_anchors(plan, writer, manifest, services.past_anchors)
                await try_attacks(plan, writer)
        wall = time.monotonic() - started
        manifest = _with_returned(_with_unfinished(plan, manifest), pipeline)
        _end_session(manifest, writer, (ending, pipeline.reason), wall)
    finally:
        writer.close()
    return RunEnd(RunDir(writer.path), ending, pipeline.reason, wall, _warnings(plan, ending))


def _warnings(plan: RunPlan, ending: Ending) -> tuple[str, ...]:
    """What came up on the way. A budget that ended the run is told as its reason."""
    found = list(plan.quarantine.warnings)
    if plan.cache is not None and plan.cache.warning:
        found.append(plan.cache.warning)
    if plan.budget.stopped is not None and ending != "budget":
        found.append(plan.budget.stopped)
    return tuple(found)


def _refuse_ended(plan: RunPlan, writer: RunWriter, before: Manifest | None) -> None:
    """Refuse a directory whose run has nothing left to do: its result of then would look like one
    of now.

    Args:
        plan: what is to be run. writer: of the run's directory. before: its manifest, as it was.

    Raises:
        UsageError: the run came to its end, and no answer was lost.
    """
    if before is None or before.status != "complete":
        return
    left = len(plan.cases) * plan.suite.spec.repeats - len(_recorded(plan, writer).scored)
    if left == 0 or before.ending == "decided":
        raise UsageError(
            f"{writer.path} holds a run that ended at {before.ended}, and nothing of it is left to"
            " ask. For a new run name another directory with --out, or leave --out away; `llmeval"
            f" report {writer.path}` shows this one"
        )


def _with_unfinished(plan: RunPlan, manifest: Manifest) -> Manifest:
    """The manifest with the calls that no record holds: those made for cases that were neither
    answered nor lost when the run ended.
    """
    roles = [("candidate", plan.candidate)]
    roles += [(f"judge:{name}", seat) for name, bench in plan.judge_seats.items() for seat in bench]
    if plan.user is not None:
        roles += [("user", role) for role in plan.user.roles]
    counts = dict(manifest.unfinished_calls)
    for role, seat in roles:
        if calls := seat.caller.sender.take_unfinished():
            counts[role] = counts.get(role, 0) + calls
    return structs.replace(manifest, unfinished_calls=counts)


def _with_returned(manifest: Manifest, pipeline: Pipeline) -> Manifest:
    """The manifest with the names and fingerprints that the candidate's endpoint returned."""
    candidate = manifest.candidate
    models, fingerprints = (pipeline.returned[key] for key in ("returned_models", "fingerprints"))
    return structs.replace(
        manifest,
        candidate=structs.replace(
            candidate,
            returned_models=tuple(sorted(models | set(candidate.returned_models))),
            fingerprints=tuple(sorted(fingerprints | set(candidate.fingerprints))),
        ),
    )


def run_folder(plan: RunPlan, options: Options) -> Path:
    """Where runs of a plan are kept. Shards lie apart: no trend shows a part."""
    return options.reports / plan.suite.name / ("" if plan.shard is None else "shards")


def _copy_answers(plan: RunPlan, writer: RunWriter, stored: RunDir) -> None:
    """The answers of a stored run to the cases of a plan, those that are not here yet. No answer is
    without its case.
    """
    there = {case.id for case in writer.run.outlines()}
    answered = writer.run.answer_offsets()
    asked, parent = set(), stored.manifest().run_id
    for case in plan.cases:
        asked.add(case.id)
        if case.id not in there:
            writer.case(case)
    for answer in stored.answers():
        if answer.case_id in asked and (answer.case_id, answer.repeat) not in answered:
            writer.answer(structs.replace(answer, reused_from=answer.reused_from or parent))
    writer.answers = 0


def _begin_session(manifest: Manifest, writer: RunWriter) -> Manifest:
    """The manifest with this process's part, as it is written. A session that was killed is given
    what it left.
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
    """Write the manifest complete: how and why this process's part ended, and what the files hold.
    `wall`: its seconds.
    """
    ending, reason = how
    now = utc_now()
    session = structs.replace(manifest.sessions[-1], ended=now, answers=writer.answers)
    writer.write_manifest(
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
    """The seed of the order of the cases: the run's id, so that no case is last in every run.

    A run that recorded none used the suite's `seed`.
    """
    return manifest.order_seed if manifest.order_seed is not None else manifest.seed or 0


def _write_order(plan: RunPlan, writer: RunWriter, recorded: RecordedAnswers) -> Iterator[Case]:
    """All planned cases, in the order they will be asked, each after it was recorded: a run that
    stops early is read by that order."""
    for case in plan.cases:
        if case.id not in recorded.cases:
            writer.case(case)
            recorded.cases.add(case.id)
        yield case


async def _after_the_answers(
    plan: RunPlan, writer: RunWriter, progress: Progress
) -> RecordedAnswers:
    """Let go of the candidate's weights; what the judges have left to do."""
    await plan.candidate.caller.model.close()
    progress.stated = ""
    return _recorded(plan, writer, lost=True)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one: a fifth less CPU a call (docs/benchmarks.md)."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _manifest(
    plan: RunPlan, options: Options, writer: RunWriter, run_id: str, stored: RunDir | None
) -> Manifest:
    """The manifest of the run that goes on here, or a new one."""
    run, source = writer.run, None if stored is None else stored.manifest()
    parent = None if source is None else source.run_id
    if not run.exists():
        if left := [name for name in RECORDS if writer.count(name)]:
            raise StoreError(
                f"{run.path} has no manifest.json but holds {', '.join(left)}: nothing says what"
                " these records are of. Name another directory with --out"
            )
        made = structs.replace(make_manifest(plan, options, run_id), parent_run=parent)
        if source is not None:
            made = structs.replace(made, user=source.user)
        counted = attempt_of(made, run_folder(plan, options), parent=source)
        made = structs.replace(made, attempt=counted)
        if stored is None or not plan.may_stop:
            return made
        # The stored answers are those of the first cases in the order of their run.
        return structs.replace(made, order_seed=_order_seed(stored.manifest()))
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
            f"{run.path} holds a run that differs in: {', '.join(changed)}. "
            "Name another directory with --out, or leave --out away for a new one"
        )
    stop = manifest.gate.stop
    if (stop == "early") != plan.may_stop:
        raise UsageError(
            f"{run.path} holds a run that began with --stop {stop}; go on with the same"
        )
    if manifest.parent_run != parent:
        raise UsageError(
            f"{run.path} holds a run with answers of its own; name another directory with --out"
        )
    # Attempts that were decided since it began count too: else runs that are interrupted, and ended
    # one after another, would each be a first one.
    counted = attempt_of(manifest, run_folder(plan, options), parent=source)
    # the records that it states are those of the run as it was
    return structs.replace(
        manifest,
        status="running",
        ended=None,
        ending=None,
        ending_reason=None,
        records=None,
        attempt=counted,
    )


def _recorded(plan: RunPlan, writer: RunWriter, *, lost: bool = False) -> RecordedAnswers:
    """What need not be asked again. Answers whose judge did not answer are scored again, and lost
    calls asked again, unless `lost` lets them be."""
    run = writer.run
    cases = {case.id for case in run.outlines()} if writer.count(CASES) else set()
    offsets = run.answer_offsets() if writer.count(ANSWERS) else {}
    if not offsets:
        return RecordedAnswers({}, set(), cases)
    failed = set()
    if not lost:
        missing = (
            a for a in run.answers() if a.error is not None and not fails_when_blocked(plan, a)
        )
        failed = {(a.case_id, a.repeat) for a in missing}
    answers = {key: offset for key, offset in offsets.items() if key not in failed}
    case_metrics = {
        case.id: {name for bound in plan.checks_for(case) for name in bound.metrics}
        for case in plan.cases
        if case.checks
    }
    common = {name for bound in plan.checks for name in bound.metrics}
    scored, checked = set(), set()
    for key, scores in run.scores():
        metrics = {score.metric for score in scores}
        expected = case_metrics.get(key[0], common) | set(plan.judges)
        unjudged = any(score.status is Status.UNSCORED and score.unanswered for score in scores)
        waits = any(score.status is Status.NOT_SCORED for score in scores)
        if key in answers and waits:
            checked.add(key)
        elif key in answers and expected <= metrics and not unjudged:
            scored.add(key)
    return RecordedAnswers(answers, scored, cases, checked)
