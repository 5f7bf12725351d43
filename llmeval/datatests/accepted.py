"""Accepted findings: `<suite>.data.yaml` next to the suite, and levels of rules.

An entry names the cases with their digests, or the findings by their fingerprints. So it never
covers a defect that comes later. An entry is void when one of its cases changed, when its last day
is past, or when a finding that it names does not exist any more. A void entry is a warning, and its
finding counts again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError

from llmeval.datatests.findings import DataFinding
from llmeval.suite import yaml_file
from llmeval.suite.loader import Suite
from llmeval.suite.strict import Strict

_FORM = (
    "the file has `source`, `licence`, `languages`, `rules`, `levels: {RULE: off | info | warn |"
    " error}` and `accept:`, a list of {rule, cases, digests, findings, reason, by, until}"
)

_NEEDS_FINGERPRINT = frozenset(["D021"])
"""Rules whose findings change with the checks or the gate, also if no case changes."""


class AcceptedEntry(Strict):
    """One finding that a person accepts."""

    rule: str = Field(
        pattern=r"^(D\d{3}[a-e]?|own:\w+)$", description="Id of the rule, such as D003."
    )
    cases: list[str | int] = Field(
        default=[], description="Ids of the cases, with their `digests`; or give `findings`."
    )
    findings: list[str] = Field(
        default=[],
        description=(
            "The fingerprint of each finding, as `data check --json` prints it. Needed for a"
            " finding about the whole suite, and for D021."
        ),
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
    languages: list[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]+)?$")]] = Field(
        default=[],
        description="Languages of the cases, such as [en, pt-BR]; default: identified.",
    )
    levels: dict[str, Literal["off", "info", "warn", "error"]] = Field(
        default={}, description="Level of a rule: off, info, warn or error."
    )
    rules: list[Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]] = Field(
        default=[], description="Your own data tests, each as `module:function`."
    )
    accept: list[AcceptedEntry] = Field(default=[], description="Findings that are accepted.")


class AcceptedFinding(NamedTuple):
    """A finding, and the entry that accepts it."""

    finding: DataFinding
    entry: AcceptedEntry


@dataclass(frozen=True)
class AcceptedFindings:
    """The file of a suite. `document`: for lines; None without a file."""

    levels: Mapping[str, str]
    entries: Sequence[AcceptedEntry] = ()
    document: yaml_file.Document | None = None
    source: str = ""
    licence: str = ""
    languages: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """`module:function` of each own rule."""

    def apply(
        self,
        findings: Sequence[DataFinding],
        digests: Mapping[str, str],
        today: date,
        complete: frozenset[str],
    ) -> tuple[list[DataFinding], list[AcceptedFinding]]:
        """(open, accepted) findings. An entry that is void adds a warning to the open ones.

        Args:
            digests: by id of a case, the first 16 hex digits of its digest.
            complete: the rules that ran, with all cases. Only their entries can miss a finding.
        """
        valid, void = [], []
        present = {finding.fingerprint for finding in findings}
        for number, entry in enumerate(self.entries):
            reason = _void(entry, digests, today)
            if not reason and entry.rule in complete:
                reason = _absent(entry, digests, present)
            if reason:
                void.append(self._void_finding(number, entry, reason))
            else:
                valid.append(entry)
        opened = list(void)
        closed: list[AcceptedFinding] = []
        for finding in findings:
            cover = next((entry for entry in valid if _covers(entry, finding)), None)
            if cover is None:
                opened.append(finding)
            else:
                closed.append(AcceptedFinding(finding, cover))
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
        if not entry.cases and not entry.findings:
            raise document.error(
                ("accept", number),
                "it names neither `cases` nor `findings`, so it would also cover defects that come"
                " later. `llmeval data check --json` prints the `fingerprint` of each finding",
            )
        if entry.rule in _NEEDS_FINGERPRINT and not entry.findings:
            raise document.error(
                ("accept", number),
                f"{entry.rule} is about the checks too, and not only about cases: name its"
                " `findings` by the `fingerprint` that `llmeval data check --json` prints",
            )
        _day(document, number, entry)
    return AcceptedFindings(
        content.levels,
        content.accept,
        document,
        content.source,
        content.licence,
        tuple(content.languages),
        tuple(content.rules),
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
        now = digests.get(str(case))
        if now is not None and now != digest.removeprefix("sha256:")[:16]:
            return f"the case {case} changed"
    return ""


def _absent(entry: AcceptedEntry, digests: Mapping[str, str], present: set[str]) -> str:
    """What an entry names that does not exist any more; empty if all of it exists."""
    for case in entry.cases:
        if str(case) not in digests:
            return f"the case {case} is not in the suite any more"
    gone = [name for name in entry.findings if name not in present]
    if gone:
        return (
            f"{len(gone)} of its {len(entry.findings)} findings changed or ended, such as {gone[0]}"
        )
    return ""


def _covers(entry: AcceptedEntry, finding: DataFinding) -> bool:
    """Whether the entry is about the finding. A finding with a further case is not covered."""
    if entry.rule != finding.rule:
        return False
    if entry.findings:
        return finding.fingerprint in entry.findings
    return bool(finding.cases) and set(finding.cases) <= set(map(str, entry.cases))
