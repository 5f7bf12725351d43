"""Draws: which answers of a run were drawn to be labelled, and with which probabilities."""

import os
from pathlib import Path

import msgspec

from llmeval.core.draw import Draw
from llmeval.core.errors import StoreError
from llmeval.core.files import open_to_append
from llmeval.core.records import to_json
from llmeval.store.directory import lines
from llmeval.store.labels import AnswerKey

DRAWS = "draws.jsonl"


def key_of(place: AnswerKey) -> str:
    """An answer's key within a draw."""
    return f"{place.repeat}:{place.case_id}"


def read_draws(run: Path) -> list[Draw]:
    """The draws made from a run, in their order.

    Args:
        run: its directory.

    Raises:
        StoreError: the file is not a list of draws.
    """
    path, decoder = run / DRAWS, msgspec.json.Decoder(Draw)
    try:
        return [decoder.decode(line) for _, line in lines(path)]
    except msgspec.DecodeError as error:
        raise StoreError(f"{path}: not a list of draws: {error}") from None


def keep_draw(run: Path, draw: Draw) -> None:
    """Write down a draw, so that its labels are known to be random when they come back. A draw that
    is there already is not added again.

    Raises:
        StoreError: the run directory can't be written.
    """
    if any(each.draw_id == draw.draw_id for each in read_draws(run)):
        return
    path = run / DRAWS
    try:
        with open_to_append(path) as file:
            file.write(to_json(draw) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path}: the draw can't be kept: {error}") from None
