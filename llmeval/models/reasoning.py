"""Reasoning that a model writes into its reply, taken apart from the answer. Pure."""

from typing import NamedTuple

Tags = tuple[str, str]
"""(opening, closing)"""
THINK: Tags = ("<think>", "</think>")


class Parts(NamedTuple):
    """A reply in two parts."""

    reasoning: str | None
    """None where there is none, or nothing but blanks."""
    answer: str
    closed: bool = True
    """False when the reasoning has no end: there is no answer."""


def separate(text: str, tags: Tags) -> Parts:
    """Take the reasoning off the beginning of a reply.

    Three forms are known: blocks at the beginning (`<think>...</think>answer`); one without its
    opening tag, where the server's chat template wrote it into the prompt (`...</think>answer`);
    and a block that never closes, which leaves no answer. Tags further on are part of the answer:
    it may be about them.
    """
    opening, closing = tags
    if closing not in text and opening not in text:
        return Parts(None, text)
    thoughts: list[str] = []
    rest = text
    while (begun := rest.lstrip()).startswith(opening):
        inside, closed, after = begun[len(opening) :].partition(closing)
        thoughts.append(inside)
        if not closed:
            return Parts(_joined(thoughts), "", closed=False)
        rest = after.lstrip()
    if not thoughts:
        before, closed, after = text.partition(closing)
        if not closed or opening in before:
            return Parts(None, text)
        thoughts, rest = [before], after.lstrip()
    return Parts(_joined(thoughts), rest)


def _joined(thoughts: list[str]) -> str | None:
    return "\n\n".join(stripped for thought in thoughts if (stripped := thought.strip())) or None
