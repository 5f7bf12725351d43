"""`llmeval cache`: what is kept of earlier calls."""

from typing import Annotated

import typer

from llmeval.cli.common import Json, StoreOption, console, emit

app = typer.Typer(help="Show and delete stored replies (docs/caching.md).", no_args_is_help=True)


@app.command()
def stats(as_json: Json = False) -> int:
    """Show how many replies are stored, of which models, and their size."""
    import datetime

    import msgspec

    from llmeval.core.resources import home
    from llmeval.models.client.cache import Cache

    cache = Cache(home())
    cache_stats = cache.stats()
    cache.close()
    if as_json:
        emit(msgspec.to_builtins(cache_stats))
        return 0
    console().print(
        f"{cache_stats.path}: {cache_stats.replies:,} replies, {cache_stats.bytes / 2**20:.1f} MiB"
    )
    for model, count in cache_stats.models.items():
        console().print(f"  {count:>8,}  {model}", markup=False)
    if cache_stats.oldest is not None:
        oldest = datetime.datetime.fromtimestamp(cache_stats.oldest, datetime.UTC)
        console().print(f"The oldest is from {oldest:%Y-%m-%d %H:%M} UTC.")
    return 0


@app.command()
def prune(
    days: Annotated[
        float, typer.Option(help="Keep replies younger than this many days; 0 deletes all.", min=0)
    ] = 30,
    store: StoreOption = None,
    as_json: Json = False,
) -> int:
    """Delete old replies, of this machine or of a shared store."""
    import time

    from llmeval.core.resources import home
    from llmeval.models.client.cache import Cache

    if store:
        from llmeval.models.client.store_session import StoreSession

        session = StoreSession(store)
        deleted = session.prune(days * 86400)
        session.close()
    else:
        cache = Cache(home())
        deleted = cache.prune(None if days == 0 else int(time.time() - days * 86400))
        cache.close()
    if as_json:
        emit({"deleted": deleted})
    else:
        console().print(f"{deleted:,} replies deleted.")
    return 0


@app.command()
def check(as_json: Json = False) -> int:
    """Read every stored reply, and delete the damaged ones.

    Exit codes: 0 the rest can be read, 3 the file itself is damaged.
    """
    from llmeval.core.resources import home
    from llmeval.models.client.cache import Cache

    cache = Cache(home())
    damaged = cache.damaged()
    cache.remove(damaged)
    replies = cache.stats().replies
    cache.close()
    if as_json:
        emit({"damaged": len(damaged), "replies": replies})
    else:
        console().print(f"{len(damaged):,} damaged replies deleted, {replies:,} can be read.")
    return 0
