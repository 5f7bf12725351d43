"""`tags.json` of a run directory, read and written."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from filelock import FileLock

from llmeval.core.errors import StoreError
from llmeval.core.files import read_regular, write_atomically
from llmeval.core.records import to_json
from llmeval.core.run_tags import TAGS_SCHEMA, RunTags

TAGS = "tags.json"
_DECODER = msgspec.json.Decoder(RunTags)


def read_tags(run: Path) -> dict[str, str]:
    """The tags of a run; none without the file.

    Args:
        run: its directory.

    Raises:
        StoreError: the file can't be read, or a newer llmeval wrote it.
    """
    path = run / TAGS
    try:
        tags = _DECODER.decode(read_regular(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise StoreError(f"{path} can't be read as tags: {error}; delete or repair it") from None
    if tags.schema != TAGS_SCHEMA:
        raise StoreError(f"{path} has schema {tags.schema}: upgrade llmeval")
    return dict(tags.tags)


def change_tags(run: Path, new: Mapping[str, str], remove: tuple[str, ...] = ()) -> dict[str, str]:
    """Add tags to a run, replace their values, or remove some. Gives the tags afterwards.

    Args:
        run: its directory.
        new: values by name.
        remove: names.

    Raises:
        StoreError: as `read_tags`, or the file can't be written.
    """
    try:
        with FileLock(run / ".tags.lock", timeout=10):
            tags = {**read_tags(run), **new}
            kept = {name: tags[name] for name in sorted(tags) if name not in remove}
            write_atomically(run / TAGS, to_json(RunTags(tags=kept)) + b"\n")
    except (OSError, TimeoutError) as error:
        raise StoreError(f"{run / TAGS}: tags can't be written: {error}") from None
    return kept
