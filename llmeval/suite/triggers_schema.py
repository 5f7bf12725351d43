"""`triggers.yaml` next to a suite: what may be done when something has changed, and who is told."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from llmeval.suite.approvals_schema import whole_days
from llmeval.suite.strict import Name, Strict

EvidenceKind = Literal["drift", "stale", "gate_fail", "judge_void", "label_backlog", "env_mismatch"]
_Days = Annotated[int, BeforeValidator(whole_days), Field(ge=0, le=3650)]


class WebhookAction(Strict):
    """A request in the form of Standard Webhooks, with a CloudEvents body."""

    url: str = Field(description="https://, or http:// on the loopback interface.")
    secret: SecretStr = Field(
        description="The key of the signature: `whsec_` and base64, or any text of 16 characters."
    )
    private: bool = Field(default=False, description="Allow an address of a private network.")

    @model_validator(mode="after")
    def _long_secret(self) -> "WebhookAction":
        if len(self.secret.get_secret_value()) < 16:
            raise PydanticCustomError("secret", "the secret must have at least 16 characters")
        return self


class GithubAction(Strict):
    """A `repository_dispatch` event of GitHub."""

    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="owner/name.")
    event: str = Field(default="llmeval", max_length=100, description="The event type.")
    token: SecretStr = Field(description="A token that may write contents of the repository.")
    api: str = Field(default="https://api.github.com", description="The API of GitHub Enterprise.")
    private: bool = Field(default=False, description="Allow an address of a private network.")


class MlflowTagAction(Strict):
    """A tag of a registered model in MLflow: `llmeval.decision`, with the decision and the id."""

    url: str = Field(description="The tracking server: https://, or http:// on the loopback.")
    model: str = Field(min_length=1, description="The name of the registered model.")
    version: str | None = Field(
        default=None, description="A version of it; without one the model itself gets the tag."
    )
    token: SecretStr | None = Field(default=None, description="A bearer token of the server.")
    private: bool = Field(default=False, description="Allow an address of a private network.")


class ActionSpec(Strict):
    """One action."""

    command: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Program and arguments, run without a shell. The event is on its stdin.",
    )
    webhook: WebhookAction | None = None
    github_dispatch: GithubAction | None = None
    mlflow_tag: MlflowTagAction | None = None

    @model_validator(mode="after")
    def _one(self) -> "ActionSpec":
        stated = (self.command, self.webhook, self.github_dispatch, self.mlflow_tag)
        if sum(each is not None for each in stated) != 1:
            raise PydanticCustomError(
                "action",
                "give one of `command`, `webhook`, `github_dispatch` and `mlflow_tag`",
            )
        return self


class TriggerSpec(Strict):
    """One trigger."""

    name: Name
    when: list[EvidenceKind] = Field(min_length=1, description="The evidence that it is about.")
    action: ActionSpec
    cooldown: _Days = Field(default=7, description="Days between two firings, such as 7d.")
    max_per_month: int = Field(default=4, ge=1, le=1000, description="In the last 30 days.")
    cost_usd: float | None = Field(
        default=None, ge=0, description="Of one firing. Default: the cost of the newest run."
    )
    budget_usd: float | None = Field(default=None, ge=0, description="For the last 30 days.")
    require_approval_above_usd: float | None = Field(
        default=None,
        ge=0,
        description="A firing that costs more, or whose cost is unknown, needs --approved-by.",
    )


class SmtpSpec(Strict):
    """A mail server."""

    host: str
    port: int = Field(default=587, gt=0, lt=65536)
    sender: str
    to: list[str] = Field(min_length=1)
    user: str | None = None
    password: SecretStr | None = None
    tls: bool = Field(
        default=True, description="STARTTLS. Only a server on the loopback interface may lack it."
    )


class NotifySpec(Strict):
    """Who is told: once when an alarm begins, once when it ends, and each week."""

    slack: SecretStr | None = Field(default=None, description="The address of a Slack webhook.")
    smtp: SmtpSpec | None = None
    weekly: bool = Field(default=True, description="Also send a digest each week.")

    @model_validator(mode="after")
    def _one(self) -> "NotifySpec":
        if (self.slack is None) == (self.smtp is None):
            raise PydanticCustomError("notify", "give one of `slack` and `smtp`")
        return self


class TriggersFile(Strict):
    """The whole file."""

    owner: str = Field(description="Who decides; messages name this person or team.")
    link: str = Field(default="", description="A page for people, such as monitor.html.")
    triggers: tuple[TriggerSpec, ...] = ()
    notify: tuple[NotifySpec, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> "TriggersFile":
        names = [each.name for each in self.triggers]
        if len(set(names)) < len(names):
            raise PydanticCustomError("twice", "two triggers have the same name")
        return self
