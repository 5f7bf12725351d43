"""Turns of replies that arrive together."""

import asyncio

from llmeval.models.client.turns import Turns


async def _process(turns: Turns, number: int, order: list[str]) -> None:
    """A reply is scored, and the next request is sent by a task of its own, as aiohttp does it."""

    async def send() -> None:
        order.append(f"request {number}")

    await turns.take()
    order.append(f"reply {number}")
    await asyncio.create_task(send())


def test_the_next_request_is_sent_before_another_reply_is_scored() -> None:
    async def go() -> list[str]:
        turns, order = Turns(), list[str]()
        await asyncio.gather(*(_process(turns, number, order) for number in range(3)))
        return order

    order = asyncio.run(go())
    assert order == [f"{what} {number}" for number in range(3) for what in ("reply", "request")]


def test_a_cancelled_task_leaves_its_turn_to_the_next_one() -> None:
    async def go() -> list[str]:
        turns, order = Turns(), list[str]()
        tasks = [asyncio.create_task(_process(turns, number, order)) for number in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.wait(tasks)
        await _process(turns, 3, order)
        return order

    order = asyncio.run(go())
    assert order == [f"{what} {number}" for number in (0, 2, 3) for what in ("reply", "request")]
