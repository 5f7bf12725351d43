"""HTTP applications of promptfoo as models."""

import json
import re
from typing import Any

from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.promptfoo.templates import from_environment, quoted_templates, template
from llmeval.importers.writing import Variable

_KEYS = (
    "url",
    "method",
    "headers",
    "body",
    "transformResponse",
    "responseParser",
    "maxRetries",
    "stateful",
)
_SECRET = re.compile(r"authorization|key|token|secret|cookie", re.I)
_PATH = re.compile(
    r"(?:\(?(?P<name>\w+)(?:\s*,\s*\w+)*\)?\s*=>\s*)?(?P<root>\w+)"
    r"(?P<path>(?:\??\.\w+|(?:\?\.)?\[\d+\]|\[['\"]\w+['\"]\])*)"
)
SESSION = re.compile(r"\{\s*\.\.\.vars,\s*(\w+):\s*context\.uuid\s*\}")
"""Code that adds an id to the variables, as promptfoo's documents have it."""
TO_FILL = "fill_in"
"""The path to the answer where the configuration has code: no reply has it, so the answer is an
error until it is replaced.
"""


def http_model(
    provider: str, config: dict[str, Any], place: SourcePlace, ledger: Ledger, session: str = ""
) -> dict[str, Any]:
    """A model behind its own JSON endpoint.

    Args:
        session: the variable with a new id for each test; empty if there is none.

    Raises:
        UnmappedError: it names no address.
    """
    url = str(config.get("url") or (provider if "://" in provider else ""))
    if not url:
        raise UnmappedError("an HTTP provider needs a `url`", place.at("config"))
    for key in config:
        if key not in _KEYS:
            ledger.fill_in(
                place.at("config", key),
                f"the setting {key!r} of an HTTP provider has no counterpart; see"
                " docs/applications.md",
            )
    model: dict[str, Any] = {"provider": "http", "url": from_environment(url)}
    method = str(config.get("method") or "POST").upper()
    if method not in ("POST", "PUT", "GET"):
        raise UnmappedError(f"the method {method} has no counterpart", place.at("config", "method"))
    if config.get("method"):
        model["method"] = method
    headers = config.get("headers")
    if isinstance(headers, dict):
        model["headers"] = variable_headers(headers, place.at("config", "headers"), ledger)
    if config.get("body") is not None:
        model["body"] = _body(config["body"], place.at("config", "body"))
    model["output"] = _output(config, place, ledger)
    kept = {key: value for key, value in model.items() if value != {}}
    return {key: _with_session(value, session) for key, value in kept.items()} if session else kept


def session_name(config: dict[str, Any]) -> str:
    """The variable that promptfoo fills with a new id for each test; empty if there is none."""
    default = config.get("defaultTest")
    options = default.get("options") if isinstance(default, dict) else None
    code = options.get("transformVars") if isinstance(options, dict) else None
    match = SESSION.fullmatch(str(code or "").strip())
    if match:
        return match[1]
    return "sessionId" if config.get("redteam") and not config.get("tests") else ""


def _with_session(value: Any, name: str) -> Any:
    """`value` with the id of the answer in place of promptfoo's id of the test."""
    if isinstance(value, dict):
        return {key: _with_session(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_session(item, name) for item in value]
    if not isinstance(value, str):
        return value
    text = re.sub(rf"\{{\{{\s*{name}\s*\}}\}}", "{{ run.unique }}", value)
    return Variable(text) if isinstance(value, Variable) else text


def variable_headers(
    headers: dict[str, object], place: SourcePlace, ledger: Ledger
) -> dict[str, str]:
    """Headers without those that are sent anyway; a secret comes from the environment."""
    filled: dict[str, str] = {}
    for name, value in headers.items():
        if name.lower() == "content-type":
            continue
        text = from_environment(str(value))
        if _SECRET.search(name) and not isinstance(text, Variable):
            variable = re.sub(r"\W", "_", name).upper()
            ledger.note(
                place.at(name),
                f"a secret written into the file is not copied; set {variable} to it",
            )
            text = Variable(f"${{{variable}}}")
        filled[name] = text
    return filled


def _body(body: object, place: SourcePlace) -> object:
    if isinstance(body, str):
        try:
            body = json.loads(quoted_templates(body))
        except ValueError:
            raise UnmappedError("only a body of JSON can be sent", place) from None
    return _templates(body)


def _templates(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _templates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_templates(item) for item in value]
    if not isinstance(value, str):
        return value
    filled = from_environment(value)
    return filled if isinstance(filled, Variable) else template(value)


def _output(config: dict[str, Any], place: SourcePlace, ledger: Ledger) -> str:
    """The path to the answer in the reply. Without one, the answer is the whole reply."""
    code = config.get("transformResponse") or config.get("responseParser")
    if code is None:
        return ""
    match = _PATH.fullmatch(str(code).strip().removesuffix(";"))
    if match is None or match["root"] != (match["name"] or "json"):
        ledger.fill_in(
            place.at("config", "transformResponse"),
            f"code finds the answer in the reply: replace `output: {TO_FILL}` by a path such as"
            " choices[0].text",
        )
        return TO_FILL
    path = match["path"].replace("?.", ".").replace(".[", "[")
    return re.sub(r"\[['\"](\w+)['\"]\]", r".\1", path).lstrip(".")
