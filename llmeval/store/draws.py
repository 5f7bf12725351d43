"""Draws: which answers of a run were drawn to be labelled, and with which probabilities."""

from pathlib import Path

import msgspec

from llmeval.core.draw import Draw
from llmeval.core.errors import StoreError
from llmeval.core.records import to_json
from llmeval.store.directory import RunDir
from llmeval.store.labels import AnswerKey
from llmeval.store.people_files import append_lines, every_line

DRAWS = "draws.jsonl"


def key_of(place: AnswerKey) -> str:
    """An answer's key within a draw."""
    return f"{place.repeat}:{place.case_id}"


def place_of_key(key: str, metric: str) -> AnswerKey:
    """The inverse of `key_of`."""
    repeat, _, case_id = key.partition(":")
    return AnswerKey(case_id, int(repeat), metric)


def read_draws(run: Path) -> list[Draw]:
    """The draws made from a run, each once. A draw of another run is left out: the folder may hold
    the draws of an earlier run, and its labels say nothing about this one.

    Each draw is in a separate file of the folder `draws`, so that two branches of a git repository
    can add draws without a conflict. Older versions wrote `draws.jsonl`.

    Args:
        run: its directory.

    Raises:
        StoreError: the file is not a list of draws.
    """
    decoder, draws = msgspec.json.Decoder(Draw), dict[str, Draw]()
    run_id = None
    for where, line in every_line(run / DRAWS):
        try:
            draw = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise StoreError(f"{where}: not a list of draws: {error}") from None
        if run_id is None and RunDir(run).exists():
            run_id = RunDir(run).manifest().run_id
        if run_id in (None, draw.run_id):
            draws.setdefault(draw.draw_id, draw)
    return list(draws.values())


def drawn_by_verdict(run: Path) -> dict[AnswerKey, float]:
    """The answers that a draw of the run drew at random within each verdict, and with which
    probability. A label does not show this by itself. Where several draws have an answer, the first
    one counts.

    Raises:
        StoreError: as `read_draws`.
    """
    return {
        place_of_key(key, draw.metric): draw.strata[stratum].probability
        for draw in reversed(read_draws(run))
        if not draw.pairs
        for key, stratum in draw.drawn.items()
    }


def keep_draw(run: Path, draw: Draw) -> None:
    """Write down a draw, so that its labels are known to be random when they come back. A draw that
    is there already is not added again.

    Raises:
        StoreError: the run directory can't be written.
    """
    if any(each.draw_id == draw.draw_id for each in read_draws(run)):
        return
    append_lines(run / DRAWS, draw.draw_id, [to_json(draw)])
