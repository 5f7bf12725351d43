"""Checks of program code and SQL. Code is parsed and never run."""
