"""What an answer says about one expected value: where it says it, how well it fits, and how the answer stands to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import regex

from llmeval.checks.facts.aliases import is_abbreviation
from llmeval.checks.facts.answer import ParsedAnswer
from llmeval.checks.facts.candidates import in_number_list, is_word_salad
from llmeval.checks.facts.compare import EXACT, Fit, Tolerance, fit_date, fit_number
from llmeval.checks.facts.dates import Date, Precision
from llmeval.checks.facts.differences import Comparison, compare, compare_list, longer_name
from llmeval.checks.facts.final_answer import gives_a_value
from llmeval.checks.facts.letters import chosen_letter
from llmeval.checks.facts.names import MAX_TOLERANT, Partial, Place, Reference, exact, partials, squeezed
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.passing import is_passing
from llmeval.checks.facts.qualifiers import asks_bound, asks_roughly
from llmeval.checks.facts.references import ExpectedValue
from llmeval.checks.facts.scopes import Stance
from llmeval.checks.facts.times import Time, same_time
from llmeval.checks.facts.tokens import STOPWORDS
from llmeval.checks.facts.units import unit_named


@dataclass(frozen=True, slots=True)
class Mention:
    """One place of the answer, code points [start, end), that concerns a fact. `how`: what kind of match it is."""

    start: int
    end: int
    fit: Fit
    stance: Stance
    how: str
    wanted: str

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the most favourable mention first."""
        fits = self.fit >= Fit.COARSE
        return (
            (-int(fits), self.stance)
            if not fits
            else (-1 - int(self.fit == Fit.SAME and self.stance <= Stance.LIKELY), self.stance)
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the answer says about a fact: mentions, the best first.

    `partial`: the text that is held in part, and `comparison`: how it differs. `near_miss`: a place that names a
    similar thing instead, where no text is held.
    """

    mentions: tuple[Mention, ...] = ()
    partial: Partial | None = None
    comparison: Comparison | None = None
    near_miss: Comparison | None = None

    @property
    def best(self) -> Mention | None:
        """The most favourable mention."""
        return self.mentions[0] if self.mentions else None


def gather(
    expected: Sequence[ExpectedValue],
    answer: ParsedAnswer,
    tolerance: Tolerance = EXACT,
    accept: Precision | None = None,
    *,
    listed: bool = False,
) -> Evidence:
    """What the answer says about a fact of which any of the values is right.

    `tolerance`: of numbers; a given one rules out looser fits. `accept`: how exact a date must at least be; None takes
    any that agrees. `listed`: the value may be one of a list, and stand outside of a final answer.
    """
    found = [*_texts(expected, answer)]
    for value in expected:
        if value.dates:
            found += _dates(value, answer, accept)
        if value.time is not None:
            found += _times(value, value.time, answer)
        elif value.letter:
            found += _letters(value, answer)
        if value.numbers:
            found += _numbers(value, answer, tolerance)
    if not listed:
        found = _in_context(found, expected, answer)
    found = sorted(_alike(found), key=lambda mention: mention.rank)
    values = [v for v in expected if v.kind == "text" and not v.alias]
    texts = [value.text for value in values]
    settled = bool(found) and found[0].fit is Fit.SAME and found[0].stance <= Stance.LIKELY
    longer = {mention.wanted for mention in found if mention.how == "longer"}
    values = [value for value in values if value.text.raw not in longer]
    if settled or not texts:
        return Evidence(tuple(found))
    return _in_part(tuple(found), values, answer)


_COMPARED = 6
"""So many of the references that the answer holds most of are compared word by word."""


def _in_part(mentions: tuple[Mention, ...], values: list[ExpectedValue], answer: ParsedAnswer) -> Evidence:
    """The text that the answer holds most of and that no word of the answer makes another thing."""
    members = {value.text.raw: value.members for value in values if value.members}
    texts = [value.text for value in values]
    parts = partials(texts, answer.words, answer.spelling, answer.question.stem_set)
    miss: Comparison | None = None
    for part in parts[:_COMPARED]:
        if miss is not None and not part.fuzzy:
            break
        listed = members.get(part.reference.raw)
        if listed:
            found = compare_list(part.reference, listed, answer.words, answer.spelling)
        else:
            found = compare(part.reference, answer.words, answer.spelling, answer.question)
        if not found.another_thing:
            return Evidence(mentions, part, found)
        miss = miss or found
    return Evidence(mentions, parts[0] if parts else None, miss, miss)


def _in_context(mentions: list[Mention], expected: Sequence[ExpectedValue], answer: ParsedAnswer) -> list[Mention]:
    """The mentions with a weaker stance where they are one of several candidates, or not the final answer."""
    right = right_values(expected, answer)
    decided = any(
        m.fit >= Fit.COARSE and m.stance <= Stance.LIKELY and in_final(m.start, m.end, answer) for m in mentions
    )
    found = []
    for mention in mentions:
        stance = Stance.ASSERTED
        if mention.fit >= Fit.COARSE and mention.stance <= Stance.LIKELY:
            start, end = mention.start, mention.end
            stance = stance_in_context(start, end, expected, answer, right, decided=decided)
        found.append(replace(mention, stance=max(mention.stance, stance)))
    return found


def right_values(expected: Sequence[ExpectedValue], answer: ParsedAnswer) -> tuple[frozenset[str], ...]:
    """The stems of every value that is right."""
    own = tuple(frozenset(value.text.content) for value in expected)
    return (*own, *answer.right)


def in_final(start: int, end: int, answer: ParsedAnswer) -> bool:
    """Whether the place is within what is given as the final answer."""
    return answer.final is not None and answer.final.start <= start < answer.final.end


def stance_in_context(
    start: int,
    end: int,
    expected: Sequence[ExpectedValue],
    answer: ParsedAnswer,
    right: tuple[frozenset[str], ...],
    *,
    decided: bool = False,
) -> Stance:
    """How the answer as a whole stands to what it says at [start, end).

    `decided`: the final answer states a right value.
    """
    if answer.echo is not None and answer.echo[0] <= start and end <= answer.echo[1]:
        return Stance.MENTIONED
    if is_passing(answer.words.raw, start, end, answer.question.raw):
        return Stance.MENTIONED
    final = answer.final
    if final is not None and not decided and not final.start <= start < final.end:
        number = any(value.numbers or value.dates for value in expected)
        name = any(value.text.is_name for value in expected)
        known = answer.question.stem_set
        if gives_a_value(answer.words.raw, final, known, name=name, number=number):
            return Stance.WORKING
    if any(value.numbers or value.dates for value in expected):
        index = next((i for i, n in enumerate(answer.numbers) if n.start == start), None)
        raw, question = answer.words.raw, answer.question.raw
        if index is not None and in_number_list(answer.numbers, index, raw, question):
            return Stance.SEVERAL
    if is_word_salad(answer.words):
        return Stance.SEVERAL
    if answer.candidates.is_one_of_several(start, end, right):
        return Stance.SEVERAL
    return Stance.ASSERTED


def _alike(found: list[Mention]) -> list[Mention]:
    """Mentions that overlap one that is not stated are not stated either: in "not Baker, California" both names."""
    weak = [(m.start, m.end, m.stance) for m in found if m.stance >= Stance.SEVERAL and m.fit >= Fit.COARSE]
    if not weak:
        return found
    return [replace(m, stance=max(m.stance, _stance_around(m, weak))) for m in found]


def _stance_around(mention: Mention, weak: list[tuple[int, int, Stance]]) -> Stance:
    """The weakest stance of the mentions that overlap this one, or that a denied one directly follows."""
    found = [
        stance
        for start, end, stance in weak
        if mention.start < end + (3 if stance is Stance.DENIED else 0) and start <= mention.end
    ]
    return max(found, default=Stance.ASSERTED)


def _mention(answer: ParsedAnswer, place: Place, fit: Fit, how: str, wanted: str) -> Mention:
    start, end = answer.words.place(*place)
    return Mention(start, end, fit, answer.stance(start, end), how, wanted)


def _texts(expected: Sequence[ExpectedValue], answer: ParsedAnswer) -> Iterator[Mention]:
    """Word for word, or with spaces and hyphens moved."""
    typed = ("time", "letter", "boolean")
    values = [
        value for value in expected if not value.numbers and value.kind not in typed and not _is_bare_month(value)
    ]
    references = [value.text for value in values]
    hits = exact(references, answer.words)
    covered = {i for places in hits.values() for first, last in places for i in range(first, last + 1)}
    for i, places in hits.items():
        for place in places:
            if values[i].alias and not _is_capital(values[i].raw, place, answer):
                continue
            longer = longer_name(place, references[i], answer.words)
            limited = values[i].dates and _is_limit(answer.words.starts[place[0]], values[i], answer)
            if limited:
                yield _mention(answer, place, Fit.NEAR, "date", values[i].raw)
            elif _other_sign(place, references[i], answer):
                yield _mention(answer, place, Fit.OTHER, "longer", values[i].raw)
            elif longer is None or covered.issuperset(longer):
                yield _mention(answer, place, Fit.SAME, "exact", values[i].raw)
            else:
                yield _mention(answer, (min(longer), max(longer)), Fit.OTHER, "longer", values[i].raw)
    for value in values:
        at = answer.words.raw.find(value.raw) if not value.text.forms and value.raw.strip() else -1
        if at >= 0:
            end = at + len(value.raw)
            yield Mention(at, end, Fit.SAME, answer.stance(at, end), "exact", value.raw)
    if not hits:
        for value in values[:MAX_TOLERANT]:
            squeeze = squeezed(value.text, answer.words) if value.kind == "text" else None
            if squeeze is not None:
                yield _mention(answer, squeeze, Fit.SAME, "squeezed", value.raw)


def _other_sign(place: Place, reference: Reference, answer: ParsedAnswer) -> bool:
    """Whether a number of the place has a minus sign, and that of the reference has none: x = -3."""
    if not reference.stems[-1][0].isdigit() or any(sign in reference.raw for sign in "-−–"):
        return False
    at = answer.words.starts[place[1]]
    return answer.words.raw[max(0, at - 1) : at] in ("-", "−") and answer.words.raw[max(0, at - 2) : at - 1] in (
        "",
        " ",
        "=",
        "(",
    )


def _is_capital(name: str, place: Place, answer: ParsedAnswer) -> bool:
    """Whether an abbreviation stands in capitals: US, not us."""
    start, end = answer.words.place(*place)
    return not is_abbreviation(name) or answer.words.raw[start:end].replace(".", "").isupper()


def _is_bare_month(value: ExpectedValue) -> bool:
    """A month by itself: "may" and "march" are words too."""
    return len(value.dates) == 1 and value.dates[0].year is None and value.dates[0].day is None


def _times(expected: ExpectedValue, wanted: Time, answer: ParsedAnswer) -> Iterator[Mention]:
    """Every time of the day; one that leaves the half of the day open is not the one expected."""
    for found in answer.times:
        same = same_time(found, wanted)
        fit = Fit.SAME if same else Fit.NEAR if same is None else Fit.OTHER
        yield Mention(found.start, found.end, fit, answer.stance(found.start, found.end), "time", expected.raw)


def _letters(expected: ExpectedValue, answer: ParsedAnswer) -> Iterator[Mention]:
    """The letter of the option that the answer chooses."""
    chosen = chosen_letter(answer.words.raw, answer.final)
    if chosen is not None:
        letter, at = chosen
        fit = Fit.SAME if letter == expected.letter else Fit.OTHER
        yield Mention(at, at + 1, fit, answer.stance(at, at + 1), "letter", expected.raw)


def _dates(expected: ExpectedValue, answer: ParsedAnswer, accept: Precision | None) -> Iterator[Mention]:
    """Every date against those expected; a range needs every one of its ends."""
    rows = [[(_fit(found, wanted, accept), found) for found in answer.dates] for wanted in expected.dates]
    complete = all(any(fit >= Fit.COARSE for fit, _ in row) for row in rows)
    for row in rows:
        for fit, found in row:
            shown = fit if complete else min(fit, Fit.NEAR)
            if found.month is None and _is_limit(found.start, expected, answer):
                shown = min(shown, Fit.NEAR)
            if shown >= Fit.COARSE or not complete:
                stance = answer.stance(found.start, found.end)
                yield Mention(found.start, found.end, shown, stance, _how_date(found, shown), expected.raw)


_LIMIT = regex.compile(
    r"\b(?:before|after|prior\s+to|later\s+than|earlier\s+than|vor|nach|avant|après|antes\s+de|después\s+de|prima\s+del|dopo\s+il"
    r"|depois\s+de|vóór)\s+(?:the\s+|year\s+|dem\s+|jahr\s+)*$",
    regex.IGNORECASE,
)


def _is_limit(start: int, expected: ExpectedValue, answer: ParsedAnswer) -> bool:
    """Whether the text says that it was before or after what starts there, and neither question nor reference does."""
    raw = answer.words.raw
    if not _LIMIT.search(raw, max(0, start - 24), start):
        return False
    return not _LIMIT_ASKED.search(f"{answer.question.raw} {expected.raw}")


_LIMIT_ASKED = regex.compile(
    r"\b(?:before|after|until|since|vor|nach|avant|après|antes|después|prima|dopo|depois)\b", regex.IGNORECASE
)


def _fit(found: Date, wanted: Date, accept: Precision | None) -> Fit:
    fit = fit_date(found, wanted)
    if fit is Fit.COARSE and accept is not None and (found.precision < accept or found.year is None):
        return Fit.NEAR
    return fit


def _how_date(found: Date, fit: Fit) -> str:
    if fit is not Fit.COARSE:
        return "date"
    return "period" if found.precision <= Precision.DECADE else "year" if found.precision is Precision.YEAR else "part"


def _numbers(expected: ExpectedValue, answer: ParsedAnswer, tolerance: Tolerance) -> Iterator[Mention]:
    if _TUPLE.fullmatch(expected.raw):
        yield from _tuples(expected, answer)
        return
    rows = [_fits(answer, wanted, tolerance) for wanted in expected.numbers]
    complete = all(any(fit >= Fit.COARSE for fit, _ in row) for row in rows)
    for row in rows:
        for fit, found in row:
            shown = fit if complete else min(fit, Fit.NEAR)
            stance = answer.stance(found.start, _range_end(found, answer))
            yield Mention(found.start, found.end, shown, stance, "number", expected.raw)


_TUPLE = regex.compile(r"\s*[(\[<⟨]\s*[-−]?[\d.]+(?:\s*[,;]\s*[-−]?[\d.]+)+\s*[)\]>⟩]\s*")
"""A point or vector, whose numbers have an order."""


def _tuples(expected: ExpectedValue, answer: ParsedAnswer) -> Iterator[Mention]:
    """Numbers of the answer in the order of the reference, else the first of as many."""
    wanted = [number.value for number in expected.numbers]
    found, size = answer.numbers, len(wanted)
    for i in range(len(found) - size + 1):
        window = found[i : i + size]
        fit = Fit.SAME if [n.value for n in window] == wanted else Fit.OTHER
        stance = answer.stance(window[0].start, window[-1].end)
        yield Mention(window[0].start, window[-1].end, fit, stance, "number", expected.raw)


def _fits(answer: ParsedAnswer, wanted: Number, tolerance: Tolerance) -> list[tuple[Fit, Number]]:
    rows = []
    question = answer.question.raw
    roughly, limit = asks_roughly(question), asks_bound(question)
    for found in answer.numbers:
        if _idle(found, answer) or _other_unit(found, wanted, answer):
            continue
        fit = fit_number(found, wanted, tolerance, roughly=roughly, limit=limit)
        if fit is Fit.COARSE and tolerance is not EXACT:
            fit = Fit.NEAR
        if fit is not None:
            rows.append((fit, found))
    return rows


def _other_unit(found: Number, wanted: Number, answer: ParsedAnswer) -> bool:
    """Whether a noun that is no known unit follows the number, where an amount in a unit is expected: 5 leagues."""
    words, after = answer.words, found.last + 1
    if wanted.unit is None or found.unit is not None or after >= len(words):
        return False
    if words.gap(after) != " " or not words.forms[after][0].isalpha():
        return False
    form = words.forms[after]
    if (unit := unit_named(form)) is not None and unit.dimension == wanted.unit.dimension:
        return False  # a unit that a footnote's number sticks to: 26,000 years12
    return form not in STOPWORDS and form not in _AFTER_AMOUNT and words.stems[after] not in answer.question.stem_set


_AFTER_AMOUNT = frozenset(
    "tall high long wide deep old thick heavy away total altogether exactly each hoch lang breit tief alt schwer".split()
)


def _range_end(found: Number, answer: ParsedAnswer) -> int:
    """Where the range that the number is part of ends."""
    return found.end if found.partner is None else max(found.end, answer.numbers[found.partner].end)


def _idle(found: Number, answer: ParsedAnswer) -> bool:
    """Whether a weak number ("one of the", "a second") counts nothing here."""
    words = answer.words
    after = words.forms[found.last + 1] if found.last + 1 < len(words) else ""
    return found.weak and after in ("of", "another", "or", "thing", "who", "that", "such", "day")
