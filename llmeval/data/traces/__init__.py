"""Recorded messages of applications: turns, calls of tools and spans, as logs and traces write them."""
