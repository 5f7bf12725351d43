"""A million lines of traffic, sampled: seconds and memory.

python benchmarks/traffic.py [--lines 1000000] [--rate 0.01]
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llmeval.monitor.traffic import SamplingTerms, sample_traffic

_DAYS = 30
_MIB = 2**20 if sys.platform == "darwin" else 2**10


def write(path: Path, lines: int) -> None:
    """Lines of about 500 bytes on 30 days."""
    begin = datetime(2026, 9, 1, tzinfo=UTC)
    with path.open("w", encoding="utf-8") as file:
        for number in range(lines):
            at = begin + timedelta(seconds=number * _DAYS * 86400 / lines)
            line = {
                "trace_id": f"{number:032x}",
                "time": at.isoformat(),
                "session": f"s{number // 3}",
                "input": f"Where is my parcel {number}? " + "I have waited for it. " * 8,
                "output": f"Parcel {number} is on its way. " + "It arrives tomorrow. " * 8,
                "tags": {"topic": "delivery"},
            }
            file.write(json.dumps(line) + "\n")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=0.01)
    stated = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "traffic.jsonl", Path(folder) / "out"
        out.mkdir()
        write(source, stated.lines)
        begun, cpu = time.perf_counter(), time.process_time()
        sample = sample_traffic(source, SamplingTerms(stated.rate, datetime.now(UTC)), out)
        wall, used = time.perf_counter() - begun, time.process_time() - cpu
    drawn = sum(each.sampled for each in sample.days.values())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB
    print(
        f"{stated.lines:,} lines, {drawn:,} drawn: {wall:.1f} s, {used:.1f} s of CPU,"
        f" {memory:.0f} MiB at most"
    )


if __name__ == "__main__":
    main()
