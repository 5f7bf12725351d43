"""Help texts keep their sentences whole on a narrow terminal."""

import pytest

from llmeval.cli.help_text import joined
from tests.support.command import llmeval


@pytest.mark.parametrize(
    ("docstring", "text"),
    [
        ("One sentence\nin two lines.", "One sentence in two lines."),
        ("First.\n\nSecond\nparagraph.", "First.\n\nSecond paragraph."),
        ("A list:\n- one\n- two\n  more", "A list:\n- one\n- two\n  more"),
        ("Code:\n    x = 1\n    y = 2", "Code:\n    x = 1\n    y = 2"),
    ],
)
def test_lines_of_a_paragraph_are_joined(docstring: str, text: str) -> None:
    assert joined(docstring) == text


def test_a_summary_is_not_broken_within_a_sentence() -> None:
    shown = llmeval("--help").stdout
    assert "Size a suite: the cases, calls, cost and time that its decisions" in shown
