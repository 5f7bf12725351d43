"""The two ways in which a model gives a verdict: it writes a reply, or it states the probability of
each verdict.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from typing import Protocol as Interface

from llmeval.core.records import Answer, Case, Message
from llmeval.judges.decision_protocol import probabilities_of, questions, said
from llmeval.judges.grading import Grade, grade
from llmeval.judges.injection_filter import NEAR
from llmeval.judges.logprobs import verdict_probabilities
from llmeval.judges.prompt import again, prompt_messages, state
from llmeval.judges.protocol import Criterion, Protocol
from llmeval.judges.verdict import read_verdict
from llmeval.models.base import Reply, Request
from llmeval.models.params import merged, overriding

_DEFAULT_PARAMS = {"temperature": 0, "max_tokens": 512}
_LIST_TOKENS = 2048
"""The default `max_tokens` for a reply that quotes evidence for each of several verdicts."""
_LOGPROBS = {"logprobs": True, "top_logprobs": 10}


class VerdictSource(Interface):
    """How a judge's model is called, and how its verdict is read."""

    @property
    def rules(self) -> Mapping[str, Any]:
        """Its part of the judge's digest, in addition to model, protocol and parameters."""

    def params(self, own: Mapping[str, object], stated: Mapping[str, object]) -> dict[str, Any]:
        """The parameters to send. `own`: those of the model; `stated`: those of the judge."""

    def form(self, criteria: Sequence[Criterion]) -> dict[str, object]:
        """The form of a verdict about these criteria."""

    def messages(
        self,
        criteria: Sequence[Criterion],
        case: Case,
        answer: Answer,
        candidate_messages: Sequence[Message],
    ) -> tuple[Message, ...]:
        """The input of the model.

        Raises:
            SuiteError: the prompt can't be made from this case.
        """

    def request(
        self,
        messages: tuple[Message, ...],
        form: dict[str, object],
        params: Mapping[str, object],
        repeat: int,
    ) -> Request:
        """One request for a verdict."""

    def retry(
        self, messages: tuple[Message, ...], reply: Reply, problem: str
    ) -> tuple[Message, ...]:
        """The message to the model after a reply without a verdict."""

    def grade(
        self, criteria: Sequence[Criterion], answer: Answer, reply: Reply, form: dict[str, object]
    ) -> Grade:
        """The grade that a reply gives.

        Raises:
            BadVerdict: no verdict can be read from it.
        """


class ReplyVerdicts:
    """The model writes its verdict as JSON.

    Args:
        protocol: the prompt and the meaning of verdicts.
        logprobs: read the verdict's probability from the log probabilities of the reply.
    """

    def __init__(self, protocol: Protocol, *, logprobs: bool = False) -> None:
        self._protocol, self._logprobs = protocol, logprobs
        self._defaults: frozenset[str] = frozenset()
        self.rules: dict[str, object] = {"erase": NEAR} if logprobs else {}

    def params(self, own: Mapping[str, object], stated: Mapping[str, object]) -> dict[str, Any]:
        """The judge's parameters replace the model's own, which replace the defaults; null leaves
        one out.
        """
        longer = {"max_tokens": _LIST_TOKENS} if self._protocol.each else {}
        logprobs = _LOGPROBS if self._logprobs else {}
        self._defaults = frozenset(_DEFAULT_PARAMS) - own.keys() - stated.keys()
        return overriding(merged(_DEFAULT_PARAMS, longer, own, logprobs, stated), own)

    def form(self, criteria: Sequence[Criterion]) -> dict[str, object]:
        """The JSON Schema of the reply."""
        return self._protocol.schema_for(criteria)

    def messages(
        self,
        criteria: Sequence[Criterion],
        case: Case,
        answer: Answer,
        candidate_messages: Sequence[Message],
    ) -> tuple[Message, ...]:
        """The prompt of the protocol."""
        return prompt_messages(self._protocol, criteria, case, answer, candidate_messages)

    def request(
        self,
        messages: tuple[Message, ...],
        form: dict[str, object],
        params: Mapping[str, object],
        repeat: int,
    ) -> Request:
        """One request for a reply."""
        return Request(
            messages=messages,
            params=params,
            schema=form,
            repeat=repeat,
            defaults=self._defaults - {"max_tokens"},
        )

    def retry(
        self, messages: tuple[Message, ...], reply: Reply, problem: str
    ) -> tuple[Message, ...]:
        """The message contains the reply and its problem. An equal request would get the same reply
        from the cache.
        """
        return (*messages, Message("assistant", reply.text), Message("user", again(problem)))

    def grade(
        self, criteria: Sequence[Criterion], answer: Answer, reply: Reply, form: dict[str, object]
    ) -> Grade:
        """The verdict of the reply, with its probability where the reply has log probabilities."""
        protocol = self._protocol
        verdict = read_verdict(reply.text, form)
        shares = (
            verdict_probabilities(reply.logprobs, tuple(protocol.values))
            if protocol.each is None
            else {}
        )
        return grade(protocol, criteria, verdict, answer.text, shares)


class ProbabilityVerdicts:
    """The model gives the probability of each verdict (a decision model, or the readout of labels).

    Args:
        protocol: the prompt and the meaning of verdicts; it has a `decision`.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        decision = protocol.decision
        self.rules: dict[str, object] = {
            "decision": None if decision is None else decision.model_dump(),
            "erase": NEAR,
        }

    def params(self, own: Mapping[str, object], stated: Mapping[str, object]) -> dict[str, Any]:
        """Only the judge's."""
        return dict(stated)

    def form(self, criteria: Sequence[Criterion]) -> dict[str, object]:
        """The questions of the request."""
        return questions(self._protocol, criteria)

    def messages(
        self,
        criteria: Sequence[Criterion],
        case: Case,
        answer: Answer,
        candidate_messages: Sequence[Message],
    ) -> tuple[Message, ...]:
        """The case, its prompt and the answer, as one state."""
        return (state(case, answer, candidate_messages),)

    def request(
        self,
        messages: tuple[Message, ...],
        form: dict[str, object],
        params: Mapping[str, object],
        repeat: int,
    ) -> Request:
        """One request for probabilities. A repeat would return the same ones."""
        return Request(messages=messages, params=params, questions=form)

    def retry(
        self, messages: tuple[Message, ...], reply: Reply, problem: str
    ) -> tuple[Message, ...]:
        """The same again."""
        return messages

    def grade(
        self, criteria: Sequence[Criterion], answer: Answer, reply: Reply, form: dict[str, object]
    ) -> Grade:
        """The most likely verdict, with its probability."""
        shares = probabilities_of(reply.text, form)
        return grade(self._protocol, criteria, said(self._protocol, shares), answer.text, shares)
