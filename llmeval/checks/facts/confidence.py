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

CONFIDENT = 0.9
"""From this confidence on, 98% of verdicts agreed with people, and all on near misses; below it, ask a judge."""
UNSURE = 0.85
"""The highest confidence where the model is outside of what it was fitted on."""
PROSE_WORDS = 5
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

    The model was fitted on short answers. On students' answers to sentence-long references (SemEval-2013 task 7) 38% to
    84% of such verdicts were right, whatever it said, so no confidence above `UNSURE` is claimed for them.
    """
    if kind not in ("none", "partial"):
        return False
    return any(len(v.text.content) >= PROSE_WORDS and not v.text.is_name for v in expected if v.kind == "text")


def probability(found: Mapping[str, float]) -> float:
    """P(a person says that the answer states the fact)."""
    score = INTERCEPT + sum(COEFFICIENTS.get(name, 0.0) * value for name, value in found.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


INTERCEPT = 1.35
COEFFICIENTS = {
    "absent_closed": -0.96,
    "absent_evasive": -0.91,
    "absent_names": -1.3,
    "absent_new": -0.05,
    "absent_open": -0.11,
    "absent_short": -1.15,
    "absent_words": -0.39,
    "closeness": 0.85,
    "coarse_number": 0.36,
    "coarse_part": 0.42,
    "coarse_period": 0.35,
    "coarse_year": 0.08,
    "conceded": 0.14,
    "date": 1.41,
    "denied": -0.33,
    "exact": 0.75,
    "exact_first": 1.81,
    "exact_length": 0.64,
    "figures": 0.1,
    "fuzzy": 0.52,
    "fuzzy_squared": 0.37,
    "last_of_name": 0.63,
    "list": -0.46,
    "many_words": 0.73,
    "match_denied": -0.72,
    "match_evasive": -0.3,
    "match_new": -0.2,
    "mentioned": -0.34,
    "miss_incomplete_name": 0.16,
    "miss_other": -0.69,
    "miss_other_name": -0.31,
    "miss_replaced": 0.23,
    "miss_replaced_name": -0.75,
    "names": -1.34,
    "near": -0.47,
    "near_date": 0.15,
    "near_miss": -1.36,
    "none": -0.82,
    "nothing": -1.65,
    "number": 1.95,
    "one_word": 0.12,
    "open": 0.29,
    "other": -1.79,
    "part_incomplete": -0.22,
    "part_none": 0.71,
    "part_replaced": -0.12,
    "part_shorter": 0.31,
    "partial": -0.72,
    "partial_evasive": -0.22,
    "partial_new": -0.13,
    "recall": 0.62,
    "several": 0.16,
    "share_of_answer": 0.81,
    "squeezed": -0.33,
    "time": 0.6,
    "told": 1.16,
    "told_partial": -1.44,
    "typed": 0.08,
}
