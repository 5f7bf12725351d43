"""How large a regular expression becomes when it is compiled.

`a{1000000}` is nine characters, and compiles to a million items; counts in counts multiply. An
engine that compiles such a pattern takes gigabytes, and no limit on time stops it.
"""

import re

MAX_ITEMS = 100_000
"""Most items of a compiled pattern: each character, class and group, times the counts around it."""
MAX_GROUPS = 100
"""Most groups inside each other."""

_TOKEN = re.compile(
    r"""(?P<escape>\\.) | (?P<class>\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\])
    | (?P<open>\() | (?P<close>\))
    | \{(?P<low>\d*)(?P<comma>,?)(?P<high>\d*)\} | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def check_size(pattern: str) -> None:
    """Refuse a pattern that compiles to more than `MAX_ITEMS` items, or whose groups are nested
    deeper than `MAX_GROUPS`.

    Raises:
        ValueError: names the limit.
    """
    groups, last = [0], 0
    """Items of the open groups, and of the item before this token."""
    for token in _TOKEN.finditer(pattern):
        if token["open"]:
            groups.append(0)
            last = 1
            if len(groups) > MAX_GROUPS:
                raise ValueError(f"groups inside each other, deeper than {MAX_GROUPS}")
            continue
        if token["close"] and len(groups) > 1:
            last = groups.pop() + 1
            groups[-1] += last
        elif token["low"] or token["high"]:
            count = max(_count(token["low"]), _count(token["high"]))
            groups[-1] += last * max(count - 1, 0)
            last *= max(count, 1)
        else:
            last = 1
            groups[-1] += 1
        if groups[-1] > MAX_ITEMS:
            raise ValueError(
                f"the counts in braces multiply to more than {MAX_ITEMS:,} items; use smaller ones"
            )


def _count(digits: str | None) -> int:
    return int(digits) if digits and len(digits) < 10 else 10**9 if digits else 0
