"""The waits of the product, in tests.

A request that fails six times waits ten seconds in all, and a test about what a run does then would
wait too. So the tests wait 2 % of that; `stated_wait` is what the product does.

A run waits for the disk eight times, so that a power cut loses nothing. A test is over before.
"""

import os
from typing import Any

from llmeval.models.client import sender

stated_wait = sender._backoff
"""Seconds after a number of failures, as the product waits."""
_FASTER = 50


def shorten_waits() -> None:
    """For all tests of this process. A process that a test starts waits as the product does."""
    sender._backoff = lambda failures: stated_wait(failures) / _FASTER
    os.fsync = _no_wait


def _no_wait(fd: Any) -> None:
    """What `os.fsync` is in tests."""
