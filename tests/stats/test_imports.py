"""What a decision does not need is not imported."""

import subprocess
import sys


def test_bounds_need_no_numpy() -> None:
    code = "import sys, llmeval.stats.estimation.bounds as b; b.clopper_pearson(9, 10); print('numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
