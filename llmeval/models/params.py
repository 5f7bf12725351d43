"""Merges sampling parameters from several places: defaults, a model's own, a
judge's, a request's.
"""

from collections.abc import Mapping
from typing import Any

LENGTHS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""Names for the limit on a reply's length. Endpoints refuse a request with two of them, and many
support only one.
"""
_LENGTHS = frozenset(LENGTHS)


def merged(*layers: Mapping[str, object]) -> dict[str, Any]:
    """The parameters that are sent. Later layers replace earlier ones, and null leaves a parameter
    out. A later name for the limit on a reply's length replaces the earlier names.
    """
    params: dict[str, object] = {}
    for layer in layers:
        if params and any(layer[name] is not None for name in _LENGTHS & layer.keys()):
            params = {name: value for name, value in params.items() if name not in _LENGTHS}
        params.update(layer)
    kept = {name: value for name, value in params.items() if value is not None}
    several = [name for name in LENGTHS if name in kept]
    for name in several[1:]:
        del kept[name]
    return kept


def overriding(target: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """The layer to put over a model's `own` parameters so that exactly `target` is sent. It has
    null for parameters to leave out.
    """
    return {**{name: None for name in own if name not in target}, **target}
