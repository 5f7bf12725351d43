"""What a question says of the answer that it wants: several things, a place, an amount."""

from functools import lru_cache

import regex

_COUNT = r"(?:two|three|four|five|six|seven|eight|nine|ten|[2-9])"
_PLURAL = r"\w{3,}(?<!ss|us|is|as|oes|[^s])"
_ASKS_MANY = regex.compile(
    # an order: "list three ...", "name all the ...", "give examples of"
    r"^\W*(?:list|give(?!\sa\b|\san\b|\sthe\s(?:name|year))|enumerate"
    rf"|name\s(?:{_COUNT}|some|several|all|the\s\w+s))\b"
    r"|\b(?:list|examples?|cast)\sof\b|\bmembers\b|\bseveral\b"
    # "what are", "which rivers are", "what kinds of"
    r"|\b(?:what|which|who)\s(?:are|were)\b"
    rf"|\b(?:what|which)\s(?:\w+\s)?{_PLURAL}\s(?:are|were|do|did|have|had|can|could|won|live|make"
    rf"|use|speak)\b"
    r"|\b(?:what|which)\s(?:kinds?|types?|sorts?)\sof\s\w+s\b"
    r"|\bwhat\s(?:\w+\s){0,2}?(?:is|was)\sin\s(?:a|an|the)\b"
    # "which three cities", "3 candidates for"
    rf"|(?:^|\b(?:what|which|who|give)\s(?:are\s|were\s)?)(?:the\s)?{_COUNT}\s(?:\w+\s){{0,2}}?"
    rf"(?!years|days|weeks|months|hours|times){_PLURAL}\b"
    # "countries that begin with"
    rf"|^(?:\w+\s){{1,2}}?\w{_PLURAL}\s(?:that|which|with)\b"
    r"|\b(?:sind|waren|welche|sont|étaient|quels|quelles|cuáles|quiénes|sono|quali|são|quais"
    r"|zijn)\b",
    regex.IGNORECASE,
)
ASKS_PLACE = regex.compile(
    r"\b(?:where|place|city|town|located|address|wo|où|dónde|dove|onde|waar)\b", regex.IGNORECASE
)
ASKS_AMOUNT = regex.compile(r"\bhow\s(?:many|much|long|old|far|tall)\b", regex.IGNORECASE)


@lru_cache(maxsize=4096)
def asks_many(question: str) -> bool:
    """Whether the question asks for several things. Many answers are read with one question."""
    return _ASKS_MANY.search(question) is not None
