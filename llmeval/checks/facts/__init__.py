"""Factuality by rules: typed facts found in an answer, or found denied, hedged or replaced by another value.

words, numbers, spelled, units, dates   what a text says, with places
scopes                                  what it denies, concedes or leaves open
names, compare, evidence                how well that fits what is expected
schema, references, compiled                   what is expected
confidence, verdict, check              what it comes to
"""

from llmeval.checks.facts.check import facts
from llmeval.checks.facts.confidence import CONFIDENT
from llmeval.checks.facts.schema import Fact, parse_facts

__all__ = ["CONFIDENT", "Fact", "facts", "parse_facts"]
