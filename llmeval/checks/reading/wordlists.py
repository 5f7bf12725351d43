"""Lists of words, written as people read them."""


def word_set(words: str) -> frozenset[str]:
    """A set of words, written in one string."""
    return frozenset(words.split())
