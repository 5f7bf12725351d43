"""Names of people in a review."""

from llmeval.core.errors import UsageError

MAX_NAME = 100


def checked_name(name: str, option: str) -> str:
    """A person's name without spaces around it.

    Args:
        name: as a person wrote it.
        option: the option of the command line, for the message.

    Raises:
        UsageError: empty, too long, or with characters that can't be seen.
    """
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise UsageError(f"{option} must be a name of 1 to {MAX_NAME} printable characters")
    return name.strip()
