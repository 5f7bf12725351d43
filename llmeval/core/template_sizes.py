"""Sizes of values that contain themselves many times: a list that holds one list twice, and so on,
has few items and takes exponential time to write or to compare.
"""

from collections.abc import Iterable, Mapping


def node_count(value: object, most: int) -> int:
    """Values inside a list, tuple, dict or set at any depth, each as often as it is reached; 0 of
    other values. The count ends above `most`.
    """
    return _measured(value, most, texts=False)


def text_size(value: object, most: int) -> int:
    """About how many characters a value has as text: its nodes, and the characters of its texts.
    The count ends above `most`.
    """
    if isinstance(value, str | bytes):
        return len(value)
    return _measured(value, most, texts=True)


def _measured(value: object, most: int, *, texts: bool) -> int:
    size, waiting = 0, [value]
    while waiting and size <= most:
        inner = waiting.pop()
        if isinstance(inner, Mapping):
            parts: Iterable[object] = (*inner, *inner.values())
        elif isinstance(inner, list | tuple | set | frozenset):
            parts = inner
        else:
            continue
        for part in parts:
            size += 1
            if isinstance(part, str | bytes):
                size += len(part) if texts else 0
            elif isinstance(part, Mapping | list | tuple | set | frozenset):
                waiting.append(part)
    return size
