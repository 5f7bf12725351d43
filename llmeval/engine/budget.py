"""How much a run may spend: calls, money, minutes. It stops there, and can be resumed."""

import time

from llmeval.records import Usage
from llmeval.suite.schema import Price


class Budget:
    """Counts what this process spends. `stopped`: why no further call may be made, or None."""

    def __init__(self, max_calls: int | None, max_cost: float | None, max_minutes: float | None) -> None:
        self._max_calls, self._max_cost = max_calls, max_cost
        self._deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
        self.calls = 0
        self.cost = 0.0
        self.stopped: str | None = None

    def may_call(self) -> bool:
        """Whether one more call may be sent; counts it if so."""
        if self.stopped is None:
            self.stopped = self._exhausted()
        if self.stopped is not None:
            return False
        self.calls += 1
        return True

    def stop(self, reason: str) -> None:
        """Let no further call be made, whatever is left: the endpoint's own quota is used up, say."""
        self.stopped = self.stopped or reason

    def spend(self, dollars: float | None) -> None:
        """Add the cost of a call, where it is known."""
        self.cost += dollars or 0.0

    def _exhausted(self) -> str | None:
        if self._max_calls is not None and self.calls >= self._max_calls:
            return f"--max-calls {self._max_calls} is used up"
        if self._max_cost is not None and self.cost >= self._max_cost:
            return f"--max-cost {self._max_cost:g} is used up"
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return "--max-minutes are over"
        return None


def cost_of(usage: Usage | None, price: Price | None) -> float | None:
    """US dollars of so many tokens; None where the price or the tokens are not known."""
    if price is None or usage is None:
        return None
    return ((usage.input_tokens or 0) * price.input + (usage.output_tokens or 0) * price.output) / 1e6
