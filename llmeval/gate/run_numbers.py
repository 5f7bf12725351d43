"""The numbers of a run's answers: seconds, dollars, tokens, and those that the suite measures.

They come from the records: an answer that an earlier run paid for has the seconds and the cost of
the call that was made for it. A number that is not recorded is missing, never 0.
"""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass

from llmeval.core.errors import SuiteError
from llmeval.core.model_records import PriceRecord
from llmeval.core.numbers import UNITS
from llmeval.core.records import Answer, Case
from llmeval.core.templates import answer_values, render_value

_MILLION = 1_000_000


@dataclass(frozen=True)
class NumberInputs:
    """What the numbers of an answer are computed from, besides its record."""

    measure: Mapping[str, str]
    """Expressions of the suite by the number's name."""
    price: PriceRecord | None = None
    """Of the candidate."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every number that an answer may have."""
        return tuple(dict.fromkeys((*UNITS, *self.measure)))

    def of(self, case: Case, answer: Answer) -> dict[str, float]:
        """The numbers of one answer; NaN where one is missing."""
        usage, latency = answer.usage, answer.latency_ms
        sent = math.nan if usage is None else _number(usage.input_tokens)
        output_tokens = math.nan if usage is None else _number(usage.output_tokens)
        cost = _number(answer.cost_usd)
        if self.price is not None and math.isnan(cost):
            cost = (self.price.input * sent + self.price.output * output_tokens) / _MILLION
        numbers = {
            "latency": math.nan if latency is None else latency / 1000,
            "cost": cost,
            "tokens": sent + output_tokens,
            "input_tokens": sent,
            "output_tokens": output_tokens,
        }
        if self.measure:
            numbers.update(self._measured(case, answer))
        return numbers

    def _measured(self, case: Case, answer: Answer) -> dict[str, float]:
        if answer.error is not None:
            return dict.fromkeys(self.measure, math.nan)
        try:
            values = {"tool_calls": list(answer.tool_calls), **answer_values(case, answer)}
        except SuiteError:
            return dict.fromkeys(self.measure, math.nan)
        measured_values = {}
        for name, expression in self.measure.items():
            try:
                measured_values[name] = _number(render_value(expression, values, f"measure.{name}"))
            except Exception:  # whatever an expression raises on this answer: there is no number
                measured_values[name] = math.nan
        return measured_values


def _number(value: object) -> float:
    """A number from 0 on; NaN for anything else. A text is not a number, and neither is true. A
    number below 0 is what many applications return for "unknown": as a value it would hold every
    limit.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        number = float(value)
    except OverflowError:
        return math.nan
    return number if 0 <= number < math.inf else math.nan


class RunNumbers:
    """By number and answer, its value. Answers have places: `row` of the case times repeats.

    Args:
        inputs: None where nobody reads numbers: nothing is kept then.
        repeats: answers a case.
    """

    def __init__(self, inputs: NumberInputs | None, repeats: int) -> None:
        self.inputs, self._repeats = inputs, repeats
        names = () if inputs is None else inputs.names
        self._values: dict[str, array[float]] = {name: array("d") for name in names}
        self._counted = bytearray()

    @property
    def names(self) -> tuple[str, ...]:
        """Every number that an answer may have."""
        return tuple(self._values)

    def take(self, row: int, slot: int, case: Case, answer: Answer, *, counted: bool) -> None:
        """Take an answer.

        Args:
            row: number of the case. slot: how many of its answers came before.
            counted: there is no answer, and that is counted as a failure already.
        """
        if self.inputs is None or slot >= self._repeats:
            return
        place = row * self._repeats + slot
        missing = place + 1 - len(self._counted)
        if missing > 0:
            self._counted.extend(bytes(missing))
            for column in self._values.values():
                column.extend([math.nan] * missing)
        self._counted[place] = counted
        for name, value in self.inputs.of(case, answer).items():
            self._values[name][place] = value

    def values(self, name: str, row: int, seen: int) -> list[float]:
        """The values of one case, of the answers that came (`seen`)."""
        begin = row * self._repeats
        return list(self._values[name][begin : begin + min(seen, self._repeats)])

    def failures(self, row: int, seen: int) -> int:
        """How many of a case's answers are missing and counted as failures."""
        begin = row * self._repeats
        return sum(self._counted[begin : begin + min(seen, self._repeats)])

    def present(self) -> tuple[str, ...]:
        """Numbers that at least one answer has, and those of the suite."""
        measured = () if self.inputs is None else self.inputs.measure
        return tuple(
            name
            for name, column in self._values.items()
            if name in measured or any(not math.isnan(value) for value in column)
        )
