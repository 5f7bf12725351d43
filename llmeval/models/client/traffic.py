"""What holds the requests to one endpoint up, in words for the progress line."""

_LONGEST_WORDS = 100
_NOTED_SECONDS = 60.0
"""How long after the last refusal or time-out a narrower window is still worth a word."""


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
        """The endpoint refused a request, in these words."""
        self._refusal, self._last = _short(words), "refused"

    def timed_out(self, after: float | None) -> None:
        """No reply came within `after` seconds."""
        self._timeouts += 1
        self._timeout, self._last = after, "timed out"

    def waits_until(self, time: float) -> None:
        """A request waits until then, by the window's clock."""
        self._wakes.append(time)

    def narrowed(self, now: float) -> None:
        """The window became narrower just now."""
        self._at = now

    def note(self, now: float, limit: int, in_flight: int, closed_for: float, pause: float) -> str:
        """One phrase about what holds the run up; empty where nothing does.

        Args:
            now: by the window's clock.
            limit: requests that may be in flight.
            in_flight: requests that are.
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
    """The words on one line from the status on, without the host, which stands in every one of
    them."""
    line = " ".join(words.split())
    status = line.find("HTTP ")
    line = line[status:] if status >= 0 else line
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 1] + "…"
