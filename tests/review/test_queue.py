"""The queue: what went wrong in its order, mixed with answers drawn at random whose probability is
kept.
"""

from pathlib import Path

import pytest

from llmeval.core.errors import UsageError
from llmeval.review.draw import draws
from llmeval.review.intake import answers_of
from llmeval.review.queue import make_queue, metrics_to_review
from llmeval.review.review_store import RunFolder
from llmeval.store.directory import RunDir
from llmeval.store.labels import AnswerKey
from tests.report.html_samples import sample_run


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(sample_run(tmp_path / "run", 100, hostile=False))


def test_the_random_share_is_drawn_kept_and_mixed_in(run: RunDir) -> None:
    answers = answers_of(run)
    troubled = [key for key, known in answers.items() if known.statuses["correctness"] == "fail"]
    queue = make_queue(run, answers, troubled, ["correctness"], 20)
    (made,) = queue.draws.values()
    assert len(queue.items) == 20 and len(made.drawn) == 4
    assert RunFolder(run).add_draws(queue.draws.values()) == 1
    assert draws(run).keys() == {made.draw_id}
    keys = [item[:2] for item in queue.items]
    assert len(set(keys)) == 20
    undrawn = [key for key in keys if f"{key[1]}:{key[0]}" not in made.drawn]
    assert undrawn == [key for key in troubled if key in undrawn][:16], (
        "the urgent ones keep their order"
    )
    for stratum in made.strata:
        assert stratum.probability == stratum.drawn / stratum.answers
    again = make_queue(run, answers, troubled, ["correctness"], 20)
    assert again.items == queue.items, "every reviewer gets the same queue"
    assert RunFolder(run).add_draws(again.draws.values()) == 0


def test_sampling_is_that_of_the_draw(run: RunDir) -> None:
    queue = make_queue(run, answers_of(run), [], ["correctness"], 10, share=1.0)
    made = queue.draws["correctness"]
    assert len(queue.items) == 10
    for item in queue.items:
        kind, probability = queue.sampling(AnswerKey(item.case_id, item.repeat, "correctness"))
        assert kind == "stratified" and probability in {
            stratum.probability for stratum in made.strata
        }
    assert queue.sampling(AnswerKey(queue.items[0].case_id, 0, "punctuation")) == ("triage", None)


def test_without_a_random_share_nothing_is_drawn(run: RunDir) -> None:
    answers = answers_of(run)
    queue = make_queue(run, answers, list(answers), ["correctness"], 5, share=0)
    assert len(queue.items) == 5 and not queue.draws and not draws(run)


def test_answers_that_nobody_can_vote_on_are_left_out(run: RunDir) -> None:
    answers = answers_of(run)
    lost = [
        key
        for key, known in answers.items()
        if known.statuses.get("correctness") not in ("pass", "fail")
    ]
    queue = make_queue(run, answers, [*lost, ("nobody", 0)], ["correctness"], 5, share=0)
    assert queue.items == ()


@pytest.mark.parametrize(("n", "share"), [(0, 0.2), (5, -0.1), (5, 1.1), (5, float("nan"))])
def test_impossible_queues_are_usage_errors(run: RunDir, n: int, share: float) -> None:
    with pytest.raises(UsageError, match="queue"):
        make_queue(run, {}, [], ["correctness"], n, share)


def test_which_metrics_are_voted_on(run: RunDir) -> None:
    assert metrics_to_review(run) == ("correctness",)
    assert metrics_to_review(run, ["punctuation", "punctuation"]) == ("punctuation",)
    with pytest.raises(UsageError, match="no metric 'style'"):
        metrics_to_review(run, ["style"])
