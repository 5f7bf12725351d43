"""Models in their roles: each made once, with its limiter and its caller, however many roles name it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from llmeval.engine.budget import Budget
from llmeval.engine.make import make_model
from llmeval.engine.options import Options
from llmeval.errors import ModelError, SuiteError
from llmeval.models.base import Model
from llmeval.models.cache import Cache
from llmeval.models.caller import Caller
from llmeval.models.limiter import Limiter, Window
from llmeval.models.readout import LabelReadout
from llmeval.models.reasoning import Tags
from llmeval.suite.load import Suite
from llmeval.suite.schema import Generating, JudgeSpec, ModelBase, ReplayModel, SystemOneModel, TransformersModel
from llmeval.suite.yamlfile import Path as KeyPath

LOCAL_CONCURRENCY = 64


@dataclass
class Seat:
    """A model in a role: `candidate`, or a judge by its metric."""

    role: str
    name: str
    spec: ModelBase
    caller: Caller
    on_blocked: Literal["missing", "fail"] = "missing"
    """What a candidate's answer counts as that the provider's filter withheld."""


class Factory:
    """Makes each model, limiter and caller once, however many roles name it."""

    def __init__(self, suite: Suite, options: Options, cache: Cache | None, budget: Budget) -> None:
        self._suite, self._options, self._cache, self._budget = suite, options, cache, budget
        self._callers: dict[str, Caller] = {}
        self._windows: dict[tuple[str, ...], Window] = {}
        secrets = sorted((s for s in suite.secrets() if len(s) >= 4), key=len, reverse=True)
        self._redact = _redactor(secrets)

    def seat(self, role: str, reference: str | ModelBase, path: KeyPath, *, readout: bool = False) -> Seat:
        name, spec = self._suite.model(reference, path)
        if role == "candidate" and isinstance(spec, SystemOneModel):
            raise self._suite.error(path, "a decision model gives no text: it can be a judge, not the candidate")
        readout = readout and isinstance(spec, TransformersModel)
        key = spec.model_dump_json() + repr((sorted(_plain(spec)), readout))
        if key not in self._callers:
            self._callers[key] = self._caller(spec, path, readout)
        return Seat(role, name, spec, self._callers[key], getattr(spec, "on_blocked", "missing"))

    def bench(self, metric: str, spec: JudgeSpec) -> tuple[Seat, ...]:
        """The seats of a judge, as many as it has models."""
        return tuple(
            self.seat(metric, reference, ("judges", metric, *key), readout=spec.readout)
            for key, reference in spec.models
        )

    def models(self) -> list[Model]:
        return [caller.model for caller in self._callers.values()]

    def _caller(self, spec: ModelBase, path: KeyPath, readout: bool) -> Caller:
        try:
            model = make_model(spec, self._suite.base)
            if readout:
                model = LabelReadout(model)  # type: ignore[arg-type]
        except (SuiteError, ModelError) as error:
            raise self._suite.error(path, str(error)) from None
        cache = None if isinstance(spec, ReplayModel) else self._cache
        return Caller(
            model,
            self._limiter(spec),
            cache,
            may_call=self._budget.may_call,
            redact=self._redact,
            reasoning=_tags(spec),
        )

    def _limiter(self, spec: ModelBase) -> Limiter:
        """The model's own limits, within the window of its endpoint where there is one."""
        limits = spec.limits
        address = getattr(spec, "base_url", None) or getattr(spec, "url", None)
        if address is None:
            most, window = limits.concurrency or LOCAL_CONCURRENCY, None
        else:
            most = limits.concurrency or self._options.concurrency
            window = self._windows.setdefault((address, *_plain(spec)), Window(self._options.concurrency))
            window.widen(most)
        return Limiter(
            most,
            window=window,
            requests_per_minute=limits.requests_per_minute,
            tokens_per_minute=limits.tokens_per_minute,
            adaptive=address is not None,
        )


def _tags(spec: ModelBase) -> Tags | None:
    """The tags around a model's reasoning; None for one that has none, or whose whole text is the answer."""
    return spec.reasoning if isinstance(spec, Generating) and spec.reasoning != "none" else None


def _plain(spec: ModelBase) -> Iterable[str]:
    """The secrets of a specification, so that two models that differ only in their key are two models."""
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        if isinstance(value, SecretStr):
            yield f"{name}={value.get_secret_value()}"


def _redactor(secrets: list[str]) -> Callable[[str], str]:
    def redact(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    return redact
