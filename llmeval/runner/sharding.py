"""One run in several jobs: the assignment of cases to shards, and the shard of this job.

The shard of a case is the sha256 of its cluster, or else of its id, modulo the number of shards.
All cases of a cluster are therefore in one shard. A case keeps its shard when other cases are added
or its text changes, so a cache for each shard stays useful.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from llmeval.core.errors import UsageError
from llmeval.core.records import Case

_VARIABLES = (
    ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),  # GitLab CI, `parallel: N`
    ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),  # CircleCI, `parallelism: N`
    ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),  # Buildkite, `parallelism: N`
    (
        "SYSTEM_JOBPOSITIONINPHASE",
        "SYSTEM_TOTALJOBSINPHASE",
        1,
    ),  # Azure Pipelines, `strategy: {parallel: N}`
)
"""(index, total, number of the first) of the variables of each CI system."""


@dataclass(frozen=True)
class Shard:
    """Part `index` (from 1) of `of`."""

    index: int
    of: int

    @property
    def first(self) -> bool:
        """Whether this shard tests the judges with attacks and anchors, for all shards."""
        return self.index == 1

    def holds(self, case: Case) -> bool:
        """Whether a case belongs to this shard."""
        name = f"case\n{case.id}" if case.cluster is None else f"cluster\n{case.cluster}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()) % self.of == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


def parse_shard(text: str, environment: Mapping[str, str]) -> Shard:
    """The shard from `i/N` with 1 <= i <= N, or with `auto` from the variables of the CI system.

    Raises:
        UsageError: the text is neither, or no variable states the shard of this job.
    """
    if text == "auto":
        return _of_environment(environment)
    return _parsed(text, "--shard")


def _of_environment(environment: Mapping[str, str]) -> Shard:
    stated = environment.get("LLMEVAL_SHARD")
    if stated:
        return _parsed(stated, "LLMEVAL_SHARD")
    for index, total, first in _VARIABLES:
        n = environment.get(total, "")
        if n == "1" or environment.get(index):
            number = environment.get(index) or str(first)
            if not (number.isdecimal() and n.isdecimal()):
                raise UsageError(
                    f"--shard auto: {index}={number!r} and {total}={n!r} are not two whole numbers"
                )
            return _checked(int(number) - first + 1, int(n), f"{index}={number}, {total}={n}")
    names = ", ".join(f"{index} and {total}" for index, total, _ in _VARIABLES)
    raise UsageError(
        "--shard auto: no variable states the shard of this job. It reads LLMEVAL_SHARD=i/N, or"
        f" {names}; elsewhere write --shard i/N"
    )


def _parsed(text: str, name: str) -> Shard:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None:
        raise UsageError(
            f"{name} {text}: write i/N, such as 2/4 for the second of four parts, or auto"
        )
    return _checked(int(match[1]), int(match[2]), f"{name} {text}")


def _checked(index: int, of: int, stated: str) -> Shard:
    if not 1 <= index <= of:
        raise UsageError(f"{stated}: the first part is 1, the last {of}")
    return Shard(index, of)
