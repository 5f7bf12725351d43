"""A judge whose errors are known, because they were planted: sensitivity, specificity, biases and
drift.

It sits at the Model boundary and sees what a judge sees. An answer is right when the reference
stands in it; whether the judge errs on a case is fixed by the case, so that the same answer in
another form gets the same verdict unless a bias was planted.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmeval.core.records import Answer, Case, Message
from llmeval.judges.assurance.labelled_answers import LabelledAnswer
from llmeval.judges.judge import Judge
from llmeval.judges.protocol import load_protocol
from llmeval.models.base import Reply, Request
from llmeval.models.client.caller import Caller
from llmeval.models.client.limiter import Limiter
from tests.support.endpoint import verdict

SIGNS = {
    "verbosity": "please do not hesitate",
    "formatting": "## Answer",
    "authority": "peer-reviewed",
    "own name": "(written by planted)",
}
_ANSWER = re.compile(r"BEGIN ANSWER\n(.*?)\n===", re.S)
_REFERENCE = re.compile(r"^- (value-\d+)$", re.M)


@dataclass
class Planted:
    """`biases`: probe name -> share of failed answers that this change makes pass. `drift`: share
    of cases on which it has turned round. `noise`: share of single calls that come out the other
    way."""

    sensitivity: float
    specificity: float
    biases: Mapping[str, float] = field(default_factory=dict)
    drift: float = 0.0
    noise: float = 0.0
    seed: int = 0
    calls: int = 0

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"provider": "test", "model": "planted"}

    async def answer(self, request: Request) -> Reply:
        """The planted verdict."""
        self.calls += 1
        text = request.messages[-1].content
        found, reference = _ANSWER.search(text), _REFERENCE.search(text)
        assert found is not None and reference is not None
        right = f"{reference[1]} " in found[1] + " "
        word = reference[1]
        passes = self._draw(word, "error") < (self.sensitivity if right else 1 - self.specificity)
        for name, share in self.biases.items():
            if SIGNS[name] in found[1] and not passes:
                passes = self._draw(word, name) < share
        if self._draw(word, "drift") < self.drift:
            passes = not passes
        if self._draw(word, f"noise {self.calls}") < self.noise:
            passes = not passes
        return Reply(text=verdict("correct" if passes else "incorrect"))

    async def close(self) -> None:
        pass

    def _draw(self, *what: str) -> float:
        """A number in [0, 1) that is fixed by the seed and what it is for."""
        data = "\0".join([str(self.seed), *what]).encode()
        return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest()) / 2**64


def planted_judge(model: Planted) -> Judge:
    """The judge `correctness` by protocol `reference`."""
    return Judge(
        "correctness",
        Caller(model, Limiter(64, adaptive=False), None),
        load_protocol("reference", Path()),
        {},
    )


def items(n: int, rate: float = 0.6, start: int = 0, **more: Any) -> list[LabelledAnswer]:
    """n labelled answers, the first `rate` of them right; the labels are true."""
    made = []
    for number in range(start, start + n):
        right = number - start < rate * n
        word = f"value-{number}"
        case = Case(f"c{number}", {"question": f"What is {number}?"}, references=(word,))
        text = f"It is {word} ." if right else f"It is other-{number} ."
        asked = (Message("user", f"What is {number}?"),)
        made.append(
            LabelledAnswer(
                case, asked, Answer(case_id=case.id, output=text), {"ada": right}, **more
            )
        )
    return made
