"""The type of a raw case."""

from typing import Any

Row = dict[str, Any]
