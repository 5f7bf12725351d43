"""Checks of assertions: llmeval's own, code as it is, or functions to fill in."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from llmeval.importers.ledger import Ledger, UnmappedError
from llmeval.importers.promptfoo.assertions import Assertion, as_check, named
from llmeval.importers.promptfoo.code_file import CodeFile
from llmeval.importers.promptfoo.javascript import (
    file_runs_as_it_is,
    runs_as_it_is,
    split_file,
)
from llmeval.importers.promptfoo.refused import TO_FILL, TOOL_SCHEMAS
from llmeval.importers.promptfoo.templates import template
from llmeval.importers.promptfoo.vendors import VENDORS


@dataclass(frozen=True)
class OutputShape:
    """What promptfoo passes to code as the output of these models."""

    parsed: bool = False
    """Whether a text that is JSON is parsed (`response_format: json_schema`)."""
    objects: bool = False
    """Whether the output may be an object."""
    tools: tuple[tuple[str, object], ...] = ()
    """The JSON Schema of the arguments of each tool, by its name, if OpenAI's protocol has them."""
    differs: bool = False
    """Whether the models differ in that, or have a form that is not reproduced here. Code is then a
    function to fill in.
    """


_BOUND_TO_THE_RUN = ("max_latency", "max_cost", "finish_reason", "tool_f1")
"""Checks that do not read the text, so a change of the text is not theirs."""
_OTHER_CALLS = ("anthropic", "googleapis", "mistral", "cohere", "BEDROCK", "VERTEX")
"""In the addresses of vendors whose tool calls promptfoo does not pass on as OpenAI's."""


def output_shape(models: Iterable[Mapping[str, object]]) -> OutputShape:
    """The shape of the output of these models, as promptfoo passes it to code."""
    shapes = [_shape(model) for model in models]
    same = all(shape == shapes[0] for shape in shapes)
    return shapes[0] if shapes and same else OutputShape(differs=bool(shapes))


def _shape(model: Mapping[str, object]) -> OutputShape:
    params = model.get("params")
    params = params if isinstance(params, dict) else {}
    form = params.get("response_format")
    if model["provider"] != "openai":
        return OutputShape(objects=True)
    calls = bool(params.get("tools") or params.get("functions"))
    other = model.get("api") == "responses" or any(
        word in str(model.get("base_url")) for word in _OTHER_CALLS
    )
    parsed = isinstance(form, dict) and form.get("type") == "json_schema"
    return OutputShape(parsed, parsed or calls, _schemas(params.get("tools")), calls and other)


def _schemas(tools: object) -> tuple[tuple[str, object], ...]:
    """The schemas of a list of functions; none if one of the tools is anything else."""
    if not isinstance(tools, list):
        return ()
    schemas: dict[str, object] = {}
    for tool in tools:
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            return ()
        empty = {"type": "object", "additionalProperties": False}
        schemas[function["name"]] = function.get("parameters") or empty
    return tuple(schemas.items())


class CodeChecks:
    """Makes the checks of one configuration.

    Args:
        code: the file for functions.
        ledger: receives what has to be filled in.
        shape: what the models return.
    """

    def __init__(self, code: CodeFile, ledger: Ledger, shape: OutputShape | None = None) -> None:
        self._code, self._ledger, self._shape = code, ledger, shape or OutputShape()

    def check(self, assertion: Assertion) -> object:
        """The check of an assertion that no judge decides, as a suite writes it.

        Raises:
            UnmappedError: its type or value has no counterpart.
        """
        if assertion.transforms:
            changed = self._changed(assertion)
            if changed is not None:
                return changed
            return self._to_fill(assertion, "change the answer as the transform does, and decide")
        check = self._as_it_is(assertion)
        if check is not None:
            return check
        if assertion.kind in TOOL_SCHEMAS:
            raise UnmappedError(
                f"`{assertion.kind}`: {TOOL_SCHEMAS[assertion.kind]}", assertion.place.at("type")
            )
        if assertion.kind not in TO_FILL:
            return as_check(assertion)
        return self._to_fill(assertion, TO_FILL[assertion.kind])

    def _as_it_is(self, assertion: Assertion) -> object | None:
        """The check of a type that may need a function to fill in, where it needs none."""
        if assertion.kind in ("similar", "similar:cosine"):
            return self._similar(assertion)
        if assertion.kind in TOOL_SCHEMAS:
            return self._valid_calls(assertion)
        function = None
        if assertion.kind == "python":
            function = self._python(assertion)
        elif assertion.kind == "javascript":
            try:
                return as_check(assertion)
            except UnmappedError:
                function = self._javascript(assertion)
        return None if function is None else named(assertion, {function: {}})

    def _valid_calls(self, assertion: Assertion) -> object | None:
        """The check of tool calls against the schemas that the model has; None if it has none that
        can be read.
        """
        tools = dict(self._shape.tools)
        if not tools or self._shape.differs or "{{" in json.dumps(tools):
            return None
        return named(assertion, {"tool_calls_valid": {"tools": tools, "min": 1}})

    def _python(self, assertion: Assertion) -> str | None:
        text = assertion.value
        if not isinstance(text, str) or not text.strip():
            raise UnmappedError("needs Python as a text", assertion.place.at("value"))
        if self._shape.differs:
            return None
        settings = f"{assertion.threshold}{self._settings(assertion)}"
        if text.startswith("file://"):
            function = self._code.of_file(text, settings)
        else:
            function = self._code.inline(text, settings)
        if function is not None:
            self._ledger.note(
                assertion.place,
                f"{self._code.path.name}: a run calls this Python as it is, with the variables as"
                " `context`",
            )
        return function

    def _javascript(self, assertion: Assertion) -> str | None:
        """The function that runs the JavaScript; None for code that needs more of promptfoo."""
        text = assertion.value
        if not isinstance(text, str) or not text.strip():
            raise UnmappedError("needs JavaScript as a text", assertion.place.at("value"))
        code = self._codes((*assertion.transforms, text))
        if code is None:
            return None
        limit = "" if assertion.threshold is None else f", threshold={assertion.threshold}"
        self._say_node(assertion)
        return self._code.javascript(code, f"{limit}{self._settings(assertion)}")

    def _changed(self, assertion: Assertion) -> object | None:
        """The check of an assertion on a changed answer; None if it has to be filled in."""
        if assertion.kind == "javascript":
            function = self._javascript(assertion)
            return None if function is None else named(assertion, {function: {}})
        code = self._codes(assertion.transforms)
        if code is None or assertion.kind in TO_FILL or "{{" in json.dumps(assertion.value):
            return None
        plain = replace(assertion, transforms=(), metric=None, negated=False)
        check = as_check(plain)
        if any(name in json.dumps(check) for name in _BOUND_TO_THE_RUN):
            return None
        self._say_node(assertion)
        settings = ", parsed=True" if self._shape.parsed else ""
        function = self._code.changed(code, check, settings)
        return named(assertion, {function: {}})

    def _codes(self, sources: Iterable[str]) -> list[dict[str, str]] | None:
        """The code as `decided_by_node` takes it; None if a part of it needs more of promptfoo."""
        if self._shape.differs:
            return None
        codes: list[dict[str, str]] = []
        for source in sources:
            objects = self._shape.objects or bool(codes)
            file, name = split_file(source.strip())
            if not source.strip().startswith("file://"):
                if not runs_as_it_is(source, objects=objects):
                    return None
                codes.append({"text": source.strip()})
                continue
            path = self._code.javascript_file(file)
            if not file_runs_as_it_is(path, objects=objects):
                return None
            codes.append({"file": self._code.relative(path), **({"name": name} if name else {})})
        return codes

    def _settings(self, assertion: Assertion) -> str:
        raw = assertion.place.value
        config = raw.get("config") if isinstance(raw, dict) else None
        settings = "" if config is None else f", config={config!r}"
        return settings + (", parsed=True" if self._shape.parsed else "")

    def _say_node(self, assertion: Assertion) -> None:
        self._ledger.note(
            assertion.place,
            f"{self._code.path.name}: Node.js (`node`) runs this JavaScript as it is, as for"
            " promptfoo; without it the check is an error",
        )

    def _similar(self, assertion: Assertion) -> object | None:
        """The comparison by an embeddings endpoint; None for one without OpenAI's protocol."""
        provider = assertion.provider
        if isinstance(provider, dict):
            provider = provider.get("embedding", provider)
        provider = provider.get("id") if isinstance(provider, dict) else provider
        vendor, _, rest = str(provider or "openai:embedding:text-embedding-3-large").partition(":")
        kind, _, model = rest.partition(":")
        vendor_address = VENDORS.get(vendor)
        if (
            vendor_address is None
            or not vendor_address.address
            or kind not in ("embedding", "embeddings")
        ):
            return None
        texts = assertion.value if isinstance(assertion.value, list) else [assertion.value]
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            raise UnmappedError("`similar` needs a text or a list of them")
        function = self._code.similarity(model, vendor_address.address, vendor_address.key)
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
