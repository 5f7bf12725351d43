"""Numbers that several packages of llmeval share."""

CONFIDENT = 0.9
"""A verdict of the facts check with this confidence or more needs no judge. Below it, `when:
uncertain` calls the judge. Of the verdicts above it, 98 % agreed with people, and on near misses
all of them.
"""
RANDOM_SAMPLING = ("random", "stratified")
"""The kinds of draws (`Label.sampling`) whose labels measure how often a judge errs."""
