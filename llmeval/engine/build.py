"""From what a suite says to what runs: models, limiters, checks and judges, all of it checked before the first call."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from llmeval.checks.spec import Bound, SpecError, bind, merge
from llmeval.engine.budget import Budget
from llmeval.engine.judges import (
    calibrations_of,
    certificate_of,
    criteria_of,
    judge_warnings,
    make_judge,
    protocol_of,
    refuse_self_judge,
)
from llmeval.engine.options import Options
from llmeval.engine.seats import LOCAL_CONCURRENCY, Factory, Seat
from llmeval.engine.shards import Shard
from llmeval.errors import NothingEvaluated, SuiteError, UsageError
from llmeval.judge.bench import Judging
from llmeval.judge.calibrate import Calibration
from llmeval.judge.certificate import Trust, parts_of, trust
from llmeval.models.base import Model
from llmeval.models.cache import Cache
from llmeval.models.caller import Caller
from llmeval.models.limiter import Limiter
from llmeval.models.loading import load_function
from llmeval.models.replay import StoredAnswers
from llmeval.records import Answer, Case, Message, Score
from llmeval.resources import home
from llmeval.rundir import RunDir
from llmeval.suite.cases import CaseSet
from llmeval.suite.load import Suite
from llmeval.suite.quarantine import Quarantine, read_quarantine
from llmeval.suite.schema import (
    ModelBase,
    ModelSpec,
    ReplayModel,
    TransformersModel,
)
from llmeval.suite.yamlfile import Path as KeyPath
from llmeval.templates import Template, case_values, is_template


@dataclass
class Plan:
    """Everything a run needs. `close` releases models and cache.

    `in_turn`: all answers first, then all verdicts, as the candidate's weights and a judge's do not fit in memory
    together. `may_stop`: the cases stand in a random order, and the run ends as soon as every rule is decided. `shard`: the part of the cases that `cases` is;
    `whole`: how many all are, and their digest. `known`: the verdict on an answer that needs no judge, by metric.
    `calibrations`: by metric, what mends a judge's probabilities. `past`: from the manifest and a metric, (changed, anchors) of
    earlier runs, the oldest first.
    """

    suite: Suite
    cases: CaseSet
    prompt: list[tuple[str, Template]]
    candidate: Seat
    judges: dict[str, Judging]
    judge_seats: dict[str, tuple[Seat, ...]]
    trusts: dict[str, Trust]
    checks: tuple[Bound, ...]
    cache: Cache | None
    budget: Budget
    quarantine: Quarantine = field(default_factory=Quarantine)
    by_case: bool = False
    in_turn: bool = False
    may_stop: bool = False
    shard: Shard | None = None
    whole: tuple[int, str] = (0, "")
    known: Callable[[str, Case, Answer], Score | None] = lambda metric, case, answer: None
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    past: Callable[[dict[str, Any], str], list[tuple[int, int]]] = lambda manifest, metric: []
    closing: list[Model] = field(default_factory=list)

    @property
    def tries_judges(self) -> bool:
        """Whether this run tries the judges' attacks and anchors; of several shards the first does, for all."""
        return self.shard is None or self.shard.first

    def messages(self, case: Case) -> tuple[Message, ...]:
        """What the candidate is sent for a case: the case's own messages, or the suite's prompt rendered.

        Raises:
            SuiteError: a template uses what the case does not have.
        """
        if case.messages:
            return case.messages
        values = case_values(case)
        return tuple(Message(role, template.render(values)) for role, template in self.prompt)

    def checks_for(self, case: Case) -> tuple[Bound, ...]:
        """The suite's checks and the case's own."""
        return merge(self.checks, case_checks(self.suite, case)) if case.checks else self.checks

    async def close(self) -> None:
        """Close every model and the cache."""
        for model in self.closing:
            await model.close()
        if self.cache is not None:
            self.cache.close()


def plan(
    suite: Suite, options: Options, stored: RunDir | None = None, only: Callable[[Case], bool] | None = None
) -> Plan:
    """Build and check everything.

    Args:
        suite: what to ask, and how to score.
        options: where the run goes and how far.
        stored: a run whose answers are scored again; then no candidate is made or asked.
        only: which cases; all by default.

    Raises:
        UsageError, SuiteError: anything that would go wrong for every case; nothing was called.
        NothingEvaluated: no case is left.
    """
    if options.concurrency < 1:
        raise UsageError(f"--concurrency must be at least 1, not {options.concurrency}")
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit must be at least 1, not {options.limit}")
    baseline_of(suite, options)
    prompt, checks, cases = _inspected(suite, options.limit)
    if only is not None:
        cases.keep(only)
    if not len(cases):
        raise NothingEvaluated(f"{suite.path}: the suite selects no case, so nothing was evaluated")
    quarantine = _quarantine(suite, cases)
    whole = (len(cases), cases.digest)
    if options.shard is not None:
        cases.keep(options.shard.holds)
    may_stop = _may_stop(suite, options)
    if may_stop:
        cases.shuffle(suite.spec.seed)
    cache = Cache(home()) if options.use_cache else None
    budget = Budget(options.max_calls, options.max_cost, options.max_minutes)
    factory = Factory(suite, options, cache, budget)
    candidate = (
        _stored_candidate(stored) if stored is not None else factory.seat("candidate", *_candidate(suite, options))
    )
    seats = {name: factory.bench(name, spec) for name, spec in suite.spec.judges.items()}
    judges = {name: make_judge(suite, name, bench) for name, bench in seats.items()}
    refuse_self_judge(suite, candidate, seats)
    trusts = {name: trust(judge.digest, certificate_of(suite, name), parts_of(judge)) for name, judge in judges.items()}
    return Plan(
        suite=suite, cases=cases, prompt=prompt, candidate=candidate, judges=judges, judge_seats=seats, trusts=trusts,
        calibrations=calibrations_of(suite, judges),
        checks=checks, quarantine=quarantine, cache=cache, budget=budget, by_case=isinstance(candidate.spec, ReplayModel),
        in_turn=_too_large_together(candidate, itertools.chain(*seats.values())), may_stop=may_stop,
        closing=factory.models(), shard=options.shard, whole=whole,
    )  # fmt: skip


def baseline_of(suite: Suite, options: Options) -> Path | None:
    """What the run is compared with: a lock file or a run's directory; None without a rule of regression.

    Raises:
        UsageError: one is given but nothing uses it, or is needed but not given, or `--baseline` does not exist.
    """
    regression, given = suite.spec.gate.regression, options.baseline
    if regression is None:
        if given is not None:
            raise UsageError(
                f"--baseline {given}: {suite.path} compares nothing; say what with `gate: {{regression: {{margins: ...}}}}`"
            )
        return None
    if given is not None:
        if not given.exists():
            raise UsageError(f"--baseline {given}: there is no such file or directory")
        return given.resolve()
    if regression.baseline is None:
        raise suite.error(("gate", "regression"), "names no `baseline`, and there is no --baseline")
    return (suite.base / regression.baseline).resolve()


def _may_stop(suite: Suite, options: Options) -> bool:
    """Whether the run may stop before its last case. A shard may not: the looks at the data would be several.

    Raises:
        UsageError: it is asked to, and there is no rule to be decided, or it is a shard.
    """
    gate = suite.spec.gate
    if options.shard is not None:
        if options.stop == "early":
            raise UsageError("--shard with --stop early: a part can't tell when the whole is decided; leave one away")
        return False
    early = (options.stop or gate.stop) == "early"
    if early and not gate.floors and gate.regression is None:
        raise UsageError(
            f"{suite.path}: to stop early takes a rule to be decided; add `floors` or `regression` to its `gate`"
        )
    return early


def inspect_suite(suite: Suite, watch: Callable[[Case], None] = lambda case: None) -> dict[str, Any]:
    """Check a suite and every case without making any model; what it consists of.

    Args:
        watch: is given each case.

    Raises:
        SuiteError: anything wrong.
    """
    _, checks, cases = _inspected(suite, None, watch)
    if suite.spec.candidate is not None and isinstance(suite.spec.candidate, str):
        suite.model_exists(suite.spec.candidate, ("candidate",))
    for name, judge in suite.spec.judges.items():
        for key, reference in judge.models:
            if isinstance(reference, str):
                suite.model_exists(reference, ("judges", name, *key))
        criteria_of(suite, name, protocol_of(suite, name))
    gate, quarantine = suite.spec.gate, _quarantine(suite, cases)
    margins = gate.regression.margins if gate.regression is not None else {}
    return {
        "suite": suite.name,
        "cases": len(cases),
        "cases_digest": cases.digest,
        "checks": [bound.metric for bound in checks],
        "judges": list(suite.spec.judges),
        "warnings": [*judge_warnings(suite), *quarantine.warnings],
        "quarantined": [entry.case_id for entry in quarantine.cases],
        "rules": [f"floor {key}" for key in gate.floors] + [f"regression {key}" for key in margins],
    }


def _quarantine(suite: Suite, cases: CaseSet) -> Quarantine:
    return read_quarantine(suite, lambda: {case.id for case in cases}, partial=cases.partial)


def _inspected(
    suite: Suite, limit: int | None, watch: Callable[[Case], None] = lambda case: None
) -> tuple[list[tuple[str, Template]], tuple[Bound, ...], CaseSet]:
    """Prompt, checks and cases, all tried."""
    prompt = suite.prompt()
    checks = _bound(suite, suite.spec.checks, ("checks",))
    inspect = _inspector(suite, prompt, checks)

    def look(case: Case) -> None:
        inspect(case)
        watch(case)

    cases = CaseSet(suite, limit, inspect=look)
    if len(cases):
        _check_rules(suite, checks, cases)
    return prompt, checks, cases


def case_checks(suite: Suite, case: Case) -> tuple[Bound, ...]:
    """A case's own checks.

    Raises:
        SuiteError: one is not valid; names the case's file and line.
    """
    try:
        return bind(case.checks, is_template=is_template, load=_loader(suite))
    except SpecError as error:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path)
        raise SuiteError(f"{case.source}: checks{where}: {error}") from None


def _bound(suite: Suite, raw: list[Any], path: KeyPath) -> tuple[Bound, ...]:
    try:
        return bind(raw, is_template=is_template, load=_loader(suite))
    except SpecError as error:
        raise suite.error((*path, *error.path), str(error)) from None


def _loader(suite: Suite) -> Callable[[str], Callable[..., Any]]:
    return lambda name: load_function(name, suite.base)


def _inspector(suite: Suite, prompt: list[tuple[str, Template]], checks: tuple[Bound, ...]) -> Callable[[Case], None]:
    """What is tried on every case before the first call."""
    scored = bool(checks or suite.spec.judges)
    needed = set().union(*(template.variables for _, template in prompt)) if prompt else set()

    def inspect(case: Case) -> None:
        if case.facts:
            _check_facts(case)
        if case.checks:
            case_checks(suite, case)
        elif not scored:
            raise SuiteError(f"{case.source}: nothing to score: neither the suite nor the case has a check or a judge")
        if case.messages:
            return
        if not prompt:
            raise SuiteError(f"{case.source}: nothing to ask: the suite has no `prompt`, the case has no `messages`")
        values = case_values(case)
        if not needed <= values.keys():
            for _, template in prompt:
                try:
                    template.render(values)
                except SuiteError as error:
                    raise SuiteError(f"{case.source}: {error}") from None

    return inspect


def _check_facts(case: Case) -> None:
    """A fact that is written wrongly would make its check an error for this case in every run."""
    from llmeval.checks.facts.schema import parse_facts

    try:
        parse_facts(case.facts)
    except ValueError as error:
        raise SuiteError(f"{case.source}: {error}") from None


def _check_rules(suite: Suite, checks: tuple[Bound, ...], cases: CaseSet) -> None:
    """A rule on a metric that nothing produces would never decide anything."""
    gate = suite.spec.gate
    known = {bound.metric for bound in checks} | set(suite.spec.judges)
    rules: list[KeyPath] = [("gate", "floors", key) for key in gate.floors]
    if gate.regression is not None:
        rules += [("gate", "regression", "margins", key) for key in gate.regression.margins]
    for path in rules:
        key = str(path[-1])
        metric = key.partition("@")[0].strip()
        if metric in known:
            continue
        known |= {bound.metric for case in cases if case.checks for bound in case_checks(suite, case)}
        if metric not in known:
            raise suite.error(
                path,
                f"no check or judge gives the metric {metric!r}; metrics here: {', '.join(sorted(known))}",
            )


def _candidate(suite: Suite, options: Options) -> tuple[str | ModelBase, KeyPath]:
    """What is under test: the suite's candidate, or `--candidate NAME` or `--candidate '{provider: ...}'`."""
    given = options.candidate
    if given is None:
        return suite.spec.candidate, ("candidate",)
    if not given.lstrip().startswith("{"):
        return given, ()
    try:
        spec: ModelBase = TypeAdapter(ModelSpec).validate_python(yaml.safe_load(given))
        return spec, ()
    except (yaml.YAMLError, ValidationError) as error:
        raise UsageError(f"--candidate {given}: not a model: {error}") from None


def _stored_candidate(stored: RunDir) -> Seat:
    """The candidate of a stored run, which is not asked again."""
    made = stored.manifest()["candidate"]
    model = StoredAnswers(made["identity"], str(stored.path))
    spec = ReplayModel(provider="replay", source=str(stored.path), params=made["params"])
    caller = Caller(model, Limiter(LOCAL_CONCURRENCY, adaptive=False), None)
    return Seat("candidate", made["name"], spec, caller, made.get("on_blocked", "missing"))


def _too_large_together(candidate: Seat, judges: Iterable[Seat]) -> bool:
    """Whether the candidate has to leave memory before a judge of local weights can be loaded."""
    local = [seat for seat in judges if isinstance(seat.spec, TransformersModel)]
    if not local or not isinstance(candidate.spec, TransformersModel):
        return False
    from llmeval.models.local.memory import fit_together

    return not fit_together(seat.caller.model.key for seat in (candidate, *local))  # type: ignore[attr-defined]
