"""Checks that the packages of the extra `local` are installed."""

from importlib.util import find_spec

from llmeval.core.errors import UsageError, install_hint

_BROUGHT = ("torch", "transformers", "gguf")


def require_extra() -> None:
    """Check the extra before a download that is useless without it.

    Raises:
        UsageError: a package of the extra is missing; names the fix.
    """
    missing = [name for name in _BROUGHT if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"local models need {', '.join(missing)}: {install_hint('local')}; "
            "or use a model behind an endpoint (`provider: openai`)"
        )
