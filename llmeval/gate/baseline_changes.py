"""What a new baseline would change: for the person who approves it."""

import math
from typing import NamedTuple

from llmeval.core.baseline_lock import BaselineLock
from llmeval.gate.baseline import SAME
from llmeval.gate.gate_terms import changes as gate_changes


class Changes(NamedTuple):
    """Ids of cases. `regressed`: some metric fell; `fixed`: some rose and none fell; `new`, `gone`,
    `changed`: asked on one side only, or otherwise. `metrics`: names of metrics that one side
    lacks, or that are scored otherwise now. `gate`: how the gate differs, a line a change."""

    fixed: tuple[str, ...]
    regressed: tuple[str, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    metrics: tuple[str, ...]
    gate: tuple[str, ...] = ()

    def line(self) -> str:
        """+12 fixed, -3 regressed, 2 new cases."""
        parts = [f"+{len(self.fixed):,} fixed", f"-{len(self.regressed):,} regressed"]
        for ids, what in ((self.new, "new"), (self.gone, "gone"), (self.changed, "changed")):
            if ids:
                parts.append(f"{len(ids):,} {what} case{'s' if len(ids) > 1 else ''}")
        if self.metrics:
            parts.append(f"scored otherwise or on one side only: {', '.join(self.metrics)}")
        return ", ".join(parts)


def changes(old: BaselineLock, new: BaselineLock) -> Changes:
    """How `new` differs from `old`, over the metrics that the same judge or checks scored."""
    comparable = [
        name
        for name in new.metrics
        if name in old.metrics and _scorer(old, name) == _scorer(new, name)
    ]
    best, worst = dict[str, float](), dict[str, float]()
    for metric in comparable:
        before, now = old.results(metric), new.results(metric)
        for name, value in now.items():
            moved = value - before.get(name, math.nan)
            if old.cases.get(name) == new.cases[name] and not math.isnan(moved):
                best[name], worst[name] = (
                    max(best.get(name, 0.0), moved),
                    min(worst.get(name, 0.0), moved),
                )
    return Changes(
        fixed=tuple(name for name in best if best[name] > SAME and worst[name] >= -SAME),
        regressed=tuple(name for name in worst if worst[name] < -SAME),
        new=tuple(name for name in new.cases if name not in old.cases),
        gone=tuple(name for name in old.cases if name not in new.cases),
        changed=tuple(
            name for name in new.cases if name in old.cases and old.cases[name] != new.cases[name]
        ),
        metrics=tuple(sorted((old.metrics.keys() | new.metrics.keys()) - set(comparable))),
        gate=_gate(old, new),
    )


def _gate(old: BaselineLock, new: BaselineLock) -> tuple[str, ...]:
    if old.gate is None or new.gate is None:
        return ("not known of the old baseline: its lock file is from before gates were kept",)
    return tuple(change.text for change in gate_changes(old.gate, new.gate))


def _scorer(baseline: BaselineLock, metric: str) -> str:
    return baseline.metrics[metric].scorer
