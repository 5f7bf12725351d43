"""Builds the plan of a run from a suite, and checks all of it before the first call."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmeval.checks.bound import BoundCheck
from llmeval.checks.spec import merge
from llmeval.core.errors import NothingEvaluated, UsageError
from llmeval.core.gate_terms import Rejudged
from llmeval.core.manifest import SelectionRecord, Undrawn
from llmeval.core.records import Case, Message
from llmeval.core.resources import home
from llmeval.core.templates import Template, case_values
from llmeval.data.cases import CaseSet
from llmeval.judges.assurance.certificate import Trust, parts_of, trust
from llmeval.judges.calibration_map import Calibration
from llmeval.judges.ensemble import MemberVerdict
from llmeval.models.base import Model
from llmeval.models.client.cache import Cache
from llmeval.models.client.reply_store import ReplyStore
from llmeval.models.client.shared_store import SharedStore
from llmeval.runner.application import Application, stated_application
from llmeval.runner.budget import Budget, refuse_unpriced
from llmeval.runner.candidate_role import stated_candidate, stored_candidate
from llmeval.runner.early_stop import ends_early, rule_warnings
from llmeval.runner.expired import ExpiredCases
from llmeval.runner.inspection import inspect_cases
from llmeval.runner.judge_factory import (
    calibrations_of,
    certificate_of,
    criteria_of,
    judge_warnings,
    make_judge,
    protocol_of,
    refuse_self_judge,
)
from llmeval.runner.model_roles import ModelRole, ModelRoles
from llmeval.runner.options import Options
from llmeval.runner.script import Script
from llmeval.runner.sharding import Shard, keep_shard
from llmeval.runner.shared_budget import SharedBudget
from llmeval.runner.simulated_user import SimulatedUser, conversation_digest, user_of
from llmeval.runner.slots import Slots
from llmeval.runner.suite_checks import case_checks
from llmeval.store.directory import RunDir
from llmeval.suite.loader import Suite
from llmeval.suite.model_schema import ReplaySpec, TransformersSpec
from llmeval.suite.quarantine import Quarantine, read_quarantine
from llmeval.suite.retired import Retirement, read_retired


@dataclass(frozen=True)
class RunPlan:
    """Everything that a run needs. `close` releases models and cache.

    `RunServices` has the functions of other packages that are called during the run.
    """

    suite: Suite
    cases: CaseSet
    """The cases of this run, in the order in which they run."""
    prompt: tuple[tuple[str, Template], ...]
    """(role, template) of each message."""
    candidate: ModelRole
    judges: Mapping[str, MemberVerdict]
    """By metric."""
    judge_roles: Mapping[str, tuple[ModelRole, ...]]
    """By metric, the models of its judge."""
    trusts: Mapping[str, Trust]
    """By metric."""
    checks: tuple[BoundCheck, ...]
    cache: ReplyStore | None
    budget: Budget
    quarantine: Quarantine = field(default_factory=Quarantine)
    retired: Retirement = field(default_factory=Retirement)
    undrawn: Undrawn | None = None
    """Of a sample: the cases of its baseline that the whole suite lacks."""
    rejudged: Rejudged | None = None
    """Of a run that scores a baseline's answers again: what it keeps of that baseline."""
    by_case: bool = False
    """Whether the candidate answers by the id of the case."""
    script: Script | None = None
    """The conversation that is played with each case; None where each is a single prompt."""
    user: SimulatedUser | None = None
    """Who plays the user of conversations; None where no model does."""
    conversation: str = ""
    """Digest of what the candidate is sent in several turns; of stored answers, what it was sent.
    """
    in_turn: bool = False
    """All answers first, then all verdicts: candidate and judge do not fit in memory together."""
    may_stop: bool = False
    """The cases are in a random order, and the run ends as soon as every rule is decided."""
    shard: Shard | None = None
    """The shard that `cases` belongs to."""
    others: tuple[CaseSet, ...] = ()
    """With `--steal`: the cases of the other shards, by shard."""
    whole: tuple[int, str] = (0, "")
    """The number of cases in all shards together, and their digest."""
    selection: SelectionRecord | None = None
    """Of a partial run: which cases it has."""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """By metric, the map that corrects a judge's probabilities."""
    warnings: tuple[str, ...] = ()
    """Warnings about the suite, for people."""
    closing: tuple[Model, ...] = ()
    """Models to close at the end."""
    traffic: Callable[[], str] = lambda: ""
    """Why requests to the endpoints wait, as a phrase for the progress line."""
    slots: Slots = field(default_factory=lambda: Slots(1))
    """Cases in flight at the same time."""

    @property
    def sampled(self) -> bool:
        """Whether the suite has more cases than this run, or than all its shards together."""
        return self.whole[0] < self.cases.of

    @property
    def tries_judges(self) -> bool:
        """Whether this run tests the judges with attacks and anchors. Of several shards only the
        first does.
        """
        return self.shard is None or self.shard.first

    def messages(self, case: Case) -> tuple[Message, ...]:
        """The messages for the candidate: the case's own messages, or the rendered prompt of the
        suite. Of a conversation, what precedes its first turn.

        Raises:
            SuiteError: a template uses a name that the case does not have.
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
    roles: ModelRoles | None = None,
) -> RunPlan:
    """Build and check everything.

    Args:
        suite: the suite.
        options: the options of the run.
        stored: a run whose answers are scored again; then the candidate is not made or called.
        only: selects cases; all by default.
        watch: called with each case of the suite.
        trial: the plan is only checked, so no local weights are read or downloaded.
        roles: the models of several plans, which share limits, cache and budget; by default the
            plan has its own.
        sizing: the plan is only sized, so a rule may be about a slice that has no case yet.

    Raises:
        UsageError, SuiteError: anything that would go wrong for every case; nothing was called.
        NothingEvaluated: no case is left.
    """
    options.check()
    baseline_of(suite, options)
    spec = suite.model(*stated_candidate(suite, options))[1] if stored is None else None
    expired = ExpiredCases()

    def inspect(case: Case) -> None:
        expired.add(case)
        watch(case)

    inspected = inspect_cases(suite, options.limit, inspect, Application(spec), sizing=sizing)
    selection, quarantine, whole = _selected(suite, options, only, inspected.cases, expired)
    others = keep_shard(suite, options.shard, inspected.cases, steal=options.steal)
    may_stop = ends_early(suite, options)
    factory = roles or make_roles(suite, options, trial=trial, sizing=sizing)
    if stored is not None:
        candidate = stored_candidate(stored)
    else:
        candidate = factory.model_role("candidate", *stated_candidate(suite, options))
    judging = {name: factory.judge_roles(name, spec) for name, spec in suite.spec.judges.items()}
    judges = {name: make_judge(suite, name, model_roles) for name, model_roles in judging.items()}
    inspected.check_judges()
    refuse_self_judge(suite, candidate, judging)
    user, members = user_of(suite, factory), tuple(itertools.chain(*judging.values()))
    called = (candidate, *members, *(() if user is None else user.roles))
    refuse_unpriced(options.max_cost, ((role.name, role.spec) for role in called))
    return RunPlan(
        suite=suite,
        cases=inspected.cases,
        prompt=tuple(inspected.prompt),
        candidate=candidate,
        judges=judges,
        judge_roles=judging,
        trusts={name: _trust(suite, name, judge) for name, judge in judges.items()},
        calibrations=calibrations_of(suite, judges),
        checks=inspected.checks,
        quarantine=quarantine,
        retired=read_retired(suite),
        cache=factory.cache,
        budget=factory.budget,
        by_case=isinstance(candidate.spec, ReplaySpec),
        script=inspected.script,
        user=user,
        conversation=(
            conversation_digest(inspected.script, user)
            if stored is None
            else stored.manifest().digests.conversation
        ),
        in_turn=not trial and _too_large_together(candidate, members),
        may_stop=may_stop,
        closing=tuple({id(each.caller.model): each.caller.model for each in called}.values()),
        traffic=factory.traffic,
        slots=factory.slots,
        shard=options.shard,
        others=others,
        whole=whole,
        selection=selection,
        warnings=(
            *suite.notes,
            *inspected.warnings,
            *judge_warnings(suite),
            *rule_warnings(suite, priced=candidate.spec.price is not None),
        ),
    )


def make_roles(
    suite: Suite, options: Options, *, trial: bool = False, sizing: bool = False
) -> ModelRoles:
    """The models of one plan, or of several that share limits, cache and budget."""
    cache: ReplyStore | None = None
    budget = Budget(options.max_calls, options.max_cost, options.max_minutes)
    if options.store is not None and not trial:
        cache = store = SharedStore(options.store, options.group)
        if options.max_cost is not None and options.group and store.writes:
            budget = SharedBudget(
                store, options.group, options.max_calls, options.max_cost, options.max_minutes
            )
    elif options.use_cache and not trial:
        cache = Cache(home(), set_aside=True)
    return ModelRoles(suite, options, cache, budget, trial=trial, sizing=sizing)


def _selected(
    suite: Suite,
    options: Options,
    only: Callable[[Case], bool] | None,
    cases: CaseSet,
    expired: ExpiredCases,
) -> tuple[SelectionRecord | None, Quarantine, tuple[int, str]]:
    """Reduce `cases` to those of this run. Returns also the number of cases in all shards, and
    their digest.
    """
    if only is not None:
        cases.keep(only)
    if not len(cases):
        raise NothingEvaluated(f"{suite.path}: the suite selects no case, so nothing was evaluated")
    selection = None if options.selection is None else options.selection.apply(cases)
    quarantine = _quarantine(suite, cases)
    if expired.cases:
        quarantine = expired.joined(quarantine, {case.id for case in cases})
    whole = (len(cases), cases.digest)
    return selection, quarantine, whole


def _trust(suite: Suite, name: str, judge: MemberVerdict) -> Trust:
    return trust(judge.digest, certificate_of(suite, name), parts_of(judge))


def baseline_of(suite: Suite, options: Options) -> Path | None:
    """The baseline of the run: a lock file or a run's directory; None without a regression rule.

    Raises:
        UsageError: a baseline is named but no rule uses it, or a rule needs one and none is named,
            or `--baseline` does not exist.
    """
    regression, stated = suite.spec.gate.regression, options.baseline
    if regression is None:
        if stated is not None:
            raise UsageError(
                f"--baseline {stated}: {suite.path} has no regression rule; add one with `gate:"
                " {regression: {margins: ...}}`"
            )
        return None
    if stated is not None:
        if not stated.exists():
            raise UsageError(f"--baseline {stated}: there is no such file or directory")
        return stated.resolve()
    if regression.baseline is None:
        raise suite.error(
            ("gate", "regression"),
            "no baseline to compare with: name one with `baseline:`, or give --baseline",
        )
    return (suite.base / regression.baseline).resolve()


def inspect_suite(
    suite: Suite, watch: Callable[[Case], None] = lambda case: None
) -> dict[str, Any]:
    """Check a suite and every case without making a model. Returns the parts of the suite.

    Args:
        watch: called with each case.

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
    warnings = (*suite.notes, *inspected.warnings, *judge_warnings(suite))
    return _facts(suite, inspected.cases, inspected.checks, quarantine, warnings)


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
) -> dict[str, object]:
    return {
        "suite": suite.name,
        "cases": len(cases),
        "cases_digest": cases.digest,
        "checks": [bound.metric for bound in checks],
        "metrics": [*(name for bound in checks for name in bound.metrics), *suite.spec.judges],
        "judges": list(suite.spec.judges),
        "warnings": [*warnings, *quarantine.warnings],
        "quarantined": [entry.case_id for entry in quarantine.cases],
        "rules": suite.spec.gate.rule_names,
    }


def _quarantine(suite: Suite, cases: CaseSet) -> Quarantine:
    return read_quarantine(suite, lambda: {case.id for case in cases}, partial=cases.partial)


def _too_large_together(candidate: ModelRole, judges: Iterable[ModelRole]) -> bool:
    """Whether the candidate must be freed before a local judge can be loaded."""
    local = [role for role in judges if isinstance(role.spec, TransformersSpec)]
    if not local or not isinstance(candidate.spec, TransformersSpec):
        return False
    from llmeval.models.local.memory import fit_together
    from llmeval.models.local.provider import TransformersModel

    models = [role.caller.model for role in (candidate, *local)]
    return not fit_together(each.key for each in models if isinstance(each, TransformersModel))
