"""The models of a suite file as types: who is asked, where, and with which limits."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from llmeval.core.json_paths import JsonPath
from llmeval.suite.strict import Strict


class Limits(Strict):
    """What the endpoint allows; requests adapt below it on their own."""

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
    """US dollars per million tokens. Without it cost is not known, and never guessed."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class BaseModelSpec(Strict):
    """What every provider takes."""

    params: dict[str, Any] = Field(
        default={},
        description=(
            "Sampling parameters by their OpenAI names: temperature, max_tokens, top_p, seed, stop."
            " null leaves one out."
        ),
    )
    timeout: float = Field(default=120, gt=0, description="Seconds one attempt may take.")
    limits: Limits = Limits()
    price: Price | None = None

    @property
    def stated_model(self) -> str | None:
        """The name of the model, where the specification states one."""
        return getattr(self, "model", None)


class Generating(BaseModelSpec):
    """What models that write text take."""

    reasoning: tuple[str, str] | Literal["none"] = Field(
        default=("<think>", "</think>"),
        description=(
            "Tags around the reasoning at the beginning of a reply; it is kept apart from the"
            " answer, and no check or judge sees it. `none`: the whole text is the answer."
        ),
    )
    on_blocked: Literal["missing", "fail"] = Field(
        default="missing",
        description=(
            "What an answer counts as that the provider's content filter withheld: `missing`, or"
            " `fail` for every metric of the case."
        ),
    )

    @field_validator("reasoning")
    @classmethod
    def _whole_tags(cls, value: tuple[str, str] | str) -> tuple[str, str] | str:
        if value != "none" and not all(tag.strip() for tag in value):
            raise PydanticCustomError("reasoning", "give both tags, [opening, closing], or `none`")
        return value


class Networked(BaseModelSpec):
    """What models behind an address take."""

    ca_file: str | None = Field(
        default=None,
        description=(
            "Certificates in PEM format to trust besides the system's, for your own authority;"
            " relative to the suite file. The environment's SSL_CERT_FILE and"
            " REQUESTS_CA_BUNDLE work too."
        ),
    )
    max_reply_bytes: int = Field(
        default=16 * 2**20, gt=0, description="A longer body of a reply is an error."
    )


BUILD = (
    "Which build this is, by a name of yours, such as `judge-7b@2026-11`: endpoints of the same"
    " model and build are the same model wherever they run (judges, certificates, baselines)."
    " Without it another address is another model. Answers of a build that is stated are reused by"
    " later runs, so change it with every release."
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
    structured_output: Literal["json_schema", "json_object", "none"] = Field(
        default="json_schema", description="How the endpoint can be held to a schema, for judges."
    )
    client: str | None = Field(
        default=None,
        description=(
            "module:function that makes an openai.AsyncOpenAI (Azure, own authentication). Needs"
            " the extra `openai`."
        ),
    )


class TransformersSpec(Generating):
    """Local weights: a directory, a hub id, or a bundled name such as smollm2-135m-instruct."""

    provider: Literal["transformers"]
    model: str
    revision: str | None = None
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    device: str | None = Field(
        default=None, description="cpu, cuda, cuda:0, mps; default: what is there."
    )
    batch_size: int = Field(default=32, gt=0, description="Replies generated at a time.")


def _path(text: str) -> str:
    """A path that can be parsed."""
    try:
        JsonPath(text).check()
    except ValueError as error:
        raise PydanticCustomError("path", "{why}", {"why": str(error)}) from None
    return text


def _required_path(text: str) -> str:
    if JsonPath(text).optional:
        raise PydanticCustomError("path", "the answer can't be optional: leave the `?` away")
    return _path(text)


PathText = Annotated[str, AfterValidator(_path)]
DataPaths = Annotated[
    dict[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], PathText] | None,
    Field(
        description=(
            "What the reply holds next to the text: `{name: path}`, such as"
            ' `{ids: "contexts[*].id"}`. Checks and judges use it as `{{ data.ids }}`. A path that'
            " leads nowhere is an error of the answer; with a `?` at its end it gives null."
        ),
    ),
]


class HttpSpec(Generating, Networked):
    """An application's own JSON endpoint."""

    provider: Literal["http"]
    url: str
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
        description=(
            "Where the answer stands in the reply: a path like a.b[0].c; empty = the whole reply."
        ),
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
    trace: PathText | None = Field(
        default=None,
        description=(
            "Path to what the application did for the answer: spans of OpenTelemetry (OTLP-JSON),"
            " or the address of a page. The report shows it; no check sees it."
        ),
    )

    @property
    def stated_model(self) -> None:
        """None: only a reply names the model."""
        return None


class PythonSpec(Generating):
    """Your own function, sync or async: it gets a Request (or its text) and returns text, a dict
    with `output` and `data`, or a Reply.
    """

    provider: Literal["python"]
    function: str = Field(description="module:function", pattern=r"^[\w.]+:[\w.]+$")
    data: DataPaths = None
    build: str | None = Field(
        default=None,
        pattern=r"\S",
        description=(
            "Which build this is, by a name of yours. Answers of a build that is stated are reused"
            " by later runs while the function's files stay the same, so change it when anything"
            " else behind it changes."
        ),
    )


class ReplaySpec(BaseModelSpec):
    """Answers someone already has."""

    provider: Literal["replay"]
    source: str = Field(
        description=(
            "A .jsonl of {id, output, repeat?, tool_calls?, data?, usage?, model?, latency_ms?,"
            " trace?}, or of {id, turns, repeat?} with `turns` as a list of {user, output,"
            " tool_calls?, data?, usage?, latency_ms?, trace?}; a missing id, an output of null and"
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
