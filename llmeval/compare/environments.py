"""What differs between two environments, by the manifests of their runs.

A difference is expected where the two environments have different names, and one of them lists the
key in the suite's `environments:`. Every other difference is unexpected. What the endpoint returns
about itself is expected to differ only where another model is requested on purpose.
"""

from collections.abc import Iterator

import msgspec

from llmeval.compare.environment_facts import RESIDUAL, RETURNED, EnvironmentFact, facts_of
from llmeval.core.manifest import Manifest

_CANDIDATE = ("model requested", "endpoint", "parameters")
"""The groups that the digest of the candidate covers."""
ABSENT = "–"
"""The value of a fact that a manifest does not have."""


class EnvironmentDifference(msgspec.Struct, frozen=True):
    """One fact that differs."""

    group: str
    """What it is about: `model requested`, `endpoint`, `judge NAME`, `software`."""
    key: str
    """Its name in the group."""
    values: tuple[str, str]
    """Of the first and the second manifest; "–" where there is none."""
    expected: bool
    """Whether the suite's `environments:` accounts for it."""


class EnvironmentComparison(msgspec.Struct, frozen=True):
    """Two manifests compared."""

    names: tuple[str | None, str | None]
    """The environments; null for the suite without one."""
    differences: tuple[EnvironmentDifference, ...]
    """In the order of the manifest."""
    not_compared: tuple[str, ...]
    """What neither manifest records, in sentences: it may differ."""

    @property
    def unexpected(self) -> tuple[EnvironmentDifference, ...]:
        """The differences that `environments:` does not account for."""
        return tuple(each for each in self.differences if not each.expected)

    @property
    def expected(self) -> tuple[EnvironmentDifference, ...]:
        """The differences that `environments:` accounts for."""
        return tuple(each for each in self.differences if each.expected)


def compare_environments(one: Manifest, two: Manifest) -> EnvironmentComparison:
    """What differs between the circumstances of two runs, and what their records can't say."""
    left, right = (_by_place(manifest) for manifest in (one, two))
    stated = _stated(one, two)
    renamed = one.environment != two.environment
    differences: list[EnvironmentDifference] = []
    places = sorted(dict.fromkeys((*left, *right)), key=lambda place: place[1] == RESIDUAL)
    for place in places:
        before, now = left.get(place), right.get(place)
        texts = (ABSENT if before is None else before.text, ABSENT if now is None else now.text)
        if texts[0] == texts[1]:
            continue
        group, key = place
        covered = _CANDIDATE if group in _CANDIDATE else (group,)
        if key == RESIDUAL and any(each.group in covered for each in differences):
            continue
        expected = _is_expected(before, now, stated) or (
            renamed and group == "environment" and key != "suite"
        )
        values = tuple(text or ABSENT for text in texts)
        differences.append(EnvironmentDifference(group, key, (values[0], values[1]), expected))
    differences += _rest_of_suite(one, two, differences)
    return EnvironmentComparison(
        (one.environment, two.environment),
        tuple(_with_returned(differences)),
        (*_not_compared(one, two), *_hidden_by_digest(one, two, differences)),
    )


def beside_the_test(comparison: EnvironmentComparison) -> tuple[EnvironmentDifference, ...]:
    """The unexpected differences that are neither the candidate, nor its prompt, nor the gate, nor
    the code: a test is about the first two and the code, and a gate states its changes by itself.
    """
    groups = ("endpoint", "data", "checks", "software", "simulated user")
    return tuple(
        each
        for each in comparison.unexpected
        if each.group in groups or each.group.startswith("judge ")
    )


def _by_place(manifest: Manifest) -> dict[tuple[str, str], EnvironmentFact]:
    return {(fact.group, fact.key): fact for fact in facts_of(manifest)}


def _stated(one: Manifest, two: Manifest) -> frozenset[str]:
    """The keys that the two environments change. One environment does not differ from itself, so
    its keys account for nothing.
    """
    if one.environment == two.environment:
        return frozenset()
    return frozenset((*one.environment_changes, *two.environment_changes))


def _is_expected(
    before: EnvironmentFact | None, now: EnvironmentFact | None, stated: frozenset[str]
) -> bool:
    """A key accounts for a difference if it may change the fact on both sides: `models.NAME` says
    nothing about a model of another name.
    """
    sides = [set(fact.keys) for fact in (before, now) if fact is not None]
    return bool(set.intersection(*sides) & stated)


def _with_returned(differences: list[EnvironmentDifference]) -> Iterator[EnvironmentDifference]:
    """The differences; what the endpoint returns is expected to differ where the requested model
    does, as the environments state.
    """
    other_model = any(
        each.expected and (each.group, each.key) == ("model requested", "model")
        for each in differences
    )
    for each in differences:
        if other_model and each.group == RETURNED and ABSENT not in each.values:
            yield EnvironmentDifference(each.group, each.key, each.values, expected=True)
        else:
            yield each


def _rest_of_suite(
    one: Manifest, two: Manifest, differences: list[EnvironmentDifference]
) -> Iterator[EnvironmentDifference]:
    """The suite's digest, where nothing else that it covers differs."""
    values = one.digests.suite or ABSENT, two.digests.suite or ABSENT
    covered = {"data", "prompt", "checks", "gate", "simulated user"}
    explained = any(
        each.group in covered or each.group.startswith("judge ") for each in differences
    )
    if values[0] != values[1] and not explained:
        yield EnvironmentDifference("suite", RESIDUAL, values, expected=False)


def _not_compared(one: Manifest, two: Manifest) -> Iterator[str]:
    for key, what in (
        ("returned_models", "The name of the model that the endpoint returns"),
        ("fingerprints", "The build fingerprint of the endpoint"),
    ):
        if not getattr(one.candidate, key) and not getattr(two.candidate, key):
            yield f"{what}: no answer states it."
    if one.judges or two.judges:
        yield "The models that the endpoints of judges return: a manifest does not record them."
    if not any(each.git or each.merged_from for each in (one, two)):
        yield "The git commit: neither suite is in a repository."


def _hidden_by_digest(
    one: Manifest, two: Manifest, differences: list[EnvironmentDifference]
) -> Iterator[str]:
    """A judge's digest covers the text of its prompt, which the manifest does not hold. Where the
    judge's model differs, the digest no longer shows whether the text does.
    """
    for name in sorted(one.judges.keys() & two.judges.keys()):
        own = [each for each in differences if each.group == f"judge {name}"]
        if any(each.key != RESIDUAL for each in own):
            yield f"The text of the prompt of judge {name}: its digest covers what differs as well."
