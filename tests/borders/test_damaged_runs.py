"""Every command that reads a run refuses damaged records. benchmarks/borders.py does it thousands of
times.
"""

import random
from pathlib import Path

from benchmarks.borders_commands import commands_of, play


def test_no_command_crashes_or_succeeds_on_damaged_records(tmp_path: Path) -> None:
    outcomes: list[tuple[str, str, str]] = []
    n = 2 * len(commands_of(tmp_path))
    play(lambda *outcome: outcomes.append(outcome), random.Random(7), tmp_path, n)
    assert len(outcomes) == n
    assert [each for each in outcomes if each[1] in ("crashed", "other")] == []
    assert sum(each[1] == "refused" for each in outcomes) > n // 2
