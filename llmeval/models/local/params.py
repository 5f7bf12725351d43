"""Sampling parameters by their OpenAI names, and the choice of one token."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from llmeval.core.errors import ModelError
from llmeval.core.records import canonical_json

if TYPE_CHECKING:
    import torch

_NUCLEUS_GUESS = 1024


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How tokens are chosen. `temperature` 0, the default, always chooses the most likely token.

    `stop`: the reply ends before the first of these texts. `top_logprobs` needs `logprobs`.
    """

    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Meta(ge=1)] = 256
    stop: Annotated[str, Meta(min_length=1)] | list[Annotated[str, Meta(min_length=1)]] = []
    seed: int = 0
    logprobs: bool = False
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] = 0

    @property
    def stops(self) -> tuple[str, ...]:
        """`stop` as a tuple."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)


def parse(params: Mapping[str, object]) -> Sampling:
    """The parameters after a check. `max_completion_tokens` is another name for `max_tokens`; null
    leaves a parameter out.

    Raises:
        ModelError: an unknown name, or a value out of its range.
    """
    stated = {name: value for name, value in params.items() if value is not None}
    if "max_completion_tokens" in stated:
        stated["max_tokens"] = stated.pop("max_completion_tokens")
    try:
        return msgspec.convert(stated, Sampling)
    except msgspec.ValidationError as error:
        raise ModelError(
            f"params of a transformers model: {error}; known are"
            f" {', '.join(Sampling.__struct_fields__)}",
            kind="config",
        ) from None


def generator(seed: int, prompt: Sequence[int], repeat: int) -> random.Random:
    """The random numbers of a row. They depend only on the seed, the prompt's tokens and the
    repeat.
    """
    key = hashlib.sha256(canonical_json([seed, list(prompt), repeat])).digest()
    return random.Random(key)


def draw(logits: "torch.Tensor", sampling: Sampling, chance: random.Random) -> int:
    """One token from fp32 `logits` (vocabulary,), by the inverse of the distribution function in
    vocabulary order.

    Each token uses one number of `chance`. With the fixed order, rounding in the logits moves the
    bounds only by the rounding itself. In order of probability, two nearly equal tokens that swap
    would move the bounds by a whole probability.
    """
    import torch

    probabilities = torch.softmax(logits / sampling.temperature, dim=-1, dtype=torch.float64)
    if sampling.top_p < 1:
        probabilities = _nucleus(probabilities, sampling.top_p)
    sums = probabilities.cumsum(0)
    index = int(torch.searchsorted(sums, chance.random() * float(sums[-1]), right=True))
    # Rounding may move the point past the last token with a probability above 0.
    return index if index < len(sums) and probabilities[index] > 0 else int(probabilities.argmax())


def _nucleus(probabilities: "torch.Tensor", top_p: float) -> "torch.Tensor":
    """Probabilities of the smallest set of most likely tokens whose sum reaches `top_p`; the others
    are 0 (Holtzman et al. 2020).
    """
    import torch

    values, ids = torch.topk(probabilities, min(_NUCLEUS_GUESS, len(probabilities)))
    if values.sum() < top_p:
        values, ids = torch.sort(probabilities, descending=True)
    inside = values.cumsum(0) - values < top_p
    kept = torch.zeros_like(probabilities)
    kept[ids[inside]] = values[inside]
    return kept
