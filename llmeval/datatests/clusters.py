"""Proposals of clusters, as `data check --write-clusters` writes them."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from llmeval.core.files import write_atomically
from llmeval.datatests.check import DataReport


def write_cluster_proposals(path: Path, reports: Sequence[DataReport]) -> int:
    """Write one line `{"id": ..., "cluster": ...}` for each case with a proposal; returns their
    number.

    A person reads the file and copies `cluster` into the cases. The data set itself never changes.
    """
    lines = []
    for report in reports:
        for places in report.clusters:
            joined = "\n".join(sorted(place.id for place in places))
            name = "similar-" + hashlib.sha256(joined.encode()).hexdigest()[:8]
            for place in places:
                row = {"id": place.id, "cluster": name}
                lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    write_atomically(path, "".join(lines).encode())
    return len(lines)
