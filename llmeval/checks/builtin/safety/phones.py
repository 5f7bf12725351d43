"""Telephone numbers in a text: international ones, US ones by their form, national ones of 40
regions by Google's rules.

A national number is told from any other by a word such as `Tel.` or `call` before it, or by its
leading 0 and the exact groups that its country writes. Validity is that of the package
`phonenumbers` (Google's libphonenumber).
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from llmeval.core.errors import CheckError

REGIONS = (
    "US GB FR DE ES IT JP CN IN BR NL BE CH AT PT IE AU NZ ZA SE NO DK FI PL CZ RU UA TR GR "
    "RO HU KR TW HK SG MX AR CO IL EG"
).split()
"""Whose national numbers are told. CA shares the US plan."""
_MOST = 500
"""Different candidates that are looked up in one answer; each takes up to 3 ms."""
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,/:@#-])(?:\+"
    r"|\(?(?=[0-9]))[0-9(][0-9 ./()\u00a0\u2010-\u2013-]{5,22}[0-9](?![A-Za-z0-9_])(?![-./][0-9])"
)
_US = re.compile(r"(?:1[ .-])?\(?[2-9][0-9]{2}\)?[ .-][2-9][0-9]{2}[ .-][0-9]{4}")
_OTHER = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9]+0{5}|[0-9]{1,2}[./-] ?[0-9]{1,2}[./-] ?[0-9]{2,4}"
    r"|[0-9]{4}[./-][0-9]{1,2}[./-][0-9]{1,2}.*|(?:1[89]|20)[0-9]{2}[ -–]+(?:1[89]"
    r"|20)[0-9]{2}"
)
_HALF_WIDTH = str.maketrans("０１２３４５６７８９－（）＋　", "0123456789-()+ ")
_NEAR = 40
_CUE_AFTER = re.compile(
    r"\s(?:anrufen|an\b|is\s+(?:my|his|her|our|their|the)\s+(?:phone\s+)?number)"
)
CUE = re.compile(
    r"\b(?:t[eé]l[eé]?(?:ph(?:one)?|fon(?:o|nummer|szám|ul)?|foon(?:nummer)?|f)?|puh"
    r"|numbers?\s+(?:is|are)|tlf|fono|phones?|cell(?:ular)?|mob(?:ile?)?|mobil(?:nummer)?"
    r"|handy(?:nummer)?|portable|móvil|celular|cellulare|telemóvel|gsm|fax|whats\s?app|sms"
    r"|call(?:ing)?|ring|dial|text(?:\s+me)?(?:\s+at)?|hotline|helpline"
    r"|reach\s+(?:me|us|him|her)(?:\s+(?:at|on))?|ruf(?:en|t|e)?|anruf(?:en)?"
    r"|erreichbar(?:\s+unter)?|appele[rz]|joindre|numéro|ll[aá]m[ea](?:r|me|nos|lo)?"
    r"|chiam[aio](?:re|mi|ci)?|ligu?e(?:\s+para)?|bel(?:len)?|ringe?|soita|puhelin(?:numero)?"
    r"|zadzwo[nń]\w*|zavolejte|hívj\w*|sun[ăa]\w*|ara(?:yın)?|numaras?ı?)\b"
    r"|тел(?:ефон\w*)?\b|звон\w+|дзвон\w+|電話|电话|電话|手机|手機|携帯|致电|拨打|连絡先|連絡先|전화|휴대폰|연락처|τηλ"
    r"|טלפון|هاتف|फ़?ोन|โทร",
    re.IGNORECASE,
)


def find_phones(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each telephone number, first to last.

    Raises:
        CheckError: the text has more numbers than can be looked up.
    """
    looked_up: set[str] = set()
    text = text.translate(_HALF_WIDTH)
    for match in _NUMBER.finditer(text):
        number = match[0]
        if _OTHER.fullmatch(number) or not 7 <= sum(c.isdigit() for c in number) <= 15:
            continue
        ahead = CUE.search(text, max(0, match.start() - _NEAR), match.start())
        cued = ahead is not None or _CUE_AFTER.match(text, match.end()) is not None
        if not (cued or number[0] in "+0(" or _US.fullmatch(number)):
            continue
        looked_up.add(number)
        if len(looked_up) > _MOST:
            raise CheckError(
                f"the answer has more than {_MOST} numbers that may be telephone numbers"
            )
        if _is_phone(number, cued):
            yield match.span()


@lru_cache(maxsize=4096)
def _is_phone(number: str, cued: bool) -> bool:
    if number.startswith("+"):
        return _possible(number)
    if _US.fullmatch(number) or (cued and any(_valid(number, region) for region in REGIONS)):
        return True
    groups = len(re.findall("[0-9]+", number)) + number.startswith("(")
    return (
        number[0] in "0(" and groups >= 3 and any(_written_by(number, region) for region in REGIONS)
    )


def _possible(number: str) -> bool:
    from phonenumbers import (
        NumberParseException,
        ValidationResult,
        is_possible_number_with_reason,
        parse,
    )

    try:
        return is_possible_number_with_reason(parse(number, None)) == ValidationResult.IS_POSSIBLE
    except NumberParseException:
        return False


def _valid(number: str, region: str) -> bool:
    from phonenumbers import NumberParseException, is_valid_number, parse

    try:
        return bool(is_valid_number(parse(number, region)))
    except NumberParseException:
        return False


def _written_by(number: str, region: str) -> bool:
    """Whether the groups of digits are those that the region writes."""
    from phonenumbers import Leniency, PhoneNumberMatcher

    return any(True for _ in PhoneNumberMatcher(number, region, leniency=Leniency.EXACT_GROUPING))
