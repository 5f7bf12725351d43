"""Templates in the address and the headers of an application, for the session of a conversation."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from llmeval.core.errors import ModelError, SuiteError
from llmeval.core.templates import is_template, members_in, variables_in

NAMES = frozenset({"session", "run", "turn"})
"""What these templates can use. Fields of the case belong into the body."""
_EXPRESSION = re.compile(r"\{\{.*?\}\}")


class SessionTexts:
    """The address and the headers of one request.

    Args:
        url: the address; templates may be in its path and its query.
        headers: their values may be templates.
        session: the names under `session:`.
        render: renders the templates in a value.

    Raises:
        SuiteError: a template is not valid, uses another name, or is in the host.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        session: frozenset[str],
        render: Callable[[Any, Mapping[str, Any]], Any],
    ) -> None:
        self._url, self._render = url, render
        self._headers = {name: text for name, text in headers.items() if is_template(text)}
        texts = {"url": url, **{f"headers.{name}": text for name, text in self._headers.items()}}
        for key, text in texts.items():
            _check(key, text, session)
        self.names = variables_in(list(texts.values()))
        host = url.partition("://")[2].partition("/")[0]
        if "{{" in host or "{%" in url:
            raise SuiteError(
                "url: a template may be in the path or the query of an address, as"
                " `{{ session.id }}`, not in its host"
            )

    @property
    def plain_url(self) -> str:
        """The address with a word instead of each template, to check its parts."""
        return _EXPRESSION.sub("value", self._url)

    def of(self, values: Mapping[str, Any]) -> tuple[str | None, dict[str, str]]:
        """The address of a request, None for the stated one, and the headers that differ.

        Args:
            values: `session`, `run` and `turn`. Null is sent as an empty text.

        Raises:
            ModelError: a template can't be rendered, or a header would contain a line break.
        """
        kept = {name: "" if value is None else value for name, value in values["session"].items()}
        try:
            headers = {
                name: str(self._render(text, {**values, "session": kept}))
                for name, text in self._headers.items()
            }
            quoted = {name: quote(str(value), safe="") for name, value in kept.items()}
            url = str(self._render(self._url, {**values, "session": quoted}))
        except SuiteError as error:
            raise ModelError(str(error), kind="config") from None
        for name, value in headers.items():
            if any(ord(sign) < 32 and sign != "\t" for sign in value):
                raise ModelError(
                    f"headers.{name}: the session's value contains a line break or another control"
                    " character"
                )
        return (url if is_template(self._url) else None), headers


def _check(key: str, text: str, session: frozenset[str]) -> None:
    other = sorted(variables_in(text) - NAMES)
    if other:
        raise SuiteError(
            f"{key}: `{other[0]}` can't be used here; an address or a header can use"
            " session, run.unique and turn. Fields of the case belong into `body`"
        )
    missing = sorted(members_in(text, "session") - session)
    if missing:
        raise SuiteError(
            f"{key}: there is no `{missing[0]}` under `session:`, which names the path to it in"
            f" the reply, such as `session: {{{missing[0]}: conversation.id}}`"
        )
