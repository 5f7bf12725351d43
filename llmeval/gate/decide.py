"""The run's decision: what it says by itself, and beside its baseline."""

from collections.abc import Mapping
from typing import Any

from llmeval.gate.own import missing, outcome, own_rules
from llmeval.gate.regression import decide_regression
from llmeval.gate.stopping import settled
from llmeval.gate.tally import Tally
from llmeval.records import Gate


def decide(tally: Tally, manifest: Mapping[str, Any]) -> Gate:
    """Apply the suite's gate to what was measured; see `own.outcome`."""
    absent = [] if settled(tally, manifest) else missing(tally, manifest)
    rules = [*absent, *own_rules(tally, manifest), *decide_regression(tally, manifest)]
    return outcome(rules, manifest["gate"]["on_inconclusive"])
