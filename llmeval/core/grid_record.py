"""The record of a grid: the runs of one suite with several candidates and prompts."""

import msgspec

from llmeval.core.manifest import Name
from llmeval.core.records import SCHEMA


class GridCell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell: a run of the suite with one candidate and one prompt."""

    run_id: Name
    """Of its run; also the name of its directory in the folder of the grid."""
    candidate: str
    """Name of the candidate."""
    prompt: str = ""
    """Name of the prompt; empty where the grid has one prompt."""

    @property
    def name(self) -> str:
        """The name of the column: `small`, or `small, short`."""
        return ", ".join(filter(None, (self.candidate, self.prompt)))


class GridRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`grid.json`: written before the first call, so that a cell that never ran is missing."""

    schema: int = SCHEMA
    """The format of the file."""
    grid_id: Name
    """Sorts by time."""
    suite: Name
    """Name of the suite."""
    suite_file: str
    """Path of the suite."""
    started: str
    """ISO 8601, UTC."""
    identity: str
    """Digest of what decides how all cells are answered and scored. The same command continues a
    grid only if it is the same.
    """
    cells: tuple[GridCell, ...]
    """In the order of the columns."""
    best: bool = False
    """Whether the page says which cells may be the best (`run --best`)."""
