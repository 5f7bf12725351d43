"""Writes what is made from the code: docs/suite-reference.md, docs/commands.md, docs/checks.md,
docs/records.md, docs/checks/, docs/images/rooms.svg and llmeval/checks/index.py.

python docs/generate.py
"""

import inspect
import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

from llmeval.checks.examples import example
from llmeval.checks.most_used import LAST_GROUP, MOST_USED
from llmeval.checks.registry import all_checks
from llmeval.core.record_files import (
    BESIDE,
    FILES,
    FileOfRecords,
    field_docs,
    nested,
)
from llmeval.core.records import Status
from llmeval.core.results import Decision
from llmeval.suite import (
    approvals_schema,
    cases_schema,
    conversation_schema,
    model_schema,
    monitor_schema,
    schema,
)
from llmeval.suite.gate_schema import GateSpec, RegressionSpec, ReleaseSpec
from llmeval.suite.quarantine import QuarantineEntry
from llmeval.suite.retired import RetiredEntry
from llmeval.suite.thresholds import FloorRule, LimitRule, MarginRule

# a check that is new is not in the index yet: all_checks() imports every module
DOCS = Path(__file__).parent
_RECORDS = "#/$defs/record/"
_FIRST = ("schema", "run_id", "suite")
_CHOICES: dict[str, type[StrEnum]] = {"Status": Status, "Decision": Decision}
PARTS: list[type[BaseModel]] = [
    schema.SuiteSpec,
    cases_schema.CasesSpec,
    cases_schema.Sample,
    schema.Turn,
    conversation_schema.UserSpec,
    model_schema.BaseModelSpec,
    model_schema.OpenAISpec,
    model_schema.TransformersSpec,
    model_schema.HttpSpec,
    model_schema.PythonSpec,
    model_schema.ReplaySpec,
    model_schema.SystemOneSpec,
    model_schema.Limits,
    model_schema.Price,
    schema.JudgeSpec,
    GateSpec,
    FloorRule,
    LimitRule,
    RegressionSpec,
    ReleaseSpec,
    MarginRule,
    QuarantineEntry,
    RetiredEntry,
    schema.MatrixSpec,
    schema.Environment,
    approvals_schema.ApprovalsSpec,
    monitor_schema.MonitorSpec,
    monitor_schema.MaxAges,
]


def suite_reference() -> str:
    """Every key that a suite file may hold."""
    lines = [
        "# Suite reference",
        "",
        (
            "Made from `llmeval/suite/` by `docs/generate.py`. `llmeval schema` prints the"
            " same as JSON Schema, for editors."
        ),
        (
            "Paths are relative to the suite file. Every value may use `${NAME}` or"
            " `${NAME:-default}`; `$${NAME}` stays as it is."
        ),
        "",
    ]
    for part in PARTS:
        summary = (inspect.getdoc(part) or "").split("\n")[0]
        lines += [f"## {_title(part.__name__)}", "", summary, ""]
        lines += ["| key | type | default | |", "|---|---|---|---|"]
        properties = part.model_json_schema(by_alias=True)["properties"]
        own = (
            part.model_fields
            if part is model_schema.BaseModelSpec
            else {
                name: field
                for name, field in part.model_fields.items()
                if not issubclass(part, model_schema.BaseModelSpec)
                or name not in model_schema.BaseModelSpec.model_fields
            }
        )
        for name, field in own.items():
            default = (
                "required"
                if field.is_required()
                else _code(field.get_default(call_default_factory=True))
            )
            lines.append(
                f"| `{name}` | {_type(properties[name])} | {default} |"
                f" {_cell(field.description or '')} |"
            )
        lines.append("")
    return "\n".join(lines)


def records_reference() -> str:
    """Every file of a run directory with its fields, and the files next to a suite."""
    lines = [
        "# Files and fields",
        "",
        (
            "Made from `llmeval/core/` by `docs/generate.py`. `llmeval schema --records` prints the"
            " same as JSON Schema. [The run directory](run-directory.md) says how the files"
            " work together."
        ),
        "",
        "A field with a default may be missing in a file of an older version.",
        "",
    ]
    shown: list[type[msgspec.Struct]] = []
    for title, files in (("Run directory", FILES), ("Next to a suite", BESIDE)):
        lines += [f"## {title}", ""]
        for file in files:
            lines += _record_file(file, shown)
    return "\n".join(lines)


def _record_file(file: FileOfRecords, shown: list[type[msgspec.Struct]]) -> list[str]:
    end = " Each ends with a `checksum`." if file.checksum and file.lines else ""
    end = " It ends with a `checksum`." if file.checksum and not file.lines else end
    what = "Each line is a record." if file.lines else "One record."
    lines = [f"### `{file.name}`", "", f"{what}{end}", ""]
    for record in nested(file.record):
        if record in shown:
            continue
        shown.append(record)
        summary = (inspect.getdoc(record) or "").split("\n\n")[0].replace("\n", " ")
        lines += [f"#### {record.__name__}", "", summary, ""]
        lines += ["| field | type | default | |", "|---|---|---|---|"]
        _, components = msgspec.json.schema_components([record], ref_template=_RECORDS + "{name}")
        schema_, docs = components[record.__name__], field_docs(record)
        schema_["properties"].pop("other_keys", None)
        rows = sorted(schema_["properties"].items(), key=lambda row: row[0] not in _FIRST)
        for name, value in rows:
            required = name in schema_.get("required", ())
            default = "required" if required else f"`{json.dumps(value.get('default'))}`"
            lines.append(f"| `{name}` | {_type(value)} | {default} | {_cell(docs[name])} |")
        lines.append("")
    return lines


def checks_reference() -> str:
    """Every check in a line, by group."""
    lines = [
        "# Checks",
        "",
        (
            "Made from the code by `docs/generate.py`; `llmeval checks show NAME` prints one of"
            " them. In a suite: `name`,"
        ),
        (
            "`name: argument` (sets the first argument), or `name: {options}`. Every check takes"
            " `metric:`, the name it is"
        ),
        (
            "reported under, and `turn:` (last, all or a number), the turn of a"
            " [conversation](applications.md#conversations) that it sees."
        ),
        ("`not:`, `any:`, `all:` and `at_least: {k: 2, of: [...]}` put checks together."),
        "Each group has a page with arguments and examples.",
        "",
    ]
    lines += ["## Most used", "", "| check | for |", "|---|---|"]
    kinds_by_name = all_checks()
    for name, purpose in MOST_USED.items():
        page = f"checks/{_slug(kinds_by_name[name].group)}.md"
        lines.append(f"| [`{name}`]({page}#{name}) | {_cell(purpose)} |")
    lines.append("")
    for group, kinds in _groups().items():
        page = f"checks/{_slug(group)}.md"
        lines += [f"## [{group}]({page})", "", "| check | what it demands |", "|---|---|"]
        lines += [f"| `{kind.name}` | {_cell(kind.summary)} |" for kind in kinds]
        lines.append("")
    return "\n".join(lines)


def check_pages() -> dict[str, str]:
    """The page of each group, by its path below docs/."""
    return {
        f"checks/{_slug(group)}.md": _check_page(group, kinds) for group, kinds in _groups().items()
    }


def _check_page(group: str, kinds: list[Any]) -> str:
    lines = [
        f"# Checks: {group}",
        "",
        "Made from the code by `docs/generate.py`. [All checks](../checks.md)",
        "",
    ]
    for kind in kinds:
        text = (inspect.getdoc(kind.function) or "").replace("<", "&lt;")
        lines += [f"## `{kind.name}`", "", text, ""]
        if kind.parameters:
            lines += ["| argument | default |", "|---|---|"]
            lines += [
                f"| `{p.name}` | {'required' if p.default is p.empty else _code(p.default)} |"
                for p in kind.parameters.values()
            ]
            lines.append("")
        found = example(kind.name)
        if found is not None:
            lines += ["```yaml", found.written, "```", ""]
            lines += [f"- {label}: {_quoted(text)}" for label, text in found.shown]
            lines.append("")
    return "\n".join(lines)


def _groups() -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for kind in all_checks().values():
        groups.setdefault(kind.group, []).append(kind)
    return dict(sorted(groups.items(), key=lambda item: (item[0] == LAST_GROUP, item[0])))


def _slug(group: str) -> str:
    return group.replace(" ", "-")


def _quoted(text: str) -> str:
    """Text as code, whatever it holds."""
    shown = repr(text)[1:-1].replace("\\'", "'")
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown[:1] in ("`", " ") or shown[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def command_reference() -> str:
    """Every command, its arguments and options."""
    import typer

    from llmeval.cli.app import app

    lines = [
        "# Commands",
        "",
        (
            "Made from the code by `docs/generate.py`; `llmeval COMMAND --help` says the same in a"
            " terminal."
        ),
        "`--json` prints one JSON document on standard output, and nothing else there.",
        "",
    ]
    root = typer.main.get_command(app)
    for name, command in sorted(root.commands.items()):  # type: ignore[attr-defined]
        for words, leaf in _leaves(name, command):
            lines += _command(words, leaf)
    return "\n".join(lines)


def _leaves(words: str, command: Any) -> list[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if not below:
        return [(words, command)]
    return [
        found for name, part in sorted(below.items()) for found in _leaves(f"{words} {name}", part)
    ]


def _command(words: str, command: Any) -> list[str]:
    shown = [p for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]
    arguments = [p for p in shown if p.param_type_name == "argument"]
    usage = " ".join([f"llmeval {words}", *map(_metavar, arguments)])
    options = ["[options]"] if len(shown) > len(arguments) else []
    lines = [
        f"## {words}",
        "",
        "```",
        " ".join([usage, *options]),
        "```",
        "",
        _prose(inspect.cleandoc(command.help or "")),
        "",
    ]
    rows = [(_flags(p), p.help or "") for p in shown if p.param_type_name == "option" or p.help]
    if rows:
        lines += [
            "| | |",
            "|---|---|",
            *(f"| {flags} | {_prose(_cell(text))} |" for flags, text in rows),
            "",
        ]
    return lines


def _metavar(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _flags(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_metavar(parameter)}`"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if parameter.is_flag or not parameter.metavar else f" {parameter.metavar}"
    return f"`{_cell(names + value)}`"


def _prose(text: str) -> str:
    return re.sub(r"<(?=\w)", "&lt;", text).replace("[", "\\[")


def checks_index() -> str:
    """Where each check lives, as a module."""
    package = "llmeval.checks."
    rows = [
        f'    "{name}": "{kind.function.__module__.removeprefix(package)}",\n'
        for name, kind in all_checks().items()
    ]
    return (
        '"""Which module each check lives in; written by `python docs/generate.py`."""\n\n'
        "HOMES: dict[str, str] = {\n" + "".join(rows) + "}\n"
    )


def _title(class_name: str) -> str:
    """The heading of a part of the suite file: `HttpSpec` is "Http model", `GateSpec` is "Gate"."""
    part = class_name.removesuffix("Spec")
    kind = getattr(model_schema, class_name, None)
    is_model = kind is not None and issubclass(kind, model_schema.BaseModelSpec)
    return "Every model" if part == "BaseModel" else f"{part} model" if is_model else part


def _type(schema_: dict[str, Any]) -> str:
    if "anyOf" in schema_:
        words = [_type(option) for option in schema_["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(words))
    if "enum" in schema_:
        return ", ".join(f"`{value}`" for value in schema_["enum"])
    if "const" in schema_:
        return f"`{schema_['const']}`"
    if schema_.get("$ref", "").startswith(_RECORDS):
        name = str(schema_["$ref"].removeprefix(_RECORDS))
        return ", ".join(f"`{each}`" for each in _CHOICES[name]) if name in _CHOICES else name
    if "$ref" in schema_:
        title = _title(schema_["$ref"].rpartition("/")[2])
        return f"[{title}](#{title.lower().replace(' ', '-')})"
    if schema_.get("type") == "array":
        return f"list of {_type(schema_.get('items', {}))}"
    if schema_.get("type") == "object" and isinstance(schema_.get("additionalProperties"), dict):
        return f"mapping to {_type(schema_['additionalProperties'])}"
    if "oneOf" in schema_:
        return " or ".join(_type(option) for option in schema_["oneOf"])
    return str(schema_.get("type", "any"))


def _code(value: Any) -> str:
    return "`{}`" if isinstance(value, BaseModel) else f"`{_cell(repr(value))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    from rooms_picture import write_rooms_picture  # the folder of this script is on the path

    write_rooms_picture()
    (DOCS.parent / "llmeval" / "checks" / "index.py").write_text(checks_index(), encoding="utf-8")
    (DOCS / "suite-reference.md").write_text(suite_reference(), encoding="utf-8")
    (DOCS / "checks.md").write_text(checks_reference(), encoding="utf-8")
    (DOCS / "records.md").write_text(records_reference(), encoding="utf-8")
    (DOCS / "commands.md").write_text(command_reference(), encoding="utf-8")
    (DOCS / "checks").mkdir(exist_ok=True)
    for name, text in check_pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
