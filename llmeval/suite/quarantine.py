"""The quarantine: cases that run and are shown, but count in no rule. Each has a reason, an owner
and a last day.
"""

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from typing import NamedTuple

from pydantic import Field

from llmeval.core.results import Quarantined
from llmeval.suite.entries import EntryFile, day_of, entries_of, read_document
from llmeval.suite.loader import Suite
from llmeval.suite.strict import Name, Strict

FILE = EntryFile("quarantine", "quarantine.yaml", "{case, reason, owner, expires}")


class QuarantineEntry(Strict):
    """One case in quarantine."""

    case: str | int = Field(description="The case's id.")
    reason: str = Field(min_length=1, description="Why its result is not usable now.")
    owner: str = Field(min_length=1, description="Who is responsible for it.")
    expires: str = Field(
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description=(
            "Its last day in quarantine, such as 2027-01-31 (UTC). Then the case counts again."
        ),
    )
    suite: Name | None = Field(
        default=None, description="Only for this suite, where several share the file."
    )


class Quarantine(NamedTuple):
    """The entries in force, the entries that ended, and the warnings about them."""

    cases: tuple[Quarantined, ...] = ()
    ended: tuple[Quarantined, ...] = ()
    warnings: tuple[str, ...] = ()


def read_quarantine(
    suite: Suite,
    ids: Callable[[], Collection[str]] | None,
    *,
    partial: bool = False,
    today: date | None = None,
) -> Quarantine:
    """The entries of a suite that are in force, from `gate.quarantine` or the quarantine.yaml next
    to it.

    An entry whose last day is over gives a warning with its line, and its case counts again.

    Args:
        suite: whose quarantine.
        ids: gives the ids of the cases that run; called only if there is an entry. None: ids are
            not checked.
        partial: these ids are only a part of the suite's cases; entries of other cases are ignored.
        today: default: now, UTC.

    Raises:
        SuiteError: the file is missing or wrong, or names a case twice or a case that does not
            exist; with file and line.
    """
    document = read_document(suite, FILE)
    if document is None:
        return Quarantine()
    case_ids = None if ids is None else ids()
    day, entries, warnings = today or datetime.now(UTC).date(), dict[str, Quarantined](), []
    ended: list[Quarantined] = []
    for number, entry in enumerate(entries_of(document, QuarantineEntry, FILE)):
        case_id = str(entry.case)
        if entry.suite not in (None, suite.name):
            continue
        if case_id in entries:
            raise document.error((number, "case"), f"{case_id!r} is listed twice")
        if case_ids is not None and case_id not in case_ids:
            if partial:
                continue
            raise document.error(
                (number, "case"),
                f"{suite.name} has no case {case_id!r}; remove the entry, or name the suite it"
                " belongs to: `suite: NAME`",
            )
        entered = Quarantined(
            case_id=case_id, reason=entry.reason, owner=entry.owner, expires=entry.expires
        )
        if day > day_of(document, (number, "expires"), entry.expires):
            ended.append(entered)
            message = (
                f"the quarantine of {case_id} ended on {entry.expires}: it counts again."
                f" {entry.owner} fixes the case, or removes the entry"
            )
            warnings.append(str(document.error((number, "expires"), message)))
            continue
        entries[case_id] = entered
    return Quarantine(tuple(entries.values()), tuple(ended), tuple(warnings))
