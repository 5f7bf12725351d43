"""Names of runs, wherever a command takes a run.

    a directory, an id, or a beginning or end of an id
    latest                   the newest run
    BRANCH@latest            the newest complete run of a branch of git
    BRANCH@-7d               the newest complete run of a branch that began at least 7 days ago
    tag:NAME=VALUE           the newest run with a tag
    baseline                 the newest run of the approved baseline of the suite
    SUITE/NAME               any of these, of one suite

A name that fits runs of several suites is refused, unless the suite is clear from the other runs of
the command: a decision must not be about a run of another suite.
"""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from llmeval.core.errors import LlmevalError, StoreError, UsageError
from llmeval.history.rows import RunRow

LATEST = "latest"
BASELINE = "baseline"
_TAG = "tag:"
_AGE = re.compile(r"(\d{1,5})(h|d|w|m|y)\Z")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24, "y": 365 * 24}
_NAMED = 5


class RunHead(NamedTuple):
    """What a name can be about."""

    run_id: str
    suite: str
    path: Path
    started: str
    """ISO 8601, UTC."""
    status: str
    branch: str | None = None
    baseline: str | None = None
    """The path of the baseline that the run's gate names."""
    tags: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, row: RunRow, tags: dict[str, str]) -> "RunHead":
        """From a row of the history."""
        return cls(
            row.run_id,
            row.suite,
            Path(row.path),
            row.started,
            row.status,
            row.branch,
            row.baseline,
            tuple(tags.items()),
        )


Heads = Callable[[], Sequence[RunHead]]
"""Gives all runs, the newest first. It is called only for a name that is not a directory."""


class RunNames(NamedTuple):
    """Resolves names among runs."""

    heads: Sequence[RunHead]
    """The newest first."""
    place: str
    """Where the runs are, for messages."""
    now: datetime

    def resolve(
        self,
        name: str,
        suite: str | None = None,
        but: Collection[Path] = (),
        *,
        complete: bool = False,
    ) -> RunHead:
        """The run of a name.

        Args:
            name: as the module says.
            suite: the suite that is meant, where it is clear.
            but: directories that a name with a rule does not mean: they are compared with it.
            complete: for `latest`, only a run that came to its end.

        Raises:
            UsageError: the name has another form, or fits runs of several suites.
            StoreError: there is no such run, or there are several.
        """
        suite, name = self._of_suite(name, suite)
        heads = [head for head in self.heads if suite is None or head.suite == suite]
        if name == BASELINE:
            return self._baseline(heads, suite)
        chosen = self._chosen(name, heads, complete=complete)
        if chosen is not None:
            others = {path.resolve() for path in but}
            left = [head for head in chosen if not (others and head.path.resolve() in others)]
            return self._only(name, left, suite)
        return self._by_id(name, heads)

    def _of_suite(self, name: str, suite: str | None) -> tuple[str | None, str]:
        """A suite that the name begins with. A branch may have a slash too, and is meant first."""
        first, slash, rest = name.partition("/")
        if not slash or not rest or name.startswith(_TAG):
            return suite, name
        branch = name.rpartition("@")[0]
        if branch and any(head.branch == branch for head in self.heads):
            return suite, name
        is_suite = any(head.suite == first for head in self.heads)
        return (first, rest) if is_suite else (suite, name)

    def _chosen(
        self, name: str, heads: Sequence[RunHead], *, complete: bool
    ) -> list[RunHead] | None:
        """The runs that a name with a rule fits, the newest first; None for an id.

        Partial runs have no such name.
        """
        heads = [head for head in heads if head.status != "partial"]
        if name == LATEST:
            return [head for head in heads if head.status == "complete" or not complete]
        if name.startswith(_TAG):
            key, equals, value = name.removeprefix(_TAG).partition("=")
            if not equals:
                raise UsageError(f"{name}: write tag:NAME=VALUE, such as tag:release=1.2")
            return [head for head in heads if (key, value) in head.tags]
        branch, at, when = name.rpartition("@")
        if not at or not branch:
            return None
        until = self._until(name, when)
        return [
            head
            for head in heads
            if head.branch == branch
            and head.status == "complete"
            and (until is None or _began(head) <= until)
        ]

    def _until(self, name: str, when: str) -> datetime | None:
        if when == LATEST:
            return None
        if not when.startswith("-"):
            raise UsageError(f"{name}: write BRANCH@latest, or BRANCH@-7d for 7 days ago")
        return self.now - age(when[1:])

    def _only(self, name: str, chosen: Sequence[RunHead], suite: str | None) -> RunHead:
        if not chosen:
            raise StoreError(f"there is no run {name}{self._where(suite)}")
        newest = {head.suite: head for head in reversed(chosen)}
        if len(newest) > 1 and suite is None and name != LATEST:
            named = ", ".join(f"{each}/{name}" for each in sorted(newest)[:_NAMED])
            raise UsageError(f"{name} fits runs of {len(newest)} suites. Say which one: {named}")
        return chosen[0]

    def _baseline(self, heads: Sequence[RunHead], suite: str | None) -> RunHead:
        """The newest run of the lock file that the newest run's gate names."""
        named = [head for head in heads if head.baseline]
        suites = {head.suite for head in named}
        if len(suites) > 1 and suite is None:
            raise UsageError(
                f"{BASELINE} fits {len(suites)} suites. Say which one:"
                f" {', '.join(f'{each}/{BASELINE}' for each in sorted(suites)[:_NAMED])}"
            )
        if not named:
            raise StoreError(
                f"{BASELINE}: no run{self._where(suite)} names a baseline"
                " (`gate: {regression: ...}`)"
            )
        path = Path(str(named[0].baseline))
        run_id = _run_of_baseline(path)
        head = next((head for head in self.heads if head.run_id == run_id), None)
        if head is None:
            raise StoreError(
                f"{BASELINE}: {path} is of the run {run_id}, which is not{self._where(suite)}"
            )
        return head

    def _by_id(self, name: str, heads: Sequence[RunHead]) -> RunHead:
        matching = [
            head
            for head in heads
            for text in (head.run_id, head.path.name)
            if text.startswith(name) or text.endswith(name)
        ]
        exact = [head for head in matching if name in (head.run_id, head.path.name)]
        unique = list(dict.fromkeys(exact or matching))
        if len(unique) == 1:
            return unique[0]
        if unique:
            raise StoreError(
                f"{name} is the name of {len(unique)} runs:"
                f" {', '.join(head.run_id for head in unique[:_NAMED])}"
            )
        raise StoreError(
            f"there is no run {name}, neither as a directory nor {self.place}; `llmeval runs list`"
            " shows them"
        )

    def _where(self, suite: str | None) -> str:
        return f"{'' if suite is None else f' of the suite {suite}'} {self.place}"


def age(text: str) -> timedelta:
    """A time span: 12h, 7d, 2w, 3m (30 days each) or 1y (365 days).

    Raises:
        UsageError: the text has another form.
    """
    match = _AGE.match(text)
    if match is None:
        raise UsageError(f"{text!r} is not a time span: write 12h, 7d, 2w, 3m or 1y")
    return timedelta(hours=int(match[1]) * _HOURS[match[2]])


def point_in_time(text: str, now: datetime) -> datetime:
    """A day (2026-11-30), a time (ISO 8601; UTC without a zone), or a time span before now (30d).

    Raises:
        UsageError: the text has another form.
    """
    if text[:4].isdigit() and "-" in text:
        try:
            time = datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageError(f"{text!r} is not a day or time: {error}") from None
        return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return now - age(text)


def _began(head: RunHead) -> datetime:
    try:
        time = datetime.fromisoformat(head.started)
    except ValueError:  # a run of another tool: it is younger than any age
        return datetime.max.replace(tzinfo=UTC)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _run_of_baseline(path: Path) -> str:
    from llmeval.gate.baseline import read_any

    try:
        return read_any(path).run_id
    except LlmevalError as error:
        raise StoreError(f"{BASELINE}: {error}") from None
