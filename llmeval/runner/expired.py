"""Cases past their `expires`: they run and are shown, but count in no rule, as in quarantine."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from llmeval.core.errors import SuiteError
from llmeval.core.records import Case
from llmeval.core.results import Quarantined
from llmeval.suite.quarantine import Quarantine


def last_day(case: Case) -> date | None:
    """The last day of a case; None without `expires`.

    Raises:
        SuiteError: it is not a day; names the case's file and line.
    """
    if case.expires is None:
        return None
    try:
        return date.fromisoformat(case.expires)
    except ValueError:
        raise SuiteError(
            f"{case.source}: expires: {case.expires!r} is not a day; write it as 2027-01-31"
        ) from None


@dataclass
class ExpiredCases:
    """The cases whose last day is past. Fed with every case."""

    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    cases: dict[str, str] = field(default_factory=dict)
    """The last day of each, by id."""

    def add(self, case: Case) -> None:
        """Read a case. Raises SuiteError."""
        day = last_day(case)
        if day is not None and day < self.today:
            self.cases[case.id] = day.isoformat()

    def joined(self, quarantine: Quarantine, ids: Collection[str]) -> Quarantine:
        """The quarantine with the expired cases among `ids`, and a warning that counts them."""
        listed = {entry.case_id for entry in quarantine.cases}
        entries = tuple(
            Quarantined(case_id=case_id, reason=f"the case expired on {day}", owner="", expires="")
            for case_id, day in self.cases.items()
            if case_id in ids and case_id not in listed
        )
        if not entries:
            return quarantine
        names = ", ".join(entry.case_id for entry in entries[:5])
        more = f" and {len(entries) - 5} more" if len(entries) > 5 else ""
        cases = "1 case is" if len(entries) == 1 else f"{len(entries)} cases are"
        warning = (
            f"{cases} past `expires` and count in no rule: {names}{more}. Check each reference,"
            " then change or remove `expires`"
        )
        return quarantine._replace(
            cases=quarantine.cases + entries, warnings=(*quarantine.warnings, warning)
        )
