"""D001, D002a, D002b and D003: cases that repeat or contradict one another."""

import hashlib
import re
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from llmeval.datatests.findings import CasePlace, DataFinding, SuiteCase, finding, named
from llmeval.datatests.similarity import Groups, SimilarPairs, words_of

NEARLY_EQUAL = 0.9
"""The similarity of two questions whose common reference says little, such as `yes`."""
SMALL_NUMBER = 0.7
"""The same for a common reference below 100."""
_STOP_WORDS = frozenset(
    "a an and are as at be been by did do does for had has have in is it its of on or that the"
    " their there these this those to was were will with would can could please".split()
)
_ORDERED = frozenset("than before after from to over minus divided between into versus vs".split())
"""Words with which the order of the other words matters."""
_TOKEN = re.compile(r"\w+|[+*/×÷^=<>%]|(?<=[\s\d])[-−](?=[\s\d])")
_LITTLE = frozenset(["yes", "no", "true", "false", "none", "unknown", "both", "neither"])


def agree(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether one of the first references equals one of the second, or contains its words.

    A number has to be equal.
    """
    return any(_contains(one, other) for one in first for other in second)


def _contains(one: str, other: str) -> bool:
    one, other = (" ".join(re.findall(r"\w+", text)) or text for text in (one, other))
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return not short.isdigit() and f" {short} " in f" {long} "


def says_little(references: Sequence[str]) -> bool:
    """Whether many different questions have such a reference: yes, no, the letter of a choice."""
    return all(
        (len(text) < 2 and not text.isdigit()) or text.strip(" .") in _LITTLE for text in references
    )


def content(question: str) -> str:
    """The content words and the question word of a normalised question.

    The order of the words is kept only where it matters: with numbers, and with words such as
    `than`.
    """
    tokens = _TOKEN.findall(question)
    words = [token for token in tokens if token not in _STOP_WORDS]
    numbers = sum(token[0].isdigit() for token in tokens)
    if numbers > 1 or not _ORDERED.isdisjoint(tokens):
        return " ".join(words)
    return " ".join(sorted(set(words)))


class Duplicates:
    """D001 to D003, over all cases of a suite."""

    def __init__(self) -> None:
        self._places: list[CasePlace] = []
        self._questions: list[str] = []
        self._references: list[tuple[str, ...]] = []
        self._long: list[bytes] = []
        self._clustered = array("b")
        self._by_key: dict[bytes, list[int]] = defaultdict(list)
        self._by_content: dict[bytes, list[int]] = defaultdict(list)
        self.proposals: list[list[CasePlace]] = []
        """After `findings`: the groups of siblings, for `cluster:`."""

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        row = len(self._places)
        self._places.append(case.place)
        self._questions.append(case.question)
        self._references.append(case.references)
        self._long.append(case.long_text)
        self._clustered.append(case.case.cluster is not None)
        self._by_key[case.key].append(row)
        words = content(case.question)
        if words:
            digest = hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            self._by_content[digest + case.long_text].append(row)

    def findings(self) -> Iterator[DataFinding | None]:
        """All findings; the pairs that one rule reports are not reported by a weaker one."""
        yield from self._equal()
        conflicts = Groups()
        for rows in (*self._by_key.values(), *self._by_content.values()):
            self._conflicts(rows, conflicts)
        yield from self._conflicting(conflicts)
        yield from self._similar(conflicts)

    def _equal(self) -> Iterator[DataFinding]:
        for rows in self._by_key.values():
            if len(rows) > 1:
                places = [self._places[row] for row in rows]
                yield finding(
                    "D001",
                    "error",
                    places,
                    f"{len(rows)} cases send the same prompt: {named(places)}",
                    "Remove all but one, so that the case counts once",
                    evidence=self._questions[rows[0]],
                )

    def _conflicts(self, rows: list[int], groups: Groups) -> None:
        """Join the rows whose references do not agree with those of the first."""
        with_reference = [row for row in rows if self._references[row]]
        for row in with_reference[1:]:
            if not agree(self._references[with_reference[0]], self._references[row]):
                groups.join(with_reference[0], row)

    def _conflicting(self, conflicts: Groups) -> Iterator[DataFinding]:
        for rows in conflicts.groups():
            places = [self._places[row] for row in rows]
            references = " / ".join(self._references[row][0] for row in rows[:3])
            yield finding(
                "D003",
                "warn",
                places,
                f"the same question has references that do not agree: {named(places)}",
                "Decide which reference is right, or make the questions different",
                evidence=f"{self._questions[rows[0]]}: {references}",
            )

    def _similar(self, conflicts: Groups) -> Iterator[DataFinding | None]:
        reported = {row: number for number, rows in enumerate(conflicts.groups()) for row in rows}
        duplicates, siblings = Groups(), Groups()
        pairs = SimilarPairs(
            self._questions,
            [_label(references) for references in self._references],
            siblings.in_large,
        )
        equal_questions = self._same_question_pairs()
        for first, second, score in chain(pairs, equal_questions):
            yield None
            if self._long[first] != self._long[second] or self._is_reported(
                reported, first, second
            ):
                continue
            if self._duplicates(first, second, score):
                duplicates.join(first, second)
            elif not (self._clustered[first] and self._clustered[second]):
                siblings.join(first, second)
        yield from self._near(duplicates)
        yield from self._siblings(siblings)
        if pairs.capped or pairs.crowded:
            yield finding(
                "D002a",
                "info",
                self._places[:1],
                f"{pairs.capped:,} words are in too many of the {len(self._places):,} cases, and"
                f" {pairs.crowded:,} pairs were not compared, so similar pairs may be missing",
                "Test the parts of the suite separately, for example one topic at a time",
            )

    def _same_question_pairs(self) -> list[tuple[int, int, float]]:
        """Pairs with the same content words: they are similar, whatever their trigrams are."""
        return [
            (rows[0], row, 1.0)
            for rows in self._by_content.values()
            for row in rows[1:]
            if len(rows) < 50
        ]

    def _is_reported(self, reported: dict[int, int], first: int, second: int) -> bool:
        one, other = reported.get(first), reported.get(second)
        same_key = self._questions[first] == self._questions[second]
        return same_key or (one is not None and one == other)

    def _duplicates(self, first: int, second: int, score: float) -> bool:
        one, other = self._references[first], self._references[second]
        if not one or not other or not agree(one, other):
            return False
        if says_little(one) or says_little(other):
            same = _numbers(self._questions[first]) == _numbers(self._questions[second])
            return same and score >= NEARLY_EQUAL
        if all(text.isdigit() and len(text) < 3 for text in (*one, *other)):
            return score >= SMALL_NUMBER
        return True

    def _near(self, groups: Groups) -> Iterator[DataFinding]:
        for rows in groups.groups():
            places = [self._places[row] for row in rows]
            yield finding(
                "D002a",
                "warn",
                places,
                f"{len(rows)} cases ask nearly the same and have the same reference:"
                f" {named(places)}",
                "Remove all but one, or give them the same `cluster:`",
                evidence=" / ".join(self._questions[row] for row in rows[:2]),
            )

    def _siblings(self, groups: Groups) -> Iterator[DataFinding]:
        for rows in groups.groups():
            places = [self._places[row] for row in rows]
            self.proposals.append(places)
            yield finding(
                "D002b",
                "info",
                places,
                f"{len(rows)} cases are variants of one question: {named(places)}",
                "Give them the same `cluster:`, because their outcomes are correlated"
                " (--write-clusters writes the proposals)",
                evidence=" / ".join(self._questions[row] for row in rows[:2]),
            )


def _label(references: tuple[str, ...]) -> str | None:
    """The reference, if two similar questions with it are duplicates."""
    return references[0] if references and not says_little(references) else None


def _numbers(question: str) -> list[str]:
    return [word for word in words_of(question) if word[0].isdigit()]
