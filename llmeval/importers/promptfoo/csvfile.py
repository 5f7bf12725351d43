"""Tests in CSV, with promptfoo's columns `__expected`, `__threshold`, `__metadata:*`... as its
tests in YAML.
"""

import csv
import re
from pathlib import Path
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.importers.ledger import Ledger, SourcePlace
from llmeval.suite.yaml_file import Document

_ASSERTION = re.compile(
    r"(?P<type>(?:not-)?[a-z][a-z0-9:-]*?)(?:\((?P<threshold>\d+(?:\.\d+)?)\))?(?::(?P<value>.*))?",
    re.S,
)
_LISTS = ("contains-all", "contains-any", "icontains-all", "icontains-any")
_PREFIXES = (
    ("javascript:", "javascript"),
    ("fn:", "javascript"),
    ("eval:", "javascript"),
    ("grade:", "llm-rubric"),
    ("llm-rubric:", "llm-rubric"),
    ("python:", "python"),
)
_OPTIONS = {"__prefix": "prefix", "__suffix": "suffix"}
_PLAIN = {"__description": "description", "__providerOutput": "providerOutput"}


def read_csv(path: Path, types: frozenset[str], ledger: Ledger) -> list[SourcePlace]:
    """A test a row, as YAML would say it.

    Args:
        path: the file.
        types: every type of assertion that promptfoo has. A text before `:` that is none of them is
            plain text.
        ledger: receives the columns without a meaning.

    Raises:
        SuiteError: not CSV, or a row with more values than there are columns.
    """
    places = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            line = 2
            for row in reader:
                place = SourcePlace(Document(str(path), None, {(): line}))
                if None in row:
                    raise SuiteError(f"{path}:{line}: more values than there are columns")
                places.append(
                    SourcePlace(Document(str(path), _test(row, types, place, ledger), {(): line}))
                )
                line = reader.line_num + 1
        except (csv.Error, UnicodeDecodeError) as error:
            raise SuiteError(f"{path}:{reader.line_num}: not valid CSV: {error}") from None
    return places


def assertion_of(text: str, types: frozenset[str]) -> dict[str, Any]:
    """An assertion from the text of a cell; without a type, the answer has to be that text."""
    for prefix, kind in _PREFIXES:
        if text.startswith(prefix):
            return {"type": kind, "value": text[len(prefix) :].strip()}
    if re.match(r"file://.*\.(?:py|js|ts|mjs|cjs)(?::\w+)?$", text):
        return {"type": "python" if ".py" in text else "javascript", "value": text}
    match = _ASSERTION.fullmatch(text)
    if match is None or match["type"].removeprefix("not-") not in types:
        return {"type": "equals", "value": text}
    assertion: dict[str, Any] = {"type": match["type"]}
    if match["value"] is not None:
        value = match["value"].strip()
        assertion["value"] = (
            _split(value) if assertion["type"].removeprefix("not-") in _LISTS else value
        )
    if match["threshold"] is not None:
        assertion["threshold"] = float(match["threshold"])
    return assertion


def _split(text: str) -> list[str]:
    return [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]


def _test(
    row: dict[str, str], types: frozenset[str], place: SourcePlace, ledger: Ledger
) -> dict[str, Any]:
    test: dict[str, Any] = {"vars": {}, "assert": [], "options": {}, "metadata": {}}
    numbered: dict[str, dict[str, Any]] = {}
    for column, cell in row.items():
        text = cell or ""
        if re.fullmatch(r"__expected\d*", column):
            if text.strip():
                numbered[column] = assertion_of(text.strip(), types)
        elif column.startswith("__config:"):
            continue
        elif column.startswith("__metadata:"):
            _metadata(test, column.removeprefix("__metadata:"), text)
        elif column in _OPTIONS:
            test["options"].update({_OPTIONS[column]: text} if text else {})
        elif column in _PLAIN:
            test.update({_PLAIN[column]: text} if text else {})
        elif column in ("__metric", "__threshold"):
            continue
        elif column.startswith("__"):
            ledger.note(
                place, f"the column {column!r} is none that promptfoo knows; it is left out"
            )
        else:
            test["vars"][column] = text
    test["assert"] = _configured(row, numbered)
    if (row.get("__threshold") or "").strip():
        test["threshold"] = row["__threshold"].strip()
    return test


def _configured(
    row: dict[str, str], numbered: dict[str, dict[str, object]]
) -> list[dict[str, object]]:
    """The assertions with what `__metric` and `__config:__expectedN:key` say about them."""
    for column, text in row.items():
        if not column.startswith("__config:") or not text:
            continue
        _, target, key = [*column.split(":", 2), "", ""][:3]
        named = {"__expected": "__expected1", "__expected1": "__expected"}.get(target, target)
        for name in numbered if target == "__expected" and len(numbered) > 1 else [target, named]:
            if name in numbered:
                numbered[name][key] = text
    if row.get("__metric"):
        for assertion in numbered.values():
            assertion["metric"] = row["__metric"]
    return list(numbered.values())


def _metadata(test: dict[str, Any], name: str, text: str) -> None:
    if text:
        test["metadata"][name.removesuffix("[]")] = (
            [part.replace("\\,", ",").strip() for part in re.split(r"(?<!\\),", text)]
            if name.endswith("[]")
            else text
        )
