"""Tables of clauses: which files of an evidence pack support a clause of a regulation or standard,
and what is missing. A table never says that anything complies.
"""

from collections.abc import Collection
from datetime import date
from functools import cache
from pathlib import Path

import msgspec
import yaml

from llmeval.core.errors import UsageError
from llmeval.governance.pack_files import KINDS, kind_of

_FOLDER = Path(__file__).parent / "maps"
OLDEST_CHECK_DAYS = 180
"""A release needs a newer check of each map."""


class MapCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a map was compared with its source."""

    day: date
    """The day."""
    by: str
    """Who compared it, and with what."""


class Clause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clause."""

    clause: str
    """Its number."""
    about: str
    """Its subject, in our words."""
    supports: tuple[str, ...] = ()
    """Kinds of files (`pack_files.KINDS`) that support it."""
    missing: tuple[str, ...] = ()
    """What the clause needs and llmeval can't supply."""


class ClauseMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A map."""

    title: str
    """Of the regulation or standard."""
    source: str
    """Where its text is."""
    checked: MapCheck
    """The latest comparison with the source."""
    note: str
    """What a reader must know about the map."""
    clauses: tuple[Clause, ...]
    """In the order of the source."""
    not_supplied: tuple[str, ...]
    """What the source asks for and no file of a pack can show."""


def names() -> list[str]:
    """The names of the maps."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


@cache
def read_map(name: str) -> ClauseMap:
    """A map by its name.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in names():
        raise UsageError(f"--map {name}: there is no such map. Maps: {', '.join(names())}")
    text = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), ClauseMap)


def unknown_kinds(clauses: ClauseMap) -> list[str]:
    """The kinds that a map names and that no file of a pack can have."""
    return [kind for each in clauses.clauses for kind in each.supports if kind not in KINDS]


def outdated(today: date) -> list[str]:
    """The maps whose latest check is too old for a release, each with its day."""
    return [
        f"{name}: checked on {read_map(name).checked.day}, more than {OLDEST_CHECK_DAYS} days ago"
        for name in names()
        if (today - read_map(name).checked.day).days > OLDEST_CHECK_DAYS
    ]


def table_of(clauses: ClauseMap, paths: Collection[str]) -> str:
    """The map as a table in Markdown, for the files of one pack.

    Args:
        clauses: the map. paths: of the files of the pack.
    """
    there = {kind_of(path) for path in paths}
    rows = []
    for each in clauses.clauses:
        files = [f"{kind} (`{KINDS[kind]}`)" for kind in each.supports if kind in there]
        missing = [f"no {kind} in this pack" for kind in each.supports if kind not in there]
        rows.append(
            f"| {each.clause} | {each.about} | {', '.join(files) or 'none'} |"
            f" {'; '.join([*missing, *each.missing]) or '–'} |"
        )
    return "\n".join(
        [
            f"# {clauses.title}",
            "",
            f"Source: {clauses.source}",
            f"Compared with the source on {clauses.checked.day}: {clauses.checked.by}",
            "",
            clauses.note,
            "",
            "A file in this table supports a clause. It does not show that a clause is met.",
            "",
            "| clause | subject | files that support it | missing |",
            "|---|---|---|---|",
            *rows,
            "",
            "## What llmeval can't supply",
            "",
            *[f"- {each}" for each in clauses.not_supplied],
            "",
        ]
    )
