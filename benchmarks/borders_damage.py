"""Damage for benchmarks and tests: bytes that are changed or cut, and JSON values of another type."""

import json
import random
from collections.abc import Iterator
from typing import Any

from llmeval.core.checksums import manifest_digest, sealed, unsealed

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**63, 10**30, 1e308, "", "x", "\x1b[31m", "\u202e", "a" * 3000,
    "../../x", [], [1], [[]], {}, {"a": {}}, [None] * 40,
)  # fmt: skip


def damaged(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, inserted, removed, or the rest cut off."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 3, 20))):
        at = rng.randrange(len(content) or 1)
        action = rng.randrange(4)
        if action == 0 and content:
            content[at] ^= 1 << rng.randrange(8)
        elif action == 1:
            content[at:at] = bytes([rng.randrange(256)])
        elif action == 2:
            del content[at : at + rng.choice((1, 5, 200))]
        elif rng.random() < 0.3:
            del content[at:]
    return bytes(content)


def retyped(rng: random.Random, value: Any) -> Any:
    """The JSON value with one part removed or replaced by a value of any type."""
    places = list(_places(value))
    holder, key = rng.choice(places)
    if rng.random() < 0.2 and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = rng.choice(VALUES)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in list(parts):
        yield value, key
        if isinstance(part, dict | list) and part:
            yield from _places(part)


def retyped_file(rng: random.Random, name: str, data: bytes, fits: bool) -> bytes:
    """A file of a run with one value retyped. `fits`: its checksums are made to fit."""
    if name == "manifest.json":
        value = retyped(rng, json.loads(data))
        if fits:
            value["digest"] = manifest_digest({k: v for k, v in value.items() if k != "digest"})
        return json.dumps(value).encode()
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    value = retyped(rng, json.loads(unsealed(lines[at])))
    record = json.dumps(value).encode()
    lines[at] = sealed(record) if fits and value else record + b"\n"
    return b"".join(lines)
