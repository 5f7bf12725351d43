"""Local weights as a decision model: the probability of each label as the beginning of the reply.
It is read from one forward pass; no text is generated.

A model prefers some letters and some positions. Each question is therefore sent once for every
rotation of its options, and the probabilities are averaged. The state comes first in every prompt,
so that it is computed once for all of them.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, Protocol

from llmeval.core.errors import ModelError
from llmeval.core.records import Message
from llmeval.models.base import Reply, Request


class Labelled(Protocol):
    """Probabilities by label: `models.local.Readout`."""

    @property
    def probabilities(self) -> Mapping[str, float]:
        """By label, summing to 1."""


class Readable(Protocol):
    """A model whose choice among labels can be read: `models.local.TransformersModel`."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """As every model's."""

    async def label_probabilities(self, request: Request, labels: Sequence[str]) -> Labelled:
        """The model's choice among `labels` as the beginning of its reply."""

    async def close(self) -> None:
        """Release the weights."""


class LabelReadout:
    """A model that answers `Request.questions` of type choice."""

    def __init__(self, inner: Readable) -> None:
        self._inner = inner

    @property
    def identity(self) -> Mapping[str, Any]:
        """The identity of the weights, with a mark that labels are read from them."""
        return {**self._inner.identity, "readout": 1}

    @property
    def key(self) -> Any:
        """The key by which uses of the same weights share memory."""
        return getattr(self._inner, "key", None)

    async def answer(self, request: Request) -> Reply:
        """{id: {option: probability}} as JSON, with the `fingerprint` of the weights.

        Raises:
            ModelError: no questions, or one without options or with more than there are letters.
        """
        if not request.questions:
            raise ModelError(
                "a readout answers questions only: it can't be a candidate", kind="config"
            )
        state = request.messages[-1].content
        choices = await asyncio.gather(
            *(self._choice(state, question) for question in request.questions.values())
        )
        return Reply(text=json.dumps(dict(zip(request.questions, choices, strict=True))))

    async def close(self) -> None:
        """Release the weights."""
        await self._inner.close()

    async def _choice(self, state: str, question: Mapping[str, Any]) -> dict[str, float]:
        options = list(question["criteria"])
        if not 1 < len(options) <= len(ascii_uppercase):
            raise ModelError(
                f"a question has 2 to {len(ascii_uppercase)} options, not {len(options)}",
                kind="config",
            )
        labels = ascii_uppercase[: len(options)]
        orders = [options[turn:] + options[:turn] for turn in range(len(options))]
        readouts = await asyncio.gather(
            *(
                self._inner.label_probabilities(_prompt(state, question, order), labels)
                for order in orders
            )
        )
        shares = dict.fromkeys(options, 0.0)
        for order, readout in zip(orders, readouts, strict=True):
            for label, option in zip(labels, order, strict=True):
                shares[option] += readout.probabilities[label] / len(orders)
        return shares


def _prompt(state: str, question: Mapping[str, Any], order: Sequence[str]) -> Request:
    options = "\n".join(
        f"{label}. {option}: {question['criteria'][option]}"
        for label, option in zip(ascii_uppercase, order, strict=False)
    )
    text = (
        f"{state}\n\n{question['instructions']}\n\n{options}\n\nAnswer with the letter of the"
        " option that fits, and nothing else."
    )
    return Request(messages=(Message("user", text),))
