"""Every file of records, with its type, its JSON Schema and the documentation of its fields."""

import ast
import copy
import inspect
from functools import cache
from typing import Any, NamedTuple

import msgspec

from llmeval.core.approvals import RunApproval
from llmeval.core.audit_event import AuditEvent
from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.certificate import Certificate
from llmeval.core.draw import Draw
from llmeval.core.judge_probe import JudgeProbe
from llmeval.core.manifest import Manifest
from llmeval.core.monitor_record import MonitorRecord
from llmeval.core.pack_index import PackIndex
from llmeval.core.records import Answer, Case, Label, Score
from llmeval.core.results import Summary
from llmeval.core.review_records import Assignment, CaseComment
from llmeval.core.run_tags import RunTags
from llmeval.core.seal import Seal

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_CHECKSUM = {
    "type": "string",
    "pattern": "^[0-9a-f]{16}$",
    "description": "BLAKE2b with 8 bytes of output, as hex, over the line before this field.",
}


class FileOfRecords(NamedTuple):
    """A file that llmeval writes."""

    name: str
    record: type[msgspec.Struct]
    """Of each line, or of the file as a whole."""
    lines: bool = False
    """Whether each line is a record."""
    checksum: bool = False
    """Whether a record ends with its checksum."""


FILES = (
    FileOfRecords("manifest.json", Manifest),
    FileOfRecords("cases.jsonl", Case, lines=True, checksum=True),
    FileOfRecords("answers.jsonl", Answer, lines=True, checksum=True),
    FileOfRecords("scores.jsonl", Score, lines=True, checksum=True),
    FileOfRecords("judge_probes.jsonl", JudgeProbe, lines=True, checksum=True),
    FileOfRecords("summary.json", Summary, checksum=True),
    FileOfRecords("labels/NAME.jsonl", Label, lines=True),
    FileOfRecords("baseline_labels/NAME.jsonl", Label, lines=True),
    FileOfRecords("draws/ID.jsonl", Draw, lines=True),
    FileOfRecords("assignments/NAME.jsonl", Assignment, lines=True),
    FileOfRecords("comments/NAME.jsonl", CaseComment, lines=True),
    FileOfRecords("tags.json", RunTags),
    FileOfRecords("seal.json", Seal),
)
"""The files of a run directory."""
BESIDE = (
    FileOfRecords("NAME.lock.json", BaselineLock),
    FileOfRecords("certificate.json", Certificate),
    FileOfRecords("approvals/RUN-NAME.json", RunApproval),
    FileOfRecords("audit.jsonl", AuditEvent, lines=True),
    FileOfRecords("index.json", PackIndex),
    FileOfRecords("looks.jsonl", MonitorRecord, lines=True),
)
"""Files next to a suite, and the index of an evidence pack."""


def record_schemas() -> dict[str, dict[str, object]]:
    """The JSON Schema of each file by its name; of a `.jsonl` file, that of a line."""
    return {file.name: record_schema(file) for file in (*FILES, *BESIDE)}


def record_schema(file: FileOfRecords) -> dict[str, object]:
    """The JSON Schema of a file, or of each of its lines."""
    _, components = msgspec.json.schema_components([file.record], ref_template="#/$defs/{name}")
    for name, schema in components.items():
        _describe(schema, _records(file.record).get(name))
    own = components.pop(file.record.__name__)
    if f"#/$defs/{file.record.__name__}" in str(own):  # a record that holds one of its own kind
        components[file.record.__name__] = copy.deepcopy(own)
    properties = own["properties"]
    # keys of a newer writer are next to the other keys, not in a separate mapping
    properties.pop("other_keys", None)
    own["required"] = sorted({*own.get("required", ()), "schema"} & properties.keys())
    if file.checksum:
        properties["checksum"] = _CHECKSUM
        own["required"].append("checksum")
    title = f"a line of {file.name}" if file.lines else file.name
    return {"$schema": _DRAFT, **own, "title": title, "$defs": components}


def _describe(schema: dict[str, Any], record: type[msgspec.Struct] | None) -> None:
    if record is None:
        return
    docs = field_docs(record)
    for name, value in schema.get("properties", {}).items():
        if docs.get(name):
            value["description"] = docs[name]
        _translate_patterns(value)


def _translate_patterns(schema: object) -> None:
    """Write `\\Z` as `$` in every pattern, because JSON Schema has no `\\Z`."""
    if isinstance(schema, list):
        for each in schema:
            _translate_patterns(each)
    if isinstance(schema, dict):
        if isinstance(pattern := schema.get("pattern"), str):
            schema["pattern"] = pattern.replace(r"\Z", "$")
        for each in schema.values():
            _translate_patterns(each)


@cache
def _records(record: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """A record and those that its fields hold, by name."""
    return {each.__name__: each for each in nested(record)}


def nested(record: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """A record and every record within it, in the order of their first use."""
    structs: list[type[msgspec.Struct]] = []

    def visit(kind: msgspec.inspect.Type) -> None:
        if isinstance(kind, msgspec.inspect.StructType):
            if kind.cls in structs:
                return
            structs.append(kind.cls)
            for field in kind.fields:
                visit(field.type)
        for name in ("item_type", "key_type", "value_type"):
            if (inner := getattr(kind, name, None)) is not None:
                visit(inner)
        for inner in (*getattr(kind, "types", ()), *getattr(kind, "item_types", ())):
            visit(inner)

    visit(msgspec.inspect.type_info(record))
    return structs


@cache
def field_docs(record: type[msgspec.Struct]) -> dict[str, str]:
    """The text under each field of a record in its source, in one line; "" where there is none."""
    docs: dict[str, str] = {}
    for cls in reversed(record.__mro__):
        if cls is not msgspec.Struct and issubclass(cls, msgspec.Struct):
            docs |= _docs_in(cls)
    return docs


def _docs_in(cls: type) -> dict[str, str]:
    (tree,) = ast.parse(inspect.getsource(cls)).body
    assert isinstance(tree, ast.ClassDef)
    docs = {}
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            constant = after.value if isinstance(after, ast.Expr) else None
            text = constant.value if isinstance(constant, ast.Constant) else ""
            docs[node.target.id] = " ".join(str(text).split())
    return docs
