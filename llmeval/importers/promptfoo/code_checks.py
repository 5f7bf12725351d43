"""Checks of assertions: llmeval's own checks, Python as it is, or functions to fill in."""

import json

from llmeval.importers.ledger import Ledger, UnmappedError
from llmeval.importers.promptfoo.assertions import Assertion, as_check, named
from llmeval.importers.promptfoo.code_file import CodeFile
from llmeval.importers.promptfoo.refused import TO_FILL
from llmeval.importers.promptfoo.templates import template
from llmeval.importers.promptfoo.vendors import VENDORS


class CodeChecks:
    """Makes the checks of one configuration.

    Args:
        code: the file for functions.
        ledger: receives what has to be filled in.
    """

    def __init__(self, code: CodeFile, ledger: Ledger) -> None:
        self._code, self._ledger = code, ledger

    def check(self, assertion: Assertion) -> object:
        """The check of an assertion that no judge decides, as a suite writes it.

        Raises:
            UnmappedError: its type or value has no counterpart.
        """
        if assertion.transform is not None:
            return self._to_fill(assertion, "change the answer as the transform does, and decide")
        if assertion.kind == "python":
            function = self._python(assertion)
            if function is not None:
                return named(assertion, {function: {}})
        if assertion.kind in ("similar", "similar:cosine"):
            embedded = self._similar(assertion)
            if embedded is not None:
                return embedded
        if assertion.kind not in TO_FILL:
            return as_check(assertion)
        if assertion.kind == "javascript":
            try:
                return as_check(assertion)
            except UnmappedError:
                pass
        return self._to_fill(assertion, TO_FILL[assertion.kind])

    def _python(self, assertion: Assertion) -> str | None:
        text = assertion.value
        if not isinstance(text, str) or not text.strip():
            raise UnmappedError("needs Python as a text", assertion.place.at("value"))
        if text.startswith("file://"):
            function = self._code.of_file(text, assertion.threshold)
        else:
            function = self._code.inline(text, assertion.threshold)
        if function is not None:
            self._ledger.note(
                assertion.place,
                f"{self._code.path.name}: a run calls this Python as it is, with the variables as"
                " `context`",
            )
        return function

    def _similar(self, assertion: Assertion) -> object | None:
        """The comparison by an embeddings endpoint; None for one without OpenAI's protocol."""
        provider = assertion.provider
        if isinstance(provider, dict):
            provider = provider.get("embedding", provider)
        provider = provider.get("id") if isinstance(provider, dict) else provider
        vendor, _, rest = str(provider or "openai:embedding:text-embedding-3-large").partition(":")
        kind, _, model = rest.partition(":")
        known = VENDORS.get(vendor)
        if known is None or not known.address or kind not in ("embedding", "embeddings"):
            return None
        texts = assertion.value if isinstance(assertion.value, list) else [assertion.value]
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            raise UnmappedError("`similar` needs a text or a list of them")
        function = self._code.similarity(model, known.address, known.key)
        self._ledger.note(
            assertion.place,
            f"{self._code.path.name}: `similar` calls the embeddings endpoint for each answer,"
            " outside of the run's limits and cache",
        )
        threshold = 0.75 if assertion.threshold is None else assertion.threshold
        check = {function: {"texts": [template(text) for text in texts], "at_least": threshold}}
        return named(assertion, check)

    def _to_fill(self, assertion: Assertion, what: str) -> object:
        raw = assertion.place.value
        shown = {key: value for key, value in raw.items() if key not in ("metric", "provider")}
        text = "\n".join(
            f"{key}: {value if isinstance(value, str) else json.dumps(value, default=str)}"
            for key, value in shown.items()
        )
        name = assertion.metric or assertion.kind
        function = self._code.to_fill(name, what, text, "(case, answer)")
        self._ledger.fill_in(
            assertion.place,
            f"{self._code.path.name}: a check in place of `{assertion.kind}`; until it is filled in"
            " it is an error, never a pass",
        )
        return named(assertion, {function: {}})
