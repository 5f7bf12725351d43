"""Comments on cases: one file an author, below a run, shown in all runs of the suite next to it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from llmeval.core.errors import StoreError
from llmeval.core.records import SCHEMA, to_json
from llmeval.core.review_records import CaseComment
from llmeval.store.people_files import append_lines, every_line, file_of, files_of

COMMENTS = "comments.jsonl"
"""As for labels, this names the folder `comments`; there is no such single file."""
_DECODER = msgspec.json.Decoder(CaseComment)


class ShownComment(NamedTuple):
    """A comment next to a case as it is now."""

    comment: CaseComment
    void: bool
    """Whether the case has changed since: the comment is about an earlier version."""


def read_comments(run: Path) -> list[CaseComment]:
    """The comments that were written in one run.

    Raises:
        StoreError: a line is not a comment, or is in the file of another person; names the line.
    """
    return list(_comments(run, strict=True))


def comments_near(run: Path, suite: str) -> list[CaseComment]:
    """The comments on cases of a suite that were written in this run and in the runs next to it,
    each once, by time. Lines of other runs that are not comments are left out.

    Args:
        run: the directory of a run.
        suite: the name of the suite.
    """
    folder = run.resolve().parent
    others = sorted(path.parent for path in folder.glob(f"*/{COMMENTS.removesuffix('.jsonl')}"))
    comments = {
        comment.comment_id: comment
        for place in dict.fromkeys([run.resolve(), *others])
        for comment in _comments(place, strict=False)
        if comment.suite == suite
    }
    return sorted(comments.values(), key=lambda comment: (comment.at, comment.comment_id))


def add_comments(run: Path, comments: Iterable[CaseComment]) -> None:
    """Add comments to a run, each to the file of its author. They are on the disk when this
    returns.

    Raises:
        StoreError: a file can't be written.
    """
    for comment in comments:
        append_lines(run / COMMENTS, comment.author, [to_json(comment)])


def shown(comments: Iterable[CaseComment], digests: dict[str, str]) -> list[ShownComment]:
    """Comments next to the cases of a run.

    Args:
        comments: of the suite.
        digests: of the run's cases, by id. Comments on other cases are left out.
    """
    return [
        ShownComment(comment, comment.case_digest != digests[comment.case_id])
        for comment in comments
        if comment.case_id in digests
    ]


def _comments(run: Path, *, strict: bool) -> Iterator[CaseComment]:
    try:
        files_of(run / COMMENTS)
    except StoreError:
        if strict:
            raise
        return
    for where, line in every_line(run / COMMENTS):
        try:
            comment = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            if strict:
                raise StoreError(f"{where}: not a comment: {error}") from None
            continue
        file = Path(where.rpartition(":")[0])
        if file.name == file_of(comment.author) and comment.schema <= SCHEMA:
            yield comment
        elif strict:
            raise StoreError(
                f"{where}: a comment of {comment.author[:100]!r} belongs in"
                f" {file_of(comment.author)}, written by this version of llmeval or an older one"
            )
