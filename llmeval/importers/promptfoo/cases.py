"""Converts tests to cases: the data of a row, the checks of the case, and criteria and references
for judges.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.promptfoo.assertions import (
    Assertion,
    bound,
    read_assertion,
    short,
    transforms_of,
)
from llmeval.importers.promptfoo.code_checks import CodeChecks
from llmeval.importers.promptfoo.files import loaded
from llmeval.importers.promptfoo.refused import CRITERIA, TO_FILL
from llmeval.importers.promptfoo.templates import rendered
from llmeval.importers.promptfoo.tests import Test
from llmeval.importers.writing import slug, unique

PROTOCOLS = {
    "llm-rubric": "rubric",
    "g-eval": "rubric",
    "model-graded-closedqa": "rubric",
    "answer-relevance": "rubric",
    "conversation-relevance": "rubric",
    "search-rubric": "rubric",
    "agent-rubric": "rubric",
    "factuality": "reference",
    "model-graded-factuality": "reference",
    "context-faithfulness": "grounded",
}
"""Types that a judge decides, and the protocol that asks what they ask."""
_RESERVED = (
    "id",
    "references",
    "facts",
    "checks",
    "messages",
    "tags",
    "cluster",
    "expires",
    "criteria",
)


@dataclass
class JudgeDemand:
    """What the tests ask of one protocol. `providers`: who is to judge, each with the place that
    says so.
    """

    metrics: set[str | None] = field(default_factory=set)
    providers: dict[str, tuple[Any, SourcePlace]] = field(default_factory=dict)


@dataclass
class ImportedRow:
    """A case to be: its data, its assertions by who wrote them, and the protocols that judge it."""

    test: Test
    data: dict[str, Any]
    defaults: list[Any] = field(default_factory=list)
    own: list[Any] = field(default_factory=list)
    informational: set[str] = field(default_factory=set)
    judged: set[str] = field(default_factory=set)
    only_runs: bool = False
    """Whether no assertion decides about it."""
    stripped: bool = False
    """Whether it had assertions, and all of them are left out."""


class CaseMaker:
    """Makes rows of tests, one after the other, and gathers what they ask of judges."""

    def __init__(self, base: Path, ledger: Ledger, checks: CodeChecks) -> None:
        self._base, self._ledger, self._as_check = base, ledger, checks.check
        self._ids: set[str] = set()
        self.judges: dict[str, JudgeDemand] = {}

    def row(self, test: Test) -> ImportedRow:
        """A case of a test.

        Raises:
            UnmappedError: it can't be asked or scored as it stands.
        """
        row = ImportedRow(test, self._data(test))
        if test.threshold is not None:
            row.own = self._whole(test, row)
        else:
            row.defaults = self._checks(test.defaults, test, row)
            row.own = self._checks(test.asserts, test, row)
        if not (row.defaults or row.own or row.judged):
            row.own, row.only_runs = [{"min_words": 1}], True
            row.stripped = bool(test.asserts or test.defaults)
            if not row.stripped:
                self._ledger.note(
                    test.place,
                    "a test without an assertion passes in promptfoo; here its answer must not be"
                    " empty (`min_words: 1`)",
                )
        identifier = unique(row.data["id"], self._ids)
        self._ids.add(identifier)
        row.data["id"] = identifier
        return row

    def _data(self, test: Test) -> dict[str, Any]:
        values = dict(test.variables)
        identifier = values.pop("id", None)
        for name in values:
            if name in _RESERVED:
                raise UnmappedError(
                    f"the variable `{name}` has the name of a field that cases have here; call it"
                    " something else",
                    test.place.at("vars", name),
                )
        for name in ("context", "reference"):
            if name in values and (not isinstance(values[name], str) or not values[name]):
                values.pop(name)
        own = test.place.at("vars").value
        ordered = [values.get(name) for name in (*(own if isinstance(own, dict) else ()), *values)]
        words = next((value for value in ordered if isinstance(value, str) and value.strip()), "")
        named = (
            slug(str(identifier or ""), "")
            or slug(test.description, "")
            or slug(words[:40], "case")
        )
        data: dict[str, Any] = {"id": named}
        if test.description:
            data["description"] = test.description
        data.update(values)
        for option, name in (("prefix", "prompt_prefix"), ("suffix", "prompt_suffix")):
            if test.options.get(option):
                data[name] = test.options[option]
        tags = {
            name: _tag(value)
            for name, value in test.metadata.items()
            if not isinstance(value, dict)
        }
        return {**data, **({"tags": tags} if tags else {})}

    def _read(self, place: SourcePlace) -> Assertion:
        raw = place.value
        value = raw.get("value") if isinstance(raw, dict) else None
        kind = str(raw.get("type") or "") if isinstance(raw, dict) else ""
        if kind.removeprefix("not-") in TO_FILL and not kind.removeprefix("not-").startswith(
            "similar"
        ):
            return read_assertion(place, value, self._ledger)
        return read_assertion(place, loaded(value, self._base), self._ledger)

    def _checks(self, places: list[SourcePlace], test: Test, row: ImportedRow) -> list[Any]:
        checks = []
        for place in places:
            with self._ledger.trying(place):
                check = self._check(place, test, row)
                if check is not None:
                    checks.append(check)
        return checks

    def _check(self, place: SourcePlace, test: Test, row: ImportedRow) -> Any:
        """The check of an assertion; None for what a judge decides, which goes into the row."""
        if isinstance(place.value, dict) and place.value.get("type") in (
            "assert-set",
            "not-assert-set",
        ):
            return self._set(place, test, row)
        assertion = self._transformed(self._read(place), test)
        if assertion.kind in PROTOCOLS:
            if assertion.transforms:
                raise UnmappedError("code that changes the answer is not run here")
            self._judge(assertion, test, row)
            return None
        check = short(self._as_check(assertion))
        if assertion.weight == 0:
            row.informational.add(metric_of(check))
        return check

    @staticmethod
    def _transformed(assertion: Assertion, test: Test) -> Assertion:
        """With the test's code that changes the answer, which runs before the assertion's."""
        code = test.options.get("transform") or test.options.get("postprocess")
        return replace(assertion, transforms=(*transforms_of(code), *assertion.transforms))

    def _set(self, place: SourcePlace, test: Test, row: ImportedRow) -> Any:
        raw = place.value
        if raw["type"].startswith("not-"):
            raise UnmappedError("`not-assert-set`: negate its members", place.at("type"))
        members = [self._transformed(self._read(each), test) for each in place.at("assert").items()]
        options = {"metric": str(raw["metric"])} if raw.get("metric") else {}
        return self._group(members, raw.get("threshold"), place, options)

    def _whole(self, test: Test, row: ImportedRow) -> list[Any]:
        """A test with a `threshold`, or nothing of it: the count says something else once an
        assertion is gone.
        """
        try:
            return self._counted(test, row)
        except UnmappedError as error:
            self._ledger.leave_out(error.place or test.place.at("threshold"), str(error))
            raise UnmappedError(
                "the test goes with what its `threshold` counts", test.place
            ) from None

    def _counted(self, test: Test, row: ImportedRow) -> list[Any]:
        """A test's `threshold`: so many of its assertions have to hold, whichever they are."""
        place = test.place.at("threshold")
        members: list[Assertion] = []
        beside: list[Assertion] = []
        for each in (*test.defaults, *test.asserts):
            assertion = self._transformed(self._read(each), test)
            (beside if assertion.weight == 0 else members).append(assertion)
        self._ledger.note(
            place, "a test's `threshold` lets any of its assertions fail; it is an `at_least` here"
        )
        groups = [self._group(members, test.threshold, place, {"metric": "test"})]
        for assertion in beside:
            check = short(self._as_check(assertion))
            row.informational.add(metric_of(check))
            groups.append(check)
        return groups

    def _group(
        self,
        members: list[Assertion],
        threshold: Any,
        place: SourcePlace,
        options: Mapping[str, Any],
    ) -> Any:
        if not members:
            raise UnmappedError("has no assertion")
        for member in members:
            if member.kind in PROTOCOLS:
                raise UnmappedError(
                    "a group with a judge in it has no counterpart; judges are metrics of"
                    " their own",
                    member.place,
                )
            if threshold is not None and (member.graded or member.weight != members[0].weight):
                raise UnmappedError(
                    "a `threshold` over weights or degrees has no counterpart; set a threshold on"
                    " each metric",
                    place,
                )
        checks = [short(self._as_check(member)) for member in members]
        if threshold is None:
            return {"all": {"of": checks, **options}} if options else {"all": checks}
        needed = math.ceil(float(threshold) * len(checks) - 1e-9)
        if not 1 <= needed <= len(checks):
            raise UnmappedError(
                f"a threshold of {threshold} passes always or never; give one above 0, up to 1",
                place,
            )
        return {"at_least": {"k": needed, "of": checks, **options}}

    def _judge(self, assertion: Assertion, test: Test, row: ImportedRow) -> None:
        protocol = PROTOCOLS[assertion.kind]
        if assertion.negated:
            raise UnmappedError(
                f"`not-{assertion.kind}`: a verdict can't be reversed; write the opposite as a"
                " criterion",
                assertion.place.at("type"),
            )
        if assertion.threshold is not None:
            self._ledger.note(
                assertion.place.at("threshold"),
                "a threshold on a judge's own score has no counterpart: here each criterion is met"
                " or not",
            )
        statement = rendered(assertion.value, test.variables)
        if assertion.kind in CRITERIA or assertion.kind in ("search-rubric", "agent-rubric"):
            statement = CRITERIA.get(assertion.kind, statement)
            self._ledger.note(
                assertion.place,
                f"`{assertion.kind}` is a judge's criterion here: no embeddings, search or tools",
            )
        if protocol == "rubric":
            for each in statement if isinstance(statement, list) else [statement]:
                if not isinstance(each, str) or not each.strip():
                    raise UnmappedError(
                        "needs a statement that is true of a good answer",
                        assertion.place.at("value"),
                    )
                row.data.setdefault("criteria", []).append(each.strip())
        elif protocol == "reference":
            self._reference(statement, assertion, row)
        elif "context" not in row.data:
            raise UnmappedError(
                "needs the variable `context`: the text that the answer is to be backed by"
            )
        row.judged.add(protocol)
        demand = self.judges.setdefault(protocol, JudgeDemand())
        demand.metrics.add(assertion.metric)
        provider = assertion.provider or test.options.get("provider")
        if isinstance(provider, dict) and "id" not in provider:
            provider = provider.get("text", provider)
        demand.providers.setdefault(str(provider), (provider, assertion.place))

    def _reference(self, text: object, assertion: Assertion, row: ImportedRow) -> None:
        if not isinstance(text, str) or not text.strip():
            raise UnmappedError("needs the right answer as a text", assertion.place.at("value"))
        if "reference" in row.data and row.data["reference"] != text:
            raise UnmappedError(
                "differs from the variable `reference`; a case has one set of right answers here"
            )
        if row.data.get("references", [text]) != [text]:
            raise UnmappedError(
                "a case has one set of right answers here, and this is a second one"
            )
        row.data.pop("reference", None)
        row.data["references"] = [text]


def metric_of(check: object) -> str:
    """The name that a check's scores carry."""
    return bound(check).metric


def _tag(value: object) -> Any:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else value
