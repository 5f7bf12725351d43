"""What a configuration names by `file://`: files, patterns, and the values that stand in them."""

import glob
import re
from pathlib import Path as FilePath
from typing import Any

from llmeval.importers.ledger import UnmappedError
from llmeval.importers.promptfoo.chat_images import KINDS, image_of
from llmeval.importers.reading import read_text, read_yaml

_DATA = (".yaml", ".yml", ".json")
_CODE = (".py", ".js", ".ts", ".mjs", ".cjs", ".rb", ".sh")
_TEXT = (".txt", ".md", ".j2", ".html", ".xml", ".sql")


def referenced(text: str, base: FilePath) -> list[FilePath]:
    """The files that `file://...` or a bare path names, a pattern's in their order.

    Raises:
        UnmappedError: there is none.
    """
    name = text.removeprefix("file://")
    paths = [FilePath(each) for each in sorted(glob.glob(str(base / name), recursive=True))]
    if not paths:
        raise UnmappedError(f"there is no file {name} (looked in {base})")
    files = [path for path in paths if path.is_file()]
    inside = [
        path
        for folder in paths
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.is_file()
    ]
    return files + inside


def loaded(value: object, base: FilePath) -> Any:
    """A value, or what stands in the file that it names: data from YAML and JSON, text from all
    else.

    Raises:
        UnmappedError: no such file, or one that only runs or shows.
    """
    if not isinstance(value, str) or not value.startswith("file://"):
        return value
    name = value.removeprefix("file://")
    if re.search(rf"(?:{'|'.join(re.escape(end) for end in _CODE)})(?::\w+)?$", name):
        raise UnmappedError(
            f"{name} is code, which is not run here; write its outcome into the configuration"
        )
    (path, *more) = referenced(value, base)
    if more:
        raise UnmappedError(f"{name} names {len(more) + 1} files where one is needed")
    if path.suffix in _DATA:
        return read_yaml(path).value
    if path.suffix.lower() in KINDS:
        return image_of(path)
    if path.suffix not in _TEXT:
        raise UnmappedError(f"{name}: only text, images, YAML and JSON files can be read")
    return read_text(path).rstrip("\n")
