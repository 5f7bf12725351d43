"""Checks of an answer against its sources: citations, quotations, grounding."""
