"""Reads and writes `grid.json`, the record in the folder of a grid."""

from pathlib import Path

import msgspec

from llmeval.core import checksums
from llmeval.core.errors import StoreError
from llmeval.core.files import write_atomically
from llmeval.core.grid_record import GridRecord
from llmeval.core.manifest_file import check_schema
from llmeval.core.records import to_json

GRID = "grid.json"
GRID_PAGE = "grid.html"


def write_grid(folder: Path, record: GridRecord) -> None:
    """Write the record of a grid into its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / GRID, checksums.sealed(to_json(record)))


def read_grid(folder: Path) -> GridRecord:
    """The record of a grid.

    Raises:
        StoreError: there is none, or it was changed: a cell may be missing from it.
    """
    path = folder / GRID
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: can't be read ({error.strerror})") from None
    if why := checksums.problem(data):
        raise StoreError(f"{path}: {why}. Start a new grid with --new")
    try:
        record = msgspec.json.decode(data, type=GridRecord)
    except ValueError as error:
        raise StoreError(f"{path}: not the record of a grid ({error})") from None
    check_schema(record.schema, path)
    return record
