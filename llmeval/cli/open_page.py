"""`--open`: the report in the browser."""

import os
import sys
from pathlib import Path


def open_page(page: Path | None) -> None:
    """Open a page in the user's browser. Without a display, or in CI, it says where the page is."""
    if page is None:
        print("llmeval: --open: this command wrote no page", file=sys.stderr)
        return
    if not _has_display():
        print(f"llmeval: --open: there is no display here; the page is {page}", file=sys.stderr)
        return
    import webbrowser

    try:
        opened = webbrowser.open(page.resolve().as_uri())
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        print(f"llmeval: --open: no browser started; the page is {page}", file=sys.stderr)


def _has_display() -> bool:
    """Whether a window can open. A text browser would take over the terminal, so it is not used."""
    if os.environ.get("CI"):
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
