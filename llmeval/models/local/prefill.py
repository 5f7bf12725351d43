"""Prefill: the common beginning of several prompts is computed once.

A judge's prompts share their rubric, and a candidate's prompts share their instructions. If the
rest is short, this beginning is most of the work. Only the engine imports this module: it needs
torch.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from functools import cache as cached
from inspect import signature
from itertools import pairwise
from typing import Any

import torch

from llmeval.models.local.kv import Cache, Prefilled, hf_cache, selected

OUT_OF_MEMORY = (torch.OutOfMemoryError, MemoryError)
_WORTH_SHARING = 32
_RECENT = 32


def logits_of(model: Any, keep: int, **inputs: Any) -> tuple[torch.Tensor, Cache]:
    """One forward pass: (fp32 logits of the last `keep` positions, cache)."""
    fewer = {"logits_to_keep": keep} if _keeps_fewer(type(model).forward) else {}
    out = model(**inputs, **fewer)
    return out.logits[:, -keep:].float(), out.past_key_values


@cached
def _keeps_fewer(forward: Any) -> bool:
    return "logits_to_keep" in signature(forward).parameters


class Prefiller:
    """Runs prompts through `model`, at most `tokens` (with padding) and `rows` at a time.

    It keeps the keys and values of shared beginnings, up to `memory` bytes, and drops the least
    recently used ones first. Without `sharing` it keeps nothing: attention that depends on the
    distance between columns can't have gaps.
    """

    def __init__(
        self, model: Any, *, tokens: int = 2048, memory: int = 512 << 20, sharing: bool = True
    ) -> None:
        self._model = model
        self._tokens = tokens
        self._memory = memory
        self._sharing = sharing
        self._beginnings: OrderedDict[tuple[int, ...], Cache] = OrderedDict()
        self._recent: deque[tuple[int, ...]] = deque(maxlen=_RECENT)
        self.rows = 1 << 30

    def __call__(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[list[int], Prefilled]]:
        """(indices of the prompts, their result) in groups; each prompt once, the longest first.

        Raises:
            torch.OutOfMemoryError, MemoryError: a single prompt does not fit. Before that, `rows`
                is halved repeatedly.
        """
        tuples = [tuple(prompt) for prompt in prompts]
        if self._sharing:
            self._learn(tuples)
        for prefix, members in self._groups(tuples):
            waiting = sorted(members, key=lambda i: -len(tuples[i]))
            while waiting:
                size = self._fitting(tuples, waiting, len(prefix))
                chunk = waiting[:size]
                try:
                    done = self._run(prefix, [tuples[i][len(prefix) :] for i in chunk])
                except OUT_OF_MEMORY:
                    if size == 1:
                        raise
                    self.rows = size // 2
                    continue
                del waiting[:size]
                yield chunk, done

    def forget(self) -> bool:
        """Free the kept beginnings. Returns whether there were any."""
        had = bool(self._beginnings)
        self._beginnings.clear()
        return had

    def _fitting(
        self, prompts: Sequence[Sequence[int]], waiting: Sequence[int], prefix: int
    ) -> int:
        longest = len(prompts[waiting[0]]) - prefix
        return max(1, min(len(waiting), self.rows, self._tokens // longest))

    def _run(self, prefix: tuple[int, ...], rests: Sequence[Sequence[int]]) -> Prefilled:
        """One forward pass over prompts that all begin with `prefix`, whose keys and values are
        already computed.
        """
        device = self._model.device
        longest = max(map(len, rests))
        padded = [[0] * (longest - len(rest)) + list(rest) for rest in rests]
        used = [[1] * len(prefix) + [0] * (longest - len(rest)) + [1] * len(rest) for rest in rests]
        mask = torch.tensor(used, dtype=torch.bool, device=device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, len(prefix) :]
        logits, cache = logits_of(
            self._model,
            1,
            input_ids=torch.tensor(padded, device=device),
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self._start(prefix, len(rests)),
            use_cache=True,
        )
        return Prefilled(
            cache, len(prefix), [len(prefix) + len(rest) for rest in rests], logits[:, -1]
        )

    def _start(self, prefix: tuple[int, ...], rows: int) -> Cache:
        """A cache of `rows` rows that contain the prefix."""
        if not prefix:
            return hf_cache.DynamicCache()
        _, cache = self._longest(prefix)
        return selected(
            cache, torch.zeros(rows, dtype=torch.long, device=self._model.device), len(prefix)
        )

    def _groups(
        self, prompts: Sequence[tuple[int, ...]]
    ) -> Iterator[tuple[tuple[int, ...], list[int]]]:
        """(shared beginning, prompts with this beginning). At least one token of each prompt
        remains after the beginning.
        """
        members: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for i, prompt in enumerate(prompts):
            shared, key = self._match(prompt)
            members.setdefault(key, []).append((shared, i))
        for key, matches in members.items():
            # A prompt that differs early must not shorten the beginning that the others share.
            enough = 0.75 * max(shared for shared, _ in matches)
            near = [(shared, i) for shared, i in matches if shared >= enough]
            yield key[: min(shared for shared, _ in near)], [i for _, i in near]
            far = [(shared, i) for shared, i in matches if shared < enough]
            if far:
                yield key[: min(shared for shared, _ in far)], [i for _, i in far]

    def _match(self, prompt: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        """(number of shared tokens, the beginning that contains them); (0, ()) if there are too
        few.
        """
        key, _ = self._longest(prompt)
        shared = min(_common(key, prompt), len(prompt) - 1)
        if shared < _WORTH_SHARING:
            return 0, ()
        self._beginnings.move_to_end(key)
        return shared, key

    def _longest(self, prompt: tuple[int, ...]) -> tuple[tuple[int, ...], Any]:
        return max(
            self._beginnings.items(), key=lambda item: _common(item[0], prompt), default=((), None)
        )

    def _learn(self, prompts: Sequence[tuple[int, ...]]) -> None:
        """Keep the beginnings that these prompts share with one another, or with recent prompts."""
        # In sorted order, neighbours share the most: comparing with the next prompt is enough
        # at.
        new = set(prompts)
        ordered = sorted([*prompts, *self._recent])
        self._recent.extend(prompts)
        for one, other in pairwise(ordered):
            if one not in new and other not in new:
                continue
            shared = min(_common(one, other), len(one) - 1)
            kept = _common(self._longest(one)[0], one[:shared])
            if shared >= kept + _WORTH_SHARING:
                base = one[:kept] if kept >= _WORTH_SHARING else ()
                self._keep(one[:shared], self._run(base, [one[len(base) : shared]]).cache)

    def _keep(self, beginning: tuple[int, ...], cache: Cache) -> None:
        for shorter in [key for key in self._beginnings if beginning[: len(key)] == key]:
            del self._beginnings[shorter]
        self._beginnings[beginning] = cache
        while sum(map(_bytes, self._beginnings.values())) > self._memory:
            self._beginnings.popitem(last=False)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """The length of the common beginning of two sequences of tokens."""
    for i, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return i
    return min(len(one), len(other))


def _bytes(cache: Cache) -> int:
    return sum(int(layer.keys.nbytes + layer.values.nbytes) for layer in cache.layers)
