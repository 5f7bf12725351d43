"""From what a suite says to what runs: models, limiters, checks and judges, all of it checked
before the first call.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from llmeval.checks.bound import BoundCheck
from llmeval.checks.spec import merge
from llmeval.core.errors import NothingEvaluated, UsageError
from llmeval.core.gate_terms import Rejudged
from llmeval.core.manifest import Undrawn
from llmeval.core.records import Case, Message
from llmeval.core.resources import home
from llmeval.core.templates import Template, case_values
from llmeval.data.cases import CaseSet
from llmeval.judges.assurance.certificate import Trust, parts_of, trust
from llmeval.judges.calibration_map import Calibration
from llmeval.judges.ensemble import MemberVerdict
from llmeval.models.base import Model
from llmeval.models.client.cache import Cache
from llmeval.models.client.caller import Caller
from llmeval.models.client.limiter import Limiter
from llmeval.models.replay import StoredAnswers
from llmeval.runner.application import Application, stated_application
from llmeval.runner.budget import Budget, refuse_unpriced
from llmeval.runner.inspection import case_checks, inspect_cases
from llmeval.runner.judge_factory import (
    calibrations_of,
    certificate_of,
    criteria_of,
    judge_warnings,
    make_judge,
    protocol_of,
    refuse_self_judge,
)
from llmeval.runner.model_roles import LOCAL_CONCURRENCY, ModelRole, ModelRoles
from llmeval.runner.options import Options
from llmeval.runner.sharding import Shard
from llmeval.runner.slots import Slots
from llmeval.store.directory import RunDir
from llmeval.suite.loader import Suite
from llmeval.suite.model_schema import ModelSpec, ReplaySpec, TransformersSpec
from llmeval.suite.quarantine import Quarantine, read_quarantine
from llmeval.suite.retired import Retirement, read_retired
from llmeval.suite.yaml_file import Path as KeyPath


@dataclass(frozen=True)
class RunPlan:
    """Everything a run needs. `close` releases models and cache.

    What other rooms do while it runs is in `RunServices`.
    """

    suite: Suite
    cases: CaseSet
    """The cases of this run, in the order they are asked."""
    prompt: tuple[tuple[str, Template], ...]
    """(role, template) of each message."""
    candidate: ModelRole
    judges: Mapping[str, MemberVerdict]
    """By metric."""
    judge_seats: Mapping[str, tuple[ModelRole, ...]]
    """By metric, the models of its judge."""
    trusts: Mapping[str, Trust]
    """By metric."""
    checks: tuple[BoundCheck, ...]
    cache: Cache | None
    budget: Budget
    quarantine: Quarantine = field(default_factory=Quarantine)
    retired: Retirement = field(default_factory=Retirement)
    undrawn: Undrawn | None = None
    """Of a sample: which cases of its baseline the whole suite lacks."""
    rejudged: Rejudged | None = None
    """Of a baseline scored anew: what it is to be compared as."""
    by_case: bool = False
    """Whether the candidate answers by the id of the case."""
    in_turn: bool = False
    """All answers first, then all verdicts: candidate and judge do not fit in memory together."""
    may_stop: bool = False
    """The cases are in a random order, and the run ends as soon as every rule is decided."""
    shard: Shard | None = None
    """The part of the cases that `cases` is."""
    whole: tuple[int, str] = (0, "")
    """How many cases all shards have together, and their digest."""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """By metric, the map that corrects a judge's probabilities."""
    warnings: tuple[str, ...] = ()
    """What is odd about the suite, for people."""
    closing: tuple[Model, ...] = ()
    """Models to close at the end."""
    traffic: Callable[[], str] = lambda: ""
    """What holds the endpoints up, in words for the progress line."""
    slots: Slots = field(default_factory=lambda: Slots(1))
    """Cases worked on at a time."""

    @property
    def sampled(self) -> bool:
        """Whether the suite has more cases than this run, or all its shards together, ask."""
        return self.whole[0] < self.cases.of

    @property
    def tries_judges(self) -> bool:
        """Whether this run tries the judges' attacks and anchors; of several shards the first does,
        for all.
        """
        return self.shard is None or self.shard.first

    def messages(self, case: Case) -> tuple[Message, ...]:
        """What the candidate is sent for a case: the case's own messages, or the suite's prompt
        rendered.

        Raises:
            SuiteError: a template uses what the case does not have.
        """
        if case.messages:
            return case.messages
        values = case_values(case)
        return tuple(Message(role, template.render(values)) for role, template in self.prompt)

    def checks_for(self, case: Case) -> tuple[BoundCheck, ...]:
        """The suite's checks and the case's own."""
        return merge(self.checks, case_checks(self.suite, case)) if case.checks else self.checks

    async def close(self) -> None:
        """Close every model and the cache."""
        for model in self.closing:
            await model.close()
        if self.cache is not None:
            self.cache.close()


def plan(
    suite: Suite,
    options: Options,
    stored: RunDir | None = None,
    only: Callable[[Case], bool] | None = None,
    *,
    watch: Callable[[Case], None] = lambda case: None,
    trial: bool = False,
    sizing: bool = False,
) -> RunPlan:
    """Build and check everything.

    Args:
        suite: what to ask, and how to score.
        options: where the run goes and how far.
        stored: a run whose answers are scored again; then no candidate is made or asked.
        only: which cases; all by default.
        watch: is given each case of the suite.
        trial: the plan is only to be checked, so no local weights are read or downloaded.
        sizing: the plan is only to be sized, so a rule may be about a slice that has no case yet.

    Raises:
        UsageError, SuiteError: anything that would go wrong for every case; nothing was called.
        NothingEvaluated: no case is left.
    """
    _check_options(options)
    baseline_of(suite, options)
    spec = suite.model(*_candidate(suite, options))[1] if stored is None else None
    inspected = inspect_cases(suite, options.limit, watch, Application(spec), sizing=sizing)
    quarantine, whole = _selected(suite, options, only, inspected.cases)
    may_stop = _may_stop(suite, options)
    cache = Cache(home()) if options.use_cache and not trial else None
    budget = Budget(options.max_calls, options.max_cost, options.max_minutes)
    factory = ModelRoles(suite, options, cache, budget, trial=trial)
    if stored is not None:
        candidate = _stored_candidate(stored)
    else:
        candidate = factory.seat("candidate", *_candidate(suite, options))
    seats = {name: factory.bench(name, spec) for name, spec in suite.spec.judges.items()}
    judges = {name: make_judge(suite, name, bench) for name, bench in seats.items()}
    inspected.check_judges()
    refuse_self_judge(suite, candidate, seats)
    asked = (candidate, *itertools.chain(*seats.values()))
    refuse_unpriced(options.max_cost, ((seat.name, seat.spec) for seat in asked))
    return RunPlan(
        suite=suite,
        cases=inspected.cases,
        prompt=tuple(inspected.prompt),
        candidate=candidate,
        judges=judges,
        judge_seats=seats,
        trusts={name: _trust(suite, name, judge) for name, judge in judges.items()},
        calibrations=calibrations_of(suite, judges),
        checks=inspected.checks,
        quarantine=quarantine,
        retired=read_retired(suite),
        cache=cache,
        budget=budget,
        by_case=isinstance(candidate.spec, ReplaySpec),
        in_turn=not trial and _too_large_together(candidate, asked[1:]),
        may_stop=may_stop,
        closing=tuple(factory.models()),
        traffic=factory.traffic,
        slots=factory.slots,
        shard=options.shard,
        whole=whole,
        warnings=(*inspected.warnings, *judge_warnings(suite)),
    )


def _check_options(options: Options) -> None:
    if options.concurrency < 1:
        raise UsageError(f"--concurrency must be at least 1, not {options.concurrency}")
    if (not options.use_cache) + options.reuse + options.refresh > 1:
        raise UsageError("--no-cache, --reuse and --refresh exclude one another: give one of them")
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit must be at least 1, not {options.limit}")
    bounds = {
        "--max-calls": options.max_calls,
        "--max-cost": options.max_cost,
        "--max-minutes": options.max_minutes,
    }
    for name, most in bounds.items():
        if most is not None and not 0 <= most < math.inf:  # nan too: no figure is above it
            raise UsageError(f"{name} must be a number from 0 on, not {most}")


def _selected(
    suite: Suite,
    options: Options,
    only: Callable[[Case], bool] | None,
    cases: CaseSet,
) -> tuple[Quarantine, tuple[int, str]]:
    """Leaves the cases of this run in `cases`; how many all shards have together, and their
    digest.
    """
    if only is not None:
        cases.keep(only)
    if not len(cases):
        raise NothingEvaluated(f"{suite.path}: the suite selects no case, so nothing was evaluated")
    quarantine = _quarantine(suite, cases)
    whole = (len(cases), cases.digest)
    if options.shard is not None:
        cases.keep(options.shard.holds)
    return quarantine, whole


def _trust(suite: Suite, name: str, judge: MemberVerdict) -> Trust:
    return trust(judge.digest, certificate_of(suite, name), parts_of(judge))


def baseline_of(suite: Suite, options: Options) -> Path | None:
    """What the run is compared with: a lock file or a run's directory; None without a rule of
    regression.

    Raises:
        UsageError: one is given but nothing uses it, or is needed but not given, or `--baseline`
            does not exist.
    """
    regression, given = suite.spec.gate.regression, options.baseline
    if regression is None:
        if given is not None:
            raise UsageError(
                f"--baseline {given}: {suite.path} compares nothing; say what with `gate:"
                " {regression: {margins: ...}}`"
            )
        return None
    if given is not None:
        if not given.exists():
            raise UsageError(f"--baseline {given}: there is no such file or directory")
        return given.resolve()
    if regression.baseline is None:
        raise suite.error(
            ("gate", "regression"),
            "no baseline to compare with: name one with `baseline:`, or give --baseline",
        )
    return (suite.base / regression.baseline).resolve()


def _may_stop(suite: Suite, options: Options) -> bool:
    """Whether the run may stop before its last case. A shard may not: the looks at the data would
    be several.

    Raises:
        UsageError: it is asked to, and there is no rule to be decided, or it is a shard.
    """
    gate = suite.spec.gate
    if options.shard is not None:
        if options.stop == "early":
            raise UsageError(
                "--shard with --stop early: a part can't tell when the whole is decided; leave one"
                " away"
            )
        return False
    early = (options.stop or gate.stop) == "early"
    if early and not gate.decides:
        raise UsageError(
            f"{suite.path}: --stop early needs at least one rule, and the suite says `gate: none`"
        )
    return early


def inspect_suite(
    suite: Suite, watch: Callable[[Case], None] = lambda case: None
) -> dict[str, Any]:
    """Check a suite and every case without making any model; what it consists of.

    Args:
        watch: is given each case.

    Raises:
        SuiteError: anything wrong.
    """
    inspected = inspect_cases(suite, None, watch, stated_application(suite))
    for name, judge in suite.spec.judges.items():
        for key, reference in judge.models:
            if isinstance(reference, str):
                suite.model_exists(reference, ("judges", name, *key))
        criteria_of(suite, name, protocol_of(suite, name))
    inspected.check_judges()
    quarantine = _quarantine(suite, inspected.cases)
    return _facts(
        suite,
        inspected.cases,
        inspected.checks,
        quarantine,
        (*inspected.warnings, *judge_warnings(suite)),
    )


def facts_of(planned: RunPlan) -> dict[str, Any]:
    """The same of a plan."""
    return _facts(
        planned.suite, planned.cases, planned.checks, planned.quarantine, planned.warnings
    )


def _facts(
    suite: Suite,
    cases: CaseSet,
    checks: tuple[BoundCheck, ...],
    quarantine: Quarantine,
    warnings: tuple[str, ...],
) -> dict[str, Any]:
    gate = suite.spec.gate.record()
    return {
        "suite": suite.name,
        "cases": len(cases),
        "cases_digest": cases.digest,
        "checks": [bound.metric for bound in checks],
        "metrics": [*(name for bound in checks for name in bound.metrics), *suite.spec.judges],
        "judges": list(suite.spec.judges),
        "warnings": [*warnings, *quarantine.warnings],
        "quarantined": [entry.case_id for entry in quarantine.cases],
        "rules": (
            (["must_pass"] if gate.must_pass else [])
            + [f"floor {key}" for key in gate.floors]
            + [f"regression {key}" for key in gate.margins]
            + [f"release {key}" for key in gate.release_margins]
        ),
    }


def _quarantine(suite: Suite, cases: CaseSet) -> Quarantine:
    return read_quarantine(suite, lambda: {case.id for case in cases}, partial=cases.partial)


def _candidate(suite: Suite, options: Options) -> tuple[str | ModelSpec, KeyPath]:
    """What is under test: the suite's candidate, or `--candidate NAME` or `--candidate '{provider:
    ...}'`.
    """
    given = options.candidate
    if given is None:
        return suite.spec.candidate, ("candidate",)
    if not given.lstrip().startswith("{"):
        return given, ()
    try:
        spec: ModelSpec = TypeAdapter(ModelSpec).validate_python(yaml.safe_load(given))
        return spec, ()
    except (yaml.YAMLError, ValidationError) as error:
        raise UsageError(f"--candidate {given}: not a model: {error}") from None


def _stored_candidate(stored: RunDir) -> ModelRole:
    """The candidate of a stored run, which is not asked again."""
    candidate = stored.manifest().candidate
    model = StoredAnswers(candidate.identity, str(stored.path))
    spec = ReplaySpec(provider="replay", source=str(stored.path), params=candidate.params)
    caller = Caller(model, Limiter(LOCAL_CONCURRENCY, adaptive=False), None)
    return ModelRole("candidate", candidate.name, spec, caller, candidate.on_blocked)


def _too_large_together(candidate: ModelRole, judges: Iterable[ModelRole]) -> bool:
    """Whether the candidate has to leave memory before a judge of local weights can be loaded."""
    local = [seat for seat in judges if isinstance(seat.spec, TransformersSpec)]
    if not local or not isinstance(candidate.spec, TransformersSpec):
        return False
    from llmeval.models.local.memory import fit_together

    return not fit_together(seat.caller.model.key for seat in (candidate, *local))  # type: ignore[attr-defined]
