"""Reads `triggers.yaml`: variables, validation, and addresses that may be called."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr, ValidationError

from llmeval.core.errors import SuiteError
from llmeval.core.redaction import hide
from llmeval.monitor.delivery import check_url, is_loopback
from llmeval.suite import yaml_file
from llmeval.suite.env_file import read_env_file
from llmeval.suite.triggers_schema import TriggersFile
from llmeval.suite.variables import Variables

TRIGGERS = "triggers.yaml"


def read_triggers(path: Path) -> TriggersFile:
    """The file of triggers. Values of variables and secrets are hidden from messages from now on.

    Raises:
        SuiteError: it can't be read, is not valid, or uses a variable that is not set.
        UsageError: an address may not be called.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: can't be read: {error}") from None
    document = yaml_file.parse(text, str(path))
    variables = Variables(read_env_file(path.parent))
    data = variables.expand(document.data, ())
    hide(variables.secrets(()))
    for place, name in variables.undefined.items():
        raise document.error(place, f"the environment variable {name} is not set")
    try:
        triggers = TriggersFile.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = tuple(part for part in first["loc"] if isinstance(part, str | int))
        raise document.error(place, first["msg"]) from None
    hide(_secrets(triggers))
    _check_addresses(triggers, path)
    return triggers


def _secrets(triggers: TriggersFile) -> Iterator[str]:
    held: list[SecretStr | None] = []
    for trigger in triggers.triggers:
        hook, dispatch = trigger.action.webhook, trigger.action.github_dispatch
        tag = trigger.action.mlflow_tag
        held += [
            None if hook is None else hook.secret,
            None if dispatch is None else dispatch.token,
            None if tag is None else tag.token,
        ]
    for each in triggers.notify:
        held += [each.slack, None if each.smtp is None else each.smtp.password]
    return (secret.get_secret_value() for secret in held if secret is not None)


def _check_addresses(triggers: TriggersFile, path: Path) -> None:
    for number, trigger in enumerate(triggers.triggers):
        where = f"{path}: triggers[{number}].action"
        if trigger.action.webhook is not None:
            check_url(trigger.action.webhook.url, f"{where}.webhook.url")
        if trigger.action.github_dispatch is not None:
            check_url(trigger.action.github_dispatch.api, f"{where}.github_dispatch.api")
        if trigger.action.mlflow_tag is not None:
            check_url(trigger.action.mlflow_tag.url, f"{where}.mlflow_tag.url")
    for number, each in enumerate(triggers.notify):
        where = f"{path}: notify[{number}]"
        if each.slack is not None:
            check_url(each.slack.get_secret_value(), f"{where}.slack")
        if each.smtp is not None and not each.smtp.tls and not is_loopback(each.smtp.host):
            raise SuiteError(f"{where}.smtp.tls: a mail server elsewhere needs STARTTLS")
