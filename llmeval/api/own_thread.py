"""Work with a separate event loop, also where the caller has a running one (a notebook)."""

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from llmeval.runner.interrupts import INTERRUPT, Interrupt

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE = 3
"""Interrupts after which the caller no longer waits for the thread."""


def own_loop(function: Callable[P, T]) -> Callable[P, T]:
    """A function that starts an event loop, made callable where one is running already: it then
    runs in a separate thread, and the caller waits. Ctrl-C interrupts the run in that thread.
    """

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return function(*args, **kwargs)
        interrupt = Interrupt()
        done = _begin(interrupt, functools.partial(function, *args, **kwargs))
        for patience in range(_PATIENCE, 0, -1):
            try:
                return done.result()
            except KeyboardInterrupt:
                if done.done() or patience == 1:
                    raise
                interrupt.send()
        raise AssertionError("unreachable")

    return called


async def in_own_thread(work: Callable[[], T]) -> T:
    """The result of work with a separate event loop, awaited in another loop. Cancelling the
    task that awaits it interrupts the run; the cancellation is raised when the run has ended and
    its records are complete. A second one is raised at once.
    """
    interrupt = Interrupt()
    done = asyncio.wrap_future(_begin(interrupt, work))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        interrupt.send()
        done.add_done_callback(_retrieve)
        await asyncio.wait([done])
        raise


def _retrieve(done: "asyncio.Future[T]") -> None:
    """Take the exception of a run that nobody awaits any more, so that asyncio does not warn."""
    if not done.cancelled():
        done.exception()


def _begin(interrupt: Interrupt, work: Callable[[], T]) -> "Future[T]":
    """Start work in a thread. Its result or exception goes into the future. The thread is a daemon,
    so that a process that ends does not wait for a function that never returns.
    """
    done: Future[T] = Future()
    context = contextvars.copy_context()
    context.run(INTERRUPT.set, interrupt)

    def run() -> None:
        try:
            result = context.run(work)
        except BaseException as error:  # raised again where the result is read
            done.set_exception(error)
        else:
            done.set_result(result)

    threading.Thread(target=run, name="llmeval run", daemon=True).start()
    return done
