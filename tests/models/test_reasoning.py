"""Reasoning taken off a reply, by a table."""

import pytest

from llmeval.models.reasoning import THINK, Parts, Tags, separate


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("Rome", None, "Rome"),
        ("", None, ""),
        ("<think>Milan? No.</think>Rome", "Milan? No.", "Rome"),
        ("\n<think>\nMilan?\n</think>\n\nRome\n", "Milan?", "Rome\n"),
        ("<think>\n\n</think>\n\nRome", None, "Rome"),
        ("<think>one</think><think>two</think>Rome", "one\n\ntwo", "Rome"),
        ("Milan? No.\n</think>\nRome", "Milan? No.", "Rome"),
        ("</think>Rome", None, "Rome"),
        ("<think>done</think>", "done", ""),
        (
            "Rome. The tag <think> opens, and </think> closes.",
            None,
            "Rome. The tag <think> opens, and </think> closes.",
        ),
        ("<think>a</think>It ends with </think>.", "a", "It ends with </think>."),
        ("a <thinker> b", None, "a <thinker> b"),
    ],
)
def test_forms_of_reasoning(text: str, reasoning: str | None, answer: str) -> None:
    assert separate(text, THINK) == Parts(reasoning, answer)


@pytest.mark.parametrize("text", ["<think>It is", "  <think>", "<think>one</think>\n<think>two"])
def test_reasoning_that_never_ends_leaves_no_answer(text: str) -> None:
    parts = separate(text, THINK)
    assert (parts.answer, parts.closed) == ("", False)


def test_tags_of_ones_own() -> None:
    tags: Tags = ("[r]", "[/r]")
    assert separate("[r]x[/r]y", tags) == Parts("x", "y")
    assert separate("<think>x</think>y", tags) == Parts(None, "<think>x</think>y")
