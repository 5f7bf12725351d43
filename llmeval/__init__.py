"""llmeval: tests for language models, with decisions that carry stated error rates."""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = [
    "Options",
    "Run",
    "__version__",
    "arun",
    "assert_suite",
    "history",
    "load_run",
    "load_suite",
    "merge",
    "run",
    "score",
]

if TYPE_CHECKING:
    from llmeval.api import Run, arun, load_run, merge, run
    from llmeval.history.frames import RunHistory as history  # noqa: N813 - called like a function
    from llmeval.runner.options import Options
    from llmeval.suite.loader import load_suite
    from llmeval.testing import assert_suite, score


def __getattr__(name: str) -> object:
    """The public names, imported when first used: `import llmeval` alone costs nothing."""
    if name == "Options":
        from llmeval.runner.options import Options

        return Options
    if name == "history":
        import importlib

        return importlib.import_module("llmeval.history")  # the package can be called
    if name in ("assert_suite", "score"):
        from llmeval import testing

        return getattr(testing, name)
    if name in __all__:
        from llmeval import api

        return getattr(api, name)
    raise AttributeError(f"module 'llmeval' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, also those that are not imported yet: for completion."""
    return sorted(__all__)
