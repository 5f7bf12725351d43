"""Keys and values of the running rows in one buffer. Rows enter and leave it between steps.

Rows are right-aligned, and all of them write the same next column. A step is therefore one slice
assignment and one slice read, without a copy of the buffer (transformers' own cache copies all of
it at every step). A row may enter if its prompt fits to the left of that column. When a row leaves,
the last row moves into its place. Only the engine imports this module: it needs torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import cache_utils

hf_cache: Any = cache_utils
"""transformers' caches, whose annotations are incomplete."""
Cache = Any

_HEADROOM = 64


@dataclass(slots=True)
class Prefilled:
    """Prompts that were prefilled together.

    Row i of `cache` holds `prefix` shared columns, then padding, then the rest of its `lengths[i]`
    tokens. `logits`: (rows, vocabulary), fp32, after the last token of each.
    """

    cache: Cache
    prefix: int
    lengths: list[int]
    logits: torch.Tensor


@dataclass(slots=True)
class _Window:
    """Which part of the buffers is in use: rows [0, rows), columns [start, end)."""

    rows: int = 0
    start: int = 0
    end: int = 0


class _Layer(hf_cache.DynamicLayer):  # type: ignore[misc]
    """The part of one layer's buffers, (rows, heads, columns, dim), that the window selects."""

    def __init__(
        self, window: _Window, keys: torch.Tensor, values: torch.Tensor, rows: int, columns: int
    ) -> None:
        super().__init__()
        self.window = window
        # Zeros, not garbage: a masked column still enters attention as 0 times its value, and 0
        # times NaN is NaN.
        self.keys = keys.new_zeros(rows, keys.shape[1], columns, keys.shape[3])
        self.values = values.new_zeros(rows, values.shape[1], columns, values.shape[3])
        self.dtype, self.device = keys.dtype, keys.device
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        w = self.window
        end = w.end + key_states.shape[-2]
        self.keys[: w.rows, :, w.end : end] = key_states
        self.values[: w.rows, :, w.end : end] = value_states
        return self.keys[: w.rows, :, w.start : end], self.values[: w.rows, :, w.start : end]

    def get_seq_length(self) -> int:
        return self.window.end - self.window.start

    def get_mask_sizes(self, query_length: object) -> tuple[int, int]:
        return self.get_seq_length() + 1, 0  # a step generates one token for each row


class Rows:
    """The running batch. `lengths[i]` counts the tokens that row i has in the buffer."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self._window = _Window()
        self._layers: list[_Layer] = []
        self._mask = torch.zeros(0, 0, dtype=torch.bool)

    def __len__(self) -> int:
        return self._window.rows

    def add(self, source: Prefilled, indices: Sequence[int]) -> None:
        """Append rows `indices` of `source`, in that order."""
        if not indices:
            return
        longest = max(source.lengths[i] for i in indices)
        self._reserve(longest, len(self) + len(indices), source.cache)
        for i in indices:
            self._append(source, i)
        self._measure()

    def remove(self, row: int) -> None:
        """Drop a row; the last row takes its number."""
        w = self._window
        last = w.rows - 1
        if row != last:
            for layer in self._layers:
                for buffer in (layer.keys, layer.values):
                    buffer[row, :, w.start : w.end] = buffer[last, :, w.start : w.end]
            self._mask[row] = self._mask[last]
            self.lengths[row] = self.lengths[last]
        self.lengths.pop()
        w.rows = last
        self._measure()

    def clear(self) -> None:
        """Drop all rows and the memory they had."""
        self.__init__()  # type: ignore[misc]

    def step(self, tokens: Sequence[int]) -> dict[str, Any]:
        """The model's arguments for one more token in each row. Call `advance`
        after the model ran.
        """
        self._reserve(0, len(self), None)
        w = self._window
        device = self._mask.device
        self._mask[: w.rows, w.end] = True
        return {
            "input_ids": torch.tensor(tokens, device=device)[:, None],
            "position_ids": torch.tensor(self.lengths, device=device)[:, None],
            "attention_mask": self._mask[: w.rows, w.start : w.end + 1],
            "past_key_values": hf_cache.Cache(layers=list(self._layers)),
            "use_cache": True,
        }

    def advance(self) -> None:
        """Move the window past the column that the model filled after `step`."""
        self._window.end += 1
        self.lengths = [length + 1 for length in self.lengths]

    def _append(self, source: Prefilled, i: int) -> None:
        w, length = self._window, source.lengths[i]
        own = length - source.prefix
        for layer, other in zip(self._layers, source.cache.layers, strict=True):
            for mine, theirs in ((layer.keys, other.keys), (layer.values, other.values)):
                mine[w.rows, :, w.end - length : w.end - own] = theirs[i, :, : source.prefix]
                mine[w.rows, :, w.end - own : w.end] = theirs[i, :, theirs.shape[2] - own :]
        self._mask[w.rows] = False
        self._mask[w.rows, w.end - length : w.end] = True
        self.lengths.append(length)
        w.rows += 1

    def _measure(self) -> None:
        self._window.start = self._window.end - max(self.lengths, default=0)

    def _reserve(self, longest: int, rows: int, like: Cache | None) -> None:
        """Make room for `rows` rows, for prompts of `longest` tokens, and for the next column."""
        w = self._window
        width = max(longest, *self.lengths, 0)
        capacity, columns = self._mask.shape
        if rows <= capacity and w.end < columns and w.end >= width:
            return
        if w.rows == 0 and rows <= capacity and width + _HEADROOM <= columns:
            w.start = w.end = width
            return
        self._relocate(width, max(rows, min(capacity, 2 * w.rows)), like)

    def _relocate(self, width: int, rows: int, like: Cache | None) -> None:
        """New buffers whose next column is `width`, with the current content copied."""
        old, w = self._layers, self._window
        held = w.end - w.start
        columns = width + max(_HEADROOM, width // 2)
        self._layers = []
        for layer in like.layers if like is not None else old:
            self._layers.append(_Layer(w, layer.keys, layer.values, rows, columns))
        mask = torch.zeros(rows, columns, dtype=torch.bool, device=self._layers[0].keys.device)
        if w.rows:
            mask[: w.rows, width - held : width] = self._mask[: w.rows, w.start : w.end]
            for new, was in zip(self._layers, old, strict=True):
                new.keys[: w.rows, :, width - held : width] = was.keys[: w.rows, :, w.start : w.end]
                new.values[: w.rows, :, width - held : width] = was.values[
                    : w.rows, :, w.start : w.end
                ]
        self._mask = mask
        w.start, w.end = width - held, width


def selected(cache: Cache, rows: torch.Tensor, columns: int) -> Cache:
    """A new cache with these rows and the first `columns` columns."""
    chosen = hf_cache.DynamicCache()
    for number, layer in enumerate(cache.layers):
        chosen.update(layer.keys[rows, :, :columns], layer.values[rows, :, :columns], number)
    return chosen
