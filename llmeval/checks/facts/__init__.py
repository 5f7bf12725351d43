"""Factuality by rules: what an answer states, denies, leaves open or replaces by something similar.

Text:         tokens, locale, digits, number_words, spelled, units, qualifiers, numbers, months and
dates, centuries,
              times: what stands where in a text
Stance:       hedging_cues, other_languages, negation_scope, passing, final_answer, candidates,
boolean, letters: what it says about it
ReferenceComparison:   lexicon, aliases, names, differences, quotes, compare, evidence: how that
fits what is expected
Expectation:  schema, references, compiled: what is expected
Result:       answer (the parsed answer), confidence, verdict, check
"""

from llmeval.checks.facts.check import facts
from llmeval.checks.facts.schema import Fact, parse_facts
from llmeval.core.thresholds import CONFIDENT

__all__ = ["CONFIDENT", "Fact", "facts", "parse_facts"]
