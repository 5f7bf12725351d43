"""Answers that name several candidates for one fact: "A or B", a list of names, every number from 0
to 100.

A text that lists what might be right states none of it, unless the question asks for several or the
other items are right as well.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import regex

from llmeval.checks.facts.aliases import is_country
from llmeval.checks.facts.names import EMPTY_WORDS
from llmeval.checks.facts.question_cues import ASKS_PLACE, asks_many
from llmeval.checks.facts.tokens import STOPWORDS, Tokens

_OR = {
    "en": "or",
    "de": "oder|bzw\\.?",
    "fr": "ou",
    "es": "o|u",
    "it": "o|oppure",
    "pt": "ou",
    "nl": "of",
    "pl": "lub|albo",
    "sv": "eller",
    "da": "eller",
    "no": "eller",
    "ru": "или",
    "tr": "veya|ya da",
    "cs": "nebo",
    "ro": "sau",
}
_AND = "and|&|und|et|y|e|en|och|og|ve|si|и"
_SPLIT = {
    language: regex.compile(
        rf"\s*(?:(?:,(?!\d)|[;/|•·\n、，；]|\s[-–]\s|\.(?=\s)|或者|或|または))(?:\s*(?:[-*•]"
        rf"|\d{{1,3}}[.)])(?=\s))?\s*"
        rf"(?:\b(?P<or>{word})\b\s*)?|\s+(?:(?P<or>{word})|{_AND})\s+",
        regex.IGNORECASE,
    )
    for language, word in _OR.items()
}
_HAN_OR = regex.compile(r"或者|或|または")
_ALSO = regex.compile(
    r"(?:\(|\balso\s(?:known|called|named|written|spelled)\s(?:as\s)?|\bknown\sas|\bcalled|\bnamed"
    r"|\baka|\bi\.e\.|\bthat\sis|auch|genannt)[\s\"'“]*$",
    regex.IGNORECASE,
)
# After "is called" an "or" gives another name of the same thing.
_NAMED = regex.compile(
    r"\b(?:called|known\sas|named|termed|referred\sto\sas|genannt|heißt|appelée?|llamad[oa]"
    r"|chiamat[oa]|chamad[oa])"
    r"\s(?:(?:the|a|an)\s)?[\"'“*]*$",
    regex.IGNORECASE,
)
_NO_CHOICE = frozenset(
    "not so more less later earlier fewer over above two both similar other others otherwise even "
    "perhaps any something "
    "anything equivalent greater higher longer older younger else at in on by for "
    "mehr weniger darüber plus davantage moins más mas menos più piu meno mais meer minder".split()
)
_LONG_LIST = 4
"""So many items that are nothing but names or values, one of them right, are a list of
candidates."""
_PLACES = 7
"""The same for what may be one place, as `Baker Street, Soho, London, England, UK`."""
_HUGE_LIST = 18
"""The same where the question asks for several."""
_ITEM_WORDS = 4
_LEAD_IN = 24
"""So many characters may stand around a list of a few items: "Maybe: ...".
"""
_PILE = 12
_PILE_WORDS = 9
_STATEMENT = regex.compile(r"[;\n]|[.!?](?=\s|$)")
_CLAUSE = regex.compile(r"[;\n]|[.!?](?=\s|$)|,\s(?=\p{Lu})")
_MAX_OFFERS = 12
_IN_NAMES = frozenset(["the", "a", "an", "and", "of", "i", "s"])
_OFFERED_WORDS = 30
"""In a longer answer "A or B" is more often an aside than the answer."""
_VERBS = frozenset(
    "is was are were be been has have had did does do can could will would ist war sind est sont "
    "es son era foi".split()
)
_VERB_WITHIN = 60
_BRACKETS = regex.compile(r"\([^()]*\)?")
_LAST_AND = regex.compile(rf"\b(?:{_AND})\b|&", regex.IGNORECASE)
_WHOLE = 0.85
"""The share of an answer from which on "A or B" is all of it."""
_SHORT_ANSWER = 6
_READ = 20_000


@dataclass(frozen=True, slots=True)
class _Item:
    """A stretch [start, end) between two separators; `chosen`: an "or" stands before it."""

    start: int
    end: int
    chosen: bool = False


class Candidates:
    """The lists of candidates in an answer to a question."""

    def __init__(self, words: Tokens, question_words: Tokens, language: str) -> None:
        question = question_words.raw
        self._words = words
        self.asks_many = asks_many(question)
        self._question = question_words.stem_set.difference(STOPWORDS)
        self._where = bool(ASKS_PLACE.search(question))
        self._bare: dict[int, bool] = {}
        self._stems_at: dict[int, frozenset[str]] = {}
        self._separator = _SPLIT.get(language, _SPLIT["en"])

    @cached_property
    def _items(self) -> list[_Item]:
        return _items(self._words.raw[:_READ], self._separator)

    @cached_property
    def _starts(self) -> list[int]:
        return [item.start for item in self._items]

    def is_one_of_several(self, start: int, end: int, right: Sequence[frozenset[str]]) -> bool:
        """Whether what stands at [start, end) is one candidate of several, the others not among
        those right.

        `right`: the stems of each right value.
        """
        low = bisect_right(self._starts, start) - 1
        high = bisect_left(self._starts, end) - 1
        if low < 0 or high < low:
            return False
        if self._offered(low, high, start, end, right):
            return True
        return self._listed(low, high, right, self._least())

    def is_one_of_many(self, start: int, end: int, right: Sequence[frozenset[str]]) -> bool:
        """Whether it is one item of a list that the question asks for, most of which are not among
        those right."""
        low = bisect_right(self._starts, start) - 1
        high = bisect_left(self._starts, end) - 1
        return (
            self.asks_many and 0 <= low <= high and self._listed(low, high, right, _LONG_LIST + 1)
        )

    def is_pile(self, right: Sequence[frozenset[str]]) -> bool:
        """Whether the text is a dozen or more short statements of which hardly any has to do with
        the question."""
        raw = self._words.raw[:_READ]
        if sum(map(raw.count, ",;\n.!?")) < _PILE:
            return False
        least = _HUGE_LIST if self.asks_many else _PILE
        return self._are_apart(_STATEMENT.split(raw), least, right) or self._are_apart(
            _CLAUSE.split(raw), _HUGE_LIST, right
        )

    def _are_apart(self, parts: list[str], least: int, right: Sequence[frozenset[str]]) -> bool:
        """Whether there are enough parts, short on average, and most share no word with question or
        right values."""
        parts = list(
            {part.strip() for part in parts if part.strip() and not part.strip().isdigit()}
        )
        if len(parts) < least or len(self._words) > _PILE_WORDS * len(parts):
            return False
        cached = self._question.union(*right) - EMPTY_WORDS
        return sum(cached.isdisjoint(Tokens(part).content) for part in parts) >= 0.7 * len(parts)

    def _offered(
        self, low: int, high: int, start: int, end: int, right: Sequence[frozenset[str]]
    ) -> bool:
        """`A or B`, `A, B or C`, with another candidate than items low..high on the other side of
        the "or"."""
        if len(self._words) > _OFFERED_WORDS:
            return False
        if self._items[low].chosen and low:
            return self._is_other(self._items[low - 1], low, low, start, end, right, after_or=True)
        last = high
        while last + 1 < len(self._items) and last - high < _MAX_OFFERS:
            if not self._joined(last + 1):
                return False
            last += 1
            if self._items[last].chosen:
                return self._is_other(
                    self._items[last], high, last, start, end, right, after_or=False
                )
            if not self._is_bare(self._items[last]):
                return False
        return False

    def _is_other(
        self,
        other: _Item,
        at: int,
        chosen: int,
        start: int,
        end: int,
        right: Sequence[frozenset[str]],
        *,
        after_or: bool,
    ) -> bool:
        """Whether the item on the other side of the "or" is another candidate than what stands at
        [start, end)."""
        if not self._beside(at, other, start, end, after_or=after_or):
            return False
        if self._first_form(other) in _NO_CHOICE or not self._is_candidate(other, after_or):
            return False
        if _NAMED.search(self._words.raw, 0, min(start, self._items[chosen].start, other.start)):
            return False
        joint = self._items[chosen].start
        if _ALSO.search(self._words.raw, max(0, joint - 30), max(0, joint - 3)):
            return False
        return not _is_right(self._stems(other), right)

    def _beside(self, at: int, other: _Item, start: int, end: int, *, after_or: bool) -> bool:
        """Whether the place is next to the "or": a name, a number, or a term in an answer of little
        else.

        Elsewhere "a spine or backbone" more often gives another word for the same thing.
        """
        raw, item = self._words.raw, self._items[at]
        between = raw[item.start : start] if after_or else raw[end : item.end]
        if sum(form not in STOPWORDS for form in Tokens(_BRACKETS.sub(" ", between)).forms):
            return False
        named = raw[start].isupper() or raw[start].isdigit() or not raw[start].isascii()
        whole = max(end, other.end) - min(start, other.start)
        return named or len(self._words) <= _SHORT_ANSWER or whole >= _WHOLE * len(raw.strip())

    def _joined(self, index: int) -> bool:
        """Whether a comma or a conjunction, and no full stop, stands before the item."""
        gap = self._words.raw[self._items[index - 1].end : self._items[index].start]
        return "\n" not in gap and "." not in gap and ";" not in gap

    def _first_form(self, item: _Item) -> str:
        parts_read = Tokens(self._words.raw[item.start : item.start + 60]).forms
        return parts_read[0] if parts_read else ""

    def _stems(self, item: _Item) -> frozenset[str]:
        cached = self._stems_at.get(item.start)
        if cached is None:
            cached = self._stems_at[item.start] = self._read_stems(item)
        return cached

    def _read_stems(self, item: _Item) -> frozenset[str]:
        return frozenset(
            Tokens(self._words.raw[item.start : min(item.end, item.start + 120)]).content
        )

    def _is_candidate(self, item: _Item, before: bool) -> bool:
        """Whether the item may be an answer by itself; before an "or", its last words may be."""
        text = self._words.raw[item.start : item.end]
        parts_read = Tokens(text[-60:] if before else text[:60])
        return any(
            form not in STOPWORDS
            for form in (parts_read.forms[-2:] if before else parts_read.forms[:3])
        )

    def _listed(self, first: int, last: int, right: Sequence[frozenset[str]], least: int) -> bool:
        """A run of `least` bare items or more, most of them not right, that makes up most of the
        answer."""
        short = len(self._items) < _PLACES and self._all_stated(self._items)
        if self._is_enumeration and len(self._items) >= least and not short:
            rest = self._items[:first] + self._items[last + 1 :]
            others = self._others(rest, self._items[first : last + 1], right)
            return len(others) >= least - 1 and len(others) * 2 > len(self._items)
        if not all(self._is_bare(item) for item in self._items[first : last + 1]):
            return False
        low, high = first, last
        while low > 0 and self._is_bare(self._items[low - 1]):
            low -= 1
        while high + 1 < len(self._items) and self._is_bare(self._items[high + 1]):
            high += 1
        run = self._items[low : high + 1]
        if len(run) < least or (len(run) < _PLACES and self._all_stated(run)):
            return False
        outside = len(self._words.raw) - (run[-1].end - run[0].start)
        most = len(self._words.raw) / 3 if len(run) >= _LONG_LIST + 2 else _LEAD_IN
        if outside > most:
            return False
        rest = run[: first - low] + run[last - low + 1 :]
        others = self._others(rest, self._items[first : last + 1], right)
        return len(others) >= least - 1 and len(others) * 2 > len(run)

    def _others(
        self, rest: list[_Item], own: list[_Item], right: Sequence[frozenset[str]]
    ) -> list[_Item]:
        """The other candidates: items that are not right, and that do not just repeat what the
        question lists.

        To "Matthew, Mark, Luke and who?" all four names are an answer; to "Is it Matthew, Mark,
        Luke or John?" they are none.
        """
        named = self._question.union(*map(self._stems, own)) == self._question
        return [
            item
            for item in rest
            if not _is_right(self._stems(item), right)
            and (named or not self._stems(item) <= self._question)
        ]

    def _all_stated(self, run: list[_Item]) -> bool:
        """Whether a sentence with an "and" before the last item says that all are meant: `They are
        A, B, C and D`."""
        if not self.asks_many and _VERBS.isdisjoint(self._words.forms[:_VERB_WITHIN]):
            return False
        return len(run) > 1 and bool(_LAST_AND.search(self._words.raw, run[-2].end, run[-1].start))

    @cached_property
    def _is_enumeration(self) -> bool:
        """Whether the whole text is items of a few words, with no verb that would make it a
        sentence."""
        words = self._words
        count = len(self._items)
        if count <= _LONG_LIST or len(words) > 3 * count or not _VERBS.isdisjoint(words.forms):
            return False
        return max(item.end - item.start for item in self._items) <= 50

    def _least(self) -> int:
        if self.asks_many:
            return _HUGE_LIST
        return (_PLACES if self.is_address else _LONG_LIST + 1) if self._where else _LONG_LIST

    @cached_property
    def is_address(self) -> bool:
        """Whether the items may be one place, from the smallest to the country: they end in the
        only country."""
        items = self._items
        if not items or not is_country(" ".join(self._all_stems(items[-1]))):
            return False
        return not any(is_country(" ".join(self._all_stems(item))) for item in items[:-1])

    def _all_stems(self, item: _Item) -> list[str]:
        return Tokens(self._words.raw[item.start : min(item.end, item.start + 60)]).stems

    def _is_bare(self, item: _Item) -> bool:
        """Whether the item is a name or value and nothing else: few words, hardly any without a
        meaning of their own."""
        cached = self._bare.get(item.start)
        if cached is None:
            cached = self._bare[item.start] = self._reads_bare(item)
        return cached

    def _reads_bare(self, item: _Item) -> bool:
        if item.end - item.start > 80:
            return False
        parts_read = Tokens(self._words.raw[item.start : item.end]).forms
        small = sum(form in STOPWORDS and form not in _IN_NAMES for form in parts_read)
        return 0 < len(parts_read) <= _ITEM_WORDS + 2 and not small


_INTERJECTIONS = frozenset(
    "no non nein nee não nao sorry pardon perdón scusa scusi scusate desculpe desculpa "
    "entschuldigung verzeihung wait hmm actually oops attendez attends espera aspetta wacht".split()
)
"""What a text says when it corrects itself, which is not a candidate."""


def _is_item(text: str) -> bool:
    """Whether the text is more than marks and an interjection."""
    text = text.strip(" -*•\t.…")
    return bool(text) and text.casefold() not in _INTERJECTIONS


def _items(raw: str, separator: "regex.Pattern[str]") -> list[_Item]:
    parts_read: list[_Item] = []
    start, chosen = 0, False
    for match in separator.finditer(raw):
        if _is_item(raw[start : match.start()]):
            parts_read.append(_Item(start, match.start(), chosen))
            chosen = False
        start = match.end()
        chosen = (
            chosen or match["or"] is not None or bool(_HAN_OR.search(match[0])) or match[0] == "/"
        )
    if _is_item(raw[start:]):
        parts_read.append(_Item(start, len(raw), chosen))
    return parts_read


def _is_right(stems: frozenset[str], right: Sequence[frozenset[str]]) -> bool:
    """Whether the words are those of one right value, or hold all of its words."""
    return any(value and (stems <= value or value <= stems) for value in right)
