"""Jobs of the engine: to generate a reply, or to compute the probability of continuations."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmeval.core.errors import ModelError
from llmeval.core.records import Usage
from llmeval.models.base import Reply, Request
from llmeval.models.local.params import Sampling, draw, generator

if TYPE_CHECKING:
    import torch

    from llmeval.models.local.chat_tokenizer import ChatTokenizer
    from llmeval.models.local.guided import Guide


@dataclass(eq=False)
class Job:
    """`tokens`: the prompt, followed by the generated tokens; set when the
    engine accepts the job.
    """

    request: Request
    future: "Future[Any]" = field(default_factory=Future)
    tokens: list[int] = field(default_factory=list)
    prompt: int = 0
    started: float = 0.0
    cancelled: bool = False

    def prepare(self, text: "ChatTokenizer", context: int | None) -> None:
        """Convert the request to tokens.

        Raises:
            ModelError: the template refuses the messages, or the prompt fills the model's context.
        """
        self.tokens = text.prompt(self.request.messages)
        self.prompt = len(self.tokens)
        if not self.tokens:
            raise ModelError("the prompt is empty: there is nothing to continue", kind="config")
        if context is not None and self.prompt >= context:
            raise ModelError(
                f"the prompt has {self.prompt} tokens; the model's context holds {context}",
                kind="config",
            )


@dataclass(eq=False)
class Scoring(Job):
    """The probability of each of `continuations` after the prompt. The result is the tuple of
    log-probabilities.
    """

    continuations: tuple[str, ...] = ()
    ids: list[list[int]] = field(default_factory=list)

    def prepare(self, text: "ChatTokenizer", context: int | None) -> None:
        super().prepare(text, context)
        self.ids = [text.ids(continuation) for continuation in self.continuations]
        if not all(self.ids):
            raise ModelError("a continuation is empty: it has no probability", kind="config")
        longest = self.prompt + max(map(len, self.ids), default=0)
        if context is not None and longest > context:
            raise ModelError(
                f"prompt and continuation have {longest} tokens; the context holds {context}",
                kind="config",
            )


@dataclass(eq=False)
class Generation(Job):
    """One reply while it is generated. The result is the `Reply`."""

    sampling: Sampling = field(default_factory=Sampling)
    guide: "Guide | None" = None
    chance: random.Random = field(default_factory=random.Random)
    left: int = 0
    logprobs: list[tuple[int, float, list[tuple[int, float]]]] = field(default_factory=list)
    _text: "ChatTokenizer | None" = None

    def prepare(self, text: "ChatTokenizer", context: int | None) -> None:
        super().prepare(text, context)
        self._text = text
        self.chance = generator(self.sampling.seed, self.tokens, self.request.repeat)
        room = self.sampling.max_tokens if context is None else context - self.prompt
        self.left = min(self.sampling.max_tokens, room)

    @property
    def output(self) -> Sequence[int]:
        """The tokens generated so far."""
        return self.tokens[self.prompt :]

    @property
    def is_plain(self) -> bool:
        """Whether the next token is the most likely one (no sampling)."""
        return self.guide is None and self.sampling.temperature == 0 and not self.sampling.logprobs

    def choose(self, logits: "torch.Tensor") -> int:
        """The next token, from fp32 logits (vocabulary,)."""
        logits = logits.cpu()
        if self.guide is not None:
            logits = logits.masked_fill(~self.guide.allowed(self.left), float("-inf"))
        token = (
            draw(logits, self.sampling, self.chance)
            if self.sampling.temperature > 0
            else int(logits.argmax())
        )
        if self.sampling.logprobs:
            self._note(logits, token)
        return token

    def take(self, token: int, eos: frozenset[int]) -> Reply | None:
        """Add the chosen token. Returns the reply, if it ends with this token.

        Raises:
            ModelError: the guide does not accept the token.
        """
        if token in eos:
            return self._reply("stop")
        self.tokens.append(token)
        self.left -= 1
        if self.guide is not None:
            self.guide.consume(token)
            if self.guide.finished:
                return self._reply("stop")
        elif (cut := self._stopped()) is not None:
            return self._reply("stop", cut)
        return self._reply("length") if self.left <= 0 else None

    def _note(self, logits: "torch.Tensor", token: int) -> None:
        import torch

        logp = torch.log_softmax(logits, dim=-1)
        values, ids = torch.topk(logp, self.sampling.top_logprobs)
        self.logprobs.append(
            (token, float(logp[token]), list(zip(ids.tolist(), values.tolist(), strict=True)))
        )

    def _stopped(self) -> str | None:
        """The output before the first stop string; None without one."""
        stops = self.sampling.stops
        if not stops or self._text is None:
            return None
        # A token has at least one byte. A stop string that has just been completed is therefore
        # within as many tokens as it has bytes.
        reach = max(len(stop.encode()) for stop in stops) + 4
        tail = self._text.decode(self.tokens[max(self.prompt, len(self.tokens) - reach) :])
        if not any(stop in tail for stop in stops):
            return None
        whole = self._text.decode(self.output)
        positions = [at for stop in stops if (at := whole.find(stop)) >= 0]
        return whole[: min(positions)] if positions else None

    def _reply(self, reason: str, cut: str | None = None) -> Reply:
        text = self._text
        if text is None:
            raise RuntimeError("internal error: a reply was read from a job that was not prepared")
        return Reply(
            text=text.decode(self.output) if cut is None else cut,
            finish_reason=reason,
            usage=Usage(self.prompt, len(self.output)),
            latency_ms=(time.perf_counter() - self.started) * 1000,
            logprobs=self._logprobs(text) if self.sampling.logprobs else None,
        )

    def _logprobs(self, text: "ChatTokenizer") -> list[dict[str, object]]:
        """The log probabilities in the form of chat completions: {token, logprob, top_logprobs:
        [{token, logprob}]}.
        """
        return [
            {
                "token": text.decode([token]),
                "logprob": logp,
                "top_logprobs": [
                    {"token": text.decode([other]), "logprob": value} for other, value in top
                ],
            }
            for token, logp, top in self.logprobs
        ]
