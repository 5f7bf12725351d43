"""`llmeval data diff`: the cases that differ between two versions of a suite."""

from dataclasses import dataclass

from llmeval.data.cases import CaseSet
from llmeval.datatests.suite_cases import whole_suite
from llmeval.suite.loader import Suite


@dataclass(frozen=True)
class CaseChanges:
    """Ids of the cases that differ, each in the order of its version."""

    added: tuple[str, ...]
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    same: int
    """Number of cases that are equal in both versions."""

    @property
    def consequence(self) -> str:
        """What the differences mean for a comparison of runs, as a sentence."""
        if not (self.gone or self.changed):
            more = "; the added cases have no counterpart" if self.added else ""
            return f"Runs of both versions are comparable on {self.same:,} cases{more}."
        missed = len(self.gone) + len(self.changed)
        return (
            f"Runs are comparable on {self.same:,} cases. A regression gate on a baseline of the"
            f" first version is INVALID, because {missed:,} of its cases are gone or changed: list"
            " them in retired.yaml with a reason, or approve a new baseline."
        )


def changes_between(first: Suite, second: Suite) -> CaseChanges:
    """Compare the cases of two suites by id and content.

    Raises:
        SuiteError: a case is not valid, or a source can't be read.
    """
    before, after = _digests(first), _digests(second)
    return CaseChanges(
        added=tuple(name for name in after if name not in before),
        gone=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if before.get(name, after[name]) != after[name]),
        same=sum(before.get(name) == digest for name, digest in after.items()),
    )


def _digests(suite: Suite) -> dict[str, str]:
    digests: dict[str, str] = {}
    CaseSet(whole_suite(suite), inspect=lambda case: digests.__setitem__(case.id, case.digest))
    return digests
