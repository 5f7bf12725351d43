"""What a text denies, refutes, concedes or leaves open, so that naming a thing is not taken for
stating it.

Each cue opens a scope: a stretch of code points whose mentions do not count as asserted.
NegationScopes end with the clause, so that in "not D but G", "unlike D, G" and "people think D, but
it is G" the G stands free.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import NamedTuple

from llmeval.checks.facts import hedging_cues as patterns
from llmeval.checks.facts.other_languages import READ, denied
from llmeval.checks.facts.tokens import STOPWORDS, Tokens


class Stance(IntEnum):
    """How a text stands to something it mentions, the most favourable first."""

    ASSERTED = 0
    LIKELY = 1
    """said to be probable, or by the speaker's opinion"""
    OPEN = 2
    """one of several possibilities, or not known"""
    SEVERAL = 3
    """one item of a list of candidates"""
    CONCEDED = 4
    """in an "although ..." clause"""
    WORKING = 5
    """outside of what is given as the final answer"""
    MENTIONED = 6
    """named next to the answer: "a friend of X", or in a repetition of the question"""
    UNREAD = 7
    """near a negation in a language whose negation is not read here"""
    DENIED = 8


class Scope(NamedTuple):
    """A stretch [start, end) of the text and the stance its mentions have."""

    start: int
    end: int
    stance: Stance


_REACH = 240
"""No scope reaches further than this many code points: longer ones are run-on text, not syntax."""
_BLOCK = 2000
_GENERIC = frozenset(
    "it answer correct right one case true option choice solution apply fit count work qualify "
    "match hold".split()
)


class NegationScopes:
    """The scopes of one text.

    `about`: stems of the question or subject, to tell which denials matter. `question`: where it
    contains its own "not", the answer may repeat that without denying anything.
    """

    def __init__(
        self,
        words: Tokens,
        about: frozenset[str] = frozenset(),
        question: str = "",
        languages: tuple[str, ...] = (),
    ) -> None:
        self.words = words
        self.about = about
        self._languages = tuple(name for name in languages if name != "en")
        self._blocks: dict[int, list[Scope]] = {}
        self.negative = bool(patterns.IN_QUESTION.search(question))

    def stance(self, start: int, end: int) -> Stance:
        """How the text stands to what it mentions at [start, end)."""
        worst = max(
            (s.stance for s in self._block(start // _BLOCK) if s.start <= start < s.end),
            default=Stance.ASSERTED,
        )
        return Stance.DENIED if worst < Stance.DENIED and self._denied_after(end) else worst

    def _block(self, number: int) -> list[Scope]:
        """Every scope that may reach into a block of the text; a long text is read only where it
        mentions something."""
        cached = self._blocks.get(number)
        if cached is None:
            low, high = max(0, number * _BLOCK - 4 * _REACH), (number + 1) * _BLOCK + 4 * _REACH
            cached = self._blocks[number] = self._scopes(low, min(high, len(self.words.raw)))
        return cached

    def _scopes(self, low: int, high: int) -> list[Scope]:
        """The scopes of all cues in [low, high)."""
        foreign = [scope for name in self._languages for scope in self._foreign(name, low, high)]
        rules: tuple[Callable[[int, int], Iterator[Scope]], ...] = (
            self._denials,
            self._refutations,
            self._retractions,
            self._beliefs,
            self._concessions,
            self._doubts,
            self._openings,
            self._opinions,
        )
        return [*foreign, *(scope for rule in rules for scope in rule(low, high))]

    def _foreign(self, language: str, low: int, high: int) -> Iterator[Scope]:
        """What a negation of the text's language reaches: denied where we read it, else left
        open."""
        stance = Stance.DENIED if language in READ else Stance.UNREAD
        for start, end in denied(self.words.raw, language, low, high):
            if not (self.negative and self._asked(start, end)):
                yield Scope(start, end, stance)

    def _sentence(self, at: int) -> tuple[int, int]:
        """Code points of the sentence around `at`, no further than the reach of a scope."""
        words = self.words
        if not len(words):
            return 0, len(words.raw)
        first, stop = words.sentence(max(0, bisect_right(words.starts, at) - 1))
        end = words.starts[stop] if stop < len(words) else len(words.raw)
        return max(words.starts[first], at - _REACH), min(end, at + _REACH)

    def _before(self, start: int) -> int:
        """Where the sentence before the one that starts at `start` starts."""
        return self._sentence(max(0, start - 2))[0]

    def _clause_end(self, at: int, limit: int) -> int:
        """Where the clause that goes on at `at` ends; "that it is" or a parenthesis of commas right
        after it is skipped."""
        raw = self.words.raw
        opened = patterns.SUBCLAUSE.match(raw, at, limit)
        at = opened.end() if opened else at
        comma = patterns.COMMA.match(raw, at, limit)
        if comma:
            closing = raw.find(",", comma.end(), limit)
            if closing < 0:
                return at
            at = closing + 1
        match = patterns.CLOSE.search(raw, at, limit)
        return match.start() if match else limit

    def _denials(self, low: int, high: int) -> Iterator[Scope]:
        raw = self.words.raw
        for match in patterns.DENY.finditer(raw, low, high):
            start, limit = self._sentence(match.start())
            if patterns.REVERSIBLE.match(match[0]) and patterns.NEGATION_BEFORE.search(
                raw, max(start, match.start() - 30), match.start()
            ):
                continue
            end = self._clause_end(match.end(), self._quote_end(start, match.start(), limit))
            if not (self.negative and self._asked(match.end(), end)):
                yield Scope(match.end(), end, Stance.DENIED)

    def _quote_end(self, start: int, at: int, limit: int) -> int:
        """Where the quotation (a title such as "Don't Be a Hero") that a cue stands in ends;
        `limit` outside of one."""
        raw = self.words.raw
        if len(patterns.QUOTE.findall(raw, start, at)) % 2 == 0:
            return limit
        closing = patterns.QUOTE.search(raw, at, limit)
        return closing.start() if closing else limit

    def _asked(self, start: int, end: int) -> bool:
        """Whether the stretch repeats words of the question."""
        return not self.about.isdisjoint(Tokens(self.words.raw[start:end]).stems)

    def _refutations(self, low: int, high: int) -> Iterator[Scope]:
        """`the claim that it is G is wrong`: back to the start of the clause."""
        raw = self.words.raw
        for match in patterns.REFUTED.finditer(raw, low, high):
            start, _ = self._sentence(match.start())
            breaks = [m.end() for m in patterns.APART.finditer(raw, start, match.start())]
            yield Scope(breaks[-1] if breaks else start, match.start(), Stance.DENIED)

    def _retractions(self, low: int, high: int) -> Iterator[Scope]:
        """`It is G. Wait, no, it is D`: what stands before in the sentence, or the sentence
        before."""
        for match in patterns.RETRACT.finditer(self.words.raw, low, high):
            here, _ = self._sentence(match.start())
            opens = len(self.words.raw[here : match.start()].split()) <= 2
            yield Scope(self._before(here) if opens else here, match.start(), Stance.DENIED)

    def _beliefs(self, low: int, high: int) -> Iterator[Scope]:
        """`people think it is G, but ...`: from the sentence's start to the contrast, here or
        opening the next one."""
        raw = self.words.raw
        for frame, turn in (
            (patterns.BELIEF, patterns.CONTRAST),
            (patterns.HEARSAY, patterns.CORRECTION),
        ):
            for match in frame.finditer(raw, low, high):
                start, end = self._sentence(match.start())
                contrast = turn.search(raw, match.end(), min(len(raw), end + 40))
                if contrast and contrast.start() <= end + 12:
                    yield Scope(start, min(contrast.start(), end), Stance.DENIED)

    def _concessions(self, low: int, high: int) -> Iterator[Scope]:
        for match in patterns.CONCEDE.finditer(self.words.raw, low, high):
            _, end = self._sentence(match.start())
            comma = self.words.raw.find(",", match.end(), end)
            yield Scope(match.end(), comma if comma >= 0 else end, Stance.CONCEDED)

    def _doubts(self, low: int, high: int) -> Iterator[Scope]:
        """`I am not sure`, with the sentence before where that asks, or offers a choice."""
        raw = self.words.raw
        for match in patterns.UNSURE.finditer(raw, low, high):
            start, end = self._sentence(match.start())
            before = self._before(start)
            close = patterns.TURN.search(raw, match.end(), end)
            choice = raw[before:start].rstrip().endswith("?") or patterns.CHOICE.search(
                raw, before, close.start() if close else end
            )
            yield Scope(
                before if choice else match.end(),
                close.start() if close and not choice else end,
                Stance.OPEN,
            )

    def _openings(self, low: int, high: int) -> Iterator[Scope]:
        for match in patterns.OPENING.finditer(self.words.raw, low, high):
            _, end = self._sentence(match.start())
            close = patterns.TURN.search(self.words.raw, match.end(), end)
            yield Scope(match.end(), close.start() if close else end, Stance.OPEN)

    def _opinions(self, low: int, high: int) -> Iterator[Scope]:
        for match in patterns.LIKELY.finditer(self.words.raw, low, high):
            limit = self._sentence(match.start())[1]
            yield Scope(match.end(), self._clause_end(match.end(), limit), Stance.LIKELY)

    def _denied_after(self, end: int) -> bool:
        """`G is not the capital`, `G never did`: what is denied must concern what was asked, where
        that is known."""
        raw = self.words.raw
        if patterns.ASKED_BACK.match(raw, end) or patterns.NO_PART.match(raw, end):
            return True
        match = patterns.DENIED_AFTER.match(raw, end, min(len(raw), end + 120))
        if match is None:
            return False
        stop = self._clause_end(match.end(), self._sentence(match.end() - 1)[1])
        rest = Tokens(raw[match.end() : stop])
        content = {
            s
            for s, form in zip(rest.stems, rest.forms, strict=True)
            if form not in STOPWORDS or form in _GENERIC
        }
        return not self.about or not content or bool(content & (self.about | _GENERIC))
