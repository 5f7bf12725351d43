"""Files that llmeval ships (judge templates, example suites), and its data directory."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


def resource(*parts: str) -> Path:
    """The path of a shipped file or directory, such as `resource("prompts", "judge")`.

    In a wheel they are inside the package, in a checkout next to it.
    """
    packaged = _PACKAGE / "_data"
    root = packaged if packaged.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)


def home() -> Path:
    """The directory of the cache, pulled models and history: `$LLMEVAL_HOME`, or a folder in the
    user's cache directory.
    """
    import platformdirs

    return Path(
        os.environ.get("LLMEVAL_HOME") or platformdirs.user_cache_dir("llmeval", appauthor=False)
    )
