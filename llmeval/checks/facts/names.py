"""Finding a reference text in an answer: word for word, or in part.

What a part of it, or a longer name around it, means is decided in `differences`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from os.path import commonprefix

import regex

from llmeval.checks.facts.lexicon import JOINTS, contrast
from llmeval.checks.facts.tokens import STOPWORDS, Tokens
from llmeval.checks.facts.word_forms import SHORT, is_known, other_prefix, same_word
from llmeval.checks.reading.wordlists import word_set

MAX_TOLERANT = 128
"""So many references are compared tolerantly; all of them exactly."""
MAX_COMPARED = 500_000
"""So many pairs of words are compared letter by letter for one answer; past that, only equal ones
count."""
_LONGEST = 40
_MAX_PLACES = 24
_MAX_LENGTH = 12
_SAME = 0.75
_DERIVED = 0.9
_DERIVED_LETTERS = 5
"""Fewer letters in common at the start are chance more often than derivation: driven and drive
train."""
VARIANT = 0.96
"""The likeness of two forms or spellings of one word."""
_HAN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_INITIALS = regex.compile(r"\b\p{Lu}\.\s?(?:\p{Lu}\.\s?){1,2}")
# A bracket that touches the word before it is part of the name: iron(III) oxide.
_BRACKETS = regex.compile(r"(?:(?:^|\s+)[(\[][^()\[\]]*[)\]]|^[(\[][^()\[\]]*[)\]])\s*")

ARTICLES = word_set(
    "der die das den le la les el los las il lo gli o os as het een ein eine un une una um uma de"
)

NAME_LETTERS = frozenset(["i", "a", "s", "t"])
FIRST_NAMES = frozenset(["will", "may"])
"""Function words that are names where they have a capital next to another name."""


def _has_capital(word: str) -> bool:
    """Whether a word starts with a capital, or has one after its first letter as `iPhone` has."""
    return word[:1].isupper() or (len(word) > 2 and word[0].isalpha() and word[1].isupper())


def _is_letter(words: Tokens, index: int) -> bool:
    """Whether the word is a letter that names a kind, as in `T cells`."""
    word = words.raw[words.starts[index] : words.ends[index]]
    return word in ("S", "T") and not words.raw.isupper()


Place = tuple[int, int]
"""First and last word."""


class Reference:
    """A reference text, folded, without what is in brackets and without a leading article or
    preposition."""

    def __init__(self, raw: str) -> None:
        bare = _BRACKETS.sub(" ", raw).strip()
        words = Tokens(bare)
        if not words.forms:
            words = Tokens(raw)
        first = 0
        while first < len(words) - 1 and (
            (words.forms[first] in STOPWORDS and not _is_letter(words, first))
            or (not first and words.forms[0] in ARTICLES)
        ):
            first += 1
        self.raw = raw
        self.bare = words.raw
        self.leading = words.forms[:first]
        self.forms = words.forms[first:]
        self.stems = words.stems[first:]
        spans = zip(words.starts[first:], words.ends[first:], strict=True)
        # iPhone and eBay are names as well.
        self.capitals = [_has_capital(words.raw[start:end]) for start, end in spans]
        self._dotted = [words.raw[end : end + 1] == "." for end in words.ends[first:]]

    @cached_property
    def content(self) -> list[str]:
        """Stems that carry meaning, each once; all of them when none does. The I of `Elizabeth I`
        and the A of `hepatitis A` do.
        """
        kept = [
            stem
            for i, (stem, form) in enumerate(zip(self.stems, self.forms, strict=True))
            if (form not in STOPWORDS and not self._joins(i)) or self._names(i)
        ]
        return list(dict.fromkeys(kept or self.stems))

    @cached_property
    def is_spaceless(self) -> bool:
        """Whether it is a short text of Han or Kana characters, of which no part means the
        whole."""
        return len(self.forms) <= _MAX_LENGTH and all(_HAN.match(form) for form in self.forms)

    @cached_property
    def initials(self) -> frozenset[str]:
        """Single letters with a full stop that stand before another word: the F of John F.
        Kennedy."""
        last = len(self.forms) - 1
        dotted = zip(self.forms, self._dotted, strict=True)
        return frozenset(
            form for i, (form, dot) in enumerate(dotted) if dot and len(form) == 1 and i < last
        )

    @cached_property
    def joined_initials(self) -> frozenset[str]:
        """Words that are two or three initials: the J. K. of J. K. Rowling."""
        result = (Tokens(match[0]).forms for match in _INITIALS.finditer(self.bare))
        return frozenset(forms[0] for forms in result if len(forms) == 1)

    @cached_property
    def is_name(self) -> bool:
        """Whether every word of meaning has a capital: Neil Armstrong, Gulf of Mexico."""
        pairs = zip(self.capitals, self.forms, strict=True)
        kept = [
            capital
            for i, (capital, form) in enumerate(pairs)
            if form not in STOPWORDS and not form[0].isdigit() and not self._joins(i)
        ]
        return bool(kept) and all(kept)

    def _names(self, index: int) -> bool:
        """Whether a function word is part of a name: the S of `Model S`, the Will of `Will
        Smith`."""
        form = self.forms[index]
        if not self.capitals[index] or form not in NAME_LETTERS | FIRST_NAMES:
            return False
        if not index:
            if form in ("s", "t"):
                return True
            return form in FIRST_NAMES and len(self.capitals) > 1 and self.capitals[1]
        return self.capitals[index - 1] or form in ("i", "a")

    def _joins(self, index: int) -> bool:
        """Whether the word joins parts of a name: the `am` of Frankfurt am Main."""
        return (
            0 < index < len(self.forms) - 1
            and not self.capitals[index]
            and self.forms[index] in JOINTS
        )


@dataclass(frozen=True, slots=True)
class Partial:
    """How much of a reference an answer holds, counted over its words that the question does not
    give away.

    Shares in [0, 1], words weighted by length: `recall` same stems, `fuzzy` also near spellings.
    `told`: the question has all of its words. `last`: its last word is there and new. `figures`:
    numbers in it that the answer lacks.
    """

    reference: Reference
    recall: float = 0.0
    fuzzy: float = 0.0
    in_question: bool = False
    last: bool = False
    figures: int = 0
    novel: int = 1


def exact(references: Sequence[Reference], answer: Tokens) -> dict[int, list[Place]]:
    """Which references stand in the answer word for word, by stems, and where.

    One pass over the answer for each length of reference, so that many references cost little;
    those longer than 12 words are looked for by their first 12, then compared in full.
    """
    target: dict[int, dict[tuple[str, ...], list[int]]] = defaultdict(lambda: defaultdict(list))
    for i, reference in enumerate(references):
        key = tuple(reference.stems[:_MAX_LENGTH])
        if key and answer.stem_set.issuperset(key):
            target[len(key)][key].append(i)
    result: dict[int, list[Place]] = defaultdict(list)
    stems = answer.stems
    for length, keys in target.items():
        grams: Iterable[tuple[str, ...]] = zip(*(stems[k:] for k in range(length)), strict=False)
        for at, gram in enumerate(grams):
            for i in keys.get(gram, ()):
                full = references[i].stems
                if len(result[i]) < _MAX_PLACES and (
                    len(full) <= length or stems[at : at + len(full)] == full
                ):
                    result[i].append((at, at + len(full) - 1))
    return {i: places for i, places in result.items() if places}


class Spelling:
    """Words of one answer that may match an expected word. Each is looked up once, within a budget
    of comparisons.
    """

    def __init__(self, answer: Tokens, language: str = "en") -> None:
        self._stems = answer.stem_set
        self._language = language
        self._known: dict[str, tuple[float, str]] = {}
        self._budget = MAX_COMPARED

    @property
    def is_head_first(self) -> bool:
        """Whether the adjective of the language follows its noun: `mar Negro`."""
        return self._language in ("fr", "es", "it", "pt", "ro", "ca")

    @cached_property
    def _candidates(self) -> list[str]:
        usable = (s for s in self._stems if 3 <= len(s) <= _LONGEST and not s[0].isdigit())
        return sorted(s for s in usable if s not in STOPWORDS)

    @cached_property
    def _by_start(self) -> dict[str, list[str]]:
        result: dict[str, list[str]] = defaultdict(list)
        for stem in self._candidates:
            result[stem[:3]].append(stem)
        return result

    def likeness(self, stem: str) -> tuple[float, str]:
        """How like the answer's most similar word is, and that word.

        1: the same stem; `VARIANT`: an inflected form, another spelling or a misspelling; between
        `_SAME` and that: a word that is derived from it or looks like it, which may be another
        word. Figures must be the same.
        """
        if stem in self._stems:
            return 1.0, stem
        cached = self._known.get(stem)
        if cached is None:
            cached = self._known[stem] = self._nearest(stem)
        return cached

    def _nearest(self, stem: str) -> tuple[float, str]:
        from rapidfuzz import fuzz, process

        self._budget -= len(self._candidates)
        if stem[0].isdigit() or not 4 <= len(stem) <= _LONGEST or self._budget < 0:
            return 0.0, ""
        like = process.extract(stem, self._candidates, scorer=fuzz.ratio, score_cutoff=60, limit=8)
        like = [match for match in like if not _is_other(stem, match[0])]
        for word, _, _ in like:
            if same_word(stem, word, self._language):
                return VARIANT, word
        # Of short words one letter more or less is another word: Qin and Qing.
        like = [
            match
            for match in like
            if min(len(stem), len(match[0])) >= SHORT and not _are_apart(stem, match[0])
        ]
        best, word = (
            (like[0][1] / 100, like[0][0]) if like and like[0][1] >= 100 * _SAME else (0.0, "")
        )
        if len(stem) >= 5 and best < 0.95:
            for other in self._by_start.get(stem[:3], ()):
                shared = len(commonprefix((stem, other)))
                share = shared / max(len(stem), len(other))
                if _is_other(stem, other):
                    continue
                if share >= 0.6 and shared >= _DERIVED_LETTERS and _SAME + 0.25 * share > best:
                    best, word = _SAME + 0.25 * share, other
        return min(best, VARIANT - 0.01), word


def _are_apart(one: str, two: str) -> bool:
    """Whether a dictionary has both words, and neither is derived from the other: fission and
    fusion."""
    shared = len(commonprefix((one, two)))
    return shared < _DERIVED_LETTERS and is_known(one) and is_known(two)


def _is_other(one: str, two: str) -> bool:
    """Whether the words are known to name different things, however alike they are."""
    return contrast(one, two) or other_prefix(one, two)


def partials(
    references: Sequence[Reference], answer: Tokens, spelling: Spelling, question: frozenset[str]
) -> list[Partial]:
    """How much the answer holds of each reference that has words, the most first."""
    usable = [r for r in references[:MAX_TOLERANT] if r.stems and not r.is_spaceless]
    result = [_share(r, answer, spelling, question) for r in usable]
    return sorted(result, key=_rank, reverse=True)


def least_likeness(
    reference: Reference, answer: Tokens, spelling: Spelling, question: frozenset[str]
) -> float:
    """How like a word of the answer has to be to count for one of the reference.

    A word derived from another one counts in descriptions. By itself or in a name it is another
    word (Texan, methanol), unless it stands before a noun of the question: the Himalayan mountain
    range.
    """
    if len(reference.content) > 1 and not reference.is_name:
        return _SAME
    word = spelling.likeness(reference.content[0])[1] if len(reference.content) == 1 else ""
    if word and word in answer.stem_set:
        after = answer.stems.index(word) + 1
        if (
            after < len(answer)
            and answer.stems[after] in question
            and answer.forms[after] not in STOPWORDS
        ):
            return _DERIVED
    return VARIANT


def held_places(
    reference: Reference, answer: Tokens, spelling: Spelling, least: float = _SAME
) -> dict[str, int]:
    """Where the reference's words stand, for the words that the answer has, closest together:
    {stem: word index}."""
    like = {stem: spelling.likeness(stem) for stem in reference.content}
    words = {stem: word for stem, (share, word) in like.items() if share >= least and word}
    target = frozenset(words.values())
    at: dict[str, list[int]] = {word: [] for word in target}
    for i, stem in enumerate(answer.stems):
        places = at.get(stem)
        if places is not None and len(places) < _MAX_PLACES and not answer.is_pronoun(i):
            places.append(i)
    best: dict[str, int] = {}
    width = -1
    held = [stem for stem in words if at[words[stem]]]
    for start in at[words[held[0]]] if held else ():
        nearest = {stem: min(at[words[stem]], key=lambda i: abs(i - start)) for stem in held}
        span = max(nearest.values()) - min(nearest.values())
        if width < 0 or span < width:
            best, width = nearest, span
    return best


def place_of(result: Partial, answer: Tokens, spelling: Spelling) -> tuple[Place, float] | None:
    """Where the words held in part stand closest together, and how close: 1 side by side, towards 0
    far or alone."""
    places = held_places(result.reference, answer, spelling)
    if not places:
        return None
    first, last, count = min(places.values()), max(places.values()), len(set(places.values()))
    return (first, last), 1 / (1 + max(0, last - first + 1 - count)) if count > 1 else 0.0


def _rank(result: Partial) -> float:
    return (
        result.fuzzy
        + 0.2 * result.recall
        + 0.1 * result.last
        - 0.4 * result.in_question
        - 0.1 * result.figures
    )


def _weight(stem: str) -> int:
    return 4 if stem[0].isdigit() else min(len(stem), 8)


EMPTY_WORDS = word_set(
    "not no never nothing none dont doesnt didnt cant cannot isnt arent wasnt wont wouldnt "
    "shouldnt couldnt there any "
    "no real really actually also just very such so if because since"
)
"""Words that show by themselves nothing about what an answer states."""


def _share(
    reference: Reference, answer: Tokens, spelling: Spelling, question: frozenset[str]
) -> Partial:
    content = reference.content
    novel = [s for s in content if s not in question and s not in EMPTY_WORDS]
    target = novel or content
    total = sum(map(_weight, target))
    same = near = 0.0
    least = least_likeness(reference, answer, spelling, question)
    for stem in target:
        likeness, _ = spelling.likeness(stem)
        near += _weight(stem) * (likeness if likeness >= least else 0.0)
        same += _weight(stem) * (likeness == 1.0)
    last = reference.stems[-1]
    return Partial(
        reference,
        recall=same / total,
        fuzzy=near / total,
        in_question=not novel,
        last=last in novel and last in answer.stem_set,
        figures=sum(1 for s in content if s[0].isdigit() and s not in answer.stem_set),
        novel=len(target),
    )
