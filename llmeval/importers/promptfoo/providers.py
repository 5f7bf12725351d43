"""Providers as models. What speaks OpenAI's protocol, as most do, is the provider `openai` with its
address.
"""

import re
from pathlib import Path
from typing import Any

from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.promptfoo.files import loaded
from llmeval.importers.promptfoo.templates import environment
from llmeval.importers.writing import Variable, slug, unique

_PARAMS = {
    name: name
    for name in (
        "temperature",
        "max_tokens",
        "max_completion_tokens",
        "top_p",
        "top_k",
        "seed",
        "stop",
        "presence_penalty",
        "frequency_penalty",
        "response_format",
        "tools",
        "tool_choice",
        "reasoning_effort",
        "logit_bias",
    )
} | {"maxTokens": "max_tokens", "topP": "top_p", "maxOutputTokens": "max_tokens"}
_HOSTS = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "togetherai": ("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "fireworks": ("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "xai": ("https://api.x.ai/v1", "XAI_API_KEY"),
    "cerebras": ("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    "perplexity": ("https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
    "anthropic": ("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "google": ("https://generativelanguage.googleapis.com/v1beta/openai", "GOOGLE_API_KEY"),
    "ollama": ("http://localhost:11434/v1", ""),
    "localai": ("http://localhost:8080/v1", ""),
}
_KINDS = ("chat", "completion", "messages", "responses")
_IGNORED = ("cost", "showThinking", "retryOptions", "passthrough")


def read_models(
    config: SourcePlace, base: Path, ledger: Ledger
) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """By a name that a suite may use: the model, and the labels of the prompts it is meant for
    (none: all).
    """
    place = (
        config.at("providers")
        if config.value.get("providers") is not None
        else config.at("targets")
    )
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for item in place.items():
        with ledger.trying(item):
            raw = item.value
            if isinstance(raw, str) and raw.startswith("file://"):
                raw = loaded(raw, base)
            for each in raw if isinstance(raw, list) else [raw]:
                provider, config_, label, prompts = _parts(each, item)
                model = model_of(provider, config_, item, ledger)
                found[unique(slug(label or _last(provider)), found)] = (model, prompts)
    return found


def model_of(
    provider: str, config: dict[str, object], place: SourcePlace, ledger: Ledger
) -> dict[str, Any]:
    """A model as a suite writes it.

    Raises:
        UnmappedError: code, a protocol or a setting without counterpart.
    """
    if re.match(r"https?://", provider) or provider in ("http", "https"):
        return _http(provider, config, place)
    vendor, _, rest = provider.partition(":")
    if (
        provider == "echo"
        or vendor in ("exec", "python", "file", "package", "golang")
        or provider.endswith((".js", ".py"))
    ):
        raise UnmappedError(
            "is code or gives the prompt back; name a function with `{provider: python, function:"
            " module:function}`, or recorded answers with `{provider: replay, source:"
            " answers.jsonl}`"
        )
    if vendor not in _HOSTS:
        raise UnmappedError(
            f"the vendor {vendor!r} is not known here; anything with an OpenAI-compatible address"
            " works as `{provider: openai, model: ..., base_url: ...}`"
        )
    kind, _, name = rest.partition(":")
    if kind not in _KINDS:
        name = rest
    if kind in (
        "embedding",
        "embeddings",
        "moderation",
        "realtime",
        "image",
        "assistant",
        "completion",
    ):
        raise UnmappedError(f"the kind {kind!r} of {vendor} has no counterpart")
    return _endpoint(vendor, kind, name, config, place, ledger)


def reference(raw: object, place: SourcePlace) -> tuple[str, dict[str, Any]]:
    """(id, config) of a provider named as a judge: `grader` in all its forms.

    Raises:
        UnmappedError: it is none.
    """
    if isinstance(raw, dict) and "id" not in raw and "text" in raw:
        raw = raw["text"]
    provider, config, _, _ = _parts(raw, place)
    return provider, config


def _parts(raw: object, place: SourcePlace) -> tuple[str, dict[str, Any], str, list[str]]:
    """(id, config, label, prompts)"""
    if isinstance(raw, dict) and "id" not in raw and len(raw) == 1:
        ((name, inner),) = raw.items()
        raw = {"id": name, **(inner if isinstance(inner, dict) else {})}
    if isinstance(raw, str):
        return raw, {}, "", []
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        raise UnmappedError("a provider is `vendor:kind:model` or {id, label, config}")
    for key in raw:
        if key not in ("id", "label", "config", "prompts", "delay", "env"):
            raise UnmappedError(f"`{key}` of a provider has no counterpart", place.at(key))
    prompts = raw.get("prompts") or []
    return (
        raw["id"],
        raw.get("config") or {},
        str(raw.get("label") or ""),
        [str(each) for each in (prompts if isinstance(prompts, list) else [prompts])],
    )


def _last(provider: str) -> str:
    return provider.split(":")[-1] or provider


def _endpoint(
    vendor: str, kind: str, name: str, config: dict[str, Any], place: SourcePlace, ledger: Ledger
) -> dict[str, Any]:
    address, key = _HOSTS[vendor]
    model: dict[str, Any] = {"provider": "openai", "model": name, "base_url": address}
    if kind == "responses":
        model["api"] = "responses"
    if vendor in ("anthropic", "google"):
        ledger.note(place, f"{vendor} is asked through its OpenAI-compatible address")
    params: dict[str, Any] = dict(config.get("passthrough") or {})
    for setting, value in config.items():
        at = place.at("config", setting)
        if setting in _PARAMS:
            params[_PARAMS[setting]] = value
        elif setting == "apiKeyEnvar":
            key = str(value)
        elif setting == "apiKey":
            key = _variable(value, at)
        elif setting in ("headers", "organization"):
            given = value if setting == "headers" else {"OpenAI-Organization": value}
            model["headers"] = {**model.get("headers", {}), **_headers(given, at)}
        elif setting in ("apiBaseUrl", "apiHost"):
            model["base_url"] = _filled(
                str(value) if setting == "apiBaseUrl" else f"https://{value}/v1"
            )
        elif setting not in _IGNORED:
            raise UnmappedError(f"the setting {setting!r} has no counterpart", at)
    if key:
        model["api_key"] = Variable(f"${{{key}}}")
    return {**model, **({"params": params} if params else {})}


def _variable(value: object, place: SourcePlace) -> str:
    match = re.fullmatch(r"\$\{(\w+)\}", environment(str(value)))
    if match is None:
        raise UnmappedError(
            "a key written into the file is not copied; set an environment variable and name it: "
            "`apiKey: '{{env.NAME}}'`",
            place,
        )
    return match[1]


def _filled(text: str) -> str:
    made = environment(text)
    return Variable(made) if made != text else text


def _headers(given: dict[str, object], place: SourcePlace) -> dict[str, str]:
    """Headers without those that are sent anyway; a secret among them has to come from the
    environment.
    """
    made = {
        name: _filled(str(text)) for name, text in given.items() if name.lower() != "content-type"
    }
    for name, text in made.items():
        if re.search(r"authorization|key|token|secret|cookie", name, re.I) and not isinstance(
            text, Variable
        ):
            raise UnmappedError(
                "a secret written into the file is not copied; write `{{env.NAME}}`", place.at(name)
            )
    return made


def _http(provider: str, config: dict[str, Any], place: SourcePlace) -> dict[str, Any]:
    url = provider if "://" in provider else str(config.get("url", ""))
    for key in config:
        if key not in ("url", "method", "headers", "body", "transformResponse", "responseParser"):
            raise UnmappedError(f"the setting {key!r} has no counterpart", place.at("config", key))
    model: dict[str, Any] = {"provider": "http", "url": _filled(str(config.get("url") or url))}
    if config.get("method"):
        model["method"] = str(config["method"]).upper()
    if config.get("headers"):
        model["headers"] = _headers(config["headers"], place.at("config", "headers"))
    if config.get("body") is not None:
        if not isinstance(config["body"], dict | list):
            raise UnmappedError("only a body of JSON can be sent", place.at("config", "body"))
        model["body"] = config["body"]
    path = str(config.get("transformResponse") or config.get("responseParser") or "")
    match = re.fullmatch(r"json((?:\.\w+|\[\d+\]|\[['\"]\w+['\"]\])+)", path.strip())
    if match is None:
        raise UnmappedError(
            "where the answer stands in the reply has to be a path such as `json.choices[0].text`",
            place.at("config", "transformResponse"),
        )
    model["output"] = re.sub(r"\[['\"](\w+)['\"]\]", r".\1", match[1]).lstrip(".")
    return {key: value for key, value in model.items() if value != {}}
