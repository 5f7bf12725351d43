"""D021: answers without knowledge, scored by the suite's own checks.

A suite that passes them can't fail. Source of the answers: measured on six public data sets, see
`benchmarks/data.py`.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from llmeval.checks.bound import BoundCheck, CheckGroup, NegatedCheck, SingleCheck
from llmeval.checks.needs import NEEDS
from llmeval.checks.spec import merge
from llmeval.core.formatting import percent
from llmeval.core.metric_ref import parse_metric_ref
from llmeval.core.records import Answer, Case, Status
from llmeval.core.templates import Template, case_values
from llmeval.datatests.findings import DataFinding, FindingLevel, SuiteCase
from llmeval.gate.rules.threshold import floor_rates
from llmeval.runner.rule_cases import WHOLE
from llmeval.runner.scoring import check_answer
from llmeval.runner.suite_checks import bound_checks, case_checks
from llmeval.stats.special.beta import beta_cdf
from llmeval.suite.loader import Suite

SAMPLE = 300
"""The most cases that are scored, as a random sample with a fixed seed."""
WARN_SHARE = 0.1
"""The share of passing cases from which one such answer is a warning."""
UNLIKELY = 0.005
"""An answer is tried on no further case when so few passes, or fewer, would have at most this
probability at the lowest share that matters.
"""
_COMMONEST = 20
_FIXED = {
    "an empty answer": "",
    "I don't know.": "I don't know.",
    "I have no comment.": "I have no comment.",
    "Yes. No.": "Yes. No.",
    "the numbers 0 to 100": " ".join(map(str, range(101))),
}
_FIX = (
    "Add a check that such an answer fails, for example `max_words`, or make the references more"
    " specific"
)


@dataclass
class _Passes:
    """The results of one kind of answer. Keys of the counters: metric, and slice or None."""

    cases: int = 0
    whole: int = 0
    """Cases that pass every check."""
    counted: Counter[tuple[str, tuple[str, str] | None]] = field(default_factory=Counter)
    passed: Counter[tuple[str, tuple[str, str] | None]] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)

    def add(self, case: Case, statuses: Mapping[str, Status]) -> None:
        whole = bool(statuses) and all(status is Status.PASS for status in statuses.values())
        self.cases += 1
        self.whole += whole
        if whole:
            self.ids.append(case.id)
        marks = {name: status is Status.PASS for name, status in statuses.items()} | {WHOLE: whole}
        for name, passed in marks.items():
            for where in (None, *case.tags.items()):
                self.counted[name, where] += 1
                self.passed[name, where] += passed

    def rate(self, key: str) -> float | None:
        """The pass rate that a floor is about; None if it is about no case."""
        metric, where = parse_metric_ref(key)
        counted = self.counted[metric, where]
        return self.passed[metric, where] / counted if counted else None


class DegenerateAnswers:
    """D021: whether answers without knowledge pass the checks of the suite.

    Args:
        suite: its checks and its gate.
    """

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._checks = bound_checks(suite)
        self._random = random.Random(suite.spec.seed)
        self._floors = floor_rates(suite.spec.gate.record().floors)
        self._cases: list[SuiteCase] = []
        self._read = 0
        self._references: Counter[str] = Counter()
        self._content = set[str]()

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`. Keeps a reservoir sample (Vitter's algorithm R)."""
        self._read += 1
        if case.case.references and len(self._references) < 50_000:
            self._references[case.case.references[0]] += 1
        if len(self._cases) < SAMPLE:
            self._cases.append(case)
        elif (place := self._random.randrange(self._read)) < SAMPLE:
            self._cases[place] = case

    def findings(self) -> Iterator[DataFinding]:
        """An error for each answer that passes the gate, or a floor on content; a warning for each
        answer that passes 10 % of the cases.
        """
        for name, passes in self._scored().items():
            reached = self._reached(passes)
            if reached:
                yield self._finding(name, passes, "error", f" and reaches {', '.join(reached)}")
            elif passes.whole >= max(2, WARN_SHARE * passes.cases):
                yield self._finding(name, passes, "warn", "")

    def _scored(self) -> dict[str, _Passes]:
        results: dict[str, _Passes] = defaultdict(_Passes)
        common = ", ".join(text for text, _ in self._references.most_common(_COMMONEST))
        prompt = self._suite.prompt()
        settled = set[str]()
        for number in self._random.sample(range(len(self._cases)), len(self._cases)):
            item = self._cases[number]
            case = item.case
            following = self._cases[(number + 1) % len(self._cases)].case
            answers = dict(_FIXED)
            answers["an echo of the prompt"] = _prompt_text(case, prompt, item.question)
            if len(self._references) > 1:
                answers[f"the {_COMMONEST} most common references"] = common
            if following.references and not set(following.references) & set(case.references):
                answers["the reference of another case"] = following.references[0]
            checks = self._checks_for(case)
            for name, text in answers.items():
                if name not in settled:
                    results[name].add(case, _statuses(checks, case, text))
                    if self._is_settled(results[name]):
                        settled.add(name)
        return results

    def _is_settled(self, passes: _Passes) -> bool:
        """Whether an answer passes so few cases that it can reach neither a floor nor 10 %.

        Floors of slices need every case.
        """
        shares = {(WHOLE, None): WARN_SHARE}
        for key, floor in self._floors.items():
            metric, where = parse_metric_ref(key)
            if where is not None:
                return False
            shares[metric, None] = min(floor, shares.get((metric, None), 1))
        return all(
            _at_most(passes.passed[key], passes.counted[key], share) <= UNLIKELY
            for key, share in shares.items()
        )

    def _checks_for(self, case: Case) -> tuple[BoundCheck, ...]:
        own = case_checks(self._suite, case) if case.checks else ()
        checks = tuple(check for check in merge(self._checks, own) if check.applies(case))
        for check in checks:
            if _compares(check):
                self._content.update(check.metrics)
        return checks

    def _reached(self, passes: _Passes) -> list[str]:
        """The rules that the answer passes: those on content, or all rules if none needs a
        judge.
        """
        gate = self._suite.spec.gate.record()
        judges = self._suite.spec.judges
        rates = {key: passes.rate(key) for key in self._floors}
        reached = {
            key: f"gate.floors.{key} ({percent(rate)} >= {percent(floor)})"
            for key, floor in self._floors.items()
            if (rate := rates[key]) is not None
            and rate >= floor
            and not (parse_metric_ref(key)[0] == WHOLE and judges)
        }
        content = [
            text
            for key, text in reached.items()
            if parse_metric_ref(key)[0] in self._content | {WHOLE}
        ]
        if content:
            return content
        if judges or gate.regression is not None or gate.limits or gate.never:
            return []
        if gate.must_pass == "all":
            return ["gate.must_pass: all"] if passes.whole == passes.cases else []
        if gate.must_pass is not None or not gate.floors:
            return []
        return list(reached.values()) if len(reached) == len(gate.floors) else []

    def _finding(
        self, name: str, passes: _Passes, level: FindingLevel, consequence: str
    ) -> DataFinding:
        sample = "" if passes.cases == self._read else f" (a sample of {self._read:,})"
        places = {item.place.id: item.place for item in self._cases}
        passing = set(passes.ids)
        chosen = [place for case_id, place in places.items() if case_id in passing]
        return DataFinding(
            rule="D021",
            level=level,
            cases=tuple(place.id for place in chosen),
            file=str(self._suite.path),
            line=self._suite.document.line(("checks",)),
            message=(
                f"the answer `{name}` passes all checks on {passes.whole:,} of {passes.cases:,}"
                f" cases{sample}{consequence}"
            ),
            fix=_FIX,
            evidence=", ".join(place.id for place in chosen[:5]),
            case_digests=tuple(place.digest for place in chosen),
        )


def _at_most(passed: int, n: int, share: float) -> float:
    """The probability of at most `passed` successes in `n` trials with the probability `share`."""
    return 1.0 if passed >= n else 1 - beta_cdf(share, passed + 1, n - passed)


def _prompt_text(case: Case, prompt: list[tuple[str, Template]], question: str) -> str:
    """The last message to the candidate; the question if the suite has no prompt."""
    if case.messages:
        return case.messages[-1].content
    return prompt[-1][1].render(case_values(case)) if prompt else question


def _statuses(checks: tuple[BoundCheck, ...], case: Case, text: str) -> dict[str, Status]:
    """By metric. A check that waits is not run, because it may call a model; it counts as an
    error.
    """
    answer = Answer(case_id=case.id, output=text)
    statuses: dict[str, Status] = {}
    for check in checks:
        if check.waits:
            statuses[check.metric] = Status.ERROR
            continue
        for score in check_answer(check, case, answer):
            if score.status is not Status.NOT_APPLICABLE:
                statuses[score.metric] = score.status
    return statuses


def _compares(check: BoundCheck) -> bool:
    """Whether a check compares the answer with data of the case."""
    if isinstance(check, NegatedCheck):
        return False
    if isinstance(check, CheckGroup):
        return any(map(_compares, check.members))
    return isinstance(check, SingleCheck) and (
        check.kind.name in NEEDS or "{{" in str(dict(check.arguments))
    )
