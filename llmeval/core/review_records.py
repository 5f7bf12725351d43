"""Records of a review by several people: who is to label which answers, and comments on cases."""

from typing import Annotated

import msgspec

from llmeval.core.records import SCHEMA


class AssignedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that somebody is to label."""

    case_id: str
    """The case."""
    repeat: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Which of the repeats, from 0."""
    metrics: tuple[str, ...] = ()
    """The metrics to vote on."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of a queue for reviewers: a line of `assignments/NAME.jsonl`, never changed."""

    schema: int = SCHEMA
    """The format of the run directory."""
    assignment_id: str
    """Unique. The same arguments for the same run give the same id."""
    run_id: str
    """The run whose answers are to be labelled."""
    parts: dict[str, tuple[AssignedAnswer, ...]]
    """The answers of each reviewer, in the order in which they are shown."""
    double: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """The share of the answers that two reviewers label."""
    seed: int = 0
    """The seed of the random choice of the double answers."""
    draws: tuple[str, ...] = ()
    """Ids of the draws that the random answers come from."""
    by: str = ""
    """The name of the person who assigned."""
    at: str = ""
    """ISO 8601, UTC."""


class CaseComment(msgspec.Struct, frozen=True, kw_only=True):
    """A remark on a case: a line of `comments/NAME.jsonl`, never changed.

    It is about the case, not about an answer, so it is shown with every run of the suite that has
    the case. Where the digest of the case is another one, the comment is about an earlier version.
    """

    schema: int = SCHEMA
    """The format of the run directory."""
    comment_id: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    """Unique."""
    suite: str
    """The suite that has the case."""
    case_id: str
    """The case."""
    case_digest: str
    """The digest of the case that the author read."""
    run_id: str = ""
    """The run in which the author read it."""
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    """The remark."""
    author: str = ""
    """Name."""
    at: str = ""
    """ISO 8601, UTC."""
