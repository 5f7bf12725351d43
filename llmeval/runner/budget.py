"""The budget of a run: calls, money, minutes. The run stops when one is used up, and can be
resumed.
"""

import time
from collections.abc import Iterable

from llmeval.core.errors import UsageError
from llmeval.core.records import Usage
from llmeval.suite.model_schema import BaseModelSpec, Price, ReplaySpec, TransformersSpec


class Budget:
    """Counts what this process spends.

    `stopped`: why no further call may be made, or None. `unpriced`: whether `max_cost` is set and
    no reply has stated its usage yet. Until then calls are made one by one.
    """

    def __init__(
        self, max_calls: int | None, max_cost: float | None, max_minutes: float | None
    ) -> None:
        self._max_calls, self._max_cost = max_calls, max_cost
        self._deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
        self.calls = 0
        self.cost = 0.0
        self.stopped: str | None = None
        self.unpriced = max_cost is not None

    def may_call(self) -> bool:
        """Whether one more call may be sent. If so, it is counted."""
        if self.stopped is None:
            self.stopped = self._exhausted()
        if self.stopped is not None:
            return False
        self.calls += 1
        return True

    def used_up(self) -> str | None:
        """Why no further call may be made; None if one may."""
        return self.stopped or self._exhausted()

    def stop(self, reason: str) -> None:
        """Allow no further call, also if some of the budget is left, such as when the endpoint's
        quota is used up.
        """
        self.stopped = self.stopped or reason

    def spend(self, dollars: float | None, *, of: str | None = None) -> None:
        """Add the cost of a reply.

        Args:
            dollars: its cost; None if it is unknown.
            of: the model of the reply, if the reply was paid for. With `max_cost`, a reply of
                unknown cost is the last one.
        """
        self.cost += dollars or 0.0
        if of is None or self._max_cost is None:
            return
        self.unpriced = False
        if dollars is None and self.stopped is None:
            self.stopped = (
                f"--max-cost {self._max_cost:g} can't be enforced: a reply of {of} came without"
                " its usage, so its cost is unknown. Remove --max-cost, or limit the run with"
                " --max-calls"
            )

    def _exhausted(self) -> str | None:
        if self._max_calls is not None and self.calls >= self._max_calls:
            return f"--max-calls {self._max_calls} is used up"
        if self._max_cost is not None and self.cost >= self._max_cost:
            return f"--max-cost {self._max_cost:g} is used up"
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return "--max-minutes are over"
        return None


def refuse_unpriced(max_cost: float | None, models: Iterable[tuple[str, BaseModelSpec]]) -> None:
    """Refuse `--max-cost` if a model has no price. Local weights and recordings cost nothing.

    Args:
        max_cost: US dollars; None for no limit.
        models: name and specification of each model that will be called.

    Raises:
        UsageError: names the models without a price.
    """
    if max_cost is None:
        return
    missing = dict.fromkeys(
        name
        for name, spec in models
        if spec.price is None and not isinstance(spec, ReplaySpec | TransformersSpec)
    )
    if missing:
        raise UsageError(
            f"--max-cost needs a price for {', '.join(missing)}: give the model `price: {{input:"
            " ..., output: ...}` in US dollars per million tokens (0 for a free model), or remove"
            " --max-cost"
        )


def cost_of(usage: Usage | None, price: Price | None) -> float | None:
    """The cost of a call in US dollars; None if price or tokens are unknown, 0 if it is free.

    A price that the suite states is used before the charge that the endpoint states.
    """
    if price is not None and price.input == price.output == 0:
        return 0.0
    if price is None and usage is not None:
        return usage.cost_usd
    if price is None or usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    return (
        (usage.input_tokens or 0) * price.input + (usage.output_tokens or 0) * price.output
    ) / 1e6
