"""The order in which people see the checks."""

from llmeval.checks.most_used import LAST_GROUP, MOST_USED, in_order
from llmeval.checks.registry import all_checks


def test_the_most_used_come_first_and_each_check_once() -> None:
    sections = in_order(all_checks().values())
    names = [kind.name for _, kinds in sections for kind in kinds]
    assert names[: len(MOST_USED)] == list(MOST_USED)
    assert sorted(names) == sorted(all_checks())


def test_benchmark_instructions_come_last() -> None:
    sections = in_order(all_checks().values())
    assert [heading for heading, _ in sections][-1] == LAST_GROUP
    assert [heading for heading, _ in sections[1:-1]] == sorted(
        heading for heading, _ in sections[1:-1]
    )


def test_there_are_twenty_each_with_a_purpose() -> None:
    assert len(MOST_USED) == 20
    assert all(MOST_USED.values())
