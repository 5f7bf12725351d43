"""Accepted findings: `<suite>.data.yaml` next to the suite, and levels of rules.

An entry is void when one of its cases changed, or when its last day is past. A void entry is a
warning, and its finding counts again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from llmeval.datatests.findings import DataFinding
from llmeval.suite import yaml_file
from llmeval.suite.loader import Suite
from llmeval.suite.strict import Strict

_FORM = (
    "the file has `source`, `licence`, `levels: {RULE: off | info | warn | error}` and `accept:`,"
    " a list of {rule, cases, reason, by, until, digests}"
)


class AcceptedEntry(Strict):
    """One finding that a person accepts."""

    rule: str = Field(pattern=r"^D\d{3}[a-e]?$", description="Id of the rule, such as D003.")
    cases: list[str | int] = Field(
        default=[], description="Ids of the cases; empty for a finding about the whole suite."
    )
    reason: str = Field(min_length=1, description="Why the data are right as they are.")
    by: str = Field(min_length=1, description="Who accepts the finding.")
    until: str | None = Field(
        default=None,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="The last day, such as 2027-01-31 (UTC). Default: no end.",
    )
    digests: list[str] = Field(
        default=[],
        description=(
            "The digest of each case, as `data check --json` prints it in `case_digests`. If a case"
            " changes, the entry is void."
        ),
    )


class AcceptedFile(Strict):
    """The whole file."""

    source: str = Field(default="", description="Where the cases come from.")
    licence: str = Field(default="", description="The licence of the cases, such as CC-BY-4.0.")
    levels: dict[str, Literal["off", "info", "warn", "error"]] = Field(
        default={}, description="Level of a rule: off, info, warn or error."
    )
    accept: list[AcceptedEntry] = Field(default=[], description="Findings that are accepted.")


@dataclass(frozen=True)
class AcceptedFindings:
    """The file of a suite. `document`: for lines; None without a file."""

    levels: Mapping[str, str]
    entries: Sequence[AcceptedEntry] = ()
    document: yaml_file.Document | None = None
    source: str = ""
    licence: str = ""

    def apply(
        self, findings: Sequence[DataFinding], digests: Mapping[str, str], today: date
    ) -> tuple[list[DataFinding], list[DataFinding]]:
        """(open, accepted) findings. An entry that is void adds a warning to the open ones.

        Args:
            digests: by id of a case, the first 16 hex digits of its digest.
        """
        valid, void = [], []
        for number, entry in enumerate(self.entries):
            reason = _void(entry, digests, today)
            if reason:
                void.append(self._void_finding(number, entry, reason))
            else:
                valid.append(entry)
        opened = list(void)
        closed: list[DataFinding] = []
        for finding in findings:
            accepted = any(_covers(entry, finding) for entry in valid)
            (closed if accepted else opened).append(finding)
        return opened, closed

    def _void_finding(self, number: int, entry: AcceptedEntry, reason: str) -> DataFinding:
        document = self.document
        if document is None:
            raise ValueError("an entry comes from a file")
        return DataFinding(
            rule=entry.rule,
            level="warn",
            cases=tuple(map(str, entry.cases)),
            file=document.file,
            line=document.line(("accept", number)),
            message=f"the acceptance of {entry.rule} by {entry.by} is void: {reason}",
            fix="Read the finding again; renew the entry, or remove it",
        )


def accepted_path(suite: Suite) -> Path:
    """`<suite>.data.yaml` next to the suite file."""
    return suite.path.with_name(f"{suite.path.stem}.data.yaml")


def read_accepted(suite: Suite) -> AcceptedFindings:
    """The accepted findings of a suite.

    Raises:
        SuiteError: the file is not valid; names file, line and key.
    """
    path = accepted_path(suite)
    if not path.exists():
        return AcceptedFindings({})
    document = yaml_file.parse(suite.read_text(path.name, ()), str(path))
    if document.data is None:
        return AcceptedFindings({})
    try:
        content = AcceptedFile.model_validate(document.data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = tuple(part for part in first["loc"] if part not in ("str", "int"))
        raise document.error(place, f"{first['msg']}; {_FORM}") from None
    for number, entry in enumerate(content.accept):
        if entry.digests and len(entry.digests) != len(entry.cases):
            raise document.error(
                ("accept", number, "digests"),
                f"{len(entry.digests)} digests for {len(entry.cases)} cases: give one for each",
            )
        if entry.cases and not entry.digests:
            raise document.error(
                ("accept", number),
                "the key 'digests' is missing: without it the entry would still hold when a case"
                " changes. `llmeval data check --json` prints `case_digests`",
            )
        _day(document, number, entry)
    return AcceptedFindings(
        content.levels, content.accept, document, content.source, content.licence
    )


def _day(document: yaml_file.Document, number: int, entry: AcceptedEntry) -> None:
    try:
        date.fromisoformat(entry.until or "2000-01-01")
    except ValueError:
        raise document.error(
            ("accept", number, "until"), f"{entry.until} is not a date; write it as 2027-01-31"
        ) from None


def _void(entry: AcceptedEntry, digests: Mapping[str, str], today: date) -> str:
    """Why an entry is void; empty if it holds."""
    if entry.until is not None and today > date.fromisoformat(entry.until):
        return f"it ended on {entry.until}"
    for case, digest in zip(entry.cases, entry.digests, strict=True):
        if str(case) not in digests:
            return f"the case {case} is not in the suite any more"
        if digests[str(case)] != digest.removeprefix("sha256:")[:16]:
            return f"the case {case} changed"
    return ""


def _covers(entry: AcceptedEntry, finding: DataFinding) -> bool:
    """Whether the entry is about the finding. A finding with a further case is not covered."""
    if entry.rule != finding.rule:
        return False
    return not entry.cases or set(finding.cases) <= set(map(str, entry.cases))
