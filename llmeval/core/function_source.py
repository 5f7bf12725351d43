"""The source code of a function that a suite names as `module:function`. It is a part of the
identity of a model or a check.
"""

import functools
import hashlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path

from llmeval.core.records import digest


def function_source(name: str, function: Callable[..., object]) -> str | None:
    """The sha256 over the files of a function `module:function`: the module that the suite names,
    and the module that defines the function. Of a function in a notebook, over its own text. None
    without a text, such as for a built-in function. Modules that these files import are not read.
    """
    module = sys.modules.get(name.partition(":")[0])
    places = [getattr(module, "__file__", None), file_of(function)]
    digests = {file_digest(Path(place)) for place in places if place is not None}
    present = sorted(each for each in digests if each is not None)
    if not present and (text := _text_of(function)) is not None:
        return digest(text)
    return digest(present) if present else None


def _text_of(function: Callable[..., object]) -> str | None:
    """The text of a function that is in no file: in a notebook, each cell is a file that does not
    exist, and IPython keeps its text.
    """
    try:
        return inspect.getsource(_inner(function))
    except (OSError, TypeError):
        return None


def file_of(function: Callable[..., object]) -> str | None:
    """The file of the code behind a decorator, a `functools.partial` or an object with
    `__call__`.
    """
    try:
        return inspect.getsourcefile(_inner(function))
    except TypeError:
        return None


def _inner(function: Callable[..., object]) -> Callable[..., object]:
    """The function, method or class with the code."""
    inner: Callable[..., object] = inspect.unwrap(function)
    while isinstance(inner, functools.partial):
        inner = inspect.unwrap(inner.func)
    return inner if inspect.isroutine(inner) or inspect.isclass(inner) else type(inner)


def file_digest(path: Path) -> str | None:
    """The sha256 of a file; None for one that can't be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
