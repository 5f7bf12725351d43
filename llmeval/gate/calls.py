"""Sums over the calls of one role."""

import math

from llmeval.records import Calls


class CallCount:
    """Calls, tokens and costs of one model in one role."""

    def __init__(self) -> None:
        self.made = self.cached = self.retried = self.failed = self.input = self.output = 0
        self.costs: list[float] = []

    def add(self, attempts: int, cached: bool, failed: bool, usage: object, cost: float | None) -> None:
        """Take one call. `usage`: has `input_tokens` and `output_tokens`. `cost`: US dollars."""
        self.made += attempts
        self.cached += cached
        self.retried += max(0, attempts - 1)
        self.failed += failed
        if not cached and usage is not None:
            self.input += getattr(usage, "input_tokens", None) or 0
            self.output += getattr(usage, "output_tokens", None) or 0
        if cost is not None:
            self.costs.append(cost)

    def record(self) -> Calls:
        """The sums so far."""
        return Calls(
            made=self.made,
            cached=self.cached,
            retried=self.retried,
            failed=self.failed,
            input_tokens=self.input,
            output_tokens=self.output,
            cost_usd=math.fsum(self.costs) if self.costs else None,
        )
