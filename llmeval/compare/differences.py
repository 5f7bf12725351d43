"""What differs between runs, by their manifests: what was tested, where, and how it was
measured.
"""

from collections.abc import Mapping, Sequence

import msgspec

from llmeval.core.manifest import Manifest

_COMPARED = ("digests", "candidate", "environment", "llmeval", "git", "repeats", "seed")
_TESTED = (
    "candidate",
    "digests.candidate",
    "digests.prompt",
    "digests.suite",
    "git",
    "llmeval.platform",
)
"""What may differ between two runs without touching what is measured. The suite's digest changes
with its gate too; the measurement has separate digests.
"""
_JUDGE = ("model", "identity", "params", "prompt", "prompt_version", "trust")
_TWICE = "candidate.identity.params"


class ManifestDifference(msgspec.Struct, frozen=True):
    """One thing that differs: its place in the manifest, and its value in each run ("–" where there
    is none).

    `matters`: it touches how things are measured, not only what is tested.
    """

    key: str
    values: tuple[str, ...]
    matters: bool


def differing(manifests: Sequence[Manifest]) -> list[ManifestDifference]:
    """What is not the same in all runs; what touches the measuring first."""
    sides = [dict(_facts(manifest)) for manifest in manifests]
    rows = []
    for key in sorted(set().union(*sides)):
        values = tuple(side.get(key, "–") for side in sides)
        if len(set(values)) > 1 and not key.startswith(_TWICE):
            rows.append(ManifestDifference(key, values, not key.startswith(_TESTED)))
    return sorted(rows, key=lambda row: not row.matters)


def _facts(manifest: Manifest) -> list[tuple[str, str]]:
    judges = {
        name: {key: getattr(judge, key) for key in _JUDGE}
        for name, judge in manifest.judges.items()
    }
    facts = {**{key: getattr(manifest, key) for key in _COMPARED}, "judges": judges}
    return flat("", msgspec.to_builtins(facts))


def flat(prefix: str, value: object) -> list[tuple[str, str]]:
    """A mapping as (dotted key, text) pairs."""
    if isinstance(value, Mapping):
        dotted = f"{prefix}." if prefix else ""
        return [pair for key, inner in value.items() for pair in flat(f"{dotted}{key}", inner)]
    return [(prefix, plain(value))]


def plain(value: object) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
