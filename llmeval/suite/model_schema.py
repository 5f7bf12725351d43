"""The models of a suite file as types: their endpoints, parameters and limits."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from llmeval.core.json_paths import JsonPath
from llmeval.suite.strict import Strict


class Limits(Strict):
    """The limits of the endpoint. The number of requests adapts automatically below them."""

    concurrency: int | None = Field(default=None, gt=0, description="Requests in flight.")
    requests_per_minute: float | None = Field(default=None, gt=0)
    tokens_per_minute: float | None = Field(default=None, gt=0)
    attempts: int = Field(
        default=6, gt=0, le=100, description="Most attempts for one request; each counts as a call."
    )
    deadline: float | None = Field(
        default=None,
        gt=0,
        description=(
            "Seconds for one request from its first attempt on, over all attempts and the waits"
            " between them."
        ),
    )


class Price(Strict):
    """US dollars per million tokens. Without a price the cost is unknown; it is never estimated."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class BaseModelSpec(Strict):
    """The keys of every provider."""

    params: dict[str, Any] = Field(
        default={},
        description=(
            "Sampling parameters by their OpenAI names: temperature, max_tokens, top_p, seed, stop."
            " null leaves one out."
        ),
    )
    timeout: float = Field(
        default=120, gt=0, description="The time limit of one attempt, in seconds."
    )
    limits: Limits = Limits()
    price: Price | None = None

    @property
    def stated_model(self) -> str | None:
        """The name of the model, if the specification states one."""
        return getattr(self, "model", None)


class Generating(BaseModelSpec):
    """The keys of models that write text."""

    reasoning: tuple[str, str] | Literal["none"] = Field(
        default=("<think>", "</think>"),
        description=(
            "Tags around the reasoning at the beginning of a reply. It is recorded, but it is not"
            " part of the answer: no check or judge sees it. `none`: the whole text is the answer."
        ),
    )
    on_blocked: Literal["missing", "fail"] = Field(
        default="missing",
        description=(
            "How an answer counts that the provider's content filter withheld: `missing`, or `fail`"
            " for every metric of the case."
        ),
    )
    context_window: int | None = Field(
        default=None,
        gt=0,
        description=(
            "Tokens of the prompt and the reply together. `llmeval data check` reports prompts that"
            " are longer. Local weights state it themselves."
        ),
    )

    @field_validator("reasoning")
    @classmethod
    def _whole_tags(cls, value: tuple[str, str] | str) -> tuple[str, str] | str:
        if value != "none" and not all(tag.strip() for tag in value):
            raise PydanticCustomError("reasoning", "give both tags, [opening, closing], or `none`")
        return value


class Networked(BaseModelSpec):
    """The keys of models behind an address."""

    ca_file: str | None = Field(
        default=None,
        description=(
            "A file of certificates in PEM format, relative to the suite file. It is trusted in"
            " addition to the system's certificates, for a certificate authority of your company."
            " The environment variables SSL_CERT_FILE and REQUESTS_CA_BUNDLE work too."
        ),
    )
    max_reply_bytes: int = Field(
        default=16 * 2**20, gt=0, description="A longer body of a reply is an error."
    )


BUILD = (
    "Your name for this build, such as `judge-7b@2026-11`. Endpoints with the same model and build"
    " count as the same model at any address (in judges, certificates and baselines). Without it,"
    " another address is another model. Later runs reuse the answers of a build, so change the name"
    " with every release."
)


class OpenAISpec(Generating, Networked):
    """Any OpenAI-compatible endpoint."""

    provider: Literal["openai"]
    model: str
    base_url: str = Field(
        default="https://api.openai.com/v1", description="Up to and including /v1."
    )
    api_key: SecretStr | None = Field(
        default=None, description='Write it as "${NAME}"; default: OPENAI_API_KEY.'
    )
    build: str | None = Field(default=None, pattern=r"\S", description=BUILD)
    api: Literal["chat", "responses"] = "chat"
    headers: dict[str, SecretStr] = {}
    structured_output: Literal["json_schema", "json_object", "tool_call", "none"] = Field(
        default="json_schema",
        description=(
            "How the endpoint forces a reply to follow a JSON Schema, for judges. If the endpoint"
            " refuses one, the next is used, and the run says so."
        ),
    )
    client: str | None = Field(
        default=None,
        description=(
            "module:function that makes an openai.AsyncOpenAI (Azure, own authentication). Needs"
            " the extra `openai`."
        ),
    )


class TransformersSpec(Generating):
    """Local weights: a directory, a hub id, or a bundled name such as smollm2-135m-instruct. A
    directory may hold an adapter (LoRA) in PEFT's format.
    """

    provider: Literal["transformers"]
    model: str
    revision: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] | None = Field(
        default=None,
        description=(
            "Default: float32 on a CPU, else the checkpoint's own. `auto`: bfloat16 on a CPU with"
            " AVX512_BF16 or AMX. The run records the type that was used."
        ),
    )
    device: str | None = Field(
        default=None, description="cpu, cuda, cuda:0 or mps; default: cuda if available, else cpu."
    )
    batch_size: int = Field(default=32, gt=0, description="Replies generated at a time.")


def _path(text: str) -> str:
    """The path, if it can be parsed."""
    try:
        JsonPath(text).check()
    except ValueError as error:
        raise PydanticCustomError("path", "{why}", {"why": str(error)}) from None
    return text


def _required_path(text: str) -> str:
    if JsonPath(text).optional:
        raise PydanticCustomError("path", "the answer can't be optional: remove the `?`")
    return _path(text)


PathText = Annotated[str, AfterValidator(_path)]
DataPaths = Annotated[
    dict[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], PathText] | None,
    Field(
        description=(
            "Values of the reply to keep with the text: `{name: path}`, such as"
            ' `{ids: "contexts[*].id"}`. Checks and judges use them as `{{ data.ids }}`. A path'
            " that does not match is an error of the answer; with a `?` at its end it gives null."
        ),
    ),
]


OnError = Annotated[
    Literal["missing", "fail"],
    Field(
        description=(
            "What an answer counts as that the application ended with its own error: HTTP 500, or"
            " an exception of the function. `missing`, or `fail` for every metric of the case; with"
            " `fail` the request is sent once."
        ),
    ),
]


class HttpSpec(Generating, Networked):
    """An application's own JSON endpoint."""

    provider: Literal["http"]
    url: str = Field(
        description=(
            "The address. Its path and query can use `{{ session.id }}`, `{{ run.unique }}` and"
            " `{{ turn }}`, and so can the headers."
        )
    )
    build: str | None = Field(default=None, pattern=r"\S", description=BUILD)
    method: Literal["POST", "PUT", "GET"] = "POST"
    headers: dict[str, SecretStr] = {}
    body: Any = Field(
        default={"input": "{{ prompt }}"},
        description=(
            "The request's JSON; every text in it is a template over prompt, messages, params,"
            " run.unique, turn and the fields of the case."
        ),
    )
    output: Annotated[str, AfterValidator(_required_path)] = Field(
        default="output",
        description=("Path to the answer in the reply, such as a.b[0].c; empty: the whole reply."),
    )
    data: DataPaths = None
    tool_calls: PathText | None = Field(
        default=None,
        description=(
            "Path to the tool calls: a list of {name, arguments} (or `args`, `input`), or of the"
            " calls of an OpenAI reply."
        ),
    )
    session: dict[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], PathText] = Field(
        default={},
        description=(
            "For `turns`: what the body of the next turn sends back, `{name: path}` into the reply,"
            ' such as `{id: "conversation.id"}`, as `{{ session.id }}`. It is null in the first'
            " turn. Cookies are kept without it."
        ),
    )
    usage: PathText | None = Field(
        default=None, description="Path to an object with input_tokens and output_tokens."
    )
    model: PathText | None = Field(
        default=None, description="Path to the name of the model that answered."
    )
    on_error: OnError = "missing"
    trace: PathText | None = Field(
        default=None,
        description=(
            "Path to what the application did for the answer: spans of OpenTelemetry (OTLP-JSON),"
            " or the address of a page. The report shows it; no check sees it."
        ),
    )

    @property
    def stated_model(self) -> None:
        """None, because only a reply names the model."""
        return None


class PythonSpec(Generating):
    """Your own function, sync or async: it gets a Request (or its text) and returns text, a dict
    with `output` and `data`, or a Reply.
    """

    provider: Literal["python"]
    function: str = Field(description="module:function", pattern=r"^[\w.]+:[\w.]+$")
    data: DataPaths = None
    on_error: OnError = "missing"
    build: str | None = Field(
        default=None,
        pattern=r"\S",
        description=(
            "Your name for this build. With it, later runs reuse answers while the function's files"
            " stay the same. Change it when anything else behind the function changes."
        ),
    )


class FunctionObjectSpec(PythonSpec):
    """A function that Python code passes as the candidate. No suite file has one."""

    function: str = Field(description="module:qualified name")
    _object: Callable[..., object] = PrivateAttr()

    @classmethod
    def of(cls, function: Callable[..., object], build: str | None) -> "FunctionObjectSpec":
        """The specification of a function, of a method, or of an object with `__call__`."""
        inner: object = inspect.unwrap(function)
        while isinstance(inner, functools.partial):
            inner = inspect.unwrap(inner.func)
        named = inner if hasattr(inner, "__qualname__") else type(inner)
        name = f"{named.__module__}:{named.__qualname__}"
        spec = cls(provider="python", function=name, build=build)
        spec._object = function
        return spec

    @property
    def function_object(self) -> Callable[..., object]:
        """The function itself."""
        return self._object

    @property
    def stated_model(self) -> str:
        """The name of the function."""
        return self.function


class ReplaySpec(BaseModelSpec):
    """Answers that already exist."""

    provider: Literal["replay"]
    source: str = Field(
        description=(
            "A .jsonl of {id, output, repeat?, tool_calls?, data?, usage?, model?, latency_ms?,"
            " trace?}, or of {id, turns, repeat?} with `turns` as a list of {user, output,"
            " tool_calls?, data?, usage?, latency_ms?, trace?, usage?, latency_ms?}; a"
            " missing id, an output of null and"
            " a line with an `error` are error records."
        )
    )


class SystemOneSpec(Networked):
    """A decision model behind POST {base_url}/systemone: it gives probabilities, no text. Only for
    judges.
    """

    provider: Literal["systemone"]
    model: str
    base_url: str = Field(
        description="Up to and including /v1; a URL that ends in the whole path works as well."
    )
    api_key: SecretStr | None = Field(
        default=None, description='Write it as "${NAME}"; sent as a Bearer token.'
    )
    build: str | None = Field(default=None, pattern=r"\S", description=BUILD)
    headers: dict[str, SecretStr] = {}


ModelSpec = Annotated[
    OpenAISpec | TransformersSpec | HttpSpec | PythonSpec | ReplaySpec | SystemOneSpec,
    Field(discriminator="provider"),
]
