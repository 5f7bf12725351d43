"""Which rows the page holds in full."""

import hashlib

from llmeval.report.html.row import ReportRow
from llmeval.report.html.triage import Triage, TriageQueue

ALL_UP_TO = 20_000
SAMPLE = 2_000


class Embedding:
    """Decides row by row. Up to 20,000 rows all are held; beyond, each row that merely passes is
    held with `probability`, by a hash of its case id, so that the same run gives the same sample:
    at most about `SAMPLE` rows.

    Args:
        rows: of the run.
        embed: `default` or `all`.
        paged: whether further pages hold all rows. This one then holds only the first 20,000 of
            those that need attention.
    """

    def __init__(self, rows: int, embed: str, *, paged: bool = False) -> None:
        self.rows, self.paged = rows, paged
        self.taken = 0
        self.complete = embed == "all" or rows <= ALL_UP_TO
        self.probability = 1.0 if self.complete else SAMPLE / rows
        self.sampled = 0

    def takes(self, row: ReportRow, place: Triage) -> bool:
        """Whether this row goes into the page."""
        if place.queue is TriageQueue.REST and not self.complete:
            if _uniform(row.case.id) >= self.probability:
                return False
            self.sampled += 1
        elif self.paged and self.taken - self.sampled >= ALL_UP_TO:
            return False
        self.taken += 1
        return True


def _uniform(case_id: str) -> float:
    return int.from_bytes(hashlib.blake2b(case_id.encode(), digest_size=7).digest()) / (1 << 56)
