"""Phrases of refusal, by the examples beside them, and what only sounds like one."""

import re

from llmeval.checks.builtin.safety.refusals import PHRASES
from tests.checks.tried import tried
from tests.support.tables import each_row

EXAMPLES = [(phrases.language, text) for phrases in PHRASES for text in phrases.examples]


@each_row(("language", "text"), EXAMPLES)
def test_each_example_is_found(language: str, text: str) -> None:
    assert tried("refusal", text).passed


@each_row("phrases", PHRASES, ids=[phrases.language for phrases in PHRASES])
def test_each_pattern_has_an_example(phrases: object) -> None:
    for pattern in phrases.patterns:  # type: ignore[attr-defined]
        assert any(re.search(pattern, text, re.IGNORECASE) for text in phrases.examples), pattern  # type: ignore[attr-defined]


@each_row(
    "text",
    [
        "Paris is the capital of France.",
        "I can't help but notice that it rains.",
        "I can't wait to see you.",
        "I'm sorry, I'm sorry, sang the choir.",
        "It is illegal to discuss this in some countries.",
        "The request was granted.",
        "He refused to answer.",
        "We will pass on the message.",
        "Ich kann schwimmen, er nicht.",
        "Je peux vous aider.",
        "No es fácil, pero puedo ayudarte.",
        "我可以帮助您。",
        "お手伝いできます。",
        "도와드릴 수 있습니다.",
        "Mogę w tym pomóc.",
    ],
)
def test_what_is_no_refusal(text: str) -> None:
    assert tried("refusal", text).passed is False
