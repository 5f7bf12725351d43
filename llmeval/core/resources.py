"""Files that come with llmeval (judge templates, example suites), and the directory where llmeval
keeps its own.
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


def resource(*parts: str) -> Path:
    """The path of a shipped file or directory, such as `resource("prompts", "judge")`.

    In a wheel they lie inside the package, in a checkout beside it.
    """
    packaged = _PACKAGE / "_data"
    root = packaged if packaged.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)


def home() -> Path:
    """Where the cache, pulled models and history live: `$LLMEVAL_HOME`, or the user's cache
    directory.
    """
    import platformdirs

    return Path(
        os.environ.get("LLMEVAL_HOME") or platformdirs.user_cache_dir("llmeval", appauthor=False)
    )
