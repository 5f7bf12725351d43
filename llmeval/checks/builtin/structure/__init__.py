"""Checks of how an answer is laid out: sections, Markdown, padding, a choice of options."""
