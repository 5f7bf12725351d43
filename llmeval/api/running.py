"""Asking and scoring: a suite is run, a run scored again."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.api.deciding import finish, load_reports, remembered
from llmeval.api.own_thread import in_own_thread, own_loop
from llmeval.api.retiring import check_retired
from llmeval.api.sealing import seal_complete
from llmeval.api.view import PathLike, Run, load_run
from llmeval.core.errors import UsageError
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import metric_of
from llmeval.core.records import Case
from llmeval.store.directory import RunDir
from llmeval.store.run_store import RunStore
from llmeval.suite.loader import Suite, load_suite

if TYPE_CHECKING:
    import asyncio

    from llmeval.core.data_record import DataCheckRecord
    from llmeval.data.cases import CaseSet
    from llmeval.runner.options import Options
    from llmeval.runner.plan import RunPlan
    from llmeval.runner.services import DataTestSteps, RunServices, Verdicts
    from llmeval.runner.stopping import Stopper
    from llmeval.store.run_observer import RunObserver


@own_loop
def run(
    suite: PathLike | Suite,
    *,
    candidate: str | Callable[..., object] | None = None,
    build: str | None = None,
    environment: str | None = None,
    options: "Options | None" = None,
    observers: "Sequence[RunObserver]" = (),
    only: Callable[[Case], bool] | None = None,
    warn: Callable[[str], None] = lambda line: None,
) -> Run:
    """Run a suite: get the answers, score them, decide, write a report. An unfinished run in the
    same directory continues.

    It also works where an event loop is running, such as in a notebook: the run then has a thread
    and a separate loop, and the observers, `warn` and an async candidate are called there. Ctrl-C
    and "Interrupt kernel" end it so that it can continue (`Run.interrupted`).

    Args:
        suite: a suite file, or one that is loaded.
        candidate: what to test instead of the suite's candidate: a name from `models`, a
            specification as text (`{provider: ...}`), or a Python function, sync or async. A
            function gets the text of the last user message, or the whole request if its parameter
            is named `request`. It returns a text, a dict with `output`, or a `Reply`. The run
            records its module and qualified name.
        build: your name for this build of a function. Without it, a later run never reuses the
            answers of the function.
        environment: a name under the suite's `environments`.
        options: where the run goes and how far; see `llmeval.runner.options.Options`.
        observers: follow the run, such as a display of its progress; see
            `llmeval.store.run_observer.RunObserver`.
        only: which cases; all by default.
        warn: called before the first call with each warning about the suite, each rule that can
            never PASS with so few cases, and the unfinished run that this run continues
            (`Options.resume`).

    Raises:
        UsageError, SuiteError: nothing was called. NothingEvaluated: no case. StoreError: the
            directory can't be used.
    """
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan
    from llmeval.suite.matrix import with_prompt

    loaded = suite if isinstance(suite, Suite) else load_suite(suite, environment)
    chosen = _with_candidate(options or Options(), candidate, build)
    if loaded.spec.matrix is not None:
        raise loaded.error(
            ("matrix",), "this suite is a grid: call `llmeval.api.grid.run_grid`, not `run`"
        )
    if chosen.prompt is not None:
        loaded = with_prompt(loaded, chosen.prompt)
    planned = plan(loaded, chosen, only=only)
    for line in warnings_of(planned):
        warn(line)
    if only is None and planned.selection is None:
        check_retired(loaded, planned.retired, planned.cases, chosen.baseline)
    if chosen.resume and chosen.out is None:
        from llmeval.runner.resume import find_unfinished

        unfinished = find_unfinished(planned, chosen)
        if unfinished.line:
            warn(unfinished.line)
        chosen = replace(chosen, out=unfinished.path)
    tested = planned.shard is None or planned.shard.first  # all shards read the same source
    tests = partial(_data_steps, loaded, planned.cases) if tested else None
    return carry_out(planned, chosen, observers, data_tests=tests)


def _data_steps(suite: Suite, cases: "CaseSet") -> "Generator[None, None, DataCheckRecord]":
    """The data tests of a run. The first step loads their modules."""
    from llmeval.datatests.at_run import data_steps

    return (yield from data_steps(suite, cases))


async def arun(
    suite: PathLike | Suite,
    *,
    candidate: str | Callable[..., object] | None = None,
    build: str | None = None,
    environment: str | None = None,
    options: "Options | None" = None,
    observers: "Sequence[RunObserver]" = (),
    only: Callable[[Case], bool] | None = None,
    warn: Callable[[str], None] = lambda line: None,
) -> Run:
    """Run a suite as `run` does, while other tasks of the caller's loop continue.

    The run has a separate thread and loop. Cancelling the task that awaits it interrupts the
    run: calls in flight may finish, the records and the partial report are written, and then
    `asyncio.CancelledError` is raised. The same call with the same `Options.out` continues the run.

    Args:
        suite, candidate, build, environment, options, observers, only, warn: as for `run`.

    Raises:
        As `run`; CancelledError: the task was cancelled.
    """
    return await in_own_thread(
        partial(
            run,
            suite,
            candidate=candidate,
            build=build,
            environment=environment,
            options=options,
            observers=observers,
            only=only,
            warn=warn,
        )
    )


def _with_candidate(
    options: "Options", candidate: str | Callable[..., object] | None, build: str | None
) -> "Options":
    """The options with a candidate and its build.

    Raises:
        UsageError: both name a candidate, or it is neither a text nor a function.
    """
    if candidate is not None and (options.candidate, options.function) != (None, None):
        raise UsageError("`candidate` and `options` both name a candidate: state one of them")
    if isinstance(candidate, str):
        options = replace(options, candidate=candidate)
    elif callable(candidate):
        options = replace(options, function=candidate)
    elif candidate is not None:
        raise UsageError(
            f"candidate: {type(candidate).__name__} is neither the name of a model nor a function"
        )
    return options if build is None else replace(options, build=build)


def warnings_of(planned: "RunPlan") -> list[str]:
    """Warnings about the suite of a plan, and each rule that so few cases can never decide."""
    gate = planned.suite.spec.gate
    if planned.shard is not None or planned.selection is not None or not gate.decides:
        return list(planned.warnings)
    from llmeval.gate.rules.threshold import floor_rates
    from llmeval.planning.attainability import out_of_reach
    from llmeval.planning.margin_reach import counted, never_decided, rules_of

    cases = counted(planned) if gate.floors or gate.margins or gate.limits else []
    rates = floor_rates(gate.record().floors)
    return [
        *planned.warnings,
        *out_of_reach(rates, gate.first_rates[0], cases, early=planned.may_stop),
        *never_decided(rules_of(planned), cases),
    ]


def carry_out(
    planned: "RunPlan",
    options: "Options",
    observers: "Sequence[RunObserver]",
    stored: RunDir | None = None,
    runner: "asyncio.Runner | None" = None,
    data_tests: "DataTestSteps | None" = None,
) -> Run:
    """Execute a plan, with what the gate knows (verdicts of the baseline that hold, when the run
    may stop) and what earlier runs saw of the judges' anchors.

    A baseline that is there but can't be read is told before the first call; one that is not there
    yet is not.
    """
    from llmeval.runner.execute import execute
    from llmeval.runner.plan import baseline_of
    from llmeval.runner.services import RunServices

    if options.workers is not None and stored is not None:
        raise UsageError("--executor ray: stored answers are scored in one process")
    path = baseline_of(planned.suite, options)
    services = RunServices(
        past_anchors=partial(_past_anchors, options.reports / planned.suite.name),
        stopper=_stopper,
        make_verdicts=standing_verdicts,
        data_tests=data_tests,
        load_reports=load_reports,
    )
    if path is not None and path.exists():
        planned, services = _with_baseline(path, planned, services)
    outcome = execute(planned, options, observers, stored, services, runner)
    # Loaded while the calls waited (`load_reports`), so the first call is 0.1 s earlier.
    from llmeval.gate.attempts import copy_earlier, keep_earlier
    from llmeval.history.run_verdicts import RunVerdicts

    attempt = outcome.run.manifest().attempt
    if stored is None or not copy_earlier(stored.path, outcome.run.path, attempt):
        keep_earlier(outcome.run.path, outcome.attempts)
    verdicts = RunVerdicts(outcome.run.path, outcome.run.manifest())
    done = finish(
        Run(outcome.run.path, interrupted=outcome.ending == "interrupted", reason=outcome.reason),
        outcome.warnings,
        junit=options.junit,
        also=[verdicts],
    )
    done = seal_complete(done, planned.suite)
    for observer in observers:
        observer.decided(done.directory, done.summary)
    return remembered(done, verdicts)


def _with_baseline(
    path: Path, planned: "RunPlan", services: "RunServices"
) -> "tuple[RunPlan, RunServices]":
    """The plan and the services of a run that has a baseline."""
    from llmeval.gate.baseline import read_baseline
    from llmeval.gate.baseline_verdicts import known_verdicts
    from llmeval.gate.missing_cases import note_undrawn
    from llmeval.runner.manifest import scoring_of

    baseline = read_baseline(path)
    if planned.sampled:
        undrawn = note_undrawn(baseline, planned.cases.everything())
        planned = replace(planned, undrawn=undrawn)
    verdicts = known_verdicts(baseline, scoring_of(planned))
    return planned, replace(services, verdicts=verdicts)


def _past_anchors(folder: Path, manifest: Manifest, metric: str) -> list[tuple[int, int]]:
    from llmeval.history.anchor_history import past_anchors

    return past_anchors(folder, metric, manifest.judges[metric], manifest.run_id)


def _stopper(run: RunStore, manifest: Manifest, order: Iterable[Case]) -> "Stopper | None":
    from llmeval.gate.stopping import stopper

    return stopper(run, manifest, order)


def standing_verdicts(planned: "RunPlan", options: "Options") -> "Verdicts":
    """The verdicts of the baseline that need no call, for a worker in another process."""
    from llmeval.gate.baseline import read_baseline
    from llmeval.gate.baseline_verdicts import known_verdicts
    from llmeval.runner.manifest import scoring_of
    from llmeval.runner.plan import baseline_of
    from llmeval.runner.services import no_verdicts

    path = baseline_of(planned.suite, options)
    if path is None or not path.exists():
        return no_verdicts(planned, options)
    return known_verdicts(read_baseline(path), scoring_of(planned))


@own_loop
def rescore(
    path: PathLike,
    suite: PathLike | None = None,
    *,
    environment: str | None = None,
    options: "Options | None" = None,
    observers: "Sequence[RunObserver]" = (),
    trust: bool = False,
) -> Run:
    """A new run with the answers of an old one, scored by today's checks and judges; the candidate
    is not asked.

    Args:
        path: the old run's directory.
        suite: what to score by; default: the suite file of the old run.
        trust: whether code may be imported that the suite file of the old run names. A suite that
            is passed as `suite` is always trusted.

    Raises:
        As `run`; a case that the old run has no answer for becomes an error record.
    """
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan
    from llmeval.suite.matrix import with_prompt

    old = load_run(path)
    if (part := old.manifest.selection) is not None:
        raise UsageError(
            f"{path}: is a partial run ({part.n} of {part.of} cases), and a new run would look like"
            " one of the whole suite. Score a run of the whole suite"
        )
    old.directory.verify()
    chosen = options or Options()
    loaded = load_suite(suite or old.manifest.suite_file, environment or old.manifest.environment)
    loaded = replace(loaded, trusted=trust or suite is not None)
    if old.manifest.prompt is not None and suite is None:
        loaded = with_prompt(loaded, old.manifest.prompt)
    return carry_out(plan(loaded, chosen, old.directory), chosen, observers, old.directory)


@own_loop
def rejudge(
    suite: Suite,
    baseline: PathLike,
    *,
    options: "Options | None" = None,
    observers: "Sequence[RunObserver]" = (),
) -> Run | None:
    """The baseline's stored answers scored by today's judges and checks: a child run to compare
    with.

    None where the same judges and checks scored it already. Its cases are those that the suite has
    as the baseline had
    them: another case's answer says nothing. The baseline's candidate is not asked.

    Args:
        suite: what to score by; it compares something.
        baseline: the directory of the baseline's run.
        options: as for the run that is to be compared.

    Raises:
        As `run`. NothingEvaluated: no case is the same.
    """
    import asyncio

    from llmeval.gate.baseline import rejudged_of, scorer_digest
    from llmeval.planning.margin_reach import rate_margins, rules_of
    from llmeval.runner.manifest import scoring_of
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan
    from llmeval.suite.retired import Retirement

    old, regression = load_run(baseline), suite.spec.gate.regression
    digests = {case.id: case.digest for case in old.directory.outlines()}
    alone = suite.spec.gate.model_copy(update={"regression": None, "improve": {}})
    by_itself = replace(suite, spec=suite.spec.model_copy(update={"gate": alone}))
    chosen = replace(options or Options(), out=None, baseline=None, stop="never", resume=False)
    planned = plan(
        by_itself, chosen, old.directory, lambda case: digests.get(case.id) == case.digest
    )
    planned = replace(
        planned,
        rejudged=rejudged_of(old.directory, {case.id for case in planned.cases}),
        retired=Retirement(),  # retired from the run that is compared, not from its baseline
    )
    now = scoring_of(planned)
    rules = rules_of(planned)._replace(gate=suite.spec.gate.record())
    margins = rate_margins(rules, planned.cases) if regression is not None else {}
    metrics = {metric_of(key) for key in margins}
    if all(scorer_digest(now, metric) == scorer_digest(old.manifest, metric) for metric in metrics):
        asyncio.run(planned.close())
        return None
    return carry_out(planned, chosen, observers, old.directory)
