"""Separates the reasoning in a reply from the answer. Pure."""

from typing import NamedTuple

Tags = tuple[str, str]
"""(opening, closing)"""
THINK: Tags = ("<think>", "</think>")


class Parts(NamedTuple):
    """A reply in two parts."""

    reasoning: str | None
    """None without reasoning, or for blanks only."""
    answer: str
    closed: bool = True
    """False when the reasoning has no end: there is no answer."""


def separate(text: str, tags: Tags) -> Parts:
    """Remove the reasoning from the beginning of a reply.

    There are three forms: blocks at the beginning (`<think>...</think>answer`); a block without its
    opening tag, because the server's chat template wrote that tag into the prompt
    (`...</think>answer`); and a block that never closes, so that there is no answer. Later tags are
    part of the answer, which may be about them.
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
