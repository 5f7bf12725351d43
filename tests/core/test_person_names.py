"""A name that looks like another one, or has what nobody sees, is refused with the code point."""

import pytest

from llmeval.core.errors import UsageError
from llmeval.core.person_names import name_problem, person_name

REFUSED = {
    "zero width": ("ad\u200ba", "U+200B (ZERO WIDTH SPACE), which is invisible"),
    "joiner": ("ada\u200d", "U+200D (ZERO WIDTH JOINER), which is invisible"),
    "bidirectional": ("\u202eada", "U+202E (RIGHT-TO-LEFT OVERRIDE), which is invisible"),
    "isolate": ("ada\u2069", "U+2069 (POP DIRECTIONAL ISOLATE), which is invisible"),
    "soft hyphen": ("a\u00adda", "U+00AD (SOFT HYPHEN), which is invisible"),
    "tag": ("ada\U000e0061", "U+E0061 (TAG LATIN SMALL LETTER A), which is invisible"),
    "filler": ("ada\u3164", "U+3164 (HANGUL FILLER), which is invisible"),
    "grapheme joiner": ("ad\u034fa", "U+034F (COMBINING GRAPHEME JOINER), which is invisible"),
    "variation": ("ada\ufe0f", "U+FE0F (VARIATION SELECTOR-16), which is invisible"),
    "blank Braille": ("ada\u2800", "U+2800 (BRAILLE PATTERN BLANK), which is invisible"),
    "other space": ("ada\u00a0l", "U+00A0 (NO-BREAK SPACE), which is invisible"),
    "control": ("ada\x1b[2K", "U+001B, which is invisible"),
    "line": ("ada\u2028", "U+2028 (LINE SEPARATOR), which is invisible"),
    "private": ("ada\ue000", "U+E000, which is invisible"),
    "surrogate": ("ada\ud800", "U+D800, which is invisible"),
    "Cyrillic in Latin": ("ad\u0430", "U+0430 (CYRILLIC SMALL LETTER A)"),
    "Greek in Latin": ("\u0391da", "U+0391 (GREEK CAPITAL LETTER ALPHA)"),
    "Armenian in Latin": ("\u0561da", "U+0561 (ARMENIAN SMALL LETTER AYB)"),
    "fullwidth": ("\uff41da", "U+FF41 (FULLWIDTH LATIN SMALL LETTER A), which looks like 'a'"),
    "mathematical": ("\U0001d41ada", "U+1D41A (MATHEMATICAL BOLD SMALL A), which looks like 'a'"),
    "ligature": ("\ufb01nn", "U+FB01 (LATIN SMALL LIGATURE FI), which looks like 'fi'"),
    "empty": (" ", "must not be empty"),
    "long": ("a" * 101, "at most 100 characters"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_confusable_name_is_refused_with_its_code_point(kind: str) -> None:
    name, message = REFUSED[kind]
    assert message in name_problem(name)
    with pytest.raises(UsageError, match="--by .*plain letters of one alphabet"):
        person_name(name, "--by")


@pytest.mark.parametrize(
    "name",
    ["Ada Lovelace", "ada@example.org", "Ž. Škoda-Łukasz", "Анна Иванова", "Ελένη", "山田 太郎 (Ops)",
     "عائشة", "नेहा", "O’Brien", "team/qa #2"],
)  # fmt: skip
def test_ordinary_names_are_accepted(name: str) -> None:
    assert person_name(f" {name} ", "--by") == name


def test_two_forms_of_a_letter_are_one_name() -> None:
    assert person_name("Zoe\u0308", "--by") == person_name("Zo\u00eb", "--by") == "Zo\u00eb"
    assert name_problem("\u212aim") == ""  # the sign of kelvin is the letter K in NFC
    assert person_name("\u212aim", "--by") == "Kim"
