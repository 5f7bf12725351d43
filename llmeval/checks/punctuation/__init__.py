"""Punctuation: mechanical rules with exact places, by locale. Importing it registers the check
`punctuation`.
"""

from llmeval.checks.punctuation.check import punctuation

__all__ = ["punctuation"]
