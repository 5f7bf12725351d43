"""The run's decision: what it says by itself, and beside its baseline."""

from collections.abc import Mapping
from typing import Any

from llmeval.gate.family import step_down
from llmeval.gate.own import floor_rules, missing, outcome, validity
from llmeval.gate.regression import regression_rules
from llmeval.gate.stopping import settled
from llmeval.gate.tally import Tally
from llmeval.records import Gate


def decide(tally: Tally, manifest: Mapping[str, Any]) -> Gate:
    """Apply the suite's gate to what was measured: floors and regression as one family; see `own.outcome`."""
    absent = [] if settled(tally, manifest) else missing(tally, manifest)
    asked = [*floor_rules(tally, manifest), *regression_rules(tally, manifest)]
    rules = [*absent, *validity(tally, manifest), *step_down(asked, manifest["gate"]["alpha"])]
    return outcome(rules, manifest["gate"]["on_inconclusive"])
