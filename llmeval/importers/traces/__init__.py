"""Recorded traffic of an application, from traces and logs, as a `replay` model."""
