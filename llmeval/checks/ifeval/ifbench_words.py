"""Instructions of IFBench about words, sentences and counts, by their public ids.

Pyatkin et al. (2025), "Generalizing Verifiable Instruction Following". Words and sentences are
those of `text`, so a published verdict may differ where a sentence ends in an abbreviation or a
word has a hyphen.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Annotated

import regex
from pydantic import Field

from llmeval.checks.base import Result, verdict
from llmeval.checks.builtin.text.readability import syllables
from llmeval.checks.ifeval.instructions import (
    Number,
    Positive,
    Text,
    exactly,
    instruction,
    keyword,
    spans_of,
)
from llmeval.checks.reading.sentences import blocks
from llmeval.checks.reading.text import (
    Piece,
    count_words,
    fold,
    iter_sentences,
    iter_words,
    word_texts,
)
from llmeval.checks.reading.wordlists import word_set
from llmeval.core.records import Answer, Case, Span

Percent = Annotated[float, Field(ge=0, le=100)]

_STOP_WORDS = word_set(
    "i me my myself we our ours ourselves you your yours yourself yourselves he him his himself "
    "she her hers herself it"
    " its itself they them their theirs themselves what which who whom this that these those am"
    " is are was were be been"
    " being have has had having do does did doing a an the and but if or because as until while"
    " of at by for with about"
    " against between into through during before after above below to from up down in out on off"
    " over under again"
    " further then once here there when where why how all any both each few more most other some"
    " such no nor not only"
    " own same so than too very can will just should now"
)
_CONJUNCTIONS = word_set("and but for nor or so yet")
_MOST_PAIRS = 1000
_SHOWN = 20
"""Pieces of evidence, and figures in a reason."""
_NUMBER = regex.compile(r"(?<![\w.,])[-+]?\d+(?:[.,]\d+)*(?!\w)")


@instruction("count:word_count_range")
def word_count_range(case: Case, answer: Answer, *, min_words: Number, max_words: Number) -> Result:
    """Between `min_words` and `max_words` words."""
    count = count_words(answer.text)
    return verdict(
        min_words <= count <= max_words, f"{count} words; expected {min_words} to {max_words}"
    )


@instruction("count:unique_word_count")
def unique_word_count(
    case: Case,
    answer: Answer,
    *,
    N: Number,  # noqa: N803 - the public name
) -> Result:
    """At least N different words."""
    count = len({fold(word) for word in set(word_texts(answer.text))})
    return verdict(count >= N, f"{count} different words; expected at least {N}")


@instruction("ratio:stop_words")
def stop_words(case: Case, answer: Answer, *, percentage: Percent) -> Result:
    """At most this percentage of the words are English stop words."""
    matches = _folded(answer.text)
    if not matches:
        return verdict(False, "no words")
    share = 100 * sum(1 for word in matches if word in _STOP_WORDS) / len(matches)
    return verdict(
        share <= percentage, f"{share:.1f}% stop words; expected at most {percentage:g}%"
    )


@instruction("ratio:overlap")
def overlap(case: Case, answer: Answer, *, reference_text: Text, percentage: Percent) -> Result:
    """This percentage of the answer's different word trigrams (give or take 2) are in the reference
    text.
    """
    ours, theirs = _trigrams(answer.text), _trigrams(reference_text)
    if not ours:
        return verdict(False, "fewer than three words")
    share = 100 * len(ours & theirs) / len(ours)
    return verdict(
        abs(share - percentage) <= 2, f"{share:.1f}% of the trigrams; expected {percentage:g}% ± 2"
    )


@instruction("ratio:sentence_type")
def sentence_type(case: Case, answer: Answer) -> Result:
    """Twice as many sentences end in a full stop as in a question mark."""
    ends = _ends(answer.text)
    return verdict(
        ends["."] == 2 * ends["?"],
        f"{ends['.']} statements, {ends['?']} questions; expected 2 to 1",
    )


@instruction("ratio:sentence_balance")
def sentence_balance(case: Case, answer: Answer) -> Result:
    """As many sentences end in a full stop as in a question mark and in an exclamation mark."""
    ends = _ends(answer.text)
    right = ends["."] == ends["?"] == ends["!"]
    return verdict(
        right, f"{ends['.']} statements, {ends['?']} questions, {ends['!']} exclamations"
    )


@instruction("count:conjunctions")
def conjunctions(case: Case, answer: Answer, *, small_n: Number) -> Result:
    """At least this many different coordinating conjunctions: and, but, for, nor, or, so, yet."""
    matches = sorted(_CONJUNCTIONS.intersection(map(fold, set(word_texts(answer.text)))))
    return verdict(
        len(matches) >= small_n,
        f"{len(matches)} conjunctions ({', '.join(matches)}); expected at least {small_n}",
    )


@instruction("count:numbers")
def numbers(case: Case, answer: Answer, *, N: Number) -> Result:  # noqa: N803 - the public name
    """Exactly N numbers in digits; `1,234.5` is one."""
    matches = spans_of(_NUMBER, answer.text, "number")
    return exactly(len(matches), N, "numbers", matches)


@instruction("count:punctuation")
def punctuation(case: Case, answer: Answer) -> Result:
    """Every one of . , ! ? ; : and an interrobang (?! or !? or ‽) is used."""
    rest = regex.sub(r"\?!|!\?|‽", "", answer.text, count=1)
    missing = [mark for mark in ".,!?;:" if mark not in rest] + (
        ["?!"] if rest == answer.text else []
    )
    return verdict(
        not missing, f"missing: {' '.join(missing)}" if missing else "every mark is used"
    )


@instruction("count:keywords_multiple")
def keywords_multiple(
    case: Case,
    answer: Answer,
    *,
    keyword1: Text,
    keyword2: Text,
    keyword3: Text,
    keyword4: Text,
    keyword5: Text,
) -> Result:
    """The five keywords stand once, twice, three, five and seven times in the answer."""
    expected = zip((keyword1, keyword2, keyword3, keyword4, keyword5), (1, 2, 3, 5, 7), strict=True)
    counts = [
        (word, n, len(keyword(word, whole=True).findall(answer.text))) for word, n in expected
    ]
    wrong = [
        f"{word!r} {matches} times; expected {n}" for word, n, matches in counts if matches != n
    ]
    return verdict(not wrong, "; ".join(wrong) or "every keyword as often as expected")


@instruction("words:palindrome")
def palindromes(
    case: Case,
    answer: Answer,
    *,
    N: Number = 10,  # noqa: N803
    length: Positive = 5,
) -> Result:
    """At least N single-word palindromes of `length` letters or more (10 of 5, as in IFBench)."""
    matches = [word for word in _folded(answer.text) if len(word) >= length and word == word[::-1]]
    return verdict(len(matches) >= N, f"{len(matches)} palindromes; expected at least {N}")


@instruction("words:repeats")
def repeats(case: Case, answer: Answer, *, small_n: Positive) -> Result:
    """No word stands more than this many times in the answer."""
    counts = Counter(_folded(answer.text))
    word, most = counts.most_common(1)[0] if counts else ("", 0)
    return verdict(
        most <= small_n,
        f"{word!r} is the most frequent word, {most} times; expected at most {small_n}",
    )


@instruction("words:no_consecutive")
def no_consecutive(case: Case, answer: Answer) -> Result:
    """No two words in a row start with the same letter; the last word of a heading, list item or
    paragraph and the first of the next are not in a row."""
    alike = list(islice(_alike(answer.text), _MOST_PAIRS))
    spans = (span for span in alike[:_SHOWN])
    more = " or more" if len(alike) == _MOST_PAIRS else ""
    return verdict(
        not alike,
        f"{len(alike)}{more} pairs share their first letter"
        if alike
        else "no two words in a row do",
        *spans,
    )


def _alike(text: str) -> Iterator[Span]:
    """Pairs of words in a row, of one block, that start with the same letter."""
    for start, end in blocks(text):
        for one, other in pairwise(iter_words(text[start:end])):
            if one.text[:1].casefold() == other.text[:1].casefold():
                yield Span(start + one.start, start + other.end, "same letter", "ifbench")


@instruction("words:odd_even_syllables")
def odd_even_syllables(case: Case, answer: Answer) -> Result:
    """Words with odd and even numbers of syllables take turns (English; syllables told by
    spelling).
    """
    texts = [
        text for text in word_texts(answer.text) if text.isalpha() or any(map(str.isalpha, text))
    ]
    odd = {text: syllables(text) % 2 for text in set(texts)}
    wrong = [i + 1 for i, (a, b) in enumerate(pairwise(texts)) if odd[a] == odd[b]]
    spoken = (word for word in iter_words(answer.text) if word.text in odd)
    matches = list(islice(spoken, wrong[:_SHOWN][-1] + 1)) if wrong else []
    spans = (matches[i].span("parity does not change", "ifbench") for i in wrong[:_SHOWN])
    return verdict(
        not wrong,
        f"{len(wrong)} words do not alternate" if wrong else "odd and even alternate",
        *spans,
    )


@instruction("words:keywords_specific_position")
def keyword_position(
    case: Case, answer: Answer, *, keyword: Text, n: Positive, m: Positive
) -> Result:
    """The keyword is the m-th word of the n-th sentence."""
    sentence, before = _nth_sentence(answer.text, n)
    if sentence is None:
        return verdict(False, f"there are {before} sentences; expected {n}")
    word = next((piece.text for piece in islice(iter_words(sentence.text), m - 1, m)), "")
    return verdict(
        fold(word) == fold(keyword), f"word {m} of sentence {n} is {word!r}; expected {keyword!r}"
    )


@instruction("words:words_position")
def words_position(case: Case, answer: Answer, *, keyword: Text) -> Result:
    """The second word and the last but one are the keyword."""
    matches = _folded(answer.text)
    right = len(matches) >= 2 and matches[1] == matches[-2] == fold(keyword)
    ends = f"{matches[1]!r} and {matches[-2]!r}" if len(matches) >= 2 else "missing"
    return verdict(right, f"the second word and the last but one are {ends}; expected {keyword!r}")


@instruction("words:last_first")
def last_first(case: Case, answer: Answer) -> Result:
    """The last word of each sentence is the first of the next."""
    parts = (inside for piece in iter_sentences(answer.text) if (inside := word_texts(piece.text)))
    broken = next(((a[-1], b[0]) for a, b in pairwise(parts) if fold(a[-1]) != fold(b[0])), None)
    return verdict(
        broken is None,
        f"{broken[0]!r} is followed by {broken[1]!r}"
        if broken
        else "each sentence starts with the last word of the one before",
    )


@instruction("sentence:keyword")
def sentence_keyword(
    case: Case,
    answer: Answer,
    *,
    word: Text,
    N: Positive,  # noqa: N803
) -> Result:
    """The keyword is in the N-th sentence."""
    sentence, before = _nth_sentence(answer.text, N)
    if sentence is None:
        return verdict(False, f"there are {before} sentences; expected {N}")
    right = keyword(word, whole=True).search(sentence.text) is not None
    return verdict(
        right,
        f"{word!r} is {'' if right else 'not '}in sentence {N}",
        sentence.span(f"sentence {N}"),
    )


@instruction("sentence:increment")
def sentence_increment(case: Case, answer: Answer, *, small_n: Positive) -> Result:
    """Each sentence has exactly this many words more than the one before."""
    counts: list[int] = []
    spans: list[Span] = []
    # What is shown decides how far to read: where each sentence is longer, there are few of them.
    for piece in iter_sentences(answer.text):
        counts.append(count_words(piece.text))
        if len(counts) > 1 and counts[-1] - counts[-2] != small_n:
            spans.append(piece.span(f"{counts[-1]} words after {counts[-2]}", "ifbench"))
        if len(spans) == _SHOWN:
            break
    shown = ", ".join(map(str, counts[:_SHOWN]))
    return verdict(not spans, f"words a sentence: {shown}; expected +{small_n} each", *spans)


def _nth_sentence(text: str, n: int) -> tuple[Piece | None, int]:
    """The nth sentence, and how many there are up to it."""
    count = 0
    for count, piece in enumerate(iter_sentences(text), 1):
        if count == n:
            return piece, count
    return None, count


def _folded(text: str) -> list[str]:
    """The words, folded; each different word once, as folding takes longer than the rest."""
    texts = word_texts(text)
    forms = {word: fold(word) for word in set(texts)}
    return [forms[word] for word in texts]


def _trigrams(text: str) -> set[tuple[str, str, str]]:
    matches = word_texts(text)
    return set(zip(matches, matches[1:], matches[2:], strict=False))


def _ends(text: str) -> Counter[str]:
    return Counter(piece.text.rstrip("\"'”’)*_ ")[-1:] for piece in iter_sentences(text))
