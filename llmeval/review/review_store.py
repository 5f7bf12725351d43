"""Where the work of reviewers is kept: labels, comments, assignments, draws.

`RunFolder` keeps it in the run's directory, one file a person. `postgres_store.py` keeps it on a
server, for a team.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import msgspec

from llmeval.core.draw import Draw
from llmeval.core.errors import StoreError
from llmeval.core.records import SCHEMA, Label, to_json
from llmeval.core.review_records import Assignment, CaseComment
from llmeval.store.case_comments import add_comments, comments_near
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.draws import keep_draw, read_draws
from llmeval.store.labels import append, fresh, read
from llmeval.store.people_files import append_lines, every_line

ASSIGNMENTS = "assignments.jsonl"
"""As for labels, this names the folder `assignments`; there is no such single file."""


class ReviewStore(Protocol):
    """The records of the review of one run. Records are only ever added."""

    name: str
    """For people: where the records are, without a password."""

    def writing(self) -> AbstractContextManager[None]:
        """One writer at a time, while it reads and then adds."""
        ...

    def labels(self) -> list[Label]:
        """All labels of the run, those of one person in the order written."""
        ...

    def add_labels(self, labels: Iterable[Label]) -> int:
        """Add labels that are not there yet. They are safe when this returns.

        Returns:
            how many were added.
        """
        ...

    def comments(self) -> list[CaseComment]:
        """The comments on cases of the suite, by time."""
        ...

    def add_comments(self, comments: Iterable[CaseComment]) -> int:
        """Add comments that are not there yet; returns how many."""
        ...

    def assignments(self) -> list[Assignment]:
        """The assignments, by time."""
        ...

    def add_assignments(self, assignments: Iterable[Assignment]) -> int:
        """Add assignments that are not there yet; returns how many."""
        ...

    def draws(self) -> list[Draw]:
        """The draws that random answers come from."""
        ...

    def add_draws(self, draws: Iterable[Draw]) -> int:
        """Add draws that are not there yet; returns how many."""
        ...


class RunFolder:
    """The records in a run's directory, as `ReviewStore` says.

    Args:
        run: the run.
    """

    def __init__(self, run: RunDir) -> None:
        self._run = run
        self._suite = run.manifest().suite
        self._lock = threading.RLock()
        self.name = str(run.path)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """As `ReviewStore` says, for the threads of this process."""
        with self._lock:
            yield

    def labels(self) -> list[Label]:
        """As `ReviewStore` says."""
        return read(self._run.path / LABELS)

    def add_labels(self, labels: Iterable[Label]) -> int:
        """As `ReviewStore` says."""
        new = fresh(labels, self.labels())
        if new:
            append(self._run.path, new)
        return len(new)

    def comments(self) -> list[CaseComment]:
        """As `ReviewStore` says. Those of the runs next to this one are among them."""
        return comments_near(self._run.path, self._suite)

    def add_comments(self, comments: Iterable[CaseComment]) -> int:
        """As `ReviewStore` says."""
        before = {comment.comment_id for comment in self.comments()}
        new = {each.comment_id: each for each in comments if each.comment_id not in before}
        add_comments(self._run.path, new.values())
        return len(new)

    def assignments(self) -> list[Assignment]:
        """As `ReviewStore` says."""
        return read_assignments(self._run)

    def add_assignments(self, assignments: Iterable[Assignment]) -> int:
        """As `ReviewStore` says."""
        before = {each.assignment_id for each in self.assignments()}
        new = {each.assignment_id: each for each in assignments if each.assignment_id not in before}
        for each in new.values():
            append_lines(self._run.path / ASSIGNMENTS, each.by, [to_json(each)])
        return len(new)

    def draws(self) -> list[Draw]:
        """As `ReviewStore` says."""
        return read_draws(self._run.path)

    def add_draws(self, draws: Iterable[Draw]) -> int:
        """As `ReviewStore` says."""
        before = {draw.draw_id for draw in self.draws()}
        new = {draw.draw_id: draw for draw in draws if draw.draw_id not in before}
        for draw in new.values():
            keep_draw(self._run.path, draw)
        return len(new)


def read_assignments(run: RunDir) -> list[Assignment]:
    """The assignments in a run's directory, by time.

    Raises:
        StoreError: a line is not an assignment of this run; names file and line.
    """
    decoder, by_id = msgspec.json.Decoder(Assignment), dict[str, Assignment]()
    run_id = run.manifest().run_id
    for where, line in every_line(run.path / ASSIGNMENTS):
        try:
            each = decoder.decode(line)
        except (ValueError, RecursionError) as error:
            raise StoreError(f"{where}: not an assignment: {error}") from None
        if each.schema > SCHEMA or each.run_id != run_id:
            raise StoreError(
                f"{where}: an assignment of the run {each.run_id[:100]!r} with schema"
                f" {each.schema}; here are those of {run_id}, up to schema {SCHEMA}"
            )
        by_id[each.assignment_id] = each
    return sorted(by_id.values(), key=lambda each: (each.at, each.assignment_id))


def copy_records(source: ReviewStore, target: ReviewStore) -> dict[str, int]:
    """Add to a store what another one has and it lacks. Copying twice adds nothing.

    Returns:
        how many records of each kind were added.
    """
    with target.writing():
        return {
            "draws": target.add_draws(source.draws()),
            "assignments": target.add_assignments(source.assignments()),
            "labels": target.add_labels(source.labels()),
            "comments": target.add_comments(source.comments()),
        }
