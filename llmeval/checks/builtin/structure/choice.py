"""The check `choice`: the answer to a multiple-choice question names the right letter, and no
other one."""

import re
import string
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from llmeval.checks.arguments import AnyText, Texts, clip
from llmeval.checks.base import Result, check, not_applicable, verdict
from llmeval.checks.builtin.structure.choice_reading import read_choice
from llmeval.checks.reading.payload import too_long
from llmeval.checks.reading.text import fold
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case, Span

_MAX_CHARS = 200_000
_DEFAULT = "ABCDEFGHIJ"
_FIELDS = ("choices", "options")
_RANGE = re.compile(r"([A-Z])\s?[-–]\s?([A-Z])")
_LETTER = re.compile(r"\W*([A-Za-z])\W*")
_LETTER_AND_TEXT = re.compile(r"\W*([A-Z])\s*[).:\-–]+\s+(\S.*)", re.DOTALL)


def _spelled_out(letters: str) -> str:
    """`A-E`, `ABCDE` and `A, B, C, D, E` are the same."""
    span = _RANGE.fullmatch(letters.strip())
    valid = string.ascii_uppercase
    matches = (
        valid[valid.index(span[1]) : valid.index(span[2]) + 1]
        if span
        else re.sub(r"[\s,/]", "", letters)
    )
    if len(matches) < 2 or len(set(matches)) < len(matches) or set(matches) - set(valid):
        raise ValueError("expected two or more capital letters, such as A-D or ABCD")
    return matches


Letters = Annotated[AnyText, AfterValidator(_spelled_out)]


@check(group="values")
def choice(
    case: Case, answer: Answer, *, letters: Letters | None = None, references: Texts | None = None
) -> Result:
    """The answer names the letter of a reference, and no other: `(B)`, `B because ...`,
    `\\boxed{B}`, `Answer: B`.

    `letters`: those that may be chosen, such as `A-D`; by default, as many as the case's field
    `choices` (or `options`) has, else A-J. A reference is a letter or, where the case states
    choices, the text of one; so may the whole answer be. An answer that names several letters, or
    none, fails.

    Raises:
        CheckError: the case's choices, or a reference, can't be read.
    """
    required = references or case.references
    if not required:
        return not_applicable("no reference: neither the case nor the check has one")
    options = _options(case)
    allowed = letters or "".join(options) or _DEFAULT
    right = {_letter_of(reference, allowed, options) for reference in required}
    too_long(answer.text, _MAX_CHARS, "a choice of letters")
    reading = read_choice(answer.text, allowed, options)
    spans = [
        Span(one.start, one.end, f"names {one.letter}", "choice", "info") for one in reading.named
    ]
    shown = ", ".join(one.letter for one in reading.named)
    if not reading.named:
        return verdict(False, f"names no letter from {allowed[0]} to {allowed[-1]}")
    if len(reading.named) > 1:
        return verdict(False, f"names several letters: {shown} ({reading.rule})", *spans)
    expected = "" if shown in right else f", not {' or '.join(sorted(right))}"
    return verdict(shown in right, f"chooses {shown}{expected} ({reading.rule})", *spans)


def _options(case: Case) -> dict[str, str]:
    """The texts of the case's choices by letter; empty where it states none.

    A list; a mapping from letter to text; or, as in ARC, a mapping of the lists `label` and `text`.
    """
    stated: object = next((case.fields[name] for name in _FIELDS if case.fields.get(name)), None)
    if isinstance(stated, Mapping) and isinstance(stated.get("text"), list | tuple):
        texts = stated["text"]
        labels = stated.get("label") or string.ascii_uppercase[: len(texts)]
        stated = (
            dict(zip(map(str, labels), texts, strict=False))
            if len(labels) == len(texts)
            else labels
        )
    elif isinstance(stated, list | tuple):
        stated = (
            dict(zip(string.ascii_uppercase, stated, strict=False)) if len(stated) <= 26 else stated
        )
    if stated is None or isinstance(
        stated, str
    ):  # a text is what the prompt shows, not what may be chosen
        return {}
    if not isinstance(stated, Mapping) or not all(
        re.fullmatch("[A-Z]", str(letter)) for letter in stated
    ):
        raise CheckError(
            "the case's choices must be a list of at most 26 texts, or a mapping of capital "
            "letters to texts"
        )
    return {str(letter): str(text) for letter, text in stated.items()}


def _letter_of(reference: str, allowed: str, options: Mapping[str, str]) -> str:
    """The letter that a reference means.

    Raises:
        CheckError: it is no allowed letter and no choice's text, or it is both, of different
        choices.
    """
    lone, both = _LETTER.fullmatch(reference), _LETTER_AND_TEXT.fullmatch(reference)
    matches = {letter for letter, text in options.items() if fold(text) == fold(reference)}
    if lone and lone[1].upper() in allowed:
        matches.add(lone[1].upper())
    elif (
        not matches
        and both
        and both[1] in allowed
        and fold(options.get(both[1], both[2])) == fold(both[2])
    ):
        matches.add(both[1])
    if len(matches) == 1:
        return matches.pop()
    if matches:
        raise CheckError(f"the reference {clip(reference)} means {' and '.join(sorted(matches))}")
    texts = " nor the text of a choice" if options else ""
    raise CheckError(
        f"the reference {clip(reference)} is not a letter from {allowed[0]} to {allowed[-1]}{texts}"
    )
