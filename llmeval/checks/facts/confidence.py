"""How probable it is that people would say that an answer states a fact, from what was found in it.

A logistic model over features that a person can read. Its coefficients were fitted by `benchmarks/checks_facts.py
--fit` on public human verdicts (see PROVENANCE); they hold no row of that data.
"""

import math
from collections.abc import Mapping, Sequence

import regex

from llmeval.checks.facts.answer import ParsedAnswer
from llmeval.checks.facts.compare import Fit
from llmeval.checks.facts.differences import Comparison
from llmeval.checks.facts.evidence import Evidence
from llmeval.checks.facts.mentions import Mention
from llmeval.checks.facts.names import Partial, place_of
from llmeval.checks.facts.references import ExpectedValue
from llmeval.checks.facts.scopes import Stance
from llmeval.checks.facts.statements import statement_features, statements

CONFIDENT = 0.9
"""From this confidence on, 98% of verdicts agreed with people, and all on near misses; below it, ask a judge."""
UNSURE = 0.85
"""The highest confidence where the model is outside of what it was fitted on."""
PROVENANCE = "EVOUNA (NQ and TQ), tuning half by question hash, 5,864 answers judged by people; November 2026"

_OPEN = regex.compile(
    r"\b(?:why|how(?!\s+(?:many|much|long|old|far|tall|big|often))|difference|meaning|purpose|explain)\b", regex.I
)
_CLOSED = regex.compile(
    r"\b(?:who|whom|whose|when|year|date|how\s+(?:many|much|long|old|far|tall|big|often))\b", regex.I
)
_LIST = regex.compile(r"\n\s*(?:[-*•]|\d+[.)])\s")


def kind_of(expected: Sequence[ExpectedValue], evidence: Evidence, answer: ParsedAnswer) -> str:
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


def _is_told(best: Mention, expected: Sequence[ExpectedValue], answer: ParsedAnswer) -> bool:
    """Whether the question itself has every word of the text that was found."""
    value = next((value for value in expected if value.raw == best.wanted), None)
    return value is not None and answer.question.stem_set.issuperset(value.text.content)


def features(expected: Sequence[ExpectedValue], evidence: Evidence, answer: ParsedAnswer) -> dict[str, float]:
    """What the model looks at, by name; features that are 0 are left out."""
    kind = kind_of(expected, evidence, answer)
    found = {kind: 1.0}
    new = math.log1p(min(answer.new_words, 60))
    best = evidence.best
    if is_prose(expected, kind):
        return statement_features(statements(expected), answer)
    if kind in ("near_miss", "longer"):
        found |= _of_near_miss(evidence)
    elif kind == "partial" and evidence.partial is not None:
        found |= _of_partial(evidence.partial, expected, answer) | {"partial_new": new}
        found |= _of_difference(evidence.comparison)
    elif kind in ("none", "nothing", "other", "near", "near_date"):
        found |= _of_absence(kind, expected, answer) | {"absent_new": new}
    elif best is not None and best.fit >= Fit.COARSE:
        found |= _of_match(kind, best, evidence, answer) | {"match_new": new}
    if any(value.kind != "text" for value in expected):
        found["typed"] = 1.0
    return found


def _of_match(kind: str, best: Mention, evidence: Evidence, answer: ParsedAnswer) -> dict[str, float]:
    denied = any(m.fit >= Fit.COARSE and m.stance is Stance.DENIED for m in evidence.mentions)
    found = {"match_evasive": float(answer.evasive), "match_denied": float(denied)}
    if kind in ("exact", "squeezed"):
        stop = answer.words.sentence(0)[1]
        found["exact_first"] = float(best.start < answer.words.ends[stop - 1])
        found["exact_length"] = math.log1p(min(len(best.wanted), 100))
    return found


def _of_partial(part: Partial, expected: Sequence[ExpectedValue], answer: ParsedAnswer) -> dict[str, float]:
    reference = part.reference
    place = place_of(part, answer.words, answer.spelling)
    content = frozenset(reference.content)
    said = [s for s in answer.words.stem_set if s not in answer.question.stem_set]
    found = {
        "fuzzy": part.fuzzy,
        "fuzzy_squared": part.fuzzy**2,
        "recall": part.recall,
        "told_partial": float(part.told),
        "last_of_name": float(part.last and reference.is_name),
        "names": _names(expected),
        "figures": float(part.figures > 0),
        "one_word": float(part.novel == 1),
        "many_words": float(part.novel >= 4),
        "closeness": place[1] if place else 0.0,
        "share_of_answer": sum(s in content for s in said) / max(1, len(said)),
        "partial_evasive": float(answer.evasive),
        "list": float(len(_LIST.findall(answer.words.raw[:5000])) > 1),
    }
    return found


def _of_near_miss(evidence: Evidence) -> dict[str, float]:
    """What a similar thing in place of the one expected says: least where only a word of no known group differs."""
    miss = evidence.near_miss
    if miss is None:
        return {}
    name = evidence.partial is not None and evidence.partial.reference.is_name
    return {f"miss_{miss.difference.value}{'_name' if name else ''}": 1.0}


def _of_difference(found: Comparison | None) -> dict[str, float]:
    return {f"part_{found.difference.value}": 1.0} if found is not None and found.first >= 0 else {}


def _of_absence(kind: str, expected: Sequence[ExpectedValue], answer: ParsedAnswer) -> dict[str, float]:
    found = {"absent_evasive": float(answer.evasive), "absent_short": float(answer.new_words <= 3)}
    if kind == "none":
        found["absent_names"] = _names(expected)
        found["absent_words"] = min(6.0, max((len(v.text.content) for v in expected if v.kind == "text"), default=0))
    question = answer.question.raw
    found["absent_open"] = float(bool(_OPEN.search(question)))
    found["absent_closed"] = float(bool(_CLOSED.search(question)))
    return found


def _names(expected: Sequence[ExpectedValue]) -> float:
    """The share of the texts that are names."""
    texts = [value.text for value in expected if value.kind == "text" and value.text.stems]
    return sum(text.is_name for text in texts) / len(texts) if texts else 0.0


def is_prose(expected: Sequence[ExpectedValue], kind: str) -> bool:
    """Whether the verdict rests on wording while what is expected is a statement, which can be worded otherwise.

    On students' answers to sentence-long references (SemEval-2013 task 7, tuning half) 69% of such verdicts were right,
    so no confidence above `UNSURE` is claimed for them.
    """
    return kind in ("none", "partial") and bool(statements(expected))


def probability(found: Mapping[str, float]) -> float:
    """P(a person says that the answer states the fact)."""
    score = INTERCEPT + sum(COEFFICIENTS.get(name, 0.0) * value for name, value in found.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


INTERCEPT = 1.37
COEFFICIENTS = {
    "absent_closed": -0.73,
    "absent_evasive": -1.05,
    "absent_names": -1.34,
    "absent_new": 0.16,
    "absent_open": 0.24,
    "absent_short": -0.66,
    "absent_words": -0.38,
    "closeness": 0.91,
    "coarse_number": 1.08,
    "coarse_part": 1.01,
    "coarse_period": 0.9,
    "coarse_year": 0.45,
    "conceded": 0.52,
    "date": 2.21,
    "denied": -0.09,
    "exact": 1.71,
    "exact_first": 1.74,
    "exact_length": 0.37,
    "figures": -0.25,
    "fuzzy": 1.44,
    "fuzzy_squared": -0.69,
    "last_of_name": 0.9,
    "list": -1.09,
    "many_words": 0.84,
    "match_denied": -1.08,
    "match_evasive": -0.3,
    "match_new": -0.39,
    "mentioned": 0.48,
    "miss_incomplete_name": 0.04,
    "miss_other": -0.75,
    "miss_other_name": -0.59,
    "miss_replaced": 0.7,
    "miss_replaced_name": -0.98,
    "names": -1.43,
    "near": -1.19,
    "near_date": -0.24,
    "near_miss": -1.57,
    "none": -1.44,
    "nothing": -2.61,
    "number": 2.67,
    "one_word": 0.32,
    "open": 0.9,
    "other": -2.57,
    "part_incomplete": 0.16,
    "part_none": 1.85,
    "part_replaced": -0.53,
    "part_shorter": 0.69,
    "partial": -1.81,
    "partial_evasive": -0.04,
    "partial_new": 0.18,
    "recall": 0.25,
    "several": 0.6,
    "share_of_answer": 1.3,
    "squeezed": -0.15,
    "statement": -3.8,
    "statement_contrast": -0.32,
    "statement_length": 0.62,
    "statement_negated": -0.94,
    "statement_new": 0.3,
    "statement_pairs": -0.1,
    "statement_recall": 2.04,
    "statement_share": 0.91,
    "statement_told": 0.0,
    "time": 1.48,
    "told": 1.5,
    "told_partial": -2.4,
    "typed": 0.03,
}
