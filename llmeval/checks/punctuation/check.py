"""The check `punctuation`: findings of the rules, weighed and counted."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, Field

from llmeval.checks.base import Result, check, graded, not_applicable
from llmeval.checks.punctuation.findings import find_in
from llmeval.checks.punctuation.harper import installed
from llmeval.checks.punctuation.rules import RULES, Severity, Violation
from llmeval.checks.punctuation.view import WORD, view
from llmeval.core.errors import install_hint
from llmeval.core.records import Answer, Case, Span

_WEIGHTS = {"error": 0.25, "advice": 0.05}
_SHOWN = 100
_TAG = r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*$"


def _known(rule: str) -> str:
    if rule not in RULES:
        raise ValueError(f"no rule {rule!r}; the rules are: {', '.join(RULES)}")
    return rule


def _available(expected: bool) -> bool:
    if expected and not installed():
        raise ValueError(f"harper: true needs the package harper-py: {install_hint('harper')}")
    return expected


RuleId = Annotated[str, AfterValidator(_known)]
Tag = Annotated[str, Field(pattern=_TAG)]


@check(group="punctuation", version=2)
def punctuation(
    case: Case,
    answer: Answer,
    *,
    locale: Tag | None = None,
    max_findings: Annotated[int, Field(ge=0)] = 0,
    severity: Literal["error", "advice"] = "error",
    ignore: list[RuleId] = [],  # noqa: B006
    require: list[RuleId] = [],  # noqa: B006
    harper: Annotated[bool, AfterValidator(_available)] = False,
) -> Result:
    """At most `max_findings` breaches of mechanical punctuation rules (of `severity` or graver).

    `locale`: a language tag; default: the case's field or tag `locale` or `language`, else found
    from the text. `ignore`, `require`: rules left out, and advice made an error. The value is 1 -
    the weights of the findings (error 0.25, advice 0.05) per 100 words, an answer of fewer words
    counting as 100; not below 0.
    """
    if not answer.text.strip():
        return not_applicable("the answer is empty")
    if _is_json(answer.text):
        return not_applicable("the answer is JSON, not prose")
    seen, place = view(answer.text, locale or _locale_of(case))
    matches = find_in(seen, place, fragments="short-terminal" in require, harper=harper)
    graded_findings = _graded(_complete(matches, answer), ignore, require)
    counted = [
        finding for finding, grave in graded_findings if severity == "advice" or grave == "error"
    ]
    weight = sum(_WEIGHTS[grave] for _, grave in graded_findings)
    words = sum(1 for _ in WORD.finditer(seen.text))
    value = max(0.0, 1 - weight / max(1.0, words / 100))
    spans = (
        Span(f.start, f.end, f.message, f.rule, grave) for f, grave in graded_findings[:_SHOWN]
    )
    return graded(
        value, len(counted) <= max_findings, _reason(counted, len(graded_findings)), *spans
    )


def _is_json(text: str) -> bool:
    body = text.strip()
    if (body[0], body[-1]) not in (("{", "}"), ("[", "]")):
        return False
    try:
        msgspec.json.decode(body.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _locale_of(case: Case) -> str | None:
    """The language a case states about itself."""
    for source in (case.fields, case.tags):
        for name in ("locale", "language", "lang"):
            value = source.get(name)
            if (
                isinstance(value, str)
                and 2 <= len(value.replace("_", "-").split("-")[0]) <= 3
                and value.isascii()
            ):
                return value
    return None


def _complete(matches: Sequence[Violation], answer: Answer) -> list[Violation]:
    """Without what an answer cut off at its token limit owes to the cut: its last mark, what it
    left open.
    """
    if answer.finish_reason != "length":
        return list(matches)
    end = len(answer.text.rstrip())
    cut = ("terminal", "wrong-end", "short-terminal")
    return [
        f
        for f in matches
        if not (f.rule in cut and f.end >= end - 2) and not (f.message.startswith("close "))
    ]


def _graded(
    matches: Sequence[Violation], ignore: Sequence[str], require: Sequence[str]
) -> list[tuple[Violation, Literal["error", "advice"]]]:
    result: list[tuple[Violation, Literal["error", "advice"]]] = []
    for finding in matches:
        grave: Severity = "error" if finding.rule in require else RULES[finding.rule].severity
        if grave != "off" and finding.rule not in ignore:
            result.append((finding, grave))
    return result


def _reason(counted: Sequence[Violation], total: int) -> str:
    if not counted:
        return f"no errors, {total} advice" if total else "no findings"
    by_rule = Counter(finding.rule for finding in counted)
    listed = ", ".join(f"{rule} {n}" if n > 1 else rule for rule, n in by_rule.most_common(5))
    first = counted[0]
    count = f"{len(counted)} finding{'s' * (len(counted) > 1)}"
    return f"{count}: {listed}; first at {first.start}: {first.message}"
