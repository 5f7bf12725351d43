"""Providers as models. What speaks OpenAI's protocol, as most do, is the provider `openai` with its
address; Python is a function; everything else is a function to fill in.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.promptfoo import vendors
from llmeval.importers.promptfoo.applications import http_model, session_name, variable_headers
from llmeval.importers.promptfoo.code_file import CodeFile
from llmeval.importers.promptfoo.files import loaded, referenced
from llmeval.importers.promptfoo.javascript import provider_runs_as_it_is, split_file
from llmeval.importers.promptfoo.secret_values import SecretValues
from llmeval.importers.promptfoo.templates import environment, from_environment
from llmeval.importers.promptfoo.vendors import ALIASES, KINDS, OTHER_KINDS, PARAMS, VENDORS
from llmeval.importers.reading import read_yaml
from llmeval.importers.writing import Variable, slug, unique

Model = dict[str, Any]
_PROVIDER_KEYS = ("id", "label", "config", "prompts", "delay", "env", "description", "transform")
_NO_CHAT = "a function in place of a provider that is code, an agent, or not a chat"
_NO_PROVIDER = (
    "the configuration names no provider: fill in this function, or write a model into the suite"
)
_CODE = re.compile(r"\.(?:py|js|ts|mjs|cjs|rb|go|sh)(?::[\w.]+)?$")


class ProviderReader:
    """Reads the providers of one configuration.

    Args:
        base: the configuration's folder.
        ledger: receives what has another meaning or has to be filled in.
        code: the file of functions.
        secrets: removes credentials from the files that the configuration names.
    """

    def __init__(self, base: Path, ledger: Ledger, code: CodeFile, secrets: SecretValues) -> None:
        self._base, self._ledger, self._code, self._secrets = base, ledger, code, secrets
        self._session = ""

    def read(self, config: SourcePlace) -> dict[str, tuple[Model, list[str]]]:
        """By a name that a suite may use: the model, and the labels of the prompts it is meant for
        (none: all).
        """
        value = config.value.get("providers")
        place = config.at("providers" if value is not None else "targets")
        models: dict[str, tuple[Model, list[str]]] = {}
        if place.value is None:
            stub = self._to_fill("model", {}, config.at("providers"), _NO_PROVIDER)
            models["model"] = (stub, [])
        self._session = session_name(config.value)
        for item in place.items():
            with self._ledger.trying(item):
                raw = item.value
                if isinstance(raw, str) and re.search(r"file://.*\.(?:ya?ml|json)$", raw):
                    raw = self._of_file(raw)
                for each in raw if isinstance(raw, list) else [raw]:
                    provider, settings, label, prompts = _parts(each, item, self._ledger)
                    model = self.model(provider, settings, item)
                    models[unique(slug(label or _last(provider)), models)] = (model, prompts)
        return models

    def _of_file(self, name: str) -> object:
        """The providers in a file, without credentials."""
        (path, *_) = referenced(name, self._base)
        place = read_yaml(path)
        document = replace(place.document, data={"providers": place.value}, lines={})
        return self._secrets.without(SourcePlace(document)).value["providers"]

    def judge(self, raw: object, place: SourcePlace) -> Model:
        """The model of a provider that judges: `provider` of an assertion in all its forms.

        Raises:
            UnmappedError: it is none, or it is code.
        """
        if isinstance(raw, dict) and "id" not in raw and "text" in raw:
            raw = raw["text"]
        provider, config, _, _ = _parts(raw, place, self._ledger)
        if _is_code(provider):
            raise UnmappedError("a judge that is code; a judge here is a model and a protocol")
        return self.model(provider, config, place)

    def model(self, provider: str, config: dict[str, Any], place: SourcePlace) -> Model:
        """A model as a suite writes it.

        Raises:
            UnmappedError: a file is missing.
        """
        if re.match(r"https?://|\{\{", provider) or provider in ("http", "https"):
            if provider.startswith("{{") and "url" not in config:
                return self._to_fill(provider, config, place)
            return http_model(provider, config, place, self._ledger, self._session)
        if provider == "echo":
            return {"provider": "python", "function": self._code.echo()}
        if re.match(r"(?:file|python):", provider) and ".py" in provider:
            return {
                "provider": "python",
                "function": self._code.provider(provider, config),
            }
        as_it_is = self._code_as_it_is(provider, config, place)
        if as_it_is:
            return {"provider": "python", "function": as_it_is}
        vendor, _, rest = provider.partition(":")
        vendor = ALIASES.get(vendor, vendor)
        kind, _, name = rest.partition(":")
        if _is_code(provider) or vendor not in VENDORS or self._is_other(vendor, kind, name):
            return self._to_fill(provider, config, place)
        name = name if kind in KINDS and name else rest
        return self._endpoint(vendor, kind, name or "default", config, place)

    def _code_as_it_is(self, provider: str, config: dict[str, Any], place: SourcePlace) -> str:
        """The function that calls a command or a JavaScript provider; empty for anything else."""
        if provider.startswith("exec:"):
            self._ledger.note(place, "a run starts this command for each answer, as promptfoo does")
            return self._code.command(provider.removeprefix("exec:").strip(), config)
        file, name = split_file(provider)
        if name or not file.endswith((".js", ".mjs", ".cjs")):
            return ""
        path = self._code.javascript_file(file)
        if not provider_runs_as_it_is(path):
            return ""
        self._ledger.note(
            place, "a run calls this JavaScript as it is, by Node.js (`node`), as promptfoo does"
        )
        return self._code.node_provider(path, config)

    @staticmethod
    def _is_other(vendor: str, kind: str, name: str) -> bool:
        """Whether this kind of a vendor is no chat."""
        sdk = bool(re.search(r"(?:^|-)sdk$|-agent$", kind))
        completion = kind == "completion" and vendor in ("ollama", "bedrock")
        return sdk or (kind in OTHER_KINDS and not completion)

    def _to_fill(
        self, provider: str, config: dict[str, Any], place: SourcePlace, why: str = _NO_CHAT
    ) -> Model:
        """A function to fill in, in place of a provider that is no chat endpoint."""
        self._ledger.fill_in(place, f"{self._code.path.name}: {why}")
        function = self._code.to_fill(
            _last(provider),
            f"call {provider} and return its text",
            f"{provider}\n{_shown(config)}",
            "(request)",
        )
        return {"provider": "python", "function": function}

    def _endpoint(
        self, vendor: str, kind: str, name: str, config: dict[str, Any], place: SourcePlace
    ) -> Model:
        known = VENDORS[vendor]
        model: Model = {"provider": "openai", "model": from_environment(name)}
        model["base_url"] = self._address(vendor, config, place)
        if kind == "responses" and vendor != "xai":
            model["api"] = "responses"
        if vendor in ("anthropic", "google"):
            self._ledger.note(place, f"{vendor} is called at its OpenAI-compatible address")
        params: dict[str, Any] = {
            key: _filled(value) for key, value in dict(config.get("passthrough") or {}).items()
        }
        key = self._settings(model, params, config, place) or known.key
        if key:
            model["api_key"] = Variable(f"${{{key}}}")
        elif known.address.startswith("http://localhost"):
            model["api_key"] = Variable("${LOCAL_API_KEY:-none}")
        _add_price(model, config)
        if "max_output_tokens" in params and kind != "responses":
            params.setdefault("max_tokens", params.pop("max_output_tokens"))
        return {**model, **({"params": params} if params else {})}

    def _address(self, vendor: str, config: dict[str, Any], place: SourcePlace) -> str:
        address, hint = VENDORS[vendor].address, VENDORS[vendor].hint
        own = config.get("apiBaseUrl") or config.get("apiHost")
        if own:
            text = str(own)
            if vendor == "azure":
                text = f"https://{text.removeprefix('https://').rstrip('/')}/openai/v1"
            elif "://" not in text and "{{" not in text:
                text = f"https://{text}/v1"
            return from_environment(text)
        variable = f"{re.sub(r'[^A-Z]', '_', vendor.upper())}_BASE_URL"
        if address:
            if vendor != "openai":
                return address
            return Variable(f"${{{variable}:-{address}}}")
        if VENDORS[vendor].compatible:
            self._ledger.note(
                place, f"{vendor} has an address for each account: set {variable}, such as {hint}"
            )
        else:
            self._ledger.fill_in(
                place, f"{vendor} does not have OpenAI's protocol: set {variable} to {hint}"
            )
        return Variable(f"${{{variable}}}")

    def _settings(
        self, model: Model, params: dict[str, Any], config: dict[str, Any], place: SourcePlace
    ) -> str:
        """Put the settings into the model and its parameters. Returns the variable with the key."""
        key = ""
        for setting, value in config.items():
            at = place.at("config", setting)
            if setting in PARAMS:
                params[PARAMS[setting]] = self._value(value, at)
            elif setting in ("generationConfig", "inferenceConfig", "options"):
                key = self._settings(model, params, value if isinstance(value, dict) else {}, at)
            elif setting == "apiKeyEnvar":
                key = str(value)
            elif setting in ("apiKey", "apiKeyRequired"):
                key = _key_variable(value, at, self._ledger) if setting == "apiKey" else key
            elif setting in ("headers", "organization"):
                headers = value if setting == "headers" else {"OpenAI-Organization": value}
                if isinstance(headers, dict):
                    model["headers"] = {
                        **model.get("headers", {}),
                        **variable_headers(headers, at, self._ledger),
                    }
            elif setting == "timeout" and isinstance(value, int | float) and value > 0:
                model["timeout"] = value / 1000
            elif setting not in (*vendors.IGNORED, *vendors.COSTS, "apiBaseUrl", "apiHost"):
                self._ledger.note(at, f"the setting {setting!r} is not sent; see `params`")
        return key

    def _value(self, value: object, place: SourcePlace) -> object:
        """A parameter, with the file that it names read."""
        try:
            read = loaded(value, self._base)
        except UnmappedError as error:
            raise UnmappedError(str(error), place) from None
        return _filled(read)


def _filled(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return from_environment(value) if isinstance(value, str) else value


def _is_code(provider: str) -> bool:
    vendor = provider.partition(":")[0]
    return (
        vendor in ("exec", "python", "file", "package", "golang", "ruby", "promptfoo")
        or _CODE.search(provider) is not None
    )


def _parts(
    raw: object, place: SourcePlace, ledger: Ledger
) -> tuple[str, dict[str, Any], str, list[str]]:
    """(id, config, label, prompts)"""
    if isinstance(raw, dict) and "id" not in raw and len(raw) == 1:
        ((name, inner),) = raw.items()
        inner = inner if isinstance(inner, dict) else {}
        raw = {**inner, "id": name, "label": inner.get("label") or inner.get("id")}
    if isinstance(raw, str):
        return raw, {}, "", []
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        raise UnmappedError("a provider is `vendor:kind:model` or {id, label, config}")
    for key in raw:
        if key not in _PROVIDER_KEYS:
            ledger.note(place.at(key), f"`{key}` of a provider has no counterpart; it is not used")
    if raw.get("transform") is not None:
        raise UnmappedError("code that changes the answer is not run here", place.at("transform"))
    prompts = raw.get("prompts") or []
    config = raw.get("config")
    return (
        raw["id"],
        config if isinstance(config, dict) else {},
        str(raw.get("label") or ""),
        [str(each) for each in (prompts if isinstance(prompts, list) else [prompts])],
    )


def _last(provider: str) -> str:
    if re.match(r"\w+://|\{\{", provider):  # an address: without its query
        provider = re.split(r"[?#]", provider)[0].rstrip("/")
    return re.sub(r"\.\w+$", "", provider.split("/")[-1].split(":")[-1]) or provider


def _shown(config: dict[str, Any]) -> str:
    """The settings without keys, for a comment."""
    secret = re.compile(r"key|token|secret|password|authorization|cookie|headers|auth|env", re.I)
    return "\n".join(
        f"{name}: {value!r}"[:200] for name, value in config.items() if not secret.search(name)
    )


def _add_price(model: Model, config: dict[str, Any]) -> None:
    """promptfoo's US dollars for one token as US dollars for a million."""
    both = config.get("cost")
    price = {
        side: round(float(cost) * 1e6, 9)
        for side, cost in (
            ("input", config.get("inputCost", both)),
            ("output", config.get("outputCost", both)),
        )
        if isinstance(cost, int | float)
    }
    if len(price) == 2:
        model["price"] = price


def _key_variable(value: object, place: SourcePlace, ledger: Ledger) -> str:
    """The variable that an API key comes from; empty for the vendor's own."""
    match = re.fullmatch(r"\$\{(\w+)(?::-[^}]*)?\}", environment(str(value)))
    if match is None:
        ledger.note(
            place, "a key written into the file is not copied; the vendor's variable holds it here"
        )
        return ""
    return match[1]
