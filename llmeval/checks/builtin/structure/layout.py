"""The shape of an answer: a template filled in, sections, options, title, postscript, several
responses, quotes.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import zip_longest
from typing import Annotated

import regex
from pydantic import AfterValidator, Field

from llmeval.checks.base import Result, check, verdict
from llmeval.checks.builtin.structure.padding import Phrases
from llmeval.checks.reading.text import Piece, fold, lines, number_of, stripped, trim, unfenced
from llmeval.core.records import Answer, Case

_SLOT = regex.compile(r"\{([A-Za-z_]\w*)\}")
_MARKS = "\"'“”„‘’«»「」『』*_`()[]{}<>.,:;!?。、！？： \t\n"
_NUMBERING = regex.compile(
    r"(?:(?:\d+(?:\.\d+)*|[IVXLC]+|[A-Za-z])[.):]|\d+(?:\.\d+)+|(?:section|part|chapter"
    r"|step)\s+[\dIVXLC]+\s*[:.–-]?)\s+",
    regex.IGNORECASE,
)
_ATX = regex.compile(r"#{1,6}[^\S\n]+(.+?)[^\S\n]*#*")
_BOLD = regex.compile(r"(?:\*\*|__)([^*\n]+)(?:\*\*|__):?")
_UNDERLINE = regex.compile(r"[^\S\n]*(?:={2,}|-{2,})[^\S\n]*")
_QUOTES = {
    '"': '"',
    "“": "”",
    "„": "“”",
    "«": "»",
    "»": "«",
    "「": "」",
    "『": "』",
    "‘": "’",
    "'": "'",
    "‚": "‘",
}
_LONGEST_HEADING = 120


def _has_slots(template: str) -> str:
    if not _SLOT.search(template):
        raise ValueError("a template needs at least one {slot}")
    if regex.search(r"\}\s*\{[A-Za-z_]\w*\}", template):
        raise ValueError("there must be text between two slots")
    return template


Template = Annotated[str, AfterValidator(_has_slots)]
Text = Annotated[str, Field(min_length=1)]


@check(group="structure", version=2)
def template(case: Case, answer: Answer, *, template: Template) -> Result:
    """The answer is the template with every `{slot}` filled: the text between slots word for word,
    white space free.

    The report's details hold what stands in each slot.
    """
    text, names = _spaced(stripped(answer.text).text), _SLOT.findall(template)
    literals = [_spaced(part) for part in _SLOT.split(template.strip())[::2]]
    position, filled = 0, []
    for index, literal in enumerate(literals):
        at = _place(text, literal, position, first=index == 0, last=index == len(literals) - 1)
        if at is None:
            where = (
                "at the start"
                if index == 0
                else "at the end"
                if index == len(names)
                else f"after {{{names[index - 1]}}}"
            )
            return verdict(False, f"the template's text {literal.strip()!r} is missing {where}")
        filled.append(text[position:at].strip())
        position = at + len(literal)
    slots = dict(zip(names, filled[1:], strict=True))
    empty = [name for name, value in slots.items() if not value or _SLOT.fullmatch(value)]
    reason = f"slots not filled: {', '.join(empty)}" if empty else "the template is filled"
    return verdict(not empty, reason, details={"slots": slots})


@check(group="structure", version=2)
def sections(
    case: Case, answer: Answer, *, titles: Phrases, ordered: bool = True, only: bool = False
) -> Result:
    """The answer has a section for every title, in this order.

    A heading is a Markdown heading, a bold line, or a line that is the title alone or up to a
    colon; numbers before it are ignored. `only`: no Markdown heading besides these.
    """
    expected = [_plain(title) for title in titles]
    places: dict[str, Piece] = {}
    extra: list[Piece] = []
    for name, line, sure in _headings(unfenced(answer.text)):
        key = _plain(name)
        if key in expected:
            places.setdefault(key, Piece(name, line.start, line.end))
        elif only and sure:
            extra.append(Piece(name, line.start, line.end))
    missing = [title for title, key in zip(titles, expected, strict=True) if key not in places]
    if missing:
        return verdict(False, f"missing sections: {', '.join(missing)}")
    starts = [places[key].start for key in expected]
    late = next((i for i in range(1, len(starts)) if ordered and starts[i] < starts[i - 1]), None)
    if late is not None:
        reason = f"{titles[late]!r} stands before {titles[late - 1]!r}"
        return verdict(False, reason, places[expected[late]].span("order"))
    if extra:
        return verdict(
            False,
            f"unexpected section {extra[0].text!r}",
            *(piece.span("extra") for piece in extra[:20]),
        )
    return verdict(True, f"all {len(titles)} sections are there")


@check(group="structure", version=2)
def options_only(case: Case, answer: Answer, *, options: Phrases) -> Result:
    """The whole answer is one of the options; case, quotes, emphasis and marks around it don't
    count.
    """
    body = unfenced(answer.text)
    actual = _bare(body.text)
    for option in options:
        if actual == _bare(option):
            return verdict(True, f"the answer is {option!r}")
    named = sum(1 for option in options if fold(option) in fold(body.text[:2000]))
    more = "; it says more than the option" if named == 1 else ""
    return verdict(
        False, f"the answer is not one of {', '.join(options)}{more}", body.span("not an option")
    )


@check(group="structure", version=2)
def ends_with_phrase(case: Case, answer: Answer, *, phrases: Phrases) -> Result:
    """The answer ends with one of the phrases; case, quotes, emphasis and a last mark don't
    count.
    """
    body = stripped(answer.text)
    tail = " " + fold(body.text[-2 * max(map(len, phrases)) - 50 :]).rstrip(_MARKS)
    if any(
        regex.search(rf"(?<!\w){regex.escape(fold(phrase).strip(_MARKS))}$", tail)
        for phrase in phrases
    ):
        return verdict(True, "ends with the phrase")
    last = trim(lines(body.text)[-1]) if body.text else body
    span = Piece(last.text, body.start + last.start, body.start + last.end).span("last line")
    return verdict(
        False,
        f"does not end with {' or '.join(map(repr, phrases))}",
        *([span] if body.text else []),
    )


@check(group="structure", version=2)
def title(case: Case, answer: Answer, *, open: Text = "<<", close: Text = ">>") -> Result:
    """The answer has a title between the marks `open` and `close`, on one line, such as `<<An
    ode>>`.
    """
    for line in lines(answer.text):
        start, end = line.text.find(open), line.text.rfind(close)
        inside = (
            line.text[start + len(open) : end].strip(open + close + " ") if 0 <= start < end else ""
        )
        if inside:
            return verdict(True, f"the title is {inside[:100]!r}")
    return verdict(False, f"no title between {open} and {close}")


@check(group="structure", version=2)
def postscript(case: Case, answer: Answer, *, marker: Text = "P.S.") -> Result:
    """The last part of the answer is a postscript: a line that starts with `marker`, and some text
    after it.
    """
    matches = [
        line
        for line in lines(answer.text)
        if fold(line.text.lstrip("*_ ")).startswith(fold(marker))
    ]
    if not matches:
        return verdict(False, f"no line starts with {marker}")
    last = matches[-1]
    if not answer.text[last.start :].strip("*_ ")[len(marker) :].strip(_MARKS):
        return verdict(False, f"nothing follows {marker}", last.span("empty postscript"))
    if regex.search(r"\n\s*\n", answer.text[last.start :].rstrip()):
        return verdict(
            False,
            f"{marker} is not the last part of the answer",
            last.span("text follows the postscript"),
        )
    return verdict(True, f"ends with a postscript after {marker}")


@check(group="structure", version=2)
def n_responses(
    case: Case,
    answer: Answer,
    *,
    n: Annotated[int, Field(ge=2, le=1000)],
    separator: Text = "******",
) -> Result:
    """The answer holds exactly `n` different responses with `separator` between them, and no empty
    one.
    """
    parts = [part.strip() for part in answer.text.split(separator)]
    inner = parts[1:-1] if len(parts) > 1 else []
    responses = [part for part in parts if part]
    if any(not part for part in inner):
        return verdict(False, "one of the responses is empty")
    if len(responses) != n:
        return verdict(False, f"{number_of(len(responses), 'response')}; expected {n}")
    same = n - len({fold(part) for part in responses})
    return verdict(
        not same, "the same response is given twice" if same else f"{n} different responses"
    )


def _all_pairs(marks: list[str]) -> list[str]:
    if any(len(pair) != 2 for pair in marks):
        raise ValueError("marks are pairs of an opening and a closing mark, such as «»")
    return marks


Marks = Annotated[Phrases, AfterValidator(_all_pairs)]


@check(group="structure", version=2)
def quoted(case: Case, answer: Answer, *, marks: Marks = []) -> Result:  # noqa: B006
    """The whole answer stands in quotation marks, of any kind or one of `marks` (each an opening
    and closing mark).
    """
    body = stripped(answer.text).text
    pairs = {pair[0]: pair[1] for pair in marks} or _QUOTES
    closing = pairs.get(body[:1])
    if len(body) < 3 or closing is None:
        return verdict(False, "does not start with a quotation mark")
    if body[-1] not in closing:
        return verdict(False, f"does not end with {closing}")
    return verdict(True, "the whole answer is quoted")


def _spaced(text: str) -> str:
    return regex.sub(r"\s+", " ", text)


def _place(text: str, literal: str, position: int, *, first: bool, last: bool) -> int | None:
    """Where a piece of the template stands; the first must start the text, the last must end it."""
    if first:
        return 0 if text.startswith(literal) else None
    if last:
        at = len(text) - len(literal.rstrip())
        return at if at >= position and text.endswith(literal.rstrip()) else None
    at = text.find(literal, position + 1)
    return None if at < 0 else at


def _bare(text: str) -> str:
    """A text for comparison: folded, without the marks around it unless it is nothing but marks."""
    return fold(text.strip(_MARKS)) or fold(text)


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """A heading for comparison: also without its number."""
    bare = text.strip(_MARKS + "#")
    return _bare(_NUMBERING.sub("", bare, count=1) or bare)


def _headings(body: Piece) -> Iterator[tuple[str, Piece, bool]]:
    """Lines that may be headings: the heading's text, its line in the answer, and whether Markdown
    says that it is one.
    """
    texts = lines(body.text)
    for line, below in zip_longest(texts, texts[1:]):
        text = line.text
        if len(text) > _LONGEST_HEADING:
            continue
        pattern = _ATX if text[0] == "#" else _BOLD if text[0] in "*_" else None
        marked = pattern.fullmatch(text) if pattern else None
        underlined = (
            below is not None and below.text[0] in "=-" and _UNDERLINE.fullmatch(below.text)
        )
        name = marked[1] if marked else text.partition(":")[0] if ":" in text else text
        yield (
            name,
            Piece(text, body.start + line.start, body.start + line.end),
            bool(marked or underlined),
        )
