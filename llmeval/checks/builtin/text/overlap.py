"""How much of a reference's text an answer shares. Scores to watch; facts and judges decide better
whether it is right.

Without an argument the case's references are used, and the best one counts.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import exp, log
from typing import Annotated, Any

from pydantic import Field

from llmeval.checks.arguments import AnyText, Share, Texts, clip
from llmeval.checks.base import Result, check, graded, not_applicable
from llmeval.checks.reading.normalise import NORMALISERS, Normalise, plain
from llmeval.checks.reading.payload import MAX_CHARS, too_long
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case

NGRAM_CHARS = 100_000
_MAX_CELLS = 10**10
"""Most pairs of positions that a table of the longest subsequence or of edits has; 64 are done in
one step.
"""
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)
# The tokens of mteval-v13a: marks apart, but not the period and comma inside a number
_V13A = (
    (re.compile(r"([{-~\[-` -&(-+:-@/])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
_ALIKE = str.maketrans(
    {**dict.fromkeys("‘’‛´", "'"), **dict.fromkeys("“”‟", '"'), **dict.fromkeys("‐‑", "-")}
)
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_CHRF_ORDER = 6
_CHRF_BETA = 2

References = Texts | None


def token_f1_score(actual: str, expected: str) -> float:
    """F1 of the tokens of two normalised texts, each counted as often as it stands."""
    a, b = actual.split(), expected.split()
    return (
        float(a == b) if not a or not b else _f1((Counter(a) & Counter(b)).total(), len(a), len(b))
    )


def rouge_n_score(actual: str, expected: str, n: int) -> float:
    """F1 of n-grams (Lin 2004), without stemming. Words of any script; Han and Kana by the
    character.
    """
    a, b = (Counter(_ngrams(_words(text), n)) for text in (actual, expected))
    return _f1((a & b).total(), a.total(), b.total())


def rouge_l_score(actual: str, expected: str) -> float:
    """F1 of the longest common subsequence of tokens (Lin 2004).

    Raises:
        CheckError: both texts are too long to be compared.
    """
    from rapidfuzz.distance import LCSseq

    a, b = _words(actual), _words(expected)
    _comparable(a, b)
    return _f1(LCSseq.similarity(a, b), len(a), len(b))


def bleu_score(actual: str, expected: Sequence[str]) -> float:
    """BLEU of one answer against all references, in [0, 1] (Papineni et al. 2002): tokens of
    mteval-v13a, orders up to 4 that the answer has, exponential smoothing of orders without a
    match; what sacrebleu calls sentence BLEU."""
    tokens = _v13a(actual)
    references = [_v13a(text) for text in expected]
    if not tokens or not any(references):
        return 0.0
    logs, zeros, orders = 0.0, 0, 0
    for n in range(1, min(4, len(tokens)) + 1):
        mine = Counter(_ngrams(tokens, n))
        allowed: Counter[Any] = Counter()
        for reference in references:
            allowed |= Counter(_ngrams(reference, n))
        matches = (mine & allowed).total()
        if matches == 0:
            if n == 1:
                return 0.0
            zeros += 1
        logs += log(matches / mine.total()) if matches else -log(2**zeros * mine.total())
        orders += 1
    nearest = min(
        (len(reference) for reference in references), key=lambda n: (abs(n - len(tokens)), n)
    )
    brevity = 1.0 if len(tokens) >= nearest else exp(1 - nearest / len(tokens))
    return min(1.0, brevity * exp(logs / orders))


def chrf_score(actual: str, expected: str) -> float:
    """chrF2, in [0, 1] (Popović 2015): F-score with beta 2 of the mean precision and recall of
    character n-grams up to 6, white space left out, as sacrebleu has it."""
    a, b = "".join(actual.split()), "".join(expected.split())
    orders = range(1, min(_CHRF_ORDER, len(a), len(b)) + 1)
    precision = recall = 0.0
    for n in orders:
        mine, theirs = (
            Counter(text[i : i + n] for i in range(len(text) - n + 1)) for text in (a, b)
        )
        matches = (mine & theirs).total()
        precision += matches / mine.total() / len(orders)
        recall += matches / theirs.total() / len(orders)
    weight = _CHRF_BETA**2
    return (
        (1 + weight) * precision * recall / (weight * precision + recall)
        if precision + recall
        else 0.0
    )


def similarity(actual: str, expected: str) -> float:
    """1 - edit distance / the longer length, white space at the ends left out (Levenshtein 1966).
    Straight and curly quotes are the same.

    Raises:
        CheckError: both texts are too long to be compared.
    """
    from rapidfuzz.distance import Levenshtein

    a, b = actual.translate(_ALIKE).strip(), expected.translate(_ALIKE).strip()
    _comparable(a, b)
    return float(Levenshtein.normalized_similarity(a, b))


@check(group="overlap", version=2)
def exact_match(
    case: Case, answer: Answer, *, references: References = None, normalise: Normalise = "squad"
) -> Result:
    """The answer equals a reference after normalisation.

    `normalise`: `squad` drops case, punctuation and English articles, but no mark that changes the
    meaning (`-5`, `1.5`, `C++`), and leaves what would vanish (`A`, `?`); `text` drops case and the
    forms of quotes, dashes and letters; `none` only white space at the ends.
    """
    return _best("exact match", _normalised(_equal, normalise), case, answer, references, 1.0)


@check(group="overlap", version=3)
def token_f1(
    case: Case,
    answer: Answer,
    *,
    threshold: Share = 0.5,
    references: References = None,
    normalise: Normalise = "squad",
) -> Result:
    """The answer shares enough tokens with a reference (F1 after normalisation; `normalise`: see
    `exact_match`).
    """
    return _best(
        "token F1", _normalised(token_f1_score, normalise), case, answer, references, threshold
    )


@check(group="overlap", version=3)
def rouge_n(
    case: Case,
    answer: Answer,
    *,
    threshold: Share = 0.5,
    n: Annotated[int, Field(ge=1, le=9)] = 1,
    references: References = None,
) -> Result:
    """The answer shares enough n-grams with a reference (ROUGE-N, F1)."""
    return _best(
        f"ROUGE-{n}", lambda a, b: rouge_n_score(a, b, n), case, answer, references, threshold
    )


@check(group="overlap", version=3)
def rouge_l(
    case: Case, answer: Answer, *, threshold: Share = 0.5, references: References = None
) -> Result:
    """The answer shares a long enough subsequence with a reference (ROUGE-L, F1)."""
    return _best("ROUGE-L", rouge_l_score, case, answer, references, threshold)


@check(group="overlap")
def bleu(
    case: Case, answer: Answer, *, threshold: Share = 0.5, references: References = None
) -> Result:
    """The answer's n-grams stand in the references (sentence BLEU over all of them, in [0, 1])."""
    valid = references or case.references
    if not valid:
        return not_applicable("no reference: neither the case nor the check has one")
    too_long(answer.text, NGRAM_CHARS, "text for BLEU")
    score = bleu_score(answer.text, [text[:NGRAM_CHARS] for text in valid])
    return graded(score, score >= threshold, f"BLEU {score:.2f}; expected at least {threshold:g}")


@check(group="overlap")
def chrf(
    case: Case, answer: Answer, *, threshold: Share = 0.5, references: References = None
) -> Result:
    """The answer shares enough character n-grams with a reference (chrF2, in [0, 1])."""
    too_long(answer.text, NGRAM_CHARS, "text for chrF")
    return _best(
        "chrF", lambda a, b: chrf_score(a, b[:NGRAM_CHARS]), case, answer, references, threshold
    )


@check(group="overlap", version=3)
def levenshtein(
    case: Case, answer: Answer, *, threshold: Share = 0.8, references: References = None
) -> Result:
    """The answer is close enough to a reference: 1 - edit distance / the longer length."""
    return _best("similarity", similarity, case, answer, references, threshold)


def _best(
    name: str,
    score: Callable[[str, str], float],
    case: Case,
    answer: Answer,
    stated: Sequence[AnyText] | None,
    threshold: float,
) -> Result:
    references = stated or case.references
    if not references:
        return not_applicable("no reference: neither the case nor the check has one")
    too_long(answer.text, MAX_CHARS, "text to be compared")
    best, nearest = max((score(answer.text, reference), reference) for reference in references)
    return graded(
        best,
        best >= threshold,
        f"{name} {best:.2f} with {clip(nearest)}; expected at least {threshold:g}",
    )


def _equal(actual: str, expected: str) -> float:
    return float(actual == expected)


def _normalised(score: Callable[[str, str], float], how: Normalise) -> Callable[[str, str], float]:
    """A score of two texts, of their normalised forms."""
    normal = NORMALISERS[how]
    return lambda actual, expected: score(normal(actual), normal(expected))


def _f1(common: float, actual: float, expected: float) -> float:
    return 0.0 if common == 0 else 2 * common / (actual + expected)


def _words(text: str) -> list[str]:
    return _WORD.findall(plain(text))


def _ngrams(tokens: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    return zip(*(tokens[i:] for i in range(n)), strict=False)


def _v13a(text: str) -> list[str]:
    line = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in line:
        for entity, character in _ENTITIES:
            line = line.replace(entity, character)
    line = f" {line} "
    for pattern, spaced in _V13A:
        line = pattern.sub(spaced, line)
    return line.split()


def _comparable(one: Sequence[str], other: Sequence[str]) -> None:
    if len(one) * len(other) > _MAX_CELLS:
        raise CheckError(
            f"texts of {len(one):,} and {len(other):,} parts are too long to be compared"
        )
