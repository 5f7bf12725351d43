"""The pause between requests, if even one at a time is too many.

Each refusal doubles the pause, because it is unknown how long the endpoint refuses requests. Each
success halves it, down to a floor. The floor is 1.1 times the pause at which the endpoint last
refused directly after a success: a shorter pause means too many requests per second. After some
time without a refusal the floor sinks by 1 % per success, because the endpoint may allow more by
then.
"""

FIRST, LONGEST = 0.05, 30.0
"""Seconds."""
MARGIN = 1.1
"""The ratio of the floor to the pause that was too short."""
HELD, HELD_SECONDS = 200, 60.0
"""The floor stays for this number of successes, or this many seconds, before it sinks. About one
call in two hundred is then refused.
"""


class Pace:
    """The pause. `seconds` is 0 if none is needed."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._floor = 0.0
        self._served = False
        self._successes = 0
        self._floor_since = 0.0
        self._next_send = 0.0

    def take(self, now: float) -> float:
        """Seconds from `now` until the next request may be sent. The pause after it counts from
        then.
        """
        if not self.seconds:
            return 0.0
        self._next_send = max(now, self._next_send) + self.seconds
        return self._next_send - now

    def grow(self, now: float) -> None:
        """A request was refused."""
        if self._served or not self._floor:
            self._floor = min(LONGEST, max(FIRST, MARGIN * self.seconds))
            self._floor_since, self._successes = now, 0
        self.seconds = min(LONGEST, max(2 * self.seconds, self._floor))
        self._served = False

    def shrink(self, now: float) -> None:
        """A request was served."""
        self._served = True
        self._successes += 1
        if self._successes > HELD or now - self._floor_since > HELD_SECONDS:
            self._floor *= 0.99
        self.seconds = max(self._floor, self.seconds / 2)
        if self.seconds < FIRST / 50:
            self.seconds = self._floor = 0.0
