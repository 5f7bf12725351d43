"""Why the requests to one endpoint wait, as a phrase for the progress line."""

_LONGEST_WORDS = 100
_NOTED_SECONDS = 60.0
"""Seconds after the last refusal or time-out in which the line still mentions a narrower window."""


class Traffic:
    """Counts refusals and time-outs of one endpoint, and when the next request goes out."""

    def __init__(self) -> None:
        self._refusal = ""
        self._timeouts = 0
        self._timeout: float | None = None
        self._last = ""
        self._at = float("-inf")
        self._wakes: list[float] = []

    def refused(self, words: str) -> None:
        """Record that the endpoint refused a request, with its words."""
        self._refusal, self._last = _short(words), "refused"

    def timed_out(self, after: float | None) -> None:
        """Record that no reply came within `after` seconds."""
        self._timeouts += 1
        self._timeout, self._last = after, "timed out"

    def waits_until(self, time: float) -> None:
        """Record that a request waits until a time of the window's clock."""
        self._wakes.append(time)

    def narrowed(self, now: float) -> None:
        """Record that the window became narrower."""
        self._at = now

    def note(self, now: float, limit: int, in_flight: int, closed_for: float, pause: float) -> str:
        """One phrase about why requests wait; empty if they do not wait.

        Args:
            now: the time of the window's clock.
            limit: requests that may be in flight.
            in_flight: requests that are in flight.
            closed_for: seconds for which nothing is sent.
            pause: seconds between two requests.
        """
        self._wakes = [time for time in self._wakes if time > now]
        wait = closed_for or (min(self._wakes, default=now) - now if not in_flight else 0.0)
        if wait >= 1:
            return f"waiting: {self._refusal}, next in {wait:.0f} s"
        if pause >= 1:
            return f"slowed down by {self._refusal}: one request every {pause:.0f} s"
        if now - self._at > _NOTED_SECONDS:
            return ""
        if self._last == "timed out":
            after = "" if self._timeout is None else f" after {self._timeout:g} s"
            return f"{self._timeouts:,} timed out{after}: {limit} at a time now"
        return f"slowed down by {self._refusal}: {limit} at a time now"


def _short(words: str) -> str:
    """The message on one line from the status on. The host is left out, because every message has
    it.
    """
    line = " ".join(words.split())
    status = line.find("HTTP ")
    line = line[status:] if status >= 0 else line
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 1] + "…"
