"""The files of a configuration, each value with its line: YAML and JSON, `file://`, globs, `<<` and local `$ref`."""

import glob
import json
import re
from pathlib import Path as FilePath
from typing import Any

from llmeval.errors import SuiteError
from llmeval.importing.ledger import Place, UnmappedError
from llmeval.suite import yamlfile

_DATA = (".yaml", ".yml", ".json")
_CODE = (".py", ".js", ".ts", ".mjs", ".cjs", ".rb", ".sh")
_TEXT = (".txt", ".md", ".j2", ".html", ".xml", ".sql")


def read_document(path: FilePath) -> Place:
    """A YAML or JSON file, with `<<` and local `$ref` taken in.

    Raises:
        SuiteError: it can't be read, or is not valid.
    """
    document = yamlfile.parse(_read(path), str(path))
    return Place(yamlfile.Document(document.file, _resolved(document.data, document.data, 0), document.lines))


def read_lines(path: FilePath) -> list[Place]:
    """A JSONL file, a place a line.

    Raises:
        SuiteError: it can't be read, or a line is not JSON.
    """
    places = []
    for number, line in enumerate(_read(path).splitlines(), 1):
        if line.strip():
            try:
                places.append(Place(yamlfile.Document(str(path), json.loads(line), {(): number})))
            except ValueError as error:
                raise SuiteError(f"{path}:{number}: not valid JSON: {error}") from None
    return places


def referenced(text: str, base: FilePath) -> list[FilePath]:
    """The files that `file://...` or a bare path names, a pattern's in their order.

    Raises:
        UnmappedError: there is none.
    """
    name = text.removeprefix("file://")
    found = [FilePath(each) for each in sorted(glob.glob(str(base / name), recursive=True))]
    if not found:
        raise UnmappedError(f"there is no file {name} (looked in {base})")
    files = [path for path in found if path.is_file()]
    inside = [path for folder in found if folder.is_dir() for path in sorted(folder.iterdir()) if path.is_file()]
    return files + inside


def loaded(value: Any, base: FilePath) -> Any:
    """A value, or what stands in the file that it names: data from YAML and JSON, text from all else.

    Raises:
        UnmappedError: no such file, or one that only runs or shows.
    """
    if not isinstance(value, str) or not value.startswith("file://"):
        return value
    name = value.removeprefix("file://")
    if re.search(rf"(?:{'|'.join(re.escape(end) for end in _CODE)})(?::\w+)?$", name):
        raise UnmappedError(f"{name} is code, which is not run here; write its outcome into the configuration")
    (path, *more) = referenced(value, base)
    if more:
        raise UnmappedError(f"{name} names {len(more) + 1} files where one is needed")
    if path.suffix in _DATA:
        return read_document(path).value
    if path.suffix not in _TEXT:
        raise UnmappedError(f"{name}: only text, YAML and JSON files can be taken in")
    return _read(path).rstrip("\n")


def _read(path: FilePath) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SuiteError(f"{path}: can't be read: {reason}") from None


def _resolved(value: Any, root: Any, depth: int) -> Any:
    if depth > yamlfile.MAX_DEPTH:
        raise SuiteError("a `$ref` refers to itself")
    if isinstance(value, list):
        return [_resolved(item, root, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        found = root
        for part in reference[2:].split("/"):
            if not isinstance(found, dict) or part not in found:
                raise SuiteError(f"$ref: {reference} leads nowhere")
            found = found[part]
        return _resolved(found, root, depth + 1)
    merged: dict[str, Any] = {}
    under = value.get("<<")
    for each in under if isinstance(under, list) else [under]:
        if isinstance(each, dict):
            merged = {**each, **merged}
    return {key: _resolved(item, root, depth + 1) for key, item in {**merged, **value}.items() if key != "<<"}
