"""The probability of continuations after prompts that are already in the cache. Needs torch."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from llmeval.models.local.kv import Prefilled, selected
from llmeval.models.local.prefill import logits_of

_POSITIONS = 512
"""Rows times positions whose logits are in memory at once."""


def score(
    model: object, done: Prefilled, rows: Sequence[int], ids: Sequence[Sequence[Sequence[int]]]
) -> list[tuple[float, ...]]:
    """ln P(continuation | prompt) for each row of `rows` and each of its continuations `ids`,
    summed over the tokens.

    The first token of a continuation is read from the prompt's own pass; only longer ones need a
    second pass.
    """
    first = torch.log_softmax(done.logits[list(rows)], dim=-1)
    totals = [[float(first[at, tokens[0]]) for tokens in each] for at, each in enumerate(ids)]
    longer = [
        (at, number, tokens)
        for at, each in enumerate(ids)
        for number, tokens in enumerate(each)
        if tokens[1:]
    ]
    for chunk in _chunks(sorted(longer, key=lambda item: -len(item[2]))):
        sums = _rest(
            model, done, [rows[at] for at, _, _ in chunk], [tokens for _, _, tokens in chunk]
        )
        for (at, number, _), value in zip(chunk, sums, strict=True):
            totals[at][number] += value
    return [tuple(each) for each in totals]


def _chunks(
    items: Sequence[tuple[int, int, Sequence[int]]],
) -> Iterator[Sequence[tuple[int, int, Sequence[int]]]]:
    start = 0
    while start < len(items):
        size = max(1, _POSITIONS // len(items[start][2]))
        yield items[start : start + size]
        start += size


def _rest(
    model: Any, done: Prefilled, rows: Sequence[int], continuations: Sequence[Sequence[int]]
) -> list[float]:
    """Sum of ln P of the second and later tokens of each continuation, after row `rows[i]` of
    `done`.
    """
    device = model.device
    width = done.cache.get_seq_length()
    lengths = torch.tensor([done.lengths[row] for row in rows], device=device)
    longest = max(map(len, continuations)) - 1
    inputs = torch.tensor(
        [[*tokens[:-1], *[0] * (longest + 1 - len(tokens))] for tokens in continuations],
        device=device,
    )
    targets = torch.tensor(
        [[*tokens[1:], *[0] * (longest + 1 - len(tokens))] for tokens in continuations],
        device=device,
    )
    counted = torch.tensor(
        [[i < len(tokens) - 1 for i in range(longest)] for tokens in continuations], device=device
    )
    # Columns of a row: the shared prefix, padding, the rest of the prompt.
    columns = torch.arange(width, device=device)
    prompt = (columns < done.prefix) | (columns >= width - (lengths[:, None] - done.prefix))
    logits, _ = logits_of(
        model,
        longest,
        input_ids=inputs,
        attention_mask=torch.cat([prompt, counted], dim=1),
        position_ids=lengths[:, None] + torch.arange(longest, device=device),
        past_key_values=selected(done.cache, torch.tensor(rows, device=device), width),
        use_cache=True,
    )
    logp = torch.log_softmax(logits, dim=-1).gather(2, targets[:, :, None])[:, :, 0]
    return [float(value) for value in (logp * counted).sum(1)]
