"""Nunjucks as far as it is Jinja2, which is nearly all that prompts use."""

import re
from collections.abc import Mapping
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.core.templates import Template, is_template
from llmeval.importers.ledger import UnmappedError
from llmeval.importers.writing import Variable

_ENV = re.compile(
    r"\{\{-?\s*(?:process\.)?env(?:\.(?P<dotted>\w+)|\[['\"](?P<quoted>\w+)['\"]\])\s*"
    r"(?:\|\s*default\(\s*(?:'(?P<single>[^'}]*)'|\"(?P<double>[^\"}]*)\")[^)]*\)\s*)?-?\}\}"
)
_BARE = re.compile(
    r"(?<![\w\"'])\{\{-?\s*(?P<name>\w+)\s*(?:\|\s*(?:dump|tojson)\s*)?-?\}\}(?=\s*[,\]}])"
)
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.S)
_WORDS = (("===", "=="), ("!==", "!="), ("&&", " and "), ("||", " or "))


def template(text: str) -> str:
    """A Nunjucks template in Jinja2.

    Raises:
        UnmappedError: it reads the environment, or uses what Jinja2 does not have.
    """
    if _ENV.search(text):
        raise UnmappedError(
            "prompts and tests can't read the environment here; write the value, or make it a"
            " variable"
        )
    converted = _TAG.sub(lambda match: _tag(match[0]), text)
    try:
        variables = Template(converted, "template").variables
    except SuiteError as error:
        raise UnmappedError(f"not a template that Jinja2 understands ({error})") from None
    if "_conversation" in variables:
        raise UnmappedError(
            "`_conversation` is filled from earlier answers; write the turns as messages of the"
            " case"
        )
    return converted


def variables(text: str) -> set[str]:
    """The names that a template uses."""
    return set(Template(text, "template").variables)


def rendered(value: object, values: Mapping[str, object]) -> Any:
    """`value` with its templates filled; names that are not there are empty, as in Nunjucks.

    Raises:
        UnmappedError: a template can't be filled.
    """
    if isinstance(value, list):
        return [rendered(item, values) for item in value]
    if isinstance(value, dict):
        return {key: rendered(item, values) for key, item in value.items()}
    if not isinstance(value, str) or not is_template(value):
        return value
    converted = template(value)
    try:
        return Template(converted, "template").render(
            {**dict.fromkeys(variables(converted), ""), **values}
        )
    except SuiteError as error:
        raise UnmappedError(str(error)) from None


def environment(text: str) -> str:
    """`{{env.NAME}}` as a suite writes it: `${NAME}`, and `${NAME:-default}` for a default."""

    def variable(match: re.Match[str]) -> str:
        name = match["dotted"] or match["quoted"]
        default = match["single"] if match["single"] is not None else match["double"]
        return f"${{{name}}}" if default is None else f"${{{name}:-{default}}}"

    return _ENV.sub(variable, text)


def from_environment(text: str) -> str:
    """A text of the suite; a `Variable` if it names a variable of the environment."""
    filled = environment(text.replace("${", "$${"))
    return text if not _ENV.search(text) else Variable(filled)


def quoted_templates(text: str) -> str:
    """JSON in which a template represents a text, with quotes around it: `{{ x | dump }}` becomes
    `"{{ x }}"`.
    """
    return _BARE.sub(lambda match: f'"{{{{ {match["name"]} }}}}"', text)


def _tag(tag: str) -> str:
    for theirs, ours in _WORDS:
        tag = tag.replace(theirs, ours)
    return re.sub(r"\|\s*dump\b(?:\(\s*\d*\s*\))?", "| tojson", tag)
