"""The waits between the attempts at one request, in tests.

A request that fails six times waits ten seconds in all, and a test about what a run does then would
wait too. So the tests wait 2 % of that; `stated_wait` is what the product does.
"""

from llmeval.models.client import sender

stated_wait = sender._backoff
"""Seconds after a number of failures, as the product waits."""
_FASTER = 50


def shorten_waits() -> None:
    """For all tests of this process. A process that a test starts waits as the product does."""
    sender._backoff = lambda failures: stated_wait(failures) / _FASTER
