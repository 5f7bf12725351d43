"""Checks a suite and each of its cases before the first call. A suite that can't run or can't fail
is refused.

It is an error if all cases get the same prompt, or if nothing can be scored or decided. If this
concerns only some cases, a warning states their number and names the first.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from llmeval.checks.bound import AwaitsAnswer, BoundCheck
from llmeval.checks.spec import merge
from llmeval.core.errors import LlmevalError, SuiteError
from llmeval.core.formatting import cases_word
from llmeval.core.records import Case
from llmeval.core.templates import Template, case_values
from llmeval.data.cases import CaseSet
from llmeval.runner.application import Application
from llmeval.runner.judge_factory import protocol_of
from llmeval.runner.rule_cases import RuleTargets
from llmeval.runner.script import KEPT_GOAL, Script, script_of
from llmeval.runner.suite_checks import bound_checks, case_checks
from llmeval.suite.loader import Suite
from llmeval.suite.yaml_file import Path as KeyPath

_SINGLE_BRACE = re.compile(r"(?<!\{)\{\s*([A-Za-z_]\w*)\s*\}(?!\})")
_DATA = {
    "references": "`reference` or `references`",
    "context": "`context`",
    "criteria": "`criteria`",
}


@dataclass(frozen=True)
class Inspected:
    """The result of inspecting a suite and its cases.

    `warnings`: problems of some cases. `judgeless`: the error for a judge that applies to no case.
    Errors of the judge itself are raised before it.
    """

    prompt: list[tuple[str, Template]]
    checks: tuple[BoundCheck, ...]
    cases: CaseSet
    warnings: tuple[str, ...]
    judgeless: SuiteError | None = None
    script: Script | None = None

    def check_judges(self) -> None:
        """Refuse a judge that applies to no case. Raises SuiteError."""
        if self.judgeless is not None:
            raise self.judgeless


def inspect_cases(
    suite: Suite,
    limit: int | None,
    watch: Callable[[Case], None] = lambda case: None,
    application: Application = Application(None),  # noqa: B008 (frozen)
    *,
    sizing: bool = False,
) -> Inspected:
    """Render prompt and checks, and match the rules, for every case.

    Args:
        suite: the suite.
        limit: the most cases, as a seeded sample. In a sample (this one or the suite's own) a
            missing field is not an error, because another case may have it.
        watch: called with each case.
        application: the candidate.
        sizing: the suite is only planned: a rule may be about a slice that has no case yet.

    Raises:
        SuiteError: anything wrong; with file, line, key and the fix.
    """
    prompt, script = suite.prompt(), script_of(suite)
    checks = bound_checks(suite)
    application = replace(application, script=script)
    if problem := application.problem_of_until():
        raise suite.error(("until",), problem)
    if problem := application.problem(checks):
        raise suite.error(_output_key(suite), problem)
    inspector = _Inspector(suite, prompt, checks, application)

    def inspect(case: Case) -> None:
        inspector.inspect(case)
        watch(case)

    cases = CaseSet(suite, limit, inspect=inspect)
    if cases.partial and inspector.targets.unmet():  # a rule may be about cases outside the sample
        for case in CaseSet(_unsampled(suite)):
            inspector.targets.inspect(case, inspector.metrics.of(case, case_checks(suite, case)))
    warnings = inspector.finish(sample=cases.partial, sizing=sizing) if len(cases) else []
    return Inspected(prompt, checks, cases, tuple(warnings), inspector.judgeless, script)


def _output_key(suite: Suite) -> KeyPath:
    """The key of the suite that selects the answer from the candidate's reply."""
    name = suite.spec.candidate
    return ("models", name, "output") if isinstance(name, str) else ("candidate", "output")


def _unsampled(suite: Suite) -> Suite:
    cases = suite.spec.cases.model_copy(update={"sample": None})
    return replace(suite, spec=suite.spec.model_copy(update={"cases": cases}))


@dataclass(frozen=True)
class _Metrics:
    """Which metrics apply to a case, without an answer. `needs`: what each judge needs."""

    suite: Suite
    checks: tuple[BoundCheck, ...]
    needs: Mapping[str, str]

    def of(self, case: Case, own: Sequence[BoundCheck]) -> set[str]:
        """By their names. `own`: the case's own checks."""
        bound = merge(self.checks, own) if own else self.checks
        metrics = {name for check in bound if check.applies(case) for name in check.metrics}
        return metrics | {name for name, needs in self.needs.items() if _has(case, needs)}


def _needs(suite: Suite, name: str) -> str:
    """What a judge needs from the case: references, context, criteria or nothing."""
    protocol = protocol_of(suite, name)
    has_criteria = protocol.needs == "criteria" and (
        suite.judge(name).criteria or protocol.criteria
    )
    return "nothing" if has_criteria else protocol.needs


def _has(case: Case, needs: str) -> bool:
    if needs == "criteria":
        return bool(case.fields.get("criteria"))
    return bool(getattr(case, needs)) if needs in ("references", "context") else True


@dataclass
class _Few:
    """The cases with some property: their number, and the first."""

    n: int = 0
    first: str = ""

    def add(self, case: Case) -> None:
        self.n += 1
        self.first = self.first or f"{case.id} ({case.source})"


@dataclass
class _Inspector:
    """The inspection of every case, and of all cases together."""

    suite: Suite
    prompt: list[tuple[str, Template]]
    checks: tuple[BoundCheck, ...]
    application: Application
    cases: int = 0
    prompted: int = 0
    """Cases of which the prompt is sent."""
    unscored: _Few = field(default_factory=_Few)
    without: dict[str, _Few] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.targets = RuleTargets(self.suite)
        needs = {name: _needs(self.suite, name) for name in self.suite.spec.judges}
        self.metrics = _Metrics(self.suite, self.checks, needs)
        templates = [template for _, template in self.prompt]
        script = self.application.script
        templates += () if script is None else script.written
        self.needed = set[str]().union(*(template.variables for template in templates))
        self.needed |= set() if script is None else script.variables
        self.braces = {
            name for template in templates for name in _SINGLE_BRACE.findall(template.source)
        }
        self.used = False
        self.judgeless: SuiteError | None = None
        self.single: set[str] = set()
        blank = [
            role for role, template in self.prompt if role == "user" and not template.source.strip()
        ]
        if blank or (templates and not any(template.source.strip() for template in templates)):
            raise self.suite.error(self._key, "the prompt is empty, so the model would get no text")

    @property
    def _key(self) -> KeyPath:
        spec = self.suite.spec
        keys = {"turns": spec.turns, "user": spec.user, "messages": spec.messages}
        return (next((key for key, value in keys.items() if value is not None), "prompt"),)

    def inspect(self, case: Case) -> None:
        """Inspect one case. Raises SuiteError."""
        self.cases += 1
        if case.facts:
            _check_facts(case)
        own = case_checks(self.suite, case) if case.checks else ()
        if not (own or self.checks or self.suite.spec.judges):
            raise SuiteError(
                f"{case.source}: nothing to score: neither the suite nor the case has a check or a"
                " judge"
            )
        values = case_values(case)
        self._try_checks(case, own, values)
        self.application.try_body(case, values)
        self._try_measure(case, values)
        metrics = self.metrics.of(case, own)
        simulated = self.application.script is not None and self.application.script.user
        self.targets.inspect(case, metrics | {KEPT_GOAL} if simulated else metrics)
        if not metrics:
            self.unscored.add(case)
        for name in [bound.metric for bound in self.checks] + list(self.suite.spec.judges):
            if name not in metrics:
                self.without.setdefault(name, _Few()).add(case)
        self._try_prompt(case, values)

    def _try_prompt(self, case: Case, values: Mapping[str, object]) -> None:
        if self.application.script is not None:
            self.application.script.check(case)
        elif case.messages:
            if not any(message.content.strip() for message in case.messages):
                raise SuiteError(
                    f"{case.source}: messages: all of them are empty, so the model would get no"
                    " text"
                )
            self.application.try_images(case)
            return
        elif not self.prompt:
            raise SuiteError(
                f"{case.source}: no prompt: add a `prompt` to the suite, or `messages` to the case"
            )
        self.prompted += 1
        self.used = self.used or not self.needed.isdisjoint(values)
        self.single |= self.braces & values.keys()
        if not case.messages and not self.needed <= values.keys():
            for _, template in self.prompt:
                try:
                    template.render(values)
                except SuiteError as error:
                    raise SuiteError(f"{case.source}: {error}") from None

    def _try_checks(
        self, case: Case, own: Sequence[BoundCheck], values: Mapping[str, object]
    ) -> None:
        for bound in own:
            if message := self._problem(bound, case, values):
                raise SuiteError(f"{case.source}: checks: {message}")
        if own and (message := self.application.problem(own)):
            raise self.suite.error(_output_key(self.suite), f"{message} ({case.source})")
        for index, bound in enumerate(self.checks):
            if message := self._problem(bound, case, values):
                raise self.suite.error(
                    ("checks", index), f"{message} (case {case.id}, {case.source})"
                )

    def _try_measure(self, case: Case, values: Mapping[str, object]) -> None:
        """Refuse a number that uses what neither the case nor the answer will have."""
        for name, expression in self.suite.spec.measure.items():
            try:
                names = {"tool_calls": [], **values}
                self.application.render(expression, names, f"measure.{name}")
            except AwaitsAnswer:
                continue
            except SuiteError as error:
                raise self.suite.error(("measure", name), f"{error} ({case.source})") from None

    def _problem(self, bound: BoundCheck, case: Case, values: Mapping[str, object]) -> str | None:
        """What is wrong with a check's arguments on this case."""
        try:
            self.application.try_turns(bound, case)
            bound.prepare(case, lambda value: self.application.render(value, values, bound.metric))
        except SuiteError as error:
            return str(error)
        except (ValueError, LlmevalError) as error:
            text = str(error)
            return text if text.startswith(bound.metric) else f"{bound.metric}: {text}"
        return None

    def finish(self, *, sample: bool, sizing: bool) -> list[str]:
        """Warnings about all cases together. `sample`: the suite has more cases than these.

        Raises:
            SuiteError: the suite can't fail, or can't be decided.
        """
        if self.unscored.n == self.cases:
            raise self.suite.error(
                ("checks",),
                f"nothing to score: no check or judge applies to any case. {self._lacks()}",
            )
        self.targets.finish(sizing=sizing)
        return [*self._prompt_warnings(), *self._scoring_warnings(sample=sample)]

    def _prompt_warnings(self) -> list[str]:
        if not self.prompted:
            return []
        name = min(self.single, default="")
        fix = f"write {{{{ {name or 'question'} }}}} where the case's field goes"
        if not self.used and (self.prompted > 1 or name):
            what = f"{{{name}}} has single braces, so it is sent literally: " if name else ""
            raise self.suite.error(
                self._key,
                f"{what}the prompt uses no field of the case, so all cases would get the same"
                f" prompt; {fix}",
            )
        if not name:
            return []
        return [
            str(
                self.suite.error(
                    self._key, f"{{{name}}} has single braces, so it is sent literally; {fix}"
                )
            )
        ]

    def _scoring_warnings(self, *, sample: bool) -> Iterator[str]:
        if self.unscored.n:
            yield (
                f"no check or judge applies to {_of(self.unscored, self.cases)}: each of them"
                " will be an error"
            )
        for name, few in self.without.items():
            if few.n == self.cases and not sample:
                error = self.suite.error(
                    self._place(name), f"{name} applies to no case. {self._lacks(name)}"
                )
                if name not in self.suite.spec.judges:
                    raise error
                self.judgeless = self.judgeless or error
            elif few.n > self.unscored.n or few.n == self.cases:
                yield f"{name} does not apply to {_of(few, self.cases)}. {self._lacks(name)}"

    def _place(self, name: str) -> KeyPath:
        if name in self.suite.spec.judges:
            return ("judges", name)
        return ("checks", [bound.metric for bound in self.checks].index(name))

    def _lacks(self, name: str | None = None) -> str:
        """What the cases lack."""
        needs = None if name is None else self.metrics.needs.get(name)
        if needs is not None:
            return f"Its prompt needs {_DATA[needs]} in the case."
        return (
            "Checks compare with what the case has: `reference`, `references`, `facts` or"
            " `context`."
        )


def _of(few: _Few, cases: int) -> str:
    return f"{few.n:,} of {cases:,} {cases_word(cases)}, first {few.first}"


def _check_facts(case: Case) -> None:
    """Refuse an invalid fact: it would make the check an error for this case in every run."""
    from llmeval.checks.facts.schema import parse_facts

    try:
        parse_facts(case.facts)
    except ValueError as error:
        raise SuiteError(f"{case.source}: {error}") from None
