"""Spaces: before and after marks, inside brackets, French."""

import re
from collections.abc import Iterator
from itertools import islice

from llmeval.checks.punctuation import joints, stops
from llmeval.checks.punctuation.gaps import Gap, is_wrong_gap
from llmeval.checks.punctuation.joints import Joint
from llmeval.checks.punctuation.masking import OBJECT
from llmeval.checks.punctuation.rules import Violation
from llmeval.checks.punctuation.stops import TerminalMark, is_cjk
from llmeval.checks.punctuation.view import LETTER, LanguageRun, View

_MOST = 100_000
"""Marks without a space that are looked at in one stretch; more are not prose."""
_SPACES = r"[ \t\u00a0\u2009\u202f]"
_MARKS = ",;:!?.،؛؟。，；：！？、"
# Not before a row of marks, a smiley or an operator: ` ...`, ` :)`, ` :=`.
_BEFORE = re.compile(
    rf"(?<=[^\s(\[{{\"'“‘„«]){_SPACES}++([{_MARKS}])(?![{_MARKS}=/])(?!(?<=[.:!?])[\w\\(])"
)
# Up to three spaces; more are columns. Beside a pipe they are a table.
_MULTI = re.compile(
    rf"(?<=[^\s|])(?:[ ]{{2,3}}|{_SPACES}?[\u00a0\u202f]{_SPACES}?[ ]|[ ][\u00a0\u202f])(?=[^\s|])"
)
# Not after an opening bracket, comma or semicolon: `f(a, )` is code.
_INNER = re.compile(
    rf"(?<=[(\[{{（【「『《])[ \t]++(?=[^\s)\]}}])"
    rf"|(?<=[^\s(\[{{,;]){_SPACES}++(?=[)\]}}）】」』》])"
)
# Spaces inside guillemets are French; and none stands after ¿ and ¡.
_TIGHT = re.compile(rf"«({_SPACES}++)(?=\S)|(?<=\S)({_SPACES}++)»|[¿¡]({_SPACES}++)(?=\w)")
# A mark with a word on both sides. A quote or bracket counts where a letter follows.
_AFTER = re.compile(
    rf"(?P<left>[\w{OBJECT}])(?P<marks>[,;،؛:]|[.!?…]++)(?P<close>[\"”’»)\]]?)(?P<right>[^\W_]"
    rf"|[\"“(](?={LETTER}))"
)
_WORD_BEFORE = re.compile(r"[\w.'’-]*\Z")
_WORD_AFTER = re.compile(r"[^\W_][\w'’-]*")
_CLOSED = re.compile(rf"\)(?={LETTER}{{2}})")
# Not after a digit (`10:30`), nor beside code, an opening bracket or another mark.
_FRENCH = re.compile(rf"(?<![\s;:!?.…(\[«\"'“0-9{OBJECT}])([;:!?])(?![;:]|(?<=:)[/\w)(])")
_GUILLEMETS = re.compile(r"«(?=[^\s»])|(?<=[^\s«])»")
# An ordinary space, which a line may break at.
_BREAKING = re.compile(r"(?<=\S)( )[;:!?»](?![\w=/(])|«( )(?=\S)")
_STOPS = re.compile(r"[.!?][\"”’»)]?( ++)(?=\S)")


def spacing(view: View, run: LanguageRun) -> Iterator[Violation]:
    """Breaches of the rules of spaces in one stretch."""
    yield from _spaces_before(view, run)
    yield from _spaces_after(view, run)
    yield from _multiple(view, run)
    for match in _INNER.finditer(view.text, run.start, run.end):
        yield Violation(*match.span(), "inner-space", "remove the space inside the bracket")
    if run.locale.tight_guillemets or run.locale.language == "es":
        for match in _TIGHT.finditer(view.text, run.start, run.end):
            if run.locale.tight_guillemets and "\n" not in match[0]:
                yield Violation(
                    *match.span(match.lastindex or 0),
                    "inner-space",
                    "remove the space inside the quote",
                )
    if run.locale.language == "fr":
        yield from _french(view, run)


def _spaces_before(view: View, run: LanguageRun) -> Iterator[Violation]:
    text = view.text
    for match in _BEFORE.finditer(text, run.start, run.end):
        mark, start, end = match[1], match.start(), match.end()
        around = text[max(run.start, start - 4) : end + 4]
        gap = Gap(text[start - 1], mark, text[end : end + 2], around, run.locale)
        if not is_wrong_gap(gap):
            continue
        yield Violation(start, end, "space-before", f"remove the space before {mark!r}")


def _multiple(view: View, run: LanguageRun) -> Iterator[Violation]:
    """Two or three spaces; more are layout. After stops they may be the writer's style, if most
    stops have them.
    """
    text = view.text
    matches = list(_MULTI.finditer(text, run.start, run.end))
    if not matches or not run.locale.terminal:  # where a space ends a sentence, two may
        return
    gaps = [len(match[1]) for match in _STOPS.finditer(text, run.start, run.end)]
    wide = sum(gap > 1 for gap in gaps)
    style = (wide >= 3 and 2 * wide > len(gaps)) or (wide == 2 and len(gaps) == 2)
    for match in matches:
        if not (style and text[match.start() - 1] in '.!?"”’»)'):
            yield Violation(*match.span(), "multi-space", "one space is enough")


def _spaces_after(view: View, run: LanguageRun) -> Iterator[Violation]:
    text = view.text
    for match in islice(_AFTER.finditer(text, run.start, run.end), _MOST):
        if run.locale.cjk and (is_cjk(match["left"]) or is_cjk(match["right"])):
            continue
        mark = match["marks"][0]
        # A colon after a mark or a bracket is a label or a smiley.
        if mark == ":" and not text[match.start() - 1 : match.start()].isalnum():
            continue
        left = _WORD_BEFORE.search(
            text, max(run.start, match.start("marks") - 40), match.start("marks")
        )
        right = _WORD_AFTER.match(text, match.start("right"), run.end)
        before, after = left[0] if left else "", right[0] if right else match["right"]
        if _needs_space(match, mark, before, after, run):
            at = match.end("marks")
            yield Violation(
                match.start("marks"),
                match.end("close"),
                "space-after",
                f"put a space after {text[at - 1]!r}",
            )
    for match in _CLOSED.finditer(text, run.start, run.end):
        if not is_cjk(text[match.end()]) and not _inside_a_word(text, run.start, match.start()):
            yield Violation(*match.span(), "space-after", "put a space after ')'")


def _inside_a_word(text: str, start: int, close: int) -> bool:
    """Whether a closing bracket stands inside a word: `(un)known`, `colo(u)r`, `f(x)dx`. Such
    brackets hold no space, and are short or follow a letter.
    """
    opening = text.rfind("(", max(start, close - 200), close)
    if opening <= 0 or " " in text[opening + 1 : close]:
        return False
    return text[opening - 1].isalnum() or close - opening - 1 <= 6


def _needs_space(
    match: "re.Match[str]", mark: str, before: str, after: str, run: LanguageRun
) -> bool:
    left, right = match["left"], match["right"]
    if mark not in ".…!?":
        return joints.needs_space(
            Joint(mark, match["close"], left + right, before, after, run.locale.language)
        )
    if mark == "." and OBJECT in (left, right):  # `run f.Then`: the dot may belong to the name
        return False
    spaced = match.string[match.end() : match.end() + 1].isspace()
    stop = TerminalMark(match["marks"], match["close"], right, before, after, spaced, run.locale)
    return stops.needs_space(stop)


def _french(view: View, run: LanguageRun) -> Iterator[Violation]:
    text, locale = view.text, run.locale
    for match in _FRENCH.finditer(text, run.start, run.end):
        if match[1] in locale.spaced:
            yield Violation(*match.span(), "fr-space", f"put a no-break space before {match[1]!r}")
    if locale.spaced_guillemets:
        for match in _GUILLEMETS.finditer(text, run.start, run.end):
            side = "after" if match[0] == "«" else "before"
            yield Violation(*match.span(), "fr-space", f"put a no-break space {side} {match[0]!r}")
    breaking = list(_BREAKING.finditer(text, run.start, run.end)) if locale.spaced else []
    if breaking:
        more = f" ({len(breaking)} places)" if len(breaking) > 1 else ""
        start, end = breaking[0].span(breaking[0].lastindex or 0)
        yield Violation(
            start,
            end,
            "fr-nbsp",
            f"make this a no-break space, so that no line starts with the mark{more}",
        )
