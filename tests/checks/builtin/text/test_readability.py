"""Readability: the published formulas, and syllables told by spelling."""

import pytest

from llmeval.checks.builtin.text import readability
from llmeval.checks.builtin.text.readability import TextStatistics, measure, syllables
from tests.support.tables import each_row


def test_the_formulas_are_the_published_ones() -> None:
    counts = TextStatistics(words=100, sentences=5, syllables=150, hard=10)
    assert counts.ease == pytest.approx(206.835 - 1.015 * 20 - 84.6 * 1.5)
    assert counts.flesch_kincaid == pytest.approx(0.39 * 20 + 11.8 * 1.5 - 15.59)
    # McLaughlin's table: 30 sentences with 182 hard words read at grade 17 (3.1291 + 1.043 * sqrt(182)).
    assert TextStatistics(900, 30, 1500, 182).smog == pytest.approx(17.2, abs=0.05)


@each_row(
    ("word", "count"),
    [
        ("cat", 1), ("table", 2), ("make", 1), ("makes", 1), ("boxes", 2), ("wanted", 2), ("called", 1), ("create", 2),
        ("people", 2), ("beautiful", 3), ("don't", 1), ("didn't", 2), ("well-known", 2), ("HTML", 4),
        ("international", 5), ("the", 1), ("rhythm", 1),
    ],
)  # fmt: skip
def test_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


def test_what_is_counted() -> None:
    counts = measure("# On cats\n\nThe cat sat. It was 3 o'clock and `code` ran.")
    assert (counts.words, counts.sentences) == (10, 3)


def test_equal_parts_of_a_long_word_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []

    def counted(part: str) -> int:
        reads.append(part)
        return 1

    monkeypatch.setattr(readability, "_syllables_of", counted)
    assert [readability.syllables("ab." * n) for n in (1000, 2000)] == [1000, 2000]
    assert reads == ["ab", "ab"]
