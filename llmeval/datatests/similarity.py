"""Pairs of similar texts: an exact join on words with a prefix filter, then character trigrams.

The prefix filter (Chaudhuri and others 2006; Bayardo and others 2007) compares only texts that
share one of their rarest words. Two texts are similar if the Jaccard index of their character
trigrams is at least 0.6.
"""

import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import lru_cache

SIMILAR = 0.6
"""The Jaccard index of character trigrams from which two texts are similar."""
_WORDS_ALIKE = 0.5
"""The Jaccard index of words that a pair needs. It keeps 92 of 93 similar pairs of real
questions."""
_MANY = 20_000
"""The number of texts from which the join is coarser, to limit time."""
_WORDS_ALIKE_MANY = 0.6
_LONGEST_POSTING = 400
_MOST_CANDIDATES = 20_000_000
"""The most candidates that all texts together may have, about; more make the posting lists shorter.
"""
_PARTNERS, _COMPARED = 20, 200
"""Similar texts, and compared texts, of one text after which others are compared only if they have
its label. After so many more similar texts with its label none is compared.
"""
_COMPARED_ALIKE = 1000
"""The most compared texts of one text with its label."""
_MOST_SETS = 8192
"""The most sets of trigrams in memory."""
LARGE = 20
"""Members from which a group is large. Pairs of its members are compared only if their labels are
equal: in a template with 1,000 variants the others take most of the time, and join nothing.
"""
_WORD = re.compile(r"\w+")
_NO_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that write no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""


def words_of(text: str) -> list[str]:
    """The words of a text. Scripts without spaces give pairs of characters."""
    words = _WORD.findall(text)
    if text.isascii() or not _NO_SPACES.search(text):
        return words
    parts: list[str] = []
    for word in words:
        if _NO_SPACES.search(word) and len(word) > 2:
            parts += [word[start : start + 2] for start in range(len(word) - 1)]
        else:
            parts.append(word)
    return parts


def trigrams(text: str) -> frozenset[str]:
    """The character trigrams of a text, with a space at both ends."""
    padded = f" {text} "
    return frozenset([padded[start : start + 3] for start in range(len(padded) - 2)])


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """The Jaccard index of two sets of trigrams, in [0, 1]."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)


class SimilarPairs:
    """The similar pairs among some texts.

    Args:
        texts: normalised texts. Empty ones are similar to none.
        labels: one for each text; None equals no other. Texts with equal labels are compared
            first of all, so that a template with thousands of variants costs linear time and does
            not hide duplicates.
        known: whether nothing more is to be learned from a pair without equal labels, because both
            are in one large group. It then counts as similar, and is not compared.
    """

    def __init__(
        self,
        texts: Sequence[str],
        labels: Sequence[str | None],
        known: Callable[[int, int], bool] = lambda first, second: False,
    ) -> None:
        self._texts, self._labels, self._known = texts, labels, known
        # the sets of long texts take 16 kB each, so they go with this object
        self._trigrams = lru_cache(maxsize=_MOST_SETS)(trigrams)
        counted = Counter(labels)
        self._shared = {label for label in counted if label is not None and counted[label] > 1}
        self.capped = 0
        """Words that too many texts share, so that pairs may be missing; 0 with few texts."""
        self.crowded = 0
        """Pairs that were not compared because one text has too many candidates."""

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        """(first, second, similarity) of each pair; `first` is before `second` in `texts`."""
        many = len(self._texts) > _MANY
        longest = max(_LONGEST_POSTING, _MOST_CANDIDATES // max(1, len(self._texts)))
        alike = _WORDS_ALIKE_MANY if many else _WORDS_ALIKE
        rows = self._ranked()
        order = sorted((row for row in range(len(rows)) if rows[row]), key=lambda r: len(rows[r]))
        postings: dict[int, array[int]] = defaultdict(lambda: array("i"))
        full = set[int]()
        for row in order:
            words = rows[row]
            n = len(words)
            prefix = words[: n - math.ceil(alike * n) + 1]
            candidates = _different(postings[word] for word in prefix if word in postings)
            yield from self._verified(row, candidates, rows, alike)
            # later texts are not shorter, so a similar one shares at least so many of these words
            common = math.ceil(2 * alike / (1 + alike) * n - 1e-9)
            for word in words[: n - common + 1]:
                posting = postings[word]
                if len(posting) >= longest:
                    full.add(word)
                else:
                    posting.append(row)
        self.capped = len(full)

    def _ranked(self) -> "list[array[int]]":
        """The different words of each text as numbers, the rarest first."""
        frequency: Counter[str] = Counter()
        for text in self._texts:
            frequency.update(set(words_of(text)))
        by_rarity = sorted(frequency, key=lambda word: (frequency[word], word))
        rank = {word: number for number, word in enumerate(by_rarity)}
        return [array("i", sorted({rank[word] for word in words_of(t)})) for t in self._texts]

    def _verified(
        self, row: int, candidates: Iterator[int], rows: "list[array[int]]", alike: float
    ) -> Iterator[tuple[int, int, float]]:
        """The candidates that are similar to a text: the first ones, then those with its label."""
        partners = yield from self._similar_to(row, candidates, rows, alike, _COMPARED)
        if partners >= _PARTNERS and self._labels[row] not in self._shared:
            return
        left = [*candidates]
        same = self._with_label(row, left)
        if partners < _PARTNERS:
            self.crowded += len(left) - len(same)
        yield from self._similar_to(row, same, rows, alike, _COMPARED_ALIKE)

    def _similar_to(
        self, row: int, others: Iterable[int], rows: "list[array[int]]", alike: float, most: int
    ) -> Generator[tuple[int, int, float], None, int]:
        """The pairs of a text with others that are similar to it, until `_PARTNERS` are similar or
        `most` were compared. Returns the number of similar ones.
        """
        words, text = set(rows[row]), self._texts[row]
        partners, compared = 0, 0
        for other in others:
            if self._labels[row] != self._labels[other] and self._known(row, other):
                partners += 1
            elif self._comparable(row, other, words, rows[other], alike):
                compared += 1
                score = similarity(self._trigrams(text), self._trigrams(self._texts[other]))
                if score >= SIMILAR:
                    partners += 1
                    yield min(row, other), max(row, other), score
            if partners >= _PARTNERS or compared >= most:
                break
        return partners

    def _with_label(self, row: int, others: list[int]) -> list[int]:
        label = self._labels[row]
        if label not in self._shared:
            return []
        return [other for other in others if self._labels[other] == label]

    def _comparable(
        self, row: int, other: int, words: set[int], others: "array[int]", alike: float
    ) -> bool:
        """Whether two texts have enough words in common, and similar lengths."""
        n, size = len(words), len(others)
        if size < alike * n:
            return False
        common = len(words.intersection(others))
        if common < alike * (n + size - common):
            return False
        short, long = sorted((len(self._texts[row]), len(self._texts[other])))
        return short + 2 >= SIMILAR * long * 0.5


def _different(postings: Iterable[Iterable[int]]) -> Iterator[int]:
    """The numbers of the lists, each once, those of the first list first."""
    before = set[int]()
    for posting in postings:
        new = set(posting).difference(before)
        yield from new
        before |= new


class Groups:
    """Connected groups of numbered things (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._size: dict[int, int] = {}

    def join(self, first: int, second: int) -> None:
        """Put two things into one group."""
        one, other = sorted((self._root(first), self._root(second)))
        if one != other:
            self._parent[other] = one
            self._size[one] = self._size.get(one, 1) + self._size.get(other, 1)

    def in_large(self, first: int, second: int) -> bool:
        """Whether two things are in one group of more than `LARGE`."""
        if first not in self._parent or second not in self._parent:
            return False
        root = self._root(first)
        return self._size.get(root, 1) > LARGE and root == self._root(second)

    def _root(self, item: int) -> int:
        self._parent.setdefault(item, item)
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def groups(self) -> list[list[int]]:
        """The groups in the order of their first member, each in order."""
        members: dict[int, list[int]] = defaultdict(list)
        for item in sorted(self._parent):
            members[self._root(item)].append(item)
        return list(members.values())
