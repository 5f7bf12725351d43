"""Turns of replies that arrive together."""

import asyncio
from collections.abc import Sequence

from llmeval.models.client.turns import GROUP, Turns


def processed(count: int, cancelled: Sequence[int] = ()) -> list[str]:
    """The order in which `count` replies are scored and the next requests are sent: each by a task
    of its own, as aiohttp does it.
    """
    order: list[str] = []

    async def send(number: int) -> None:
        order.append(f"request {number}")

    async def score(turns: Turns, number: int) -> None:
        await turns.take()
        order.append(f"reply {number}")
        await asyncio.create_task(send(number))

    async def run() -> None:
        turns = Turns()
        tasks = [asyncio.create_task(score(turns, number)) for number in range(count)]
        await asyncio.sleep(0)
        for number in cancelled:
            tasks[number].cancel()
        await asyncio.wait(tasks)

    asyncio.run(run())
    return order


def expected(*groups: Sequence[int]) -> list[str]:
    return [
        f"{what} {number}" for group in groups for what in ("reply", "request") for number in group
    ]


def test_requests_are_sent_before_the_next_group_of_replies_is_scored() -> None:
    numbers = range(2 * GROUP + 1)
    groups = numbers[:GROUP], numbers[GROUP : 2 * GROUP], numbers[2 * GROUP :]
    assert processed(len(numbers)) == expected(*groups)


def test_a_cancelled_task_leaves_its_turn_to_the_next_one() -> None:
    numbers = range(2 * GROUP + 2)
    second = [*numbers[GROUP : GROUP + 1], *numbers[GROUP + 2 : 2 * GROUP + 1]]
    groups = numbers[:GROUP], second, numbers[2 * GROUP + 1 :]
    assert processed(len(numbers), cancelled=[GROUP + 1]) == expected(*groups)
