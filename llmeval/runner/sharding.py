"""One run in several jobs: the assignment of cases to shards, and the shard of this job.

The shard of a case is the sha256 of its cluster, or else of its id, modulo the number of shards.
All cases of a cluster are therefore in one shard. A case keeps its shard when other cases are added
or its text changes, so a cache for each shard stays useful.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmeval.core.errors import UsageError
from llmeval.core.records import Case
from llmeval.data.cases import CaseSet
from llmeval.suite.loader import Suite

_VARIABLES = (
    ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),  # GitLab CI, `parallel: N`
    ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),  # CircleCI, `parallelism: N`
    ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),  # Buildkite, `parallelism: N`
    (
        "SYSTEM_JOBPOSITIONINPHASE",
        "SYSTEM_TOTALJOBSINPHASE",
        1,
    ),  # Azure Pipelines, `strategy: {parallel: N}`
    ("JOB_COMPLETION_INDEX", "LLMEVAL_SHARDS", 0),  # Kubernetes, a Job in completion mode Indexed
    ("LLMEVAL_SHARD_INDEX", "LLMEVAL_SHARDS", 0),  # GitHub Actions, from `strategy.job-index`
)
"""(index, total, number of the first) of the variables of each CI system."""
_PARTS = "LLMEVAL_SHARDS"
"""The number of parts, where the system does not state it."""


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
        return self.number(case) == self.index

    def number(self, case: Case) -> int:
        """The shard of a case, from 1."""
        name = f"case\n{case.id}" if case.cluster is None else f"cluster\n{case.cluster}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()) % self.of + 1

    def others(self) -> list[int]:
        """The other shards, the next one first: each shard then begins to help another one."""
        return [(self.index + step - 1) % self.of + 1 for step in range(1, self.of)]

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


def keep_shard(
    suite: Suite, shard: Shard | None, cases: CaseSet, *, steal: bool
) -> tuple[CaseSet, ...]:
    """Reduce `cases` to those of a shard. With `steal`, returns those of the others, by shard.

    Raises:
        SuiteError: the suite plays conversations, which no two shards share.
    """
    if shard is None:
        return ()
    others: tuple[CaseSet, ...] = ()
    if steal:
        if suite.spec.turns or suite.spec.user:
            message = "--steal: the suite plays conversations, which shards can't share"
            raise suite.error((), message)
        parts = cases.parts(shard.number)
        others = tuple(parts[number] for number in shard.others() if number in parts)
    cases.keep(shard.holds)
    return others


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
    shards = dict(_stated(environment))
    if len(shards) > 1 and len(set(shards.values())) > 1:
        raise UsageError(
            f"--shard auto: the variables disagree ({_listed(shards)}). Set LLMEVAL_SHARD=i/N, or"
            " write --shard i/N"
        )
    if shards:
        return next(iter(shards.values()))
    for _, total, _ in _VARIABLES:
        if environment.get(total) == "1":  # GitLab and Buildkite state 1 for a job without parts
            return Shard(1, 1)
    names = ", ".join(f"{index} and {total}" for index, total, _ in _VARIABLES)
    raise UsageError(
        "--shard auto: no variable states the shard of this job. It reads LLMEVAL_SHARD=i/N,"
        f" {names}, JOB_COMPLETION_INDEX and LLMEVAL_SHARDS, or SLURM_ARRAY_TASK_ID;"
        " elsewhere write --shard i/N"
    )


def _stated(environment: Mapping[str, str]) -> Iterator[tuple[str, Shard]]:
    """By variable, each shard that the environment states.

    Raises:
        UsageError: a variable has no usable value, or the number of parts is unknown.
    """
    for index, total, first in _VARIABLES:
        number = environment.get(index)
        if not number:
            continue
        n = environment.get(total, "")
        if not (number.isdecimal() and n.isdecimal()):
            raise UsageError(
                f"--shard auto: {index}={number!r} and {total}={n!r} are not two whole numbers"
                + (f". Set {total} to the number of parts" if total == _PARTS else "")
            )
        yield index, _checked(int(number) - first + 1, int(n), f"{index}={number}, {total}={n}")
    if environment.get("SLURM_ARRAY_TASK_ID"):
        yield "SLURM_ARRAY_TASK_ID", _of_array(environment)


def _of_array(environment: Mapping[str, str]) -> Shard:
    """The shard of a task of a SLURM array, whose indices may begin anywhere.

    Raises:
        UsageError: the array has gaps, such as `--array=1,3,9`, or is a part of another one.
    """
    names = [f"SLURM_ARRAY_TASK_{name}" for name in ("ID", "MIN", "MAX", "STEP", "COUNT")]
    values = [environment.get(name, "1" if name.endswith("STEP") else "") for name in names]
    stated = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
    if not all(value.isdecimal() for value in values):
        raise UsageError(f"--shard auto: {stated}: these are not five whole numbers")
    task, low, high, step, count = map(int, values)
    parts = environment.get(_PARTS) or str(count)
    regular = step > 0 and low + (count - 1) * step == high and (task - low) % step == 0
    if not regular or parts != str(count):
        raise UsageError(
            f"--shard auto: {stated}, {_PARTS}={parts}: the array is not the whole of a range, so"
            " the part is unknown. Submit the whole array, or write --shard i/N"
        )
    return _checked((task - low) // step + 1, count, stated)


def _listed(shards: Mapping[str, Shard]) -> str:
    return ", ".join(f"{name}: {shard}" for name, shard in shards.items())


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
