"""Models in their roles. Each model is made once with its limiter, also if
several roles name it.
"""

import hashlib
import ipaddress
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from llmeval.core.errors import ModelError, SuiteError
from llmeval.core.records import canonical_json
from llmeval.core.redaction import redact, redactor
from llmeval.models.base import Model
from llmeval.models.client.cache import ALWAYS, NEVER
from llmeval.models.client.caller import Caller
from llmeval.models.client.limiter import START, START_ON_LOOPBACK, Bucket, Limiter, Window
from llmeval.models.client.reply_store import ReplyStore
from llmeval.models.client.shared_bucket import SharedBucket
from llmeval.models.client.shared_store import SharedStore
from llmeval.models.factory import make_model
from llmeval.models.readout import LabelReadout
from llmeval.models.reasoning import Tags
from llmeval.models.replay import StoredAnswers
from llmeval.runner.budget import Budget
from llmeval.runner.open_files import connections_allowed
from llmeval.runner.options import Options
from llmeval.runner.slots import Slots
from llmeval.suite.judge_schema import JudgeSpec
from llmeval.suite.loader import Suite
from llmeval.suite.model_schema import (
    BaseModelSpec,
    Generating,
    ReplaySpec,
    SystemOneSpec,
    TransformersSpec,
)
from llmeval.suite.yaml_file import Path as KeyPath

LOCAL_CONCURRENCY = 64
VERDICT_SECONDS = 30 * 86400
"""The greatest age of a verdict that a later run may reuse. A judge behind an API can change
without notice. Anchors detect that (docs/trust.md), but only a judge with a certificate has
anchors.
"""


@dataclass
class ModelRole:
    """A model in a role: `candidate`, or a judge by its metric."""

    role: str
    name: str
    spec: BaseModelSpec
    caller: Caller
    on_blocked: Literal["missing", "fail"] = "missing"
    """How a candidate's answer counts that the provider's content filter withheld."""
    on_error: Literal["missing", "fail"] = "missing"
    """What a candidate's answer counts as that the application ended with its own error."""


@dataclass(frozen=True)
class _Made:
    """A model, and the objects that all its callers share."""

    model: Model
    limiter: Limiter
    spec: BaseModelSpec
    cache: ReplyStore | None


class ModelRoles:
    """Makes each model and its limiter once, also if several roles name it.

    Args:
        trial: no model will be called, so local weights are neither read nor downloaded.
        sizing: no model will be called, so local weights may be missing.
    """

    def __init__(
        self,
        suite: Suite,
        options: Options,
        cache: ReplyStore | None,
        budget: Budget,
        *,
        trial: bool = False,
        sizing: bool = False,
    ) -> None:
        self._suite, self._options, self.cache, self.budget = suite, options, cache, budget
        self._trial, self._sizing = trial, sizing
        self._made: dict[str, _Made] = {}
        self._callers: dict[tuple[str, bool], Caller] = {}
        self._windows: dict[tuple[str, ...], Window] = {}
        allowed = connections_allowed(1 + len(suite.spec.judges))
        self._allowed = sys.maxsize if allowed is None else allowed
        self._concurrency = min(options.concurrency, self._allowed)
        self.slots = Slots(self._concurrency)
        secrets = sorted((s for s in suite.secrets() if len(s) >= 4), key=len, reverse=True)
        self._redact = redactor(secrets)

    def model_role(
        self, role: str, reference: str | BaseModelSpec, path: KeyPath, *, readout: bool = False
    ) -> ModelRole:
        name, spec = self._suite.model(reference, path)
        name = redact(name)  # it is shown in tables, which cut it
        if role == "candidate" and isinstance(spec, SystemOneSpec):
            raise self._suite.error(
                path, "a decision model gives no text: it can be a judge, not the candidate"
            )
        readout = readout and isinstance(spec, TransformersSpec)
        key = spec.model_dump_json() + repr((sorted(_plain(spec)), readout))
        if key not in self._made:
            self._made[key] = self._make(spec, path, readout)
        asks = key, role == "candidate"
        if asks not in self._callers:
            self._callers[asks] = self._caller(self._made[key], self._since(role, spec))
        return ModelRole(
            role,
            name,
            spec,
            self._callers[asks],
            getattr(spec, "on_blocked", "missing"),
            getattr(spec, "on_error", "missing"),
        )

    def judge_roles(self, metric: str, spec: JudgeSpec) -> tuple[ModelRole, ...]:
        """The members of a judge, one for each of its models."""
        return tuple(
            self.model_role(metric, reference, ("judges", metric, *key), readout=spec.readout)
            for key, reference in spec.models
        )

    def models(self) -> list[Model]:
        return [entry.model for entry in self._made.values()]

    def traffic(self) -> str:
        """Why the run waits, as a phrase for its progress line; empty if it does not wait."""
        notes = {
            address: note
            for (address, *_), window in self._windows.items()
            if (note := window.note)
        }
        if len(self._windows) == 1:
            return "".join(notes.values())
        return "; ".join(f"{urlsplit(address).hostname}: {note}" for address, note in notes.items())

    def _since(self, role: str, spec: BaseModelSpec) -> float:
        """The oldest time of a reply of another run that this run may reuse, in
        seconds since 1970.
        """
        if self._options.refresh:
            return NEVER
        if role != "candidate":
            return time.time() - VERDICT_SECONDS
        return ALWAYS if self._options.reuse or pinned(spec) else NEVER

    def _make(self, spec: BaseModelSpec, path: KeyPath, readout: bool) -> _Made:
        try:
            _refuse_foreign_code(self._suite, spec)
            model = self._absent(spec) or make_model(spec, self._suite.base)
            if readout:
                model = LabelReadout(model)  # type: ignore[arg-type]
            if self._trial and isinstance(spec, TransformersSpec):
                model = StoredAnswers({"provider": spec.provider, "model": spec.model}, "a trial")
        except (SuiteError, ModelError) as error:
            raise self._suite.error(path, str(error)) from None
        cache = None if isinstance(spec, ReplaySpec) else self.cache
        return _Made(model, self._limiter(spec, model), spec, cache)

    def _absent(self, spec: BaseModelSpec) -> Model | None:
        """Where only the size of a run is of interest: a stand-in for a folder that is not trained
        yet. None: the model is made.
        """
        if not self._sizing or not isinstance(spec, TransformersSpec):
            return None
        folder = self._suite.base / spec.model
        named = "/" in spec.model and (spec.model[0] in "./~" or folder.parent.is_dir())
        if folder.is_dir() or not (named or spec.model.count("/") > 1):
            return None
        return StoredAnswers({"provider": spec.provider, "model": spec.model}, "no weights yet")

    def _caller(self, entry: _Made, since: float) -> Caller:
        return Caller(
            entry.model,
            entry.limiter,
            entry.cache,
            since=since,
            may_call=self.budget.may_call,
            redact=self._redact,
            attempts=entry.spec.limits.attempts,
            deadline=entry.spec.limits.deadline,
            rest=self.slots.rest,
            lend=self.slots.lent,
            reasoning=_tags(entry.spec),
        )

    def _limiter(self, spec: BaseModelSpec, model: Model) -> Limiter:
        """The model's own limits, within the window of its endpoint if it has one."""
        limits = spec.limits
        address = getattr(spec, "base_url", None) or getattr(spec, "url", None)
        if address is None:
            most, window = limits.concurrency or LOCAL_CONCURRENCY, None
        else:
            most = min(limits.concurrency or self._concurrency, self._allowed)
            start = START_ON_LOOPBACK if is_loopback(address) else START
            window = self._windows.setdefault(
                (address, *_plain(spec)), Window(self._concurrency, start=start)
            )
            window.widen(most)
            if limits.concurrency is not None:
                window.begin_at(min(limits.concurrency, START))
        return Limiter(
            most,
            window=window,
            requests_per_minute=limits.requests_per_minute,
            tokens_per_minute=limits.tokens_per_minute,
            adaptive=address is not None,
            bucket=self._shared_buckets(model),
        )

    def _shared_buckets(self, model: Model) -> Callable[[str, float], Bucket] | None:
        """Makes the buckets of a model that all workers share; None without a store."""
        if not isinstance(store := self.cache, SharedStore) or not store.writes:
            return None
        name = hashlib.sha256(canonical_json(model.identity)).hexdigest()
        return lambda kind, rate: SharedBucket(store, f"{kind} {name}", rate)


def _refuse_foreign_code(suite: Suite, spec: BaseModelSpec) -> None:
    """Refuse a model that is code, if the suite is not trusted. Raises SuiteError."""
    for key in ("function", "client"):
        name = getattr(spec, key, None)
        if name is not None:
            suite.refuse_foreign_code(name)


def pinned(spec: BaseModelSpec) -> bool:
    """Whether the same specification always names the same model. This is true if the digests of
    local weights are a part of it, or if its owner states a build. The name at an endpoint, or of a
    function, does not identify the model behind it today.
    """
    return (
        isinstance(spec, TransformersSpec | ReplaySpec) or getattr(spec, "build", None) is not None
    )


def is_loopback(address: str) -> bool:
    """Whether a URL's host is this machine."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    return ip.is_loopback or ip.is_unspecified


def _tags(spec: BaseModelSpec) -> Tags | None:
    """The tags around a model's reasoning; None if it writes none, or if its whole text is the
    answer.
    """
    return spec.reasoning if isinstance(spec, Generating) and spec.reasoning != "none" else None


def _plain(spec: BaseModelSpec) -> Iterable[str]:
    """The secrets of a specification. Two models that differ only in their key are different
    models.
    """
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        if isinstance(value, SecretStr):
            yield f"{name}={value.get_secret_value()}"
