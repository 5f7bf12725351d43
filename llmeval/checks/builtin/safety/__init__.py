"""Checks of what an answer must not reveal, and of refusals."""
