"""Suites with a monitor, and traffic for them."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

FIRST_DAY = date(2026, 3, 1)
_SUITE = """\
suite: shop
cases: [{id: a, question: "Where is it?", reference: here}]
prompt: "{{ question }}"
candidate: {provider: replay, source: recorded.jsonl}
checks:
  - contains: "{{ reference }}"
  - contains: {text: ok, metric: polite}
"""


def day_of(number: int) -> str:
    """The day with this number after the first one."""
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def write_monitored(folder: Path, monitor: str = "metrics: [polite]", more: str = "") -> Path:
    """A suite that watches `polite` in the traffic of the folder `logs`; gives the suite file."""
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    (folder / "recorded.jsonl").write_text('{"id": "a", "output": "ok, it is here"}\n')
    path = folder / "suite.yaml"
    path.write_text(f"{_SUITE}{more}monitor: {{source: 'traffic://logs', {monitor}}}\n")
    return path


def traffic_line(day: int, number: int, passed: bool, **more: Any) -> dict[str, Any]:
    """One answer of a day."""
    at = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=day, seconds=number)
    return {
        "trace_id": f"{day}-{number}",
        "time": at.isoformat(),
        "input": f"Where is parcel {number}?",
        "output": "ok, it comes" if passed else "no",
        "session": f"s{number}",
        **more,
    }


def write_traffic(
    folder: Path, rates: Sequence[float], answers: int = 20, first: int = 0, seed: int = 1
) -> Path:
    """One file of traffic with these pass rates, a day each; gives the file."""
    rng = random.Random(seed)
    path = folder / "logs" / f"{first:03}.jsonl"
    path.write_text(
        "".join(
            json.dumps(traffic_line(first + day, number, rng.random() < rate)) + "\n"
            for day, rate in enumerate(rates)
            for number in range(answers)
        )
    )
    return path
