"""The checks that lists show first, and the order of all checks for people."""

from collections.abc import Iterable

from llmeval.checks.base import CheckType

MOST_USED = {
    "facts": "the answer states the reference, however it is worded",
    "choice": "multiple choice",
    "exact_match": "short answers, by the SQuAD metric",
    "token_f1": "short answers with partial credit, by the SQuAD metric",
    "contains": "a text that must be there",
    "contains_none": "texts that must not be there",
    "equals": "an exact output, such as a label",
    "one_of": "classification",
    "regex": "a pattern",
    "number": "a numeric answer",
    "json_schema": "structured output",
    "json_equals": "structured output with a known value",
    "max_words": "the length",
    "language": "the language of the answer",
    "punctuation": "clean prose",
    "no_preamble": "no chatter before the answer",
    "refusal": "refusals, wanted (`refusal`) or not (`not: refusal`)",
    "no_pii": "personal data",
    "tool_call": "agents",
    "max_latency": "the response time",
}
"""Twenty checks, each with what people use it for: one or two of each kind of suite that the
tutorial, the sample suites and the importers write. Change this list with those."""

LAST_GROUP = "ifeval"
"""Benchmark instructions: a third of all checks, and none that a suite of one's own starts with."""


def in_order(kinds: Iterable[CheckType]) -> list[tuple[str, list[CheckType]]]:
    """Checks under headings for people: the most used, then each group by name, IFEval last."""
    by_name = {kind.name: kind for kind in kinds}
    first = [by_name.pop(name) for name in MOST_USED if name in by_name]
    groups: dict[str, list[CheckType]] = {}
    for kind in sorted(
        by_name.values(), key=lambda kind: (kind.group == LAST_GROUP, kind.group, kind.name)
    ):
        groups.setdefault(kind.group, []).append(kind)
    return [("most used", first), *groups.items()]
