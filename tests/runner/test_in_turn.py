"""Two models that do not fit in memory together: all answers first, then all verdicts."""

import dataclasses
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from llmeval.api import Run, finish
from llmeval.models.local.engine_pool import WeightsKey
from llmeval.models.local.memory import SPARE, available, fit_together, weights_size
from llmeval.runner.execute import execute
from llmeval.runner.options import Options
from llmeval.runner.plan import plan
from llmeval.suite.loader import load_suite
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite


def test_the_candidate_is_done_before_the_judge_is_asked(tmp_path: Path) -> None:
    def handler(body: dict[str, Any], earlier: int) -> Any:
        if body["model"] == "cand" and "number 3?" in body["messages"][-1]["content"]:
            return 400, {"error": "no"}, {}
        return answer(body)

    with serve(handler) as endpoint:
        options = Options(out=tmp_path / "run", use_cache=False, concurrency=2)
        planned = plan(load_suite(write_suite(tmp_path, endpoint.url, 20)), options)
        outcome = execute(dataclasses.replace(planned, in_turn=True), options)
        asked = [body["model"] for body in endpoint.requests]
    assert asked == ["cand"] * 20 + ["judge"] * 19
    counts = finish(Run(outcome.run.path)).summary.counts
    assert (counts.cases, counts.passed, counts.failed, counts.errors) == (20, 15, 4, 1)


def weights(folder: Path, *shapes: tuple[int, ...]) -> Path:
    folder.mkdir()
    tensors = {
        str(i): {"dtype": "BF16", "shape": shape, "data_offsets": [0, 0]}
        for i, shape in enumerate(shapes)
    }
    header = json.dumps({"__metadata__": {"format": "pt"}, **tensors}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    return folder


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4 * 1050), ("bfloat16", 2 * 1050)])
def test_the_size_of_weights_is_that_of_their_type_in_memory(
    tmp_path: Path, dtype: str, size: int
) -> None:
    assert weights_size(weights(tmp_path / "m", (10, 100), (50,)), dtype) == size


def test_what_fits_together(tmp_path: Path) -> None:
    one = WeightsKey(weights(tmp_path / "a", (1000,)), "float32", "cpu")
    other = WeightsKey(weights(tmp_path / "b", (1000,)), "float32", "cpu")
    both = int(2 * SPARE * 4000)
    assert fit_together([one, other], both)
    assert not fit_together([one, other], both - 1)
    assert fit_together([one, one], both - 1), "the same weights are loaded once"
    assert fit_together([one, dataclasses.replace(other, device="cuda:0")], both // 2), (
        "each has a device of its own"
    )
    assert available("cpu") > 2**20
