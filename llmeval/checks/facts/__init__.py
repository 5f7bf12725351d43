"""Factuality by rules: what an answer states, denies, leaves open or replaces by something similar.

Text: what stands where. tokens, locale, digits, number_words, spelled, units, qualifiers, numbers,
months and date_values, dates, centuries, times.

Stance: what the text says about it. hedging_cues, other_languages, negation_scope, passing,
final_answer, question_cues, candidates, number_lists, boolean, letters.

Comparison: how that fits what is expected. lexicon, word_forms, aliases, names, longer_names,
differences, turned_round, quotes, compare, mentions, typed_values, evidence.

Expectation: what is expected. schema, references, compiled.

Result: answer (the answer read once), statements, confidence, verdict, check.
"""

from llmeval.checks.facts.check import facts
from llmeval.checks.facts.schema import Fact, parse_facts
from llmeval.core.thresholds import CONFIDENT

__all__ = ["CONFIDENT", "Fact", "facts", "parse_facts"]
