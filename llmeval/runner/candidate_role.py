"""The candidate of a run: that of the suite, that of the command line, or a stored run's."""

import yaml
from pydantic import TypeAdapter, ValidationError

from llmeval.core.errors import UsageError
from llmeval.core.redaction import hide
from llmeval.models.client.caller import Caller
from llmeval.models.client.limiter import Limiter
from llmeval.models.replay import StoredAnswers
from llmeval.runner.model_roles import LOCAL_CONCURRENCY, ModelRole
from llmeval.runner.options import Options
from llmeval.store.directory import RunDir
from llmeval.suite.loader import Suite
from llmeval.suite.model_schema import FunctionObjectSpec, ModelSpec, Price, ReplaySpec
from llmeval.suite.secrets import secrets_in
from llmeval.suite.yaml_file import Path as KeyPath


def stated_candidate(suite: Suite, options: Options) -> tuple[str | ModelSpec, KeyPath]:
    """The candidate: that of the suite, or `--candidate NAME`, or `--candidate
    '{provider: ...}'`, or a Python function.
    """
    if options.function is not None:
        return FunctionObjectSpec.of(options.function, options.build), ()
    stated = options.candidate
    if stated is None:
        return suite.spec.candidate, ("candidate",)
    if not stated.lstrip().startswith("{"):
        return stated, ()
    try:
        spec: ModelSpec = TypeAdapter(ModelSpec).validate_python(yaml.safe_load(stated))
    except ValidationError as error:
        # neither the text nor pydantic's own message: both have the key
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'][1:])) or each['loc']}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        )
        raise UsageError(f"--candidate {{...}}: not a model: {wrong}") from None
    except yaml.YAMLError:
        raise UsageError("--candidate {...}: not a mapping in YAML") from None
    hide(secrets_in(spec))
    return spec, ()


def stored_candidate(stored: RunDir) -> ModelRole:
    """The candidate of a stored run, which is not called again."""
    candidate = stored.manifest().candidate
    model = StoredAnswers(candidate.identity, str(stored.path))
    spec = ReplaySpec(provider="replay", source=str(stored.path), params=candidate.params)
    caller = Caller(model, Limiter(LOCAL_CONCURRENCY, adaptive=False), None)
    if candidate.price is not None:
        price = Price(input=candidate.price.input, output=candidate.price.output)
        spec = spec.model_copy(update={"price": price})
    return ModelRole(
        "candidate", candidate.name, spec, caller, candidate.on_blocked, candidate.on_error
    )
