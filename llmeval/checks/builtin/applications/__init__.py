"""Checks of what an application returns beside its text: passages, values, tool calls."""
