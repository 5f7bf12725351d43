"""Data tests: tests of a suite's cases before any model is called. No rule calls a model."""
