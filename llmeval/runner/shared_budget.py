"""The money of one run that several workers spend together."""

import asyncio

from llmeval.core.errors import StoreError
from llmeval.models.client.shared_store import SharedStore
from llmeval.models.client.store_session import Take
from llmeval.runner.budget import Budget


class SharedBudget(Budget):
    """A budget whose `max_cost` counts the spending of all workers of a group.

    Args:
        store: keeps the sum.
        max_calls, max_cost, max_minutes: see `Budget`; calls and minutes are those of this worker.
        group: the name of the run (`LLMEVAL_RUN_GROUP`).
    """

    def __init__(
        self,
        store: SharedStore,
        group: str,
        max_calls: int | None,
        max_cost: float,
        max_minutes: float | None,
    ) -> None:
        super().__init__(max_calls, max_cost, max_minutes)
        self._store, self._group, self._most = store, group, max_cost
        self._unsent = 0.0
        self._sending: asyncio.Task[None] | None = None
        self._note(store.level(self._take(0.0)))

    def spend(self, dollars: float | None, *, of: str | None = None) -> None:
        """See `Budget.spend`. The others learn of it within milliseconds."""
        super().spend(dollars, of=of)
        self._unsent += dollars or 0.0
        if self._unsent and (self._sending is None or self._sending.done()):
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self._unsent:
            amount, self._unsent = self._unsent, 0.0
            try:
                self._note(await self._store.take(self._take(amount)))
            except StoreError as error:
                self.stop(str(error))

    def _take(self, amount: float) -> Take:
        return Take(f"dollars {self._group} {self._most}", amount, 0.0, self._most)

    def _note(self, left: float) -> None:
        if left <= 0:
            self.stop(f"--max-cost {self._most:g} is used up by the workers of {self._group}")
