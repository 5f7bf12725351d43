"""Numbers that several rooms must agree on."""

CONFIDENT = 0.9
"""From this confidence on a verdict of the facts check stands by itself; below it `when: uncertain`
asks the judge. Of the verdicts above it 98 % agreed with people, and all on near misses.
"""
RANDOM_SAMPLING = ("random", "stratified")
"""How an answer was chosen whose label says how often a judge errs (`Label.sampling`)."""
