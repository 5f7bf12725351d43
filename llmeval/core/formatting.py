"""Text forms of shares and differences."""

NOTHING = "–"
"""Shown instead of a number that does not exist."""


def percent(share: float | None) -> str:
    """87.5%, or a dash for None."""
    return NOTHING if share is None else f"{100 * share:.1f}%"


def percent_of(level: float) -> str:
    """A level with the digits it has: 95%, 97.5%, 98.75%."""
    return f"{100 * level:.4g}%"


def round_percent(share: float) -> str:
    """80% for a whole percentage, else one decimal: 82.5%."""
    text = f"{100 * share:.2f}".rstrip("0").rstrip(".")
    return f"{text}%"


def signed_points(share: float | None) -> str:
    """A difference in percentage points: +2.5, −4.0, 0.0; or a dash for None."""
    if share is None:
        return NOTHING
    text = f"{100 * share:+.1f}"
    return "0.0" if text[1:] == "0.0" else text.replace("-", "−")


def round_points(share: float) -> str:
    """A size in percentage points with the digits it has, at most three: 2 points, 0.5 points."""
    return f"{100 * share:.3g} points"


def points(share: float) -> str:
    """A size in percentage points: 2.5 points."""
    return f"{100 * share:.1f} points"


def cases_word(n: int) -> str:
    """`case` after 1, else `cases`."""
    return "case" if n == 1 else "cases"
