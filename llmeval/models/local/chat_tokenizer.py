"""Converts messages to tokens, and tokens to text."""

import re
from collections.abc import Sequence
from typing import Any

from llmeval.core.errors import ModelError
from llmeval.core.records import Message, clean_text


class ChatTokenizer:
    """A tokenizer with its chat template. A base model has no template: its prompt is the contents,
    one after the other.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        special = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
        self._special = re.compile(
            "|".join(map(re.escape, sorted(special, key=len, reverse=True))) or r"(?!)"
        )

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The tokens of a conversation, ready for the assistant's turn.

        Raises:
            ModelError: the template refuses it (an unknown role, an order that it does not allow).
        """
        if not self.tokenizer.chat_template:
            joined = "\n\n".join(self._content(message) for message in messages)
            return list(self.tokenizer(joined).input_ids)
        turns = [{"role": message.role, "content": self._content(message)} for message in messages]
        try:
            text = self.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True
            )
        except Exception as error:  # templates are programs and may raise any exception
            raise ModelError(
                f"the model's chat template refuses these messages: {error}", kind="config"
            ) from error
        return self.ids(text)

    def _content(self, message: Message) -> str:
        """The content in a form that can't end its turn: a zero-width space breaks each control
        token in its text.
        """
        return self._special.sub(
            lambda m: m[0][0] + "\u200b" + m[0][1:], clean_text(message.content)
        )

    def ids(self, text: str) -> list[int]:
        """The tokens of `text`, without special tokens."""
        return list(self.tokenizer(clean_text(text), add_special_tokens=False).input_ids)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`, without special tokens."""
        return str(
            self.tokenizer.decode(
                list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )
