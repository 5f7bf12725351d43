"""A sample of the hostile requests of `benchmarks/borders.py`: no server crashes, reads a file
outside, or takes a vote from a sender that is not its page.
"""

import random
from collections import Counter
from pathlib import Path

from benchmarks.borders_web import play_requests


def test_no_request_crashes_a_server(tmp_path: Path) -> None:
    outcomes, crashes = Counter[str](), list[str]()

    def note(kind: str, outcome: str, description: str) -> None:
        outcomes[outcome] += 1
        crashes.extend([f"{kind}: {description}"] if outcome == "crashed" else [])

    play_requests(note, random.Random(5), tmp_path, 400)
    assert crashes == []
    assert outcomes["refused"] > 300 and outcomes["same"] > 0
