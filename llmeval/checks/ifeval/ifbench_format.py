"""Instructions of IFBench about format, repetition and tables, by their public ids (see
`ifbench_words`).
"""

import csv
import datetime
from itertools import pairwise

import regex

from llmeval.checks.base import Result, not_applicable, verdict
from llmeval.checks.ifeval.instructions import Number, Positive, Text, exactly, instruction, none_of
from llmeval.checks.reading.text import (
    Piece,
    fold,
    iter_sentences,
    stripped,
    word_texts,
    words_at,
)
from llmeval.checks.reading.wordlists import word_set
from llmeval.core.records import Answer, Case, Span

_EMOJI = r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u200d\ufe0f\u20e3]"
_EMOJI_ANY = regex.compile(_EMOJI)
_EMOJI_LAST, _EMOJI_NEXT = regex.compile(rf"{_EMOJI}\W*$"), regex.compile(rf"\s*{_EMOJI}")
_SMALL = regex.compile(r"\p{Ll}")
_SHOWN = 20
_WHITE = regex.compile(r"\s+")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_DATE = regex.compile(r"\d{4}-\d{2}-\d{2}")
_MINOR = word_set(
    "a an the and but or nor for so yet as at by in of off on per to up via vs with from into "
    "over than"
)


@instruction("format:emoji")
def emoji(case: Case, answer: Answer) -> Result:
    """Every sentence ends in an emoji, before or after its last mark."""
    any_emoji = _EMOJI_ANY.search(answer.text) is not None
    count = 0
    shown: list[Span] = []
    for piece in iter_sentences(answer.text):
        if any_emoji and _ends_in_emoji(answer.text, piece):
            continue
        count += 1
        if len(shown) < _SHOWN:
            shown.append(piece.span("no emoji at the end", "ifbench"))
    return verdict(
        not count,
        f"{count} sentences without an emoji" if count else "every sentence ends with an emoji",
        *shown,
    )


@instruction("format:line_indent")
def line_indent(case: Case, answer: Answer) -> Result:
    """Every line is indented more than the one before."""
    lines = [line for line in answer.text.split("\n") if line.strip()]
    depths = [len(line) - len(line.lstrip(" ")) for line in lines]
    wrong = next((i + 2 for i, (a, b) in enumerate(pairwise(depths)) if b <= a), None)
    return verdict(
        wrong is None,
        f"line {wrong} is not indented more"
        if wrong
        else "each line is indented more than the one before",
    )


@instruction("format:quotes")
def nested_quotes(case: Case, answer: Answer, *, depth: Positive = 3) -> Result:
    """Quotes within quotes, double and single in turn, at least three deep."""
    text = regex.sub(r"(?<=\w)['’](?=\w)", "", answer.text).translate(
        str.maketrans("“”‘’", "\"\"''")
    )
    stack: list[str] = []
    deepest = 0
    for mark in regex.findall("[\"']", text):
        if stack and stack[-1] == mark:
            stack.pop()
        else:
            stack.append(mark)
            deepest = max(deepest, len(stack))
    right = deepest >= depth and not stack
    return verdict(
        right, f"quotes {deepest} deep{' and not closed' if stack else ''}; expected {depth}"
    )


@instruction("format:parentheses")
def nested_parentheses(case: Case, answer: Answer, *, depth: Positive = 5) -> Result:
    """Parentheses, brackets and braces nest at least five deep, rightly closed."""
    stack: list[str] = []
    best = reached = 0
    for mark in regex.findall(r"[(\[{}\])]", answer.text):
        if mark not in _PAIRS:
            stack.append(mark)
            reached = max(reached, len(stack))
        elif stack and stack[-1] == _PAIRS[mark]:
            stack.pop()
            best, reached = (max(best, reached), 0) if not stack else (best, reached)
        else:
            stack, reached = [], 0
    return verdict(best >= depth, f"brackets {best} deep; expected {depth}")


@instruction("format:newline")
def one_word_a_line(case: Case, answer: Answer) -> Result:
    """Each word stands on its own line."""
    wrong = next((line for line in answer.text.split("\n") if len(line.split()) > 1), None)
    return verdict(
        wrong is None, f"several words on one line: {wrong[:60]!r}" if wrong else "one word a line"
    )


@instruction("format:options")
def options(case: Case, answer: Answer, *, options: Text) -> Result:
    """The answer is one of the options and nothing else; they are separated by `/`, `or` or
    commas.
    """
    separator = r"/" if "/" in options else r"\bor\b" if regex.search(r"\bor\b", options) else ","
    valid = [option.strip() for option in regex.split(separator, options) if option.strip()]
    actual = stripped(answer.text).text
    lettered = regex.match(r"\W*a\W+b\W+c", options, regex.IGNORECASE) is not None
    right = actual in valid if lettered else _bare(actual) in [_bare(option) for option in valid]
    return verdict(right, f"the answer is {'' if right else 'not '}one of {options}")


@instruction("format:title_case")
def title_case(case: Case, answer: Answer) -> Result:
    """Every word but short ones (a, of, the...) starts with a capital."""
    if not any(letter.isalpha() for letter in answer.text):
        return not_applicable("no letters")
    texts = word_texts(answer.text) if _SMALL.search(answer.text) else []
    wrong = [
        index
        for index, text in enumerate(texts)
        if text[0].islower() and (index == 0 or text not in _MINOR)
    ]
    if not wrong:
        return verdict(True, "title case")
    pieces = words_at(answer.text, wrong[:_SHOWN])
    spans = (piece.span("small first letter", "ifbench") for piece in pieces)
    return verdict(False, f"{len(wrong)} words start small", *spans)


@instruction("format:no_whitespace")
def no_whitespace(case: Case, answer: Answer) -> Result:
    """There is no white space."""
    return none_of(_WHITE, answer.text, "stretches of white space")


@instruction("format:list")
def special_list(case: Case, answer: Answer, *, sep: Text) -> Result:
    """A list whose items start with `sep` in place of a bullet: at least two lines do."""
    matches = regex.findall(rf"^[^\S\n]*{regex.escape(sep)}", answer.text, regex.MULTILINE)
    return verdict(
        len(matches) >= 2, f"{len(matches)} items start with {sep!r}; expected at least 2"
    )


@instruction("repeat:repeat_span")
def repeat_span(
    case: Case, answer: Answer, *, prompt_to_repeat: Text, n_start: Number, n_end: Number
) -> Result:
    """The answer is the words from `n_start` to `n_end` (from 0, both included) of the text."""
    span = " ".join(prompt_to_repeat.split()[n_start : n_end + 1])
    right = bool(span) and answer.text.strip().lower() == span.lower()
    return verdict(right, f"the answer is {'' if right else 'not '}the span {span[:80]!r}")


@instruction("repeat:repeat_change")
def repeat_change(case: Case, answer: Answer, *, prompt_to_repeat: Text) -> Result:
    """The answer is the text with only its first word changed."""
    ours, theirs = answer.text.split(), prompt_to_repeat.split()
    right = ours[1:] == theirs[1:] and ours[0] != theirs[0]
    return verdict(
        right,
        "only the first word is changed" if right else "not the text with its first word changed",
    )


@instruction("custom:csv_quotes")
def csv_quotes(case: Case, answer: Answer) -> Result:
    """Tab-delimited: StudentID, Subject, Grade, Semester, Score and three rows, every field in
    double quotes.
    """
    raw = [field for line in answer.text.strip().split("\n") for field in line.split("\t")]
    bare = next((field for field in raw if not _in_quotes(field.strip())), None)
    if bare is not None:
        return verdict(False, f"not in double quotes: {bare[:60]!r}")
    return _table(answer.text, ["StudentID", "Subject", "Grade", "Semester", "Score"], 3, "\t")


@instruction("custom:csv_city")
def csv_city(case: Case, answer: Answer) -> Result:
    """CSV: ID, Country, City, Year, Count and seven rows."""
    return _table(answer.text, ["ID", "Country", "City", "Year", "Count"], 7)


@instruction("custom:csv_special_character")
def csv_special_character(case: Case, answer: Answer) -> Result:
    """CSV: ProductID, Category, Brand, Price, Stock and 14 rows, one field quoted for its special
    character.
    """
    body = answer.text.strip()
    fields = regex.findall(r'"([^"\n]*+)"', body.partition("\n")[2])
    if not any(regex.search(r"[^\w\s]", field) for field in fields):
        return verdict(False, "no field with a special character in double quotes")
    return _table(body, ["ProductID", "Category", "Brand", "Price", "Stock"], 14)


@instruction("custom:date_format_list")
def date_format_list(
    case: Case, answer: Answer, *, first_year: Number = 1769, last_year: Number = 1821
) -> Result:
    """Dates as YYYY-MM-DD with commas between them and nothing else (years 1769 to 1821, as in
    IFBench).
    """
    wrong = [
        part.strip()
        for part in answer.text.split(",")
        if not _is_date(part.strip(), first_year, last_year)
    ]
    return verdict(
        not wrong, f"not such a date: {wrong[0][:60]!r}" if wrong else "every item is a date"
    )


def _ends_in_emoji(text: str, piece: Piece) -> bool:
    return bool(_EMOJI_LAST.search(piece.text[-40:]) or _EMOJI_NEXT.match(text, piece.end))


def _is_date(text: str, first_year: int, last_year: int) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        return first_year <= datetime.date.fromisoformat(text).year <= last_year
    except ValueError:
        return False


def _in_quotes(field: str) -> bool:
    return len(field) > 1 and field[0] == '"' == field[-1]


def _table(text: str, header: list[str], n: int, delimiter: str = ",") -> Result:
    try:
        rows = list(csv.reader(text.strip().split("\n"), delimiter=delimiter))
    except csv.Error as error:
        return verdict(False, f"not CSV: {error}")
    cells = [[cell.strip() for cell in row] for row in rows if row]
    if not cells or cells[0] != header:
        return verdict(False, f"the header is not {', '.join(header)}")
    if any(len(row) != len(header) for row in cells):
        return verdict(False, f"a row does not have {len(header)} fields")
    return exactly(len(cells) - 1, n, "rows")


def _bare(text: str) -> str:
    return fold(text).strip(".,;:!?()[]\"'*_ ")
