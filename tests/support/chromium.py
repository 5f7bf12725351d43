"""The browser that the page's tests drive."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PLACES = (os.environ.get("CHROMIUM", ""), "/usr/bin/chromium", "/usr/bin/google-chrome")
CHROMIUM = next((path for path in _PLACES if path and Path(path).exists()), None)
"""Where it is; None where there is none."""
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launched() -> Iterator[Any]:
    """The browser, until the caller is done with it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield chromium
        chromium.close()
