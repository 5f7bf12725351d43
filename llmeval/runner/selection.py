"""Selects some cases of a suite for a partial run: by id, by tag, or because they failed before.

A partial run shows whether a fix works. It says nothing about the other cases, so it never passes
the gate of the suite.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from llmeval.core.errors import UsageError
from llmeval.core.manifest import SelectionRecord
from llmeval.core.records import Case
from llmeval.data.cases import CaseSet

_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The cases that a partial run has.

    `cases` and `failed` together name cases by id; without either, every case is a candidate.
    `tags` narrow that, each `name=value`: values of one name are alternatives, and every name must
    fit.
    """

    cases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    """Ids of the cases that failed in the run `failed_of`."""
    failed_of: str | None = None
    last_failed: bool = False
    """Whether the user wrote `--last-failed`."""

    @property
    def _ids(self) -> frozenset[str] | None:
        named = {*self.cases, *self.failed}
        return frozenset(named) if named or self.failed_of is not None else None

    def holds(self, case: Case) -> bool:
        """Whether a case is selected."""
        ids = self._ids
        if ids is not None and case.id not in ids:
            return False
        return all(case.tags.get(name) in values for name, values in self._wanted().items())

    def apply(self, cases: CaseSet) -> SelectionRecord:
        """Reduce `cases` to the selection.

        Raises:
            UsageError: an id or a tag does not exist, or no case is selected; names near ones.
        """
        case_ids: dict[str, None] = {}
        values: dict[str, dict[str, None]] = {}
        n = 0
        for case in cases:
            case_ids[case.id] = None
            for name, value in case.tags.items():
                values.setdefault(name, {})[value] = None
            n += self.holds(case)
        self._check(case_ids, values)
        if n == 0:
            raise UsageError(
                f"no case is selected by {self._record(0, len(case_ids)).how}: "
                + (
                    "none of the failing cases of that run is in this suite now"
                    if self.failed_of is not None and not self.cases and not self.tags
                    else "each exists, but no case has all of them"
                )
            )
        of = len(cases)
        cases.keep(self.holds)
        return self._record(len(cases), of)

    def _record(self, n: int, of: int) -> SelectionRecord:
        return SelectionRecord(
            n=n,
            of=of,
            cases=self.cases,
            tags=self.tags,
            failed_of=self.failed_of,
            last_failed=self.last_failed,
        )

    def _wanted(self) -> dict[str, set[str]]:
        values: dict[str, set[str]] = {}
        for tag in self.tags:
            name, equals, value = tag.partition("=")
            if not (name and equals and value):
                raise UsageError(f"--tag {tag}: write name=value, such as --tag topic=law")
            values.setdefault(name, set()).add(value)
        return values

    def _check(self, case_ids: dict[str, None], values: dict[str, dict[str, None]]) -> None:
        for case_id in self.cases:
            if case_id not in case_ids:
                raise UsageError(
                    f"--case {case_id}: the suite has no such case; {_near(case_id, case_ids)}"
                )
        for name, chosen in self._wanted().items():
            if name not in values:
                raise UsageError(
                    f"--tag {name}=...: no case has the tag {name!r}; {_near(name, values)}"
                )
            for value in sorted(chosen - values[name].keys()):
                raise UsageError(
                    f"--tag {name}={value}: no case has this value; {_near(value, values[name])}"
                )


def _near(word: str, words: Iterable[str]) -> str:
    """The names that are most like a word, or the first ones if none is."""
    names = list(words)
    if not names:
        return "there is none"
    close = difflib.get_close_matches(word, names, n=_NAMED, cutoff=0.6)
    if close:
        return f"did you mean {', '.join(map(repr, close))}?"
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"it has {', '.join(names[:_NAMED])}{more}"
