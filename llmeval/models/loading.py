"""Imports a function that a suite names as `module:function`."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from llmeval.core.errors import SuiteError


def load_function(name: str, base: Path | None = None) -> Callable[..., object]:
    """The function that `module:function` names.

    Args:
        name: e.g. `my_app.answers:reply`.
        base: a directory to import from in addition to the installed packages (the suite's own).

    Raises:
        SuiteError: no such module or function, or the import failed.
    """
    module_name, _, attribute = name.partition(":")
    for directory in (str(base) if base else None, str(Path.cwd())):
        if directory is not None and directory not in sys.path:
            sys.path.append(directory)
    try:
        value: object = importlib.import_module(module_name)
    except (
        SystemExit
    ) as error:  # a SystemExit would end this process, with the exit code that the module chooses
        raise SuiteError(
            f"{name}: importing {module_name} calls"
            f" sys.exit({error.code if error.code is not None else ''}); put the code that runs"
            " as a"
            ' program under `if __name__ == "__main__":`'
        ) from None
    except Exception as error:
        raise SuiteError(
            f"{name}: can't import {module_name}: {type(error).__name__}: {error}"
        ) from error
    for part in attribute.split("."):
        value = getattr(value, part, None)
        if value is None:
            raise SuiteError(f"{name}: {module_name} has no {attribute!r}")
    if not callable(value):
        raise SuiteError(f"{name}: is not callable")
    result: Callable[..., object] = value
    return result
