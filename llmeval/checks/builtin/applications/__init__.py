"""Checks of what an application returns in addition to its text: passages, values, tool calls."""
