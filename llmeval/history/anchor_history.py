"""What the anchors of a judge came to in earlier runs: for drift that no single run shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmeval.store.directory import complete_runs

LOOKED_AT = 500


def past_anchors(
    folder: Path, metric: str, now: Mapping[str, Any], besides: str = ""
) -> list[tuple[int, int]]:
    """(changed, anchors) of the runs below `folder` (reports/<suite>), the oldest first.

    Args:
        folder: where the suite's runs are.
        metric: the judge's.
        now: its `digest` and `certificate_digest`; a new judge or certificate begins anew.
        besides: the id of a run that does not count.
    """
    found = []
    for run, _ in complete_runs(folder):
        earlier = run.manifest()
        judge = earlier["judges"].get(metric) or {}
        same = all(judge.get(key) == now[key] for key in ("digest", "certificate_digest"))
        seen = judge.get("anchors")
        if same and seen and seen["n"] and earlier["run_id"] != besides:
            found.append((int(seen["changed"]), int(seen["n"])))
        if len(found) == LOOKED_AT:
            break
    return found[::-1]
