"""Checks of wording: strings, patterns, counts, letter case, language, overlap with a reference."""
