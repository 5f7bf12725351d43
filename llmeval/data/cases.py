"""The cases of a suite: normalised, checked once before the first call, then read lazily, row by
row.
"""

import copy
import hashlib
import random
from array import array
from collections.abc import Callable, Iterator, Mapping
from itertools import compress
from pathlib import Path
from typing import Any

import msgspec

from llmeval.core.checksums import digest_number, digest_of_sum
from llmeval.core.errors import SuiteError
from llmeval.core.json_paths import JsonPath
from llmeval.core.message_parts import as_text
from llmeval.core.records import Case, Message, canonical_json
from llmeval.core.templates import is_template, render_value
from llmeval.data.message_images import read_parts
from llmeval.data.rows import Row, as_written
from llmeval.data.sources import InlineSource, Source, TableFormat, open_source
from llmeval.suite.loader import Suite

_RESERVED = frozenset(
    [
        "id",
        "reference",
        "references",
        "context",
        "facts",
        "checks",
        "messages",
        "tags",
        "cluster",
        "expires",
    ]
)


def order_of(units: list[int], seed: str | int) -> list[int]:
    """These units (cases, or clusters) in a random order that depends on the seed alone."""
    shuffled = list(units)
    random.Random(seed).shuffle(shuffled)
    return shuffled


class CaseSet:
    """All cases that a run will ask, in order.

    `digest`: of all cases, whatever their order (the sum of the cases' sha256 digests modulo
        2**256).

    Args:
        suite: whose cases.
        limit: at most so many, a seeded sample.
        inspect: called with every case once, before any is asked; may raise SuiteError.

    Raises:
        SuiteError: a source can't be read, a case is not valid, or two cases share an id; names
            file and line.
    """

    def __init__(
        self,
        suite: Suite,
        limit: int | None = None,
        *,
        inspect: Callable[[Case], None] = lambda case: None,
    ) -> None:
        spec = suite.spec.cases
        self._suite = suite
        self._map = dict(spec.map)
        self._source = _open(suite)
        self._folder = _folder(suite)
        sample = spec.sample
        self._order = array("q", range(len(self._source)))
        if sample is not None:
            self._order = self._sampled(sample.n, sample.seed, sample.stratify)
        if limit is not None and limit < len(self._order):
            picked = random.Random(suite.spec.seed).sample(range(len(self._order)), limit)
            self._order = array("q", (self._order[index] for index in sorted(picked)))
        self._clusters = array("q")
        self._with_checks: set[int] = set()
        self.digest = self._scan(inspect)

    def shuffle(self, seed: str | int) -> None:
        """Put the cases into a random order, those of one cluster side by side.

        Args:
            seed: the same one gives the same order (`order_of`).
        """
        members: dict[int, list[int]] = {}
        for cluster, index in zip(self._clusters, self._order, strict=True):
            members.setdefault(cluster, []).append(index)
        clusters = order_of(list(members), seed)
        self._order = array("q", (index for cluster in clusters for index in members[cluster]))
        self._clusters = array("q", (cluster for cluster in clusters for _ in members[cluster]))

    @property
    def of(self) -> int:
        """How many cases the source has."""
        return len(self._source)

    @property
    def partial(self) -> bool:
        """Whether the source has more cases than these."""
        return len(self._order) < self.of

    def everything(self) -> Iterator[Case]:
        """All cases of the source in its order, also those outside the sample. Invalid rows are
        left out.
        """
        for index in range(self.of):
            try:
                yield self._case(index)
            except SuiteError:
                continue  # a row that was drawn was refused before; no other one can be asked

    def with_own_checks(self) -> Iterator[Case]:
        """The cases that name checks besides the suite's. No other case is read again."""
        for index in self._order:
            if index in self._with_checks:
                yield self._case(index)

    def keep(self, predicate: Callable[[Case], bool]) -> None:
        """Leave out the cases that are not wanted."""
        kept = [predicate(case) for case in self]
        self._clusters = array("q", compress(self._clusters, kept))
        self._order = array("q", compress(self._order, kept))
        self.digest = digest_of_sum(sum(digest_number(case.digest) for case in self))

    def parts(self, number: Callable[[Case], int]) -> dict[int, "CaseSet"]:
        """The cases by the number of their part. The parts have no digest."""
        orders: dict[int, array[int]] = {}
        for index, case in zip(self._order, self, strict=True):
            orders.setdefault(number(case), array("q")).append(index)
        parts = {}
        for key, order in orders.items():
            parts[key] = part = copy.copy(self)
            part._order, part.digest = order, ""
        return parts

    def backwards(self) -> Iterator[Case]:
        """The cases from the last to the first."""
        for index in reversed(self._order):
            yield self._case(index)

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Case]:
        for index in self._order:
            yield self._case(index)

    def _case(self, index: int) -> Case:
        try:
            where = self._source.where(index)
            return make_case(self._source.row(index), self._map, where, self._folder)
        except SuiteError:
            raise
        except (ValueError, TypeError) as error:
            raise SuiteError(f"{self._source.where(index)}: {error}") from None

    def _scan(self, inspect: Callable[[Case], None]) -> str:
        """Read every case once: all are valid, no id stands twice."""
        seen = set[int]()
        clusters: dict[str, int] = {}
        total = 0
        for index in self._order:
            case = self._case(index)
            inspect(case)
            key = int.from_bytes(hashlib.blake2b(case.id.encode(), digest_size=8).digest())
            if key in seen:
                first = next(each for each in self if each.id == case.id)
                raise SuiteError(
                    f"{self._source.where(index)}: the id {case.id!r} is already used by"
                    f" {first.source}"
                )
            seen.add(key)
            self._clusters.append(
                index if case.cluster is None else clusters.setdefault(case.cluster, index)
            )
            if case.checks:
                self._with_checks.add(index)
            total += digest_number(case.digest)
        return digest_of_sum(total)

    def _sampled(self, n: int, seed: int, stratify: str | None) -> "array[int]":
        rng = random.Random(seed)
        if stratify is None:
            return array(
                "q", sorted(rng.sample(range(len(self._source)), min(n, len(self._source))))
            )
        strata: dict[str, list[int]] = {}
        for index in self._order:
            strata.setdefault(
                _stratum(self._case(index), stratify, self._source.where(index)), []
            ).append(index)
        picked: list[int] = []
        for name, share in _shares({name: len(rows) for name, rows in strata.items()}, n).items():
            picked += rng.sample(strata[name], share)
        return array("q", sorted(picked))


def _open(suite: Suite) -> Source:
    source = suite.spec.cases.source
    spec = suite.spec.cases
    if isinstance(source, list):
        document = suite.document
        path = ("cases",) if ("cases", 0) in document.lines else ("cases", "source")
        rows = [as_written(row, document, (*path, index)) for index, row in enumerate(source)]
        return InlineSource(
            rows, document.file, [document.line((*path, index)) for index in range(len(source))]
        )
    try:
        return open_source(source, suite.base, TableFormat(spec.encoding, spec.delimiter))
    except SuiteError as error:
        raise suite.error(("cases", "source"), str(error)) from None


def _stratum(case: Case, name: str, where: str) -> str:
    value = case.tags.get(name, case.fields.get(name))
    if value is None:
        raise SuiteError(
            f"{where}: the case has no field or tag {name!r}, which `sample.stratify` names"
        )
    return str(value)


def _shares(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """n split over the strata in proportion to their sizes, by largest remainders."""
    total = sum(sizes.values())
    n = min(n, total)
    exact = {name: n * size / total for name, size in sizes.items()}
    shares = {name: int(value) for name, value in exact.items()}
    rest = sorted(exact, key=lambda name: (shares[name] - exact[name], name))
    for name in rest[: n - sum(shares.values())]:
        shares[name] += 1
    return shares


def _folder(suite: Suite) -> Path:
    """The folder of the file with the cases."""
    source = suite.spec.cases.source
    if isinstance(source, str) and "://" not in source:
        path = suite.base / source
        return path if path.is_dir() else path.parent
    return suite.base


def make_case(row: Row, columns: Mapping[str, str], where: str, folder: Path | None = None) -> Case:
    """A `Case` from a raw row.

    Args:
        row: column -> value.
        columns: case field -> column, where their names differ.
        where: `file:line`, for messages.
        folder: the folder that paths of images are relative to; None without one.

    Raises:
        SuiteError: a field has the wrong form.
    """
    mapped = {name: _mapped(row, name, column, where) for name, column in columns.items()}
    taken = set(columns.values())
    data = {key: value for key, value in row.items() if key not in taken} | mapped
    messages = _messages(data, where, folder)
    content = {key: value for key, value in data.items() if key != "id"}
    if any(message.parts for message in messages):  # a changed image is a changed case
        content["messages"] = msgspec.to_builtins(messages)
    body = hashlib.sha256(canonical_json(content)).hexdigest()
    identifier = data.get("id")
    if identifier is None:
        identifier = body[:16]
    if not isinstance(identifier, str | int) or isinstance(identifier, bool) or identifier == "":
        raise SuiteError(f"{where}: id: must be text or a whole number, not {identifier!r}")
    return Case(
        id=str(identifier),
        fields={key: value for key, value in data.items() if key not in _RESERVED},
        references=_references(data, where),
        context=_context(data, where),
        facts=tuple(_mappings(data, "facts", where)),
        checks=tuple(_sequence(data, "checks", where)),
        messages=messages,
        tags=_tags(data, where),
        cluster=_text(data, "cluster", where),
        expires=_text(data, "expires", where),
        digest="sha256:" + hashlib.sha256(f"{identifier}\n{body}".encode()).hexdigest(),
        source=where,
    )


def _mapped(row: Row, name: str, column: str, where: str) -> object:
    """The value of a case field: of a column, at a path into one, or of a template over all.

    Raises:
        SuiteError: there is no such column or value.
    """
    if column in row:
        return row[column]
    if is_template(column):
        return render_value(column, {"row": row, **row}, f"{where}: cases.map.{name}")
    if "." in column or "[" in column:
        try:
            return JsonPath(column).find(row)
        except ValueError as error:
            raise SuiteError(f"{where}: cases.map.{name}: {column!r}: {error}") from None
    raise SuiteError(
        f"{where}: there is no column {column!r} for the field {name!r}; it has {', '.join(row)}"
    )


def _references(data: Row, where: str) -> tuple[str, ...]:
    if data.get("reference") is not None and data.get("references") is not None:
        raise SuiteError(f"{where}: give `reference` or `references`, not both")
    references = data.get("references", data.get("reference"))
    if references is None:
        return ()
    values = references if isinstance(references, list) else [references]
    if not values or any(
        not isinstance(value, str | int | float) or value == "" for value in values
    ):
        raise SuiteError(
            f"{where}: references: a text or a list of texts, none empty; given: {references!r}"
        )
    return tuple(str(value) for value in values)


def _context(data: Row, where: str) -> str | None:
    """The context as one text: several passages are separated by an empty line."""
    passages = data.get("context")
    if isinstance(passages, list) and all(isinstance(each, str) for each in passages):
        return "\n\n".join(passages) if passages else None
    return _text(data, "context", where)


def _text(data: Row, key: str, where: str) -> str | None:
    value = data.get(key)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise SuiteError(f"{where}: {key}: must be text, not {type(value).__name__}")


def _sequence(data: Row, key: str, where: str) -> list[Any]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise SuiteError(f"{where}: {key}: must be a list, not {type(value).__name__}")
    return value


def _mappings(data: Row, key: str, where: str) -> list[dict[str, Any]]:
    values = _sequence(data, key, where)
    for value in values:
        if not isinstance(value, dict):
            raise SuiteError(f"{where}: {key}: each item is a mapping; given: {value!r}")
    return values


def _tags(data: Row, where: str) -> dict[str, str]:
    value = data.get("tags", {})
    if not isinstance(value, dict) or any(isinstance(item, dict | list) for item in value.values()):
        raise SuiteError(
            f"{where}: tags: a mapping of slice to value, such as {{topic: history}}; given:"
            f" {value!r}"
        )
    return {str(key): str(item) for key, item in value.items()}


def _messages(data: Row, where: str, folder: Path | None) -> tuple[Message, ...]:
    turns = []
    for turn in _mappings(data, "messages", where):
        content = turn.get("content")
        if turn.get("role") not in ("system", "user", "assistant") or not isinstance(
            content, str | list
        ):
            raise SuiteError(
                f"{where}: messages: each needs role (system, user, assistant) and content; given:"
                f" {turn!r}"
            )
        if isinstance(content, str):
            turns.append(Message(turn["role"], content))
            continue
        parts = read_parts(content, folder, where)
        images = parts if any(part.image for part in parts) else ()
        turns.append(Message(turn["role"], as_text(parts), images))
    return tuple(turns)
