"""The `transformers` provider: weights on this machine, behind the Model protocol."""

import asyncio
import importlib.metadata
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from llmeval.core.errors import ModelError
from llmeval.models.base import Reply, Request
from llmeval.models.local import threads, weights
from llmeval.models.local.engine_pool import ENGINES, WeightsKey
from llmeval.models.local.jobs import Generation, Job, Scoring
from llmeval.models.local.params import parse
from llmeval.models.params import merged

_ACQUIRING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Readout:
    """A model's choice among labels.

    `probabilities`: by label, with sum 1. `mass`: the model's probability of all labels together,
    in [0, 1]. A small mass means that the model would rather reply something else.
    """

    probabilities: Mapping[str, float]
    mass: float


class TransformersModel:
    """A causal language model from a bundled name, a folder or a hub id.

    `params`: defaults by their OpenAI names (see `params.Sampling`); those of a request replace
    them. Without a temperature the most likely token is chosen. With a temperature, a sample
    depends on the seed (default: 0), the prompt and the repeat. The other requests of a batch have
    an effect only through rounding in the last bits of the logits: it changes a token only if two
    tokens are nearly equal. `batch_size`: rows generated at the same time.

    `dtype`, `device`: None for a sensible choice (`weights.defaults`).
    """

    def __init__(
        self,
        model: str,
        *,
        params: Mapping[str, object] | None = None,
        revision: str | None = None,
        dtype: str | None = None,
        device: str | None = None,
        batch_size: int = 32,
    ) -> None:
        """Check the parameters. Nothing is loaded or downloaded yet.

        Raises:
            ModelError: a parameter is unknown or out of its range.
        """
        self._name = model
        self._revision = revision
        self._wanted = dtype, device
        self._params = dict(params or {})
        self._batch_size = batch_size
        self._engine: Any = None
        self._closed = False
        parse(self._params)
        if batch_size < 1:
            raise ModelError(f"batch_size is {batch_size}; it must be at least 1", kind="config")

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Provider, model, revision, dtype, device, the sha256 of every file that decides the
        replies, and the parameters of every request. The name of a folder's model is made of these
        digests, so that a copy elsewhere is the same model. The first use may download the model
        and read its weights (seconds); later ones are instant.

        Raises:
            ModelError: the model does not exist, or can't be downloaded.
        """
        located, key = self._located, self._key
        return {
            "provider": "transformers",
            "model": self._model_name,
            "revision": located.revision,
            "dtype": key.dtype,
            "device": key.device,
            "chat_template": weights.template_digest(located.folder),
            "files": self._files,
            "params": self._params,
        }

    @property
    def key(self) -> WeightsKey:
        """The key of this copy of the weights."""
        return self._key

    async def answer(self, request: Request) -> Reply:
        """One reply. Requests made at the same time are generated together. `stop` is ignored in a
        reply that follows a schema.

        Raises:
            ModelError: the model can't be loaded, the prompt does not fit, or a parameter or the
                schema is wrong.
        """
        sampling = parse(merged(self._params, request.params))
        reply: Reply = await self._run(Generation(request, sampling=sampling))
        return msgspec.structs.replace(reply, model=self._model_name, fingerprint=self._fingerprint)

    async def continuation_logprobs(
        self, request: Request, continuations: Sequence[str]
    ) -> tuple[float, ...]:
        """ln P(continuation | the request's messages) for each, summed over its tokens; from one
        pass over the prompt.

        A continuation is tokenized separately from the prompt. After a prompt that does not end in
        a line break or a space, it must begin with a space.

        Raises:
            ModelError: as `answer`; or a continuation is empty.
        """
        if not continuations:
            return ()
        result: tuple[float, ...] = await self._run(
            Scoring(request, continuations=tuple(continuations))
        )
        return result

    async def label_probabilities(self, request: Request, labels: Sequence[str]) -> Readout:
        """The model's choice among `labels` as the beginning of its reply, normalised over them.

        Raises:
            ModelError: as `continuation_logprobs`; or a label is listed twice, or there is none.
        """
        if not labels or len(set(labels)) != len(labels):
            raise ModelError(
                f"labels must be distinct, and there must be at least one: {list(labels)}",
                kind="config",
            )
        logprobs = await self.continuation_logprobs(request, labels)
        top = max(logprobs)
        shares = [math.exp(value - top) for value in logprobs]
        total = sum(shares)
        return Readout(
            {label: share / total for label, share in zip(labels, shares, strict=True)},
            min(1.0, total * math.exp(top)),
        )

    async def close(self) -> None:
        """Free the weights, unless another model of this process uses the same ones. Unanswered
        requests fail.
        """
        self._closed = True
        if self._engine is not None:
            self._engine = None
            await asyncio.to_thread(ENGINES.release, self._key)

    async def _run(self, job: Job) -> Any:
        if self._closed:
            raise ModelError(f"the model {self._name} is closed")
        if self._engine is None:
            # Finding (or pulling) the model and importing torch take seconds, so they must not
            # block the event loop.
            await asyncio.to_thread(self._acquire)
        self._engine.submit(job)
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            job.cancelled = True
            raise

    def _acquire(self) -> None:
        key = self._key
        with _ACQUIRING:
            if self._engine is None:
                self._engine = ENGINES.acquire(key, self._batch_size)

    @cached_property
    def _located(self) -> weights.Located:
        return weights.locate(self._name, self._revision)

    @cached_property
    def _files(self) -> dict[str, str]:
        return weights.file_digests(self._located.folder)

    @cached_property
    def _model_name(self) -> str:
        return self._located.name or weights.name_by_files(self._files)

    @cached_property
    def _key(self) -> WeightsKey:
        threads.prepare()
        dtype, device = weights.defaults(self._located.folder, *self._wanted)
        return WeightsKey(self._located.folder, dtype, device)

    @cached_property
    def _fingerprint(self) -> str:
        return " ".join(
            f"{name}-{importlib.metadata.version(name)}" for name in ("transformers", "torch")
        )
