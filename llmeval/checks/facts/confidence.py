"""The probability that people accept an answer as stating a fact, from features of the answer.

A logistic model over features that a person can read. Its coefficients were fitted by
`benchmarks/checks_facts.py
--fit` on public human verdicts (see PROVENANCE); they hold no row of that data.
"""

import math
from collections.abc import Mapping, Sequence

import regex

from llmeval.checks.facts.answer import AnswerAnalysis
from llmeval.checks.facts.compare import Fit
from llmeval.checks.facts.differences import ReferenceComparison
from llmeval.checks.facts.evidence import AnswerEvidence
from llmeval.checks.facts.mentions import Mention
from llmeval.checks.facts.names import Partial, place_of
from llmeval.checks.facts.negation_scope import Stance
from llmeval.checks.facts.references import ExpectedValue
from llmeval.checks.facts.statements import statement_features, statements

UNSURE = 0.85
"""The highest confidence where the model is outside of what it was fitted on."""
PROVENANCE = (
    "EVOUNA (NQ and TQ), tuning half by question hash, 5,864 answers judged by people; November "
    "2026"
)

_OPEN = regex.compile(
    r"\b(?:why|how(?!\s+(?:many|much|long|old|far|tall|big|often))|difference|meaning|purpose"
    r"|explain)\b",
    regex.I,
)
_CLOSED = regex.compile(
    r"\b(?:who|whom|whose|when|year|date|how\s+(?:many|much|long|old|far|tall|big|often))\b",
    regex.I,
)
_NAMED = regex.compile(
    r"\b(?:who|whom|whose|when|where|how\s+(?:many|much|long|old|far|tall|big|often))\b"
    r"|\b(?:what|which)\s+(?:\w+\s+)?(?:year|date|state|city|country|town|river|person|name)\b",
    regex.I,
)
_LIST = regex.compile(r"\n\s*(?:[-*•]|\d+[.)])\s")


def kind_of(
    expected: Sequence[ExpectedValue], evidence: AnswerEvidence, answer: AnswerAnalysis
) -> str:
    """What sort of evidence there is, the most telling first."""
    best = evidence.best
    if best is not None and best.fit >= Fit.COARSE:
        if best.stance >= Stance.OPEN:
            return best.stance.name.lower()
        if best.fit is Fit.SAME:
            return "told" if best.how == "exact" and _is_told(best, expected, answer) else best.how
        return f"coarse_{best.how}"
    if evidence.near_miss is not None:
        return "near_miss"
    if any(mention.how == "longer" for mention in evidence.mentions):
        return "longer"
    if evidence.partial is not None:
        return "partial" if evidence.partial.fuzzy > 0 else "none"
    if best is not None:
        if best.fit is Fit.NEAR:
            return "near_date" if best.how != "number" else "near"
        return "other"
    return "nothing"


def _is_told(best: Mention, expected: Sequence[ExpectedValue], answer: AnswerAnalysis) -> bool:
    """Whether the question itself has every word of the text that was found."""
    value = next((value for value in expected if value.raw == best.expected_text), None)
    return value is not None and answer.question.stem_set.issuperset(value.text.content)


def features(
    expected: Sequence[ExpectedValue], evidence: AnswerEvidence, answer: AnswerAnalysis
) -> dict[str, float]:
    """What the model looks at, by name; features that are 0 are left out."""
    kind = kind_of(expected, evidence, answer)
    vector = {kind: 1.0}
    new = math.log1p(min(answer.new_words, 60))
    best = evidence.best
    if is_prose(expected, kind, answer):
        return statement_features(statements(expected), answer)
    if kind in ("near_miss", "longer"):
        vector |= _of_near_miss(evidence)
    elif kind == "partial" and evidence.partial is not None:
        vector |= _of_partial(evidence.partial, expected, answer) | {"partial_new": new}
        vector |= _of_difference(evidence.comparison)
    elif kind in ("none", "nothing", "other", "near", "near_date"):
        vector |= _of_absence(kind, expected, answer) | {"absent_new": new}
    elif best is not None and best.fit >= Fit.COARSE:
        vector |= _of_match(kind, best, evidence, answer) | {"match_new": new}
    if any(value.kind != "text" for value in expected):
        vector["typed"] = 1.0
    return vector


def _of_match(
    kind: str, best: Mention, evidence: AnswerEvidence, answer: AnswerAnalysis
) -> dict[str, float]:
    denied = any(m.fit >= Fit.COARSE and m.stance is Stance.DENIED for m in evidence.mentions)
    vector = {"match_evasive": float(answer.evasive), "match_denied": float(denied)}
    if kind in ("exact", "squeezed"):
        stop = answer.words.sentence(0)[1]
        vector["exact_first"] = float(best.start < answer.words.ends[stop - 1])
        vector["exact_length"] = math.log1p(min(len(best.expected_text), 100))
    return vector


def _of_partial(
    part: Partial, expected: Sequence[ExpectedValue], answer: AnswerAnalysis
) -> dict[str, float]:
    reference = part.reference
    place = place_of(part, answer.words, answer.spelling)
    content = frozenset(reference.content)
    new_stems = [s for s in answer.words.stem_set if s not in answer.question.stem_set]
    vector = {
        "fuzzy": part.fuzzy,
        "fuzzy_squared": part.fuzzy**2,
        "recall": part.recall,
        "told_partial": float(part.in_question),
        "last_of_name": float(part.last and reference.is_name),
        "names": _names(expected),
        "figures": float(part.figures > 0),
        "one_word": float(part.novel == 1),
        "many_words": float(part.novel >= 4),
        "closeness": place[1] if place else 0.0,
        "share_of_answer": sum(s in content for s in new_stems) / max(1, len(new_stems)),
        "partial_evasive": float(answer.evasive),
        "list": float(len(_LIST.findall(answer.words.raw[:5000])) > 1),
    }
    return vector


def _of_near_miss(evidence: AnswerEvidence) -> dict[str, float]:
    """What a similar thing in place of the one expected says: least where only a word of no known
    group differs."""
    miss = evidence.near_miss
    if miss is None:
        return {}
    name = evidence.partial is not None and evidence.partial.reference.is_name
    return {f"miss_{miss.difference.value}{'_name' if name else ''}": 1.0}


def _of_difference(vector: ReferenceComparison | None) -> dict[str, float]:
    return (
        {f"part_{vector.difference.value}": 1.0} if vector is not None and vector.first >= 0 else {}
    )


def _of_absence(
    kind: str, expected: Sequence[ExpectedValue], answer: AnswerAnalysis
) -> dict[str, float]:
    vector = {"absent_evasive": float(answer.evasive), "absent_short": float(answer.new_words <= 3)}
    if kind == "none":
        vector["absent_names"] = _names(expected)
        vector["absent_words"] = min(
            6.0, max((len(v.text.content) for v in expected if v.kind == "text"), default=0)
        )
    question = answer.question.raw
    vector["absent_open"] = float(bool(_OPEN.search(question)))
    vector["absent_closed"] = float(bool(_CLOSED.search(question)))
    return vector


def _names(expected: Sequence[ExpectedValue]) -> float:
    """The share of the texts that are names."""
    texts = [value.text for value in expected if value.kind == "text" and value.text.stems]
    return sum(text.is_name for text in texts) / len(texts) if texts else 0.0


def is_prose(expected: Sequence[ExpectedValue], kind: str, answer: AnswerAnalysis) -> bool:
    """Whether the verdict rests on wording while what is expected is a statement, which can be
    paraphrased.

    On students' answers to sentence-long references (SemEval-2013 task 7, tuning half) 69% of such
    verdicts were right, so no confidence above `UNSURE` is claimed for them. A question for a
    person, place or time is answered by a name, whatever the reference adds to it.
    """
    if kind not in ("none", "partial") or _NAMED.search(answer.question.raw):
        return False
    return bool(statements(expected))


def probability(vector: Mapping[str, float]) -> float:
    """P(a person says that the answer states the fact)."""
    score = INTERCEPT + sum(COEFFICIENTS.get(name, 0.0) * value for name, value in vector.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


INTERCEPT = 1.06
COEFFICIENTS = {
    "absent_closed": -0.59,
    "absent_evasive": -1.16,
    "absent_names": -1.48,
    "absent_new": 0.34,
    "absent_open": 0.1,
    "absent_short": -0.23,
    "absent_words": 0.04,
    "closeness": 0.26,
    "coarse_number": 1.14,
    "coarse_part": 1.14,
    "coarse_period": 1.03,
    "coarse_year": 0.61,
    "conceded": 0.55,
    "date": 2.36,
    "denied": -0.04,
    "exact": 1.79,
    "exact_first": 1.83,
    "exact_length": 0.37,
    "figures": -0.08,
    "fuzzy": 3.04,
    "fuzzy_squared": -1.2,
    "last_of_name": 1.05,
    "list": -1.27,
    "many_words": 0.38,
    "match_denied": -1.05,
    "match_evasive": -0.3,
    "match_new": -0.32,
    "mentioned": 0.89,
    "miss_incomplete_name": 0.09,
    "miss_other": -0.7,
    "miss_other_name": -0.54,
    "miss_replaced": 0.76,
    "miss_replaced_name": -0.92,
    "names": -0.84,
    "near": -1.37,
    "near_date": -0.47,
    "near_miss": -1.32,
    "none": -2.45,
    "nothing": -2.79,
    "number": 2.87,
    "one_word": -0.56,
    "open": 0.94,
    "other": -2.84,
    "part_incomplete": 0.23,
    "part_none": 1.58,
    "part_replaced": -0.33,
    "part_shorter": 0.34,
    "partial": -2.41,
    "partial_evasive": 0.02,
    "partial_new": 0.21,
    "recall": 0.75,
    "several": 0.86,
    "share_of_answer": 0.35,
    "squeezed": -0.12,
    "statement": -3.5,
    "statement_contrast": -1.71,
    "statement_length": 0.44,
    "statement_negated": -0.96,
    "statement_new": 0.44,
    "statement_pairs": -0.03,
    "statement_recall": 2.42,
    "statement_share": 0.57,
    "statement_told": 0.0,
    "time": 1.57,
    "told": 1.65,
    "told_partial": -2.75,
    "typed": -0.0,
}
