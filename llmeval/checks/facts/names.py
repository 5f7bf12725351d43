"""Finding a reference text in an answer: as it stands, or in part, with what speaks for it."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from os.path import commonprefix

import regex

from llmeval.checks.facts.tokens import STOPWORDS, Tokens

MAX_TOLERANT = 128
"""So many references are compared tolerantly; all of them exactly."""
MAX_COMPARED = 500_000
"""So many pairs of words are compared letter by letter for one answer; past that, only equal ones count."""
_LONGEST = 40
_MAX_PLACES = 24
_MAX_LENGTH = 12
_SAME = 0.75
_BRACKETS = regex.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*")

Place = tuple[int, int]
"""First and last word."""


class Reference:
    """A reference text, folded, without what is in brackets and without a leading article or preposition."""

    def __init__(self, raw: str) -> None:
        bare = _BRACKETS.sub(" ", raw).strip()
        words = Tokens(bare)
        if not words.forms:
            words = Tokens(raw)
        first = 0
        while first < len(words) - 1 and words.forms[first] in STOPWORDS:
            first += 1
        self.raw = raw
        self.bare = words.raw
        self.forms = words.forms[first:]
        self.stems = words.stems[first:]
        self._capitals = [words.raw[at].isupper() for at in words.starts[first:]]

    @cached_property
    def content(self) -> list[str]:
        """Stems that carry meaning, each once; all of them when none does."""
        kept = [s for s, form in zip(self.stems, self.forms, strict=True) if form not in STOPWORDS]
        return list(dict.fromkeys(kept or self.stems))

    @cached_property
    def is_name(self) -> bool:
        """Whether every word of meaning has a capital: Neil Armstrong, Gulf of Mexico."""
        pairs = zip(self._capitals, self.forms, strict=True)
        kept = [capital for capital, form in pairs if form not in STOPWORDS and not form[0].isdigit()]
        return bool(kept) and all(kept)


@dataclass(frozen=True, slots=True)
class Partial:
    """How much of a reference an answer holds, counted over its words that the question does not give away.

    Shares in [0, 1], words weighted by length: `recall` same stems, `fuzzy` also near spellings. `told`: the question
    has all of its words. `last`: its last word is there and new. `figures`: numbers in it that the answer lacks.
    """

    reference: Reference
    recall: float = 0.0
    fuzzy: float = 0.0
    told: bool = False
    last: bool = False
    figures: int = 0
    novel: int = 1


def exact(references: Sequence[Reference], answer: Tokens) -> dict[int, list[Place]]:
    """Which references stand in the answer word for word, by stems, and where.

    One pass over the answer for each length of reference, so that many references cost little; those longer than 12
    words are looked for by their first 12, then compared in full.
    """
    wanted: dict[int, dict[tuple[str, ...], list[int]]] = defaultdict(lambda: defaultdict(list))
    for i, reference in enumerate(references):
        key = tuple(reference.stems[:_MAX_LENGTH])
        if key and answer.stem_set.issuperset(key):
            wanted[len(key)][key].append(i)
    found: dict[int, list[Place]] = defaultdict(list)
    stems = answer.stems
    for length, keys in wanted.items():
        grams: Iterable[tuple[str, ...]] = zip(*(stems[k:] for k in range(length)), strict=False)
        for at, gram in enumerate(grams):
            for i in keys.get(gram, ()):
                full = references[i].stems
                if len(found[i]) < _MAX_PLACES and (len(full) <= length or stems[at : at + len(full)] == full):
                    found[i].append((at, at + len(full) - 1))
    return {i: places for i, places in found.items() if places}


def squeezed(reference: Reference, answer: Tokens) -> Place | None:
    """Where the reference stands when spaces and hyphens are left out: `News paper`, `Li'l Abner`."""
    wanted = "".join(reference.forms)
    if len(wanted) < 4:
        return None
    text, starts = answer.squeezed
    at = text.find(wanted)
    if at < 0:
        return None
    first, after = bisect_left(starts, at), bisect_left(starts, at + len(wanted))
    if first >= len(starts) or starts[first] != at or (after < len(starts) and starts[after] != at + len(wanted)):
        return None
    return first, after - 1


class Spelling:
    """Near spellings of words in one answer, each looked up once, within a budget of comparisons."""

    def __init__(self, answer: Tokens) -> None:
        self._stems = answer.stem_set
        self._known: dict[str, tuple[float, str]] = {}
        self._budget = MAX_COMPARED

    @cached_property
    def _candidates(self) -> list[str]:
        return sorted(stem for stem in self._stems if 3 <= len(stem) <= _LONGEST and not stem[0].isdigit())

    @cached_property
    def _by_start(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for stem in self._candidates:
            found[stem[:3]].append(stem)
        return found

    def likeness(self, stem: str) -> tuple[float, str]:
        """How like the answer's most similar word is, in [0, 1], and that word. Figures must be the same."""
        if stem in self._stems:
            return 1.0, stem
        known = self._known.get(stem)
        if known is None:
            known = self._known[stem] = self._nearest(stem)
        return known

    def _nearest(self, stem: str) -> tuple[float, str]:
        from rapidfuzz import fuzz, process

        self._budget -= len(self._candidates)
        if stem[0].isdigit() or not 4 <= len(stem) <= _LONGEST or self._budget < 0:
            return 0.0, ""
        best, word = 0.0, ""
        found = process.extractOne(stem, self._candidates, scorer=fuzz.ratio, score_cutoff=100 * _SAME)
        if found:
            best, word = found[1] / 100, found[0]
        if len(stem) >= 5 and best < 0.95:
            for other in self._by_start.get(stem[:3], ()):
                share = len(commonprefix((stem, other))) / max(len(stem), len(other))
                if share >= 0.6 and _SAME + 0.25 * share > best:
                    best, word = _SAME + 0.25 * share, other
        return best, word


def partial(
    references: Sequence[Reference], answer: Tokens, spelling: Spelling, question: frozenset[str]
) -> Partial | None:
    """The reference that the answer holds most of; None when there are none with words."""
    best: Partial | None = None
    for reference in references[:MAX_TOLERANT]:
        if reference.stems:
            found = _share(reference, answer, spelling, question)
            if best is None or _rank(found) > _rank(best):
                best = found
    return best


def place_of(found: Partial, answer: Tokens, spelling: Spelling) -> tuple[Place, float] | None:
    """Where the words held in part stand closest together, and how close: 1 side by side, towards 0 far apart or alone."""
    held = [
        word for stem in found.reference.content if (near := spelling.likeness(stem))[0] >= _SAME and (word := near[1])
    ]
    at: dict[str, list[int]] = {word: [] for word in held}
    for i, stem in enumerate(answer.stems):
        places = at.get(stem)
        if places is not None and len(places) < _MAX_PLACES:
            places.append(i)
    if not held:
        return None
    best: tuple[int, int] | None = None
    for start in at[held[0]]:
        nearest = [min(at[word], key=lambda i, start=start: abs(i - start)) for word in held]  # type: ignore[misc]
        window = min(nearest), max(nearest)
        if best is None or window[1] - window[0] < best[1] - best[0]:
            best = window
    if best is None:
        return None
    return best, 1 / (1 + max(0, best[1] - best[0] + 1 - len(at))) if len(at) > 1 else 0.0


def _rank(found: Partial) -> float:
    return found.fuzzy + 0.2 * found.recall + 0.1 * found.last - 0.4 * found.told - 0.1 * found.figures


def _weight(stem: str) -> int:
    return 4 if stem[0].isdigit() else min(len(stem), 8)


def _share(reference: Reference, answer: Tokens, spelling: Spelling, question: frozenset[str]) -> Partial:
    content = reference.content
    novel = [s for s in content if s not in question]
    wanted = novel or content
    total = sum(map(_weight, wanted))
    same = near = 0.0
    for stem in wanted:
        likeness, _ = spelling.likeness(stem)
        near += _weight(stem) * (likeness if likeness >= _SAME else 0.0)
        same += _weight(stem) * (likeness == 1.0)
    last = reference.stems[-1]
    return Partial(
        reference,
        recall=same / total,
        fuzzy=near / total,
        told=not novel,
        last=last in novel and last in answer.stem_set,
        figures=sum(1 for s in content if s[0].isdigit() and s not in answer.stem_set),
        novel=len(wanted),
    )
