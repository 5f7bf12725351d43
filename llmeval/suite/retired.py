"""Retired cases: cases of the baseline that the suite leaves out, or asks otherwise, on purpose;
each with a reason.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pydantic import Field

from llmeval.core.records import Case
from llmeval.core.results import Retired
from llmeval.suite.entries import EntryFile, day_of, entries_of, read_document
from llmeval.suite.loader import Suite
from llmeval.suite.strict import Name, Strict
from llmeval.suite.yaml_file import Document

FILE = EntryFile(
    "retired", "retired.yaml", "{case, reason, owner}, with date and suite where they are needed"
)


class RetiredEntry(Strict):
    """One case of the baseline that is retired: the gate does not miss it."""

    case: str | int = Field(description="The case's id in the baseline.")
    reason: str = Field(
        min_length=1, description="Why it is not asked any more, or asked otherwise."
    )
    owner: str = Field(min_length=1, description="Who retired it.")
    date: str | None = Field(
        default=None,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="The day it was retired, such as 2027-01-31.",
    )
    suite: Name | None = Field(
        default=None, description="Only for this suite, where several share the file."
    )


class Retirement(NamedTuple):
    """The retired cases of a suite, and where each entry stands."""

    cases: tuple[Retired, ...] = ()
    document: Document | None = None
    rows: Mapping[str, int] = {}


def read_retired(suite: Suite) -> Retirement:
    """The suite's entries, from `gate.retired` or the retired.yaml beside it.

    Raises:
        SuiteError: the file is missing or wrong, or names a case twice; with file and line.
    """
    document = read_document(suite, FILE)
    if document is None:
        return Retirement()
    found, rows = dict[str, Retired](), dict[str, int]()
    for number, entry in enumerate(entries_of(document, RetiredEntry, FILE)):
        case_id = str(entry.case)
        if entry.suite not in (None, suite.name):
            continue
        if case_id in found:
            raise document.error((number, "case"), f"{case_id!r} is listed twice")
        if entry.date is not None:
            day_of(document, (number, "date"), entry.date)
        found[case_id] = Retired(
            case_id=case_id, reason=entry.reason, owner=entry.owner, date=entry.date
        )
        rows[case_id] = number
    return Retirement(tuple(found.values()), document, rows)


def refuse_asked(
    suite: Suite, retired: Retirement, cases: Iterable[Case], before: Mapping[str, str]
) -> None:
    """Refuse an entry whose case the suite still asks: it would say that a case is gone which is
    not.

    A case that is asked otherwise than in the baseline may be retired: what is retired is what the
    baseline asked.

    Args:
        suite, retired: the suite and its entries.
        cases: the suite's; read only where there is an entry.
        before: of the baseline, the first 16 hex digits of each case's digest, by id; empty where
            there is no baseline.

    Raises:
        SuiteError: such an entry; with file and line.
    """
    if retired.document is None:
        return
    for case in cases:
        same = before.get(case.id) in (None, case.digest.removeprefix("sha256:")[:16])
        if case.id in retired.rows and same:
            raise retired.document.error(
                (retired.rows[case.id], "case"),
                f"{suite.name} still asks {case.id!r}, so it is not retired; remove the entry or"
                " the case, or write whose it is: `suite: NAME`",
            )
