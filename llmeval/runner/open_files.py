"""How many connections a run may hold open: the system limits the open files of a process."""

RESERVED = 40
"""Open files of a run apart from its connections: records, cache, history, event loop."""
_WANTED = 65_536


def connections_allowed(pools: int) -> int | None:
    """Connections that each of several pools may hold at the same time, at least 1.

    A soft limit (`ulimit -Sn`) is first raised as far as the hard limit allows.

    Args:
        pools: how many models have their own connections.

    Returns:
        None where the system has no limit.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
        except (OSError, ValueError):  # a sandbox may refuse it
            pass
    if soft == resource.RLIM_INFINITY:
        return None
    return max(1, (soft - RESERVED) // max(1, pools))
