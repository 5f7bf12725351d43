"""Imports a function that a suite names as `module:function`."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from llmeval.core.errors import SuiteError

_ADDED: list[str] = []
"""Directories of suites that this module added to `sys.path`."""


def load_function(name: str, base: Path | None = None) -> Callable[..., object]:
    """The function that `module:function` names.

    Args:
        name: e.g. `my_app.answers:reply`.
        base: a directory to import from in addition to the installed packages (the suite's own).

    Raises:
        SuiteError: no such module or function, or the import failed.
    """
    module_name, _, attribute = name.partition(":")
    # Absolute: after a change of the working directory a relative path is another directory.
    base = base.absolute() if base is not None else None
    for directory in (str(base) if base else None, str(Path.cwd())):
        if directory is not None and directory not in sys.path:
            sys.path.append(directory)
            _ADDED.append(directory)
    if base is not None:
        _prefer(str(base), module_name.partition(".")[0])
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


def _prefer(base: str, module: str) -> None:
    """Let a suite import its own module, where another suite's directory has one of the same name.
    Otherwise the second of two suites in a process would test the application of the first one.
    """
    if base not in _ADDED or not _has(base, module):
        return
    sys.path.remove(base)
    places = [index for index, entry in enumerate(sys.path) if entry in _ADDED]
    sys.path.insert(min(places, default=len(sys.path)), base)
    loaded = getattr(sys.modules.get(module), "__file__", None)
    others = (entry for entry in _ADDED if entry != base)
    if loaded is None or not any(Path(loaded) in _files(entry, module) for entry in others):
        return
    for name in [name for name in sys.modules if name == module or name.startswith(f"{module}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()


def _has(directory: str, module: str) -> bool:
    return any(file.exists() for file in _files(directory, module))


def _files(directory: str, module: str) -> tuple[Path, Path]:
    """Where a directory would have a module: as a file, or as a package."""
    return Path(directory) / f"{module}.py", Path(directory) / module / "__init__.py"
