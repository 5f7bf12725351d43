"""The values in which two records differ, by their dotted places."""

from collections.abc import Collection, Iterator

import msgspec

MOST_SHOWN = 5


def leaf_differences(one: object, two: object, ignored: Collection[str] = ()) -> list[str]:
    """The values that differ, in words: `counts.passed 40, now 38`; empty where none does.

    Args:
        one: the record from before, or its plain form. two: the record of now.
        ignored: keys, at any depth, whose values are not compared.
    """
    before = dict(_leaves("", msgspec.to_builtins(one), frozenset(ignored)))
    now = dict(_leaves("", msgspec.to_builtins(two), frozenset(ignored)))
    return [
        f"{key} {before.get(key)!r}, now {now.get(key)!r}"
        for key in dict.fromkeys((*before, *now))
        if before.get(key) != now.get(key) or (key in before) != (key in now)
    ]


def first_differences(differences: list[str]) -> str:
    """The first of them as one text, and how many more there are."""
    more = len(differences) - MOST_SHOWN
    return "; ".join([*differences[:MOST_SHOWN], *([f"and {more} more"] if more > 0 else [])])


def _leaves(prefix: str, value: object, ignored: frozenset[str]) -> Iterator[tuple[str, object]]:
    """A value's leaves with their dotted places."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list | tuple)
        else None
    )
    if inner is None:
        yield prefix, value
        return
    for key, each in inner:
        if str(key) not in ignored:
            yield from _leaves(f"{prefix}.{key}" if prefix else str(key), each, ignored)
