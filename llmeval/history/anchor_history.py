"""What the anchors of a judge came to in earlier runs: for drift that no single run shows."""

from pathlib import Path

from llmeval.core.model_records import JudgeRecord
from llmeval.store.directory import complete_runs

LOOKED_AT = 500


def past_anchors(
    folder: Path, metric: str, now: JudgeRecord, besides: str = ""
) -> list[tuple[int, int]]:
    """(changed, anchors) of the runs below `folder` (reports/<suite>), the oldest first.

    Args:
        folder: where the suite's runs are.
        metric: the judge's.
        now: the current judge; a new judge or certificate begins a new history.
        besides: the id of a run that does not count.
    """
    counts = []
    for run, _ in complete_runs(folder):
        earlier = run.manifest()
        judge = earlier.judges.get(metric)
        if judge is None or earlier.run_id == besides:
            continue
        same = (judge.digest, judge.certificate_digest) == (now.digest, now.certificate_digest)
        if same and judge.anchors is not None and judge.anchors.n:
            counts.append((judge.anchors.changed, judge.anchors.n))
        if len(counts) == LOOKED_AT:
            break
    return counts[::-1]
