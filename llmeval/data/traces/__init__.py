"""Recorded messages of applications: turns, calls of tools and spans of a trace."""
