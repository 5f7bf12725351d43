"""The interface of what keeps replies: the cache of this machine, or a store on a server."""

from typing import Protocol

from llmeval.models.base import Reply
from llmeval.models.client.cache import CachedReply


class ReplyStore(Protocol):
    """Replies by key. `since`: see `client.cache`."""

    run: str
    """The id of the run that uses this object."""
    warning: str | None
    """What went wrong with it, for the end of the run."""
    is_remote: bool
    """Whether `claim` waits for a server."""

    def get(self, key: bytes, since: float) -> CachedReply | None:
        """A reply that can be read at once."""
        ...

    async def read(self, key: bytes, since: float) -> CachedReply | None:
        """A reply, if there is one."""
        ...

    async def claim(self, key: bytes, since: float) -> CachedReply | None:
        """The reply of another process, after a wait if it is still making the call. None: this
        process makes the call, and then calls `put`, `release` or both.
        """
        ...

    def check(self) -> None:
        """Raises StoreError: the store was lost since the claim, so a reply could not be stored."""
        ...

    async def put(self, key: bytes, reply: Reply, model: str, since: float) -> CachedReply:
        """Store a reply. Returns the stored one: the first stays."""
        ...

    def release(self, key: bytes, since: float) -> None:
        """Give up a claim; without effect after `put`."""
        ...

    def close(self) -> None:
        """Write what is pending, and close."""
        ...
