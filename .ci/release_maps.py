"""Refuse a release whose tables of clauses were not compared with their sources for 180 days.

It is part of RELEASING.md and not of the tests: a test must not start to fail by the calendar.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from llmeval.governance.clause_map import outdated

if __name__ == "__main__":
    problems = outdated(datetime.now(UTC).date())
    for problem in problems:
        print(f"llmeval/governance/maps/{problem}")
    sys.exit(1 if problems else 0)
