"""Makes the model of a specification in the suite."""

from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from llmeval.core.errors import SuiteError
from llmeval.core.templates import render_value
from llmeval.models.base import Model
from llmeval.models.loading import load_function
from llmeval.suite.model_schema import (
    BaseModelSpec,
    FunctionObjectSpec,
    HttpSpec,
    OpenAISpec,
    PythonSpec,
    ReplaySpec,
    SystemOneSpec,
    TransformersSpec,
)


def make_model(spec: BaseModelSpec, base: Path) -> Model:
    """The model that a specification names.

    Raises:
        SuiteError: it can't be made (a wrong address, a function or file that does not exist, an
            extra that is not installed).
    """
    return _MAKERS[type(spec)](spec, base)


def _make_openai(spec: OpenAISpec, base: Path) -> Model:
    from llmeval.models.openai import OpenAIEndpoint

    if spec.client is not None:
        load_function(spec.client, base)  # a wrong name is an error now, not in the first call
    return OpenAIEndpoint(
        spec.model,
        base_url=spec.base_url,
        api_key=_secret(spec.api_key),
        params=spec.params,
        timeout=spec.timeout,
        api=spec.api,
        headers=_revealed(spec.headers),
        structured_output=spec.structured_output,
        client=spec.client,
        build=spec.build,
        ca_file=_file(base, spec.ca_file),
        max_reply_bytes=spec.max_reply_bytes,
    )


def _make_transformers(spec: TransformersSpec, base: Path) -> Model:
    from llmeval.models.local import TransformersModel as LocalModel
    from llmeval.models.local.extra import require_extra

    local_path = base / spec.model
    if not local_path.is_dir() and (
        spec.model.count("/") > 1 or spec.model.startswith((".", "/", "~"))
    ):
        raise SuiteError(f"no model folder {spec.model}; paths are relative to {base}")
    if local_path.is_dir() and not any(
        (local_path / name).exists() for name in ("config.json", "adapter_config.json")
    ):
        raise SuiteError(
            f"{spec.model} is a folder without a config.json or adapter_config.json: not a"
            " transformers model"
        )
    require_extra()
    name = str(local_path) if local_path.is_dir() else spec.model
    return LocalModel(
        name,
        params=spec.params,
        revision=spec.revision,
        dtype=spec.dtype,
        device=spec.device,
        batch_size=spec.batch_size,
    )


def _make_http(spec: HttpSpec, base: Path) -> Model:
    from llmeval.models.http import HttpEndpoint
    from llmeval.models.reply_parts import ReplyPaths

    return HttpEndpoint(
        spec.url,
        method=spec.method,
        headers=_revealed(spec.headers),
        body=spec.body,
        output=spec.output,
        parts=ReplyPaths(
            data=spec.data,
            tool_calls=spec.tool_calls,
            usage=spec.usage,
            model=spec.model,
            trace=spec.trace,
        ),
        session=spec.session,
        render=lambda value, values: render_value(value, values, "body"),
        params=spec.params,
        timeout=spec.timeout,
        build=spec.build,
        ca_file=_file(base, spec.ca_file),
        max_reply_bytes=spec.max_reply_bytes,
        errors_fail=spec.on_error == "fail",
    )


def _make_python(spec: PythonSpec, base: Path) -> Model:
    from llmeval.models.python import PythonFunction

    if isinstance(spec, FunctionObjectSpec):
        function = spec.function_object
    else:
        function = load_function(spec.function, base)
    return PythonFunction(
        function,
        spec.function,
        build=spec.build,
        params=spec.params,
        timeout=spec.timeout,
        data=spec.data,
    )


def _make_systemone(spec: SystemOneSpec, base: Path) -> Model:
    from llmeval.models.systemone import SystemOne

    return SystemOne(
        spec.model,
        base_url=spec.base_url,
        api_key=_secret(spec.api_key),
        headers=_revealed(spec.headers),
        params=spec.params,
        timeout=spec.timeout,
        build=spec.build,
        ca_file=_file(base, spec.ca_file),
        max_reply_bytes=spec.max_reply_bytes,
    )


def _make_replay(spec: ReplaySpec, base: Path) -> Model:
    from llmeval.models.replay import Replay

    return Replay(base / spec.source)


_MAKERS: dict[type[BaseModelSpec], Callable[..., Model]] = {
    OpenAISpec: _make_openai,
    TransformersSpec: _make_transformers,
    HttpSpec: _make_http,
    PythonSpec: _make_python,
    FunctionObjectSpec: _make_python,
    ReplaySpec: _make_replay,
    SystemOneSpec: _make_systemone,
}


def _file(base: Path, name: str | None) -> Path | None:
    """A file that a suite names, relative to the suite."""
    return None if name is None else base / name


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


def _revealed(headers: dict[str, SecretStr]) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in headers.items()}
