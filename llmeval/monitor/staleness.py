"""Is a part of the system fresh, due or overdue? By its age and the age that the suite allows."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

DUE_FROM = 0.8
"""A part is due from this share of the allowed age on, so that there is time to renew it."""
Freshness = Literal["fresh", "due", "overdue"]


class PartAge(NamedTuple):
    """One part. `since`: when it was made or renewed, UTC; None where nothing shows that, which
    counts as overdue. `max_days`: the allowed age. `source`: what states the time.
    """

    part: str
    since: datetime | None
    max_days: int
    source: str

    def age(self, now: datetime) -> timedelta | None:
        """The age, at least 0; None where it is unknown."""
        return None if self.since is None else max(timedelta(0), now - self.since)

    def state(self, now: datetime) -> Freshness:
        """`fresh`, `due` or `overdue`."""
        age = self.age(now)
        if age is None or age > timedelta(days=self.max_days):
            return "overdue"
        return "due" if age > timedelta(days=self.max_days * DUE_FROM) else "fresh"
