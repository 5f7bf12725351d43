"""Names of people who approve, review or acknowledge: two names that look alike must not count as
two people. `person_key` says which spellings are one person.

A name is refused if it contains a character that nobody sees, or that looks like another one:

- controls, format characters (zero width, bidirectional), surrogates, private and unassigned code
  points, and separators other than a space (general categories of Unicode);
- letters that fill space, and variation selectors;
- compatibility forms: what NFKC replaces, such as fullwidth letters;
- letters of two alphabets that share shapes, such as Latin and Cyrillic, in one name.

A name that is wholly of another alphabet is accepted, also if it looks like a Latin one.
"""

import unicodedata

from llmeval.core.errors import UsageError

MAX_LENGTH = 100
"""Characters of a name."""
_HIDDEN_CATEGORIES = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
_BLANK_CHARACTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATION_SELECTORS = frozenset(
    chr(point)
    for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for point in range(first, last + 1)
)
_LOOKALIKE_ALPHABETS = frozenset(
    ["LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE", "LISU", "DESERET"]
)


def name_problem(name: str) -> str:
    """Why a text can't be the name of a person, with the code point; empty if it can."""
    if not name.strip():
        return "must not be empty"
    if len(name) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters"
    composed = unicodedata.normalize("NFC", name)
    alphabets: dict[str, str] = {}
    for character in composed:
        if _is_invisible(character):
            return f"contains {_code_point(character)}, which is invisible"
        plain = unicodedata.normalize("NFKC", character)
        if plain != character:
            return f"contains {_code_point(character)}, which looks like {plain!a}"
        alphabet = unicodedata.name(character, "").partition(" ")[0]
        if character.isalpha() and alphabet in _LOOKALIKE_ALPHABETS:
            alphabets.setdefault(alphabet, character)
    if len(alphabets) > 1:
        letters = " and ".join(_code_point(each) for each in list(alphabets.values())[:2])
        return f"mixes alphabets whose letters look alike: {letters}"
    return ""


def person_name(name: str, option: str) -> str:
    """A name without spaces at its ends, composed (NFC).

    Args:
        name: the text. option: where it was stated, such as `--by`.

    Raises:
        UsageError: it is empty or too long, or has an invisible or confusable character.
    """
    problem = name_problem(name)
    if problem:
        raise UsageError(f"{option} {problem}. Write the name in plain letters of one alphabet")
    return unicodedata.normalize("NFC", name.strip())


def person_key(name: str) -> str:
    """The same text for all spellings of a name that differ in capitals, Unicode form or spaces
    alone (Unicode 3.13, D146: compatibility caseless matching). It is compared, not shown.
    """
    text = unicodedata.normalize("NFD", name)
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    return " ".join(text.split())


def _is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    return (
        category in _HIDDEN_CATEGORIES
        or (category == "Zs" and character != " ")
        or character in _BLANK_CHARACTERS
        or character in _VARIATION_SELECTORS
    )


def _code_point(character: str) -> str:
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}" + (f" ({name})" if name else "")
