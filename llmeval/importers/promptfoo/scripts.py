"""One-line JavaScript assertions that say what a check says. Nothing is run: a line is known by its
form, or refused.
"""

import re
from collections.abc import Callable
from typing import Any

from llmeval.importers.ledger import UnmappedError

_QUOTED = r"""(?:'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)")"""
_LOWER = r"output\s*\.\s*toLowerCase\(\)\s*"
_TRIMMED = r"output(?:\s*\.\s*trim\(\))?\s*"


def _text(match: re.Match[str]) -> str:
    quoted = match["single"] if match["single"] is not None else match["double"]
    return re.sub(r"\\(.)", lambda escape: {"n": "\n", "t": "\t"}.get(escape[1], escape[1]), quoted)


def _lower(match: re.Match[str]) -> dict[str, object]:
    if _text(match) != _text(match).lower():
        raise UnmappedError(
            "a text in small letters never contains a capital: this assertion can't pass"
        )
    return {"icontains": {"text": _text(match)}}


def _length(match: re.Match[str]) -> dict[str, object]:
    sign, number = match["sign"], int(match["number"])
    if sign.startswith("<"):
        return {"max_chars": {"max": number - (sign == "<")}}
    return {"min_chars": {"min": number + (sign == ">")}}


def _regex(match: re.Match[str]) -> dict[str, object]:
    flags = "".join(flag for flag in match["flags"] if flag in "ims")
    if set(match["flags"]) - set("gimsu"):
        raise UnmappedError(f"the flags {match['flags']!r} of a pattern have no counterpart")
    return {"regex": {"pattern": (f"(?{flags})" if flags else "") + match["pattern"]}}


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]], ...] = tuple(
    (re.compile(pattern + r"\s*\Z"), make)
    for pattern, make in (
        (r"(?:Boolean\(output\)|!!output|output)", lambda m: {"min_chars": {"min": 1}}),
        (rf"{_TRIMMED}\.\s*includes\({_QUOTED}\)", lambda m: {"contains": {"text": _text(m)}}),
        (rf"{_LOWER}\.\s*includes\({_QUOTED}\)", _lower),
        (rf"{_TRIMMED}\.\s*startsWith\({_QUOTED}\)", lambda m: {"starts_with": {"text": _text(m)}}),
        (rf"{_TRIMMED}\.\s*endsWith\({_QUOTED}\)", lambda m: {"ends_with": {"text": _text(m)}}),
        (rf"{_TRIMMED}===?\s*{_QUOTED}", lambda m: {"equals": {"text": _text(m)}}),
        (rf"{_TRIMMED}\.\s*length\s*(?P<sign><=|>=|<|>)\s*(?P<number>\d+)", _length),
        (r"/(?P<pattern>(?:[^/\\]|\\.)+)/(?P<flags>[a-z]*)\.test\(\s*output\s*\)", _regex),
    )
)


def check_of_script(script: str) -> dict[str, object]:
    """The check that says what a line of JavaScript says, with `!`, `&&` and `||`.

    Raises:
        UnmappedError: it is anything else.
    """
    text = re.sub(r"\A(?:\s*//[^\n]*\n)+", "", script).strip()
    text = text.removeprefix("return ").strip().removesuffix(";").strip()
    text = re.sub(r"\s*\?\s*1\s*:\s*0\Z", "", text)
    if text.startswith("(") and _closes_at_the_end(text):
        return check_of_script(text[1:-1])
    for sign, word in (("||", "any"), ("&&", "all")):
        parts = _split(text, sign)
        if len(parts) > 1:
            return {word: {"of": [check_of_script(part) for part in parts]}}
    if text.startswith("!"):
        return {"not": check_of_script(text[1:])}
    for pattern, make in _FORMS:
        match = pattern.match(text)
        if match:
            return make(match)
    raise UnmappedError(
        "an import does not run code; write it as your own check, `module:function`. Lines"
        " such as `output.includes('x')` or `output.length < 200` are imported"
    )


def _closes_at_the_end(text: str) -> bool:
    """Whether the parenthesis at the start is closed by the last character."""
    depth, quote, at = 0, "", 0
    while at < len(text):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"/":
            quote = char
        elif char in "()":
            depth += 1 if char == "(" else -1
            if depth == 0:
                return at == len(text) - 1
        at += 1
    return False


def _split(text: str, sign: str) -> list[str]:
    """The parts between signs that stand outside of quotes, patterns and parentheses."""
    parts, depth, quote, start, at = [], 0, "", 0, 0
    while at < len(text):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"/":
            quote = char
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif depth == 0 and text.startswith(sign, at):
            parts.append(text[start:at])
            start = at + len(sign)
            at += len(sign) - 1
        at += 1
    return [*parts, text[start:]]
