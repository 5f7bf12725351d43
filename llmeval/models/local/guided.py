"""Replies that follow a JSON Schema: tokens that would leave the schema can't be chosen
(llguidance).

Whitespace is fixed (as `json.dumps` writes it), so that no tokens go into padding. When the tokens
that are left are only just enough to finish, strings, arrays and numbers are ended as soon as the
schema allows; whatever the schema leaves open in another way (an enum, a boolean) the model still
chooses. No value is ever made up to close a reply. Text that the schema dictates (keys,
punctuation) is written with the tokenizer's own tokens for it, as the model learnt it.
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
    """Makes the guides of one tokenizer. A schema is compiled once."""

    def __init__(self, tokenizer: Any, vocabulary: int, eos: list[int]) -> None:
        """`vocabulary`: how many logits the model gives.

        Raises:
            ModelError: the `local` extra is not installed whole, or the tokenizer is not a fast
                one.
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
            ModelError: the schema is invalid, or uses what can't be enforced.
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
    """Where one reply is in its schema. `reserve`: tokens left at which it begins to close."""

    def __init__(self, guides: Guides, matcher: Any, reserve: int) -> None:
        self._guides = guides
        self._matcher = matcher
        self._reserve = reserve
        self._forced: list[int] = []

    @property
    def finished(self) -> bool:
        """The reply is whole, and nothing may follow."""
        return bool(self._matcher.is_stopped())

    def allowed(self, left: int) -> "torch.Tensor":
        """Which tokens may come next, (vocabulary,) of bool, when `left` more may be generated."""
        import torch

        self._forced = self._forced or self._matcher.compute_ff_tokens()
        if self._forced:
            return torch.arange(len(self._guides.lengths)) == self._forced[0]
        bias = self._matcher.compute_logit_bias()
        allowed = torch.frombuffer(bytearray(bias), dtype=torch.uint8) != 0
        return self._closing(allowed) if left <= self._reserve else allowed

    def consume(self, token: int) -> None:
        """`token` was chosen.

        Raises:
            ModelError: it was not an allowed one, or the schema is too complex to go on.
        """
        self._forced = self._forced[1:]
        if not self._matcher.consume_token(token):
            raise ModelError(
                f"the reply does not follow its schema: {_first_line(self._matcher.get_error())}"
            )

    def _closing(self, allowed: "torch.Tensor") -> "torch.Tensor":
        """Those of the allowed tokens that end the innermost open value, if there are any."""
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
    """How many tokens a reply takes that ends everything as soon as it may, with room for longer
    choices.
    """
    guide = Guide(guides, matcher, _LONGEST_CLOSING)
    for count in range(_LONGEST_CLOSING):
        if guide.finished:
            return count + count // 4 + _SLACK
        guide.consume(int((guides.lengths * guide.allowed(0)).argmax()))
    return _LONGEST_CLOSING
