"""Past runs: their database, names, trends, exports. Call it for data frames:

llmeval.history(suite="qa").metrics()
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmeval.history.frames import RunHistory


class _CallableModule(ModuleType):
    """This package, which may be called: `llmeval.history` is its name and that of the function."""

    def __call__(self, url: str | None = None, **options: str | int | None) -> "RunHistory":
        """Past runs as data frames; the arguments are those of `RunHistory`."""
        from llmeval.history.frames import RunHistory

        return RunHistory(url, **options)  # type: ignore[arg-type]


sys.modules[__name__].__class__ = _CallableModule
