"""The event loop of a run."""

import asyncio
import sys
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop: uvloop if it is installed, which uses 20 % less CPU per call
    (docs/benchmarks.md).
    """
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop
