"""The ids of runs: `latest` and `--last-failed` depend on their order."""

import time

from llmeval.runner.manifest import new_run_id


def test_ids_of_one_second_sort_by_time() -> None:
    ids = []
    for _ in range(20):
        ids.append(new_run_id())
        time.sleep(0.002)
    assert ids == sorted(ids)
