"""What interrupts a run: Ctrl-C, the request to terminate, and a terminal that is closed; a run in
a thread is interrupted by the thread that waits for it.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar


class Interrupt:
    """Interrupts a run of another thread, as Ctrl-C interrupts one of the main thread: the first
    time calls in flight may finish, the second time it ends at once. A run that has not begun to
    call ends before its first call.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent = 0
        self._target: tuple[asyncio.AbstractEventLoop, Callable[[], None]] | None = None

    def send(self) -> None:
        """Interrupt the run. Safe in every thread."""
        with self._lock:
            self._sent += 1
            if self._target is not None:
                loop, handler = self._target
                loop.call_soon_threadsafe(handler)

    @contextlib.contextmanager
    def passed_to(
        self, loop: asyncio.AbstractEventLoop, handler: Callable[[], None]
    ) -> Iterator[None]:
        """Call a function in a loop for each time that the run is interrupted, or was before."""
        with self._lock:
            self._target = loop, handler
            for _ in range(self._sent):
                loop.call_soon(handler)
        try:
            yield
        finally:
            with self._lock:
                self._target = None


INTERRUPT: ContextVar[Interrupt | None] = ContextVar("INTERRUPT", default=None)
"""What interrupts the runs of this thread; None in the main thread, where signals do."""


@contextlib.contextmanager
def on_interrupt(loop: asyncio.AbstractEventLoop, handler: Callable[[], None]) -> Iterator[None]:
    """Call a function on SIGINT, SIGTERM and SIGHUP, where the platform and the thread allow it,
    and on an `Interrupt`. A signal that is ignored stays so: `nohup` does that with SIGHUP.
    """
    interrupt = INTERRUPT.get()
    if interrupt is not None:
        with interrupt.passed_to(loop, handler):
            yield
        return
    installed = []
    for number in _signals():
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, handler)
            installed.append(number)
    try:
        yield
    finally:
        for number in installed:
            loop.remove_signal_handler(number)


def _signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return [number for number in signals if signal.getsignal(number) is not signal.SIG_IGN]
