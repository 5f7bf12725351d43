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
    and the module that defines the function. None without a file, such as for a built-in function.
    Modules that these files import are not read.
    """
    module = sys.modules.get(name.partition(":")[0])
    places = [getattr(module, "__file__", None), file_of(function)]
    digests = {file_digest(Path(place)) for place in places if place is not None}
    present = sorted(each for each in digests if each is not None)
    return digest(present) if present else None


def file_of(function: Callable[..., object]) -> str | None:
    """The file of the code behind a decorator, a `functools.partial` or an object with
    `__call__`.
    """
    inner: object = inspect.unwrap(function)
    while isinstance(inner, functools.partial):
        inner = inspect.unwrap(inner.func)
    if not (inspect.isroutine(inner) or inspect.isclass(inner)):
        inner = type(inner)
    try:
        return inspect.getsourcefile(inner)
    except TypeError:
        return None


def file_digest(path: Path) -> str | None:
    """The sha256 of a file; None for one that can't be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
