"""Replies that follow a JSON Schema: tokens that would break the schema can't be chosen
(llguidance).

Whitespace is fixed (as `json.dumps` writes it), so that no tokens are used for padding. When the
remaining tokens are only just enough to finish, strings, arrays and numbers end as soon as the
schema allows. The model still chooses enums and booleans. No value is invented to close a reply.
Text that the schema fixes (keys, punctuation) is written with the tokenizer's usual tokens, as in
the training data.
"""

from typing import TYPE_CHECKING, Any

from llmeval.core.errors import ModelError, install_hint
from llmeval.core.records import canonical_json

if TYPE_CHECKING:
    import torch

_SPACING: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_LONGEST_CLOSING = 512
_SLACK = 4


class Guides:
    """Makes the guides for one tokenizer. Each schema is compiled once."""

    def __init__(self, tokenizer: Any, vocabulary: int, eos: list[int]) -> None:
        """`vocabulary`: the number of logits of the model.

        Raises:
            ModelError: the `local` extra is not complete, or the tokenizer is not a fast one.
        """
        try:
            from llguidance.hf import from_tokenizer
        except ImportError as error:
            raise ModelError(
                f"a reply that follows a schema needs llguidance ({error});"
                f" {install_hint('local')}",
                kind="config",
            ) from error
        import torch

        try:
            self._tokenizer = from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=eos)
        except ValueError as error:
            raise ModelError(
                f"a schema can't be enforced with this tokenizer: {error}", kind="config"
            ) from None
        self._compiled: dict[bytes, tuple[Any, int]] = {}
        texts = [self._tokenizer.decode_bytes([i]) for i in range(vocabulary)]
        self.lengths = torch.tensor([len(text) for text in texts])
        first = [text[:1] for text in texts]
        self.quotes, self.ends, self.commas, self.digits, self.letters = (
            torch.tensor([byte in starts for byte in first])
            for starts in (
                (b'"',),
                (b"}", b"]"),
                (b",",),
                tuple(b"%d" % i for i in range(10)),
                (b"q", b"Z", b"#"),
            )
        )

    def guide(self, schema: dict[str, Any]) -> "Guide":
        """A guide for one reply.

        Raises:
            ModelError: the schema is invalid, or uses features that can't be enforced.
        """
        key = canonical_json(schema)
        if key not in self._compiled:
            matcher = self._matcher(schema)
            self._compiled[key] = matcher, _closing_tokens(self, matcher.deep_copy())
        matcher, reserve = self._compiled[key]
        return Guide(self, matcher.deep_copy(), reserve)

    def _matcher(self, schema: dict[str, Any]) -> Any:
        from llguidance import LLMatcher

        try:
            grammar = LLMatcher.grammar_from_json_schema(schema, overrides=_SPACING)
        except ValueError as error:
            raise ModelError(
                f"the reply's schema is not a JSON Schema: {error}", kind="config"
            ) from None
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            what = _first_line(matcher.get_error())
            raise ModelError(f"the reply's schema can't be enforced: {what}", kind="config")
        return matcher


class Guide:
    """The position of one reply in its schema. `reserve`: it begins to close when this number of
    tokens is left.
    """

    def __init__(self, guides: Guides, matcher: Any, reserve: int) -> None:
        self._guides = guides
        self._matcher = matcher
        self._reserve = reserve
        self._forced: list[int] = []

    @property
    def finished(self) -> bool:
        """Whether the reply is complete, and nothing may follow."""
        return bool(self._matcher.is_stopped())

    def allowed(self, left: int) -> "torch.Tensor":
        """Which tokens may come next: bool of shape (vocabulary,). `left`: how many tokens may
        still be generated.
        """
        import torch

        self._forced = self._forced or self._matcher.compute_ff_tokens()
        if self._forced:
            return torch.arange(len(self._guides.lengths)) == self._forced[0]
        bias = self._matcher.compute_logit_bias()
        allowed = torch.frombuffer(bytearray(bias), dtype=torch.uint8) != 0
        return self._closing(allowed) if left <= self._reserve else allowed

    def consume(self, token: int) -> None:
        """Advance by the token that was chosen.

        Raises:
            ModelError: the token was not allowed, or the schema is too complex to continue.
        """
        self._forced = self._forced[1:]
        if not self._matcher.consume_token(token):
            raise ModelError(
                f"the reply does not follow its schema: {_first_line(self._matcher.get_error())}"
            )

    def _closing(self, allowed: "torch.Tensor") -> "torch.Tensor":
        """The allowed tokens that end the innermost open value, if there are any."""
        g = self._guides
        if bool((allowed & g.letters).sum() >= 3) and bool(
            (allowed & g.digits).any()
        ):  # inside a free string
            return _if_any(allowed & g.quotes, allowed)
        ending = _if_any(allowed & g.ends, allowed)
        in_number = bool((allowed & g.digits).any())
        return _if_any(ending & g.commas, ending) if in_number else ending


def _if_any(some: "torch.Tensor", otherwise: "torch.Tensor") -> "torch.Tensor":
    return some if bool(some.any()) else otherwise


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0][:300]


def _closing_tokens(guides: Guides, matcher: Any) -> int:
    """The number of tokens of a reply that ends every value as soon as possible, with a reserve for
    longer choices.
    """
    guide = Guide(guides, matcher, _LONGEST_CLOSING)
    for count in range(_LONGEST_CLOSING):
        if guide.finished:
            return count + count // 4 + _SLACK
        guide.consume(int((guides.lengths * guide.allowed(0)).argmax()))
    return _LONGEST_CLOSING
