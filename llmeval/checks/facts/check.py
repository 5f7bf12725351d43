"""The check `facts`: whether an answer states what it should, and nothing against it."""

from math import prod
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from llmeval.checks.arguments import Share
from llmeval.checks.base import Result, check, graded, not_applicable
from llmeval.checks.facts.answer import AnswerAnalysis, locale_of
from llmeval.checks.facts.compiled import ExpectedFact, compile_facts, from_references
from llmeval.checks.facts.schema import Fact, parse_argument, parse_facts
from llmeval.checks.facts.verdict import FactFinding, FactVerdict, weigh
from llmeval.checks.reading.payload import MAX_CHARS, too_long
from llmeval.core.errors import CheckError
from llmeval.core.question import question_of
from llmeval.core.records import Answer, Case, Span

_FACT = Fact.model_json_schema(ref_template="#/$defs/{model}")
_SCHEMA = {
    "anyOf": [{"type": ["string", "number", "boolean", "array", "null"]}, {"type": "object"}]
}
Facts = Annotated[tuple[Fact, ...], BeforeValidator(parse_argument), WithJsonSchema(_SCHEMA)]
"""A value, a fact, or a list of them."""
_SHOWN = 3


@check(group="facts", version=2)
def facts(
    case: Case,
    answer: Answer,
    *,
    must: Facts = (),
    must_not: Facts = (),
    at_least: Share = 1.0,
    cap: bool = True,
    locale: str = "",
) -> Result:
    """The answer states the facts of `must`, else of the case, else one of its references.

    `must`: each of these has to be stated; `must_not`: none of these may be, other than to deny it.
    The value is the weighted share that is supported; it passes from `at_least` on. A contradicted
    fact, or one that must not be mentioned, makes it 0 (`cap: false` leaves the share, but the
    check still fails). `locale` (`de`, `en-US`): how the answer writes numbers and dates; by
    default the case's field or tag `locale`, `language` or `lang`, else what the text shows.
    `confidence` is calibrated on public human verdicts and on near misses; below 0.9 ask a judge.

    What is nearly right is wrong. A name with another word in it, another number, letter or compass
    point, a longer name around it (`South Sudan` for `Sudan`) or another known word spelled alike
    is another thing; a name may be shortened by titles, first and middle names, and lengthened by
    them. A number has to be equal after conversion of units, unless a `tolerance`, the question or
    the reference ("about") allows rounding; fewer than 100, or 50 to 100, are not 100. Several
    candidates ("A or B", a list, every number), a name mentioned in passing ("a friend of X"), the
    question or a phrase of it repeated, what is said to be absent ("contains no X") and "I have no
    comment" state nothing. A sentence with two of its words exchanged is another sentence. Where
    the text gives a final answer (`\\boxed{}`, "The answer is"), or corrects itself, that counts.

    A pass has a confidence of at most 0.85 where the answer gives an opinion ("probably"), a part
    of a name or term, or a list of which most is not among the references.

    Negation is read in English, German, French, Spanish, Italian, Portuguese, Dutch, Chinese and
    Japanese. In 20 other languages the check sees a negation and leaves the verdict to a judge: it
    fails, with a confidence of 0.6.
    """
    too_long(answer.text, MAX_CHARS, "facts")
    question = question_of(case)
    locale = locale or locale_of(case)
    compiled = _compiled(case, must, must_not, question, locale)
    if not compiled:
        return not_applicable("the case has neither facts nor references")
    parsed = AnswerAnalysis(answer.text, question, _subjects(compiled), locale)
    parsed.right = _right(compiled)
    return _result([weigh(fact, parsed) for fact in compiled], at_least, cap)


def _compiled(
    case: Case, must: tuple[Fact, ...], must_not: tuple[Fact, ...], question: str, locale: str
) -> tuple[ExpectedFact, ...]:
    if must or must_not:
        banned = [fact.model_copy(update={"role": "must_not_mention"}) for fact in must_not]
        return compile_facts([*must, *banned], question, locale)
    if case.facts:
        try:
            return compile_facts(parse_facts(case.facts), question, locale)
        except ValueError as error:
            raise CheckError(f"facts: {error}") from None
    references = tuple(text for text in case.references if text.strip())
    return (from_references(references, question, locale),) if references else ()


def _right(compiled: tuple[ExpectedFact, ...]) -> tuple[frozenset[str], ...]:
    """The stems of every value that is right for some fact; a list of these is no list of
    candidates."""
    values = (
        value for fact in compiled if fact.role != "must_not_mention" for value in fact.expected
    )
    return tuple(frozenset(value.text.content) for value in values)


def _subjects(compiled: tuple[ExpectedFact, ...]) -> tuple[str, ...]:
    return tuple(name for fact in compiled for name in fact.subject)


def _result(findings: list[FactFinding], at_least: float, cap: bool) -> Result:
    required = [finding for finding in findings if finding.fact.role == "must_mention"]
    broken = [finding for finding in findings if _breaks(finding)]
    total = sum(finding.fact.weight for finding in required)
    share = (
        sum(f.fact.weight for f in required if f.verdict is FactVerdict.SUPPORTED) / total
        if required
        else float(not broken)
    )
    passed = not broken and share >= at_least - 1e-9
    return graded(
        0.0 if broken and cap else share,
        passed,
        _reason(findings, broken, passed),
        *(span for finding in findings if (span := _span(finding)) is not None),
        confidence=_confidence(findings, broken, passed),
        details={"facts": [_detail(finding) for finding in findings]},
    )


def _breaks(finding: FactFinding) -> bool:
    """Whether the finding by itself makes the check fail."""
    if finding.fact.role == "must_not_mention":
        return finding.verdict in (FactVerdict.SUPPORTED, FactVerdict.HEDGED)
    return finding.verdict is FactVerdict.CONTRADICTED


def _fails(finding: FactFinding) -> bool:
    if finding.fact.role == "must_mention":
        return finding.verdict is not FactVerdict.SUPPORTED
    return _breaks(finding)


def _confidence(findings: list[FactFinding], broken: list[FactFinding], passed: bool) -> float:
    """P(the outcome is right): all verdicts for a pass, any one of the failing ones for a fail."""
    if passed:
        return max(0.5, prod(finding.confidence for finding in findings))
    failing = broken or [finding for finding in findings if _fails(finding)]
    return max(0.5, 1 - prod(1 - finding.confidence for finding in failing))


def _reason(findings: list[FactFinding], broken: list[FactFinding], passed: bool) -> str:
    failing = [finding for finding in findings if _fails(finding)]
    if passed and not failing:
        return findings[0].note if len(findings) == 1 else f"all {len(findings)} facts hold"
    parts = [_said(finding) for finding in (broken or failing)[:_SHOWN]]
    more = len(broken or failing) - len(parts)
    text = "; ".join(parts) + (f"; and {more} more" if more else "")
    return (
        text
        if len(findings) == 1
        else f"{len(findings) - len(failing)} of {len(findings)} facts hold: {text}"
    )


def _said(finding: FactFinding) -> str:
    """`states 330 m for height; the reference is 324 m`."""
    fact = finding.fact
    if fact.role == "must_not_mention":
        return f"{finding.note}, which must not be mentioned"
    named = f" for {fact.label}" if fact.label not in ("reference", fact.shown) else ""
    if finding.verdict is FactVerdict.CONTRADICTED:
        return f"{finding.note}{named}; the reference is {fact.shown}"
    if not finding.note:
        return f"does not state {fact.shown}{named}"
    return f"{finding.note}{named}; wanted: {fact.shown}"


def _span(finding: FactFinding) -> Span | None:
    if finding.start < 0:
        return None
    wrong = _fails(finding)
    message = f"{finding.verdict.value}: {finding.fact.label}"
    return Span(
        finding.start,
        finding.end,
        message,
        f"facts.{finding.verdict.value}",
        "error" if wrong else "info",
    )


def _detail(finding: FactFinding) -> dict[str, object]:
    fact = finding.fact
    span = [finding.start, finding.end] if finding.start >= 0 else None
    return {
        "id": fact.label,
        "role": fact.role,
        "verdict": finding.verdict.value,
        "span": span,
        "found": finding.note or "does not state it",
        "expected": fact.shown,
        "probability": round(finding.probability, 4),
    }
