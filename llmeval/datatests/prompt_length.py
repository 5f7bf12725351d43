"""D010: a prompt that is longer than the context window of the candidate.

No tokenizer is loaded. The rule counts the fewest tokens that a text can have, so what it reports
is certain: the tokenizers of current models split a text at least at the borders of words, numbers
and punctuation, and have no token for a longer piece than `LONGEST`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.core.resources import home
from llmeval.core.templates import Template, case_values
from llmeval.datatests.findings import CasePlace, DataFinding, SuiteCase, finding
from llmeval.suite.loader import Suite
from llmeval.suite.model_schema import BaseModelSpec, TransformersSpec

LONGEST = 16
"""Letters in one token at most. Longer tokens are in vocabularies, but rare in text."""
_DIGITS = 3
_SIGNS = 8
_PIECE = re.compile(r"(?P<word>[^\W\d_]+)|(?P<number>\d+)|(?P<sign>[^\w\s]+|_+)")
_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts without spaces, where a token has about one character, and seldom more than three."""
_DENSE_CHARACTERS = 3


def fewest_tokens(text: str) -> int:
    """The fewest tokens that a text can have."""
    dense = 0
    if not text.isascii():
        text, dense = _DENSE.subn(" ", text)
    total = -(-dense // _DENSE_CHARACTERS)
    for piece in _PIECE.finditer(text):
        length = piece.end() - piece.start()
        kind = piece.lastgroup
        size = LONGEST if kind == "word" else _DIGITS if kind == "number" else _SIGNS
        total += -(-length // size)
    return total


def context_window(suite: Suite) -> tuple[int, str] | None:
    """(tokens, where they are stated) of the candidate; None if nothing states them.

    The key `context_window` of the model, or else `config.json` of local weights.
    """
    _, spec = suite.model(suite.spec.candidate, ("candidate",))
    stated = getattr(spec, "context_window", None)
    if stated is not None:
        return int(stated), "`context_window`"
    if isinstance(spec, TransformersSpec):
        return _window_of_weights(_folder(suite, spec))
    return None


def _folder(suite: Suite, spec: TransformersSpec) -> Path:
    bundled = home() / "models" / spec.model
    return bundled if (bundled / "config.json").exists() else suite.base / spec.model


def _window_of_weights(folder: Path) -> tuple[int, str] | None:
    path = folder / "config.json"
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    size = content.get("max_position_embeddings") if isinstance(content, dict) else None
    return (size, str(path)) if isinstance(size, int) and size > 0 else None


def _reserved(spec: BaseModelSpec) -> int:
    """Tokens of the window that the reply may use."""
    for name in ("max_tokens", "max_completion_tokens", "max_new_tokens"):
        value = spec.params.get(name)
        if isinstance(value, int) and value > 0:
            return value
    return 0


class PromptLength:
    """D010: prompts that do not fit into the context window, with the reply that may follow."""

    def __init__(self, suite: Suite) -> None:
        self._window = context_window(suite)
        self._prompt: list[tuple[str, Template]] = suite.prompt() if self._window else []
        self._reserved = _reserved(suite.model(suite.spec.candidate, ("candidate",))[1])
        self._long: list[tuple[CasePlace, int]] = []

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        if self._window is None:
            return
        texts = self._texts(case)
        room = self._window[0] - self._reserved
        # a token has at least one byte, so most prompts need no count
        if sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) <= room:
            return
        tokens = sum(map(fewest_tokens, texts))
        if tokens > room:
            self._long.append((case.place, tokens))

    def _texts(self, case: SuiteCase) -> list[str]:
        texts = [message.content for message in case.case.messages]
        if not texts:
            values = case_values(case.case)
            try:
                texts = [template.render(values) for _, template in self._prompt]
            except SuiteError:
                return []  # `validate` reports it, with the line
        return texts

    def findings(self) -> Iterator[DataFinding]:
        """An error for each prompt that is too long."""
        if self._window is None:
            return
        size, where = self._window
        reply = f" minus {self._reserved:,} for the reply" if self._reserved else ""
        for place, tokens in self._long:
            yield finding(
                "D010",
                "error",
                [place],
                f"the prompt of {place.id} has at least {tokens:,} tokens, and the candidate's"
                f" window has {size:,}{reply} ({where})",
                "Shorten the case or the prompt, or lower `max_tokens`",
            )
