"""The run's decision: what it says by itself, and beside its baseline."""

from collections.abc import Mapping
from typing import Any

from llmeval.errors import ExitCode
from llmeval.gate.family import step_down
from llmeval.gate.own import floor_rules, missing, outcome, validity
from llmeval.gate.regression import regression_rules
from llmeval.gate.stopping import settled
from llmeval.gate.tally import Tally
from llmeval.records import Gate


def decide(tally: Tally, manifest: Mapping[str, Any]) -> Gate:
    """Apply the suite's gate to what was measured: floors and regression as one family; see `own.outcome`."""
    if manifest.get("shard"):
        return _part(tally, manifest)
    absent = [] if settled(tally, manifest) else missing(tally, manifest)
    asked = [*floor_rules(tally, manifest), *regression_rules(tally, manifest)]
    rules = [*absent, *validity(tally, manifest), *step_down(asked, manifest["gate"]["alpha"])]
    return outcome(rules, manifest["gate"]["on_inconclusive"])


def _part(tally: Tally, manifest: Mapping[str, Any]) -> Gate:
    """A shard decides nothing: INVALID where answers are not there, else no decision, and how to come to one."""
    absent, shard = missing(tally, manifest), manifest["shard"]
    if absent:
        return outcome(absent, manifest["gate"]["on_inconclusive"])
    return Gate(
        decision=None,
        exit_code=ExitCode.PASS,
        reason=f"Shard {shard['index']} of {shard['of']} ran completely. A part decides nothing: "
        f"`llmeval merge` puts all {shard['of']} together and decides.",
    )
