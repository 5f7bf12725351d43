"""Times of the day: 19:30, 7:30 p.m., half past seven, halb acht, noon, 1730 hours, with time
zones."""

from typing import NamedTuple

import regex

from llmeval.checks.facts.spoken_times import spoken_times

DAY = 24 * 60


class Time(NamedTuple):
    """Minutes after midnight at [start, end) of the text.

    `half`: whether it is known which half of the day is meant. `zone`: minutes ahead of UTC, None
    where none is given.
    """

    minutes: int
    half: bool
    zone: int | None
    start: int
    end: int


_ZONES = {
    "utc": 0,
    "gmt": 0,
    "z": 0,
    "wet": 0,
    "bst": 60,
    "cet": 60,
    "mez": 60,
    "cest": 120,
    "mesz": 120,
    "eet": 120,
    "eest": 180,
    "msk": 180,
    "ist": 330,
    "jst": 540,
    "kst": 540,
    "est": -300,
    "edt": -240,
    "et": -300,
    "cst": -360,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
    "pt": -480,
    "aest": 600,
    "aedt": 660,
}
_ZONE = (
    r"(?:\s?\(?(?P<zone>utc|gmt|z|wet|bst|cest|cet|mesz|mez|eest|eet|msk|ist|jst|kst|est|edt|et"
    r"|cst|cdt|mst|mdt|pst|pdt|pt|aest|aedt)?(?P<offset>[+−-]\d{1,2}(?::?\d{2})?)?\)?(?![\p{L}\d])"
    r")?"
)
_HALF = (
    r"(?P<half>a\.?\s?m\b\.?|p\.?\s?m\b\.?|(?:in\sthe\s|at\s)(?:morning|afternoon|evening|night)"
    r"|morgens|vormittags|nachmittags|abends|nachts|du\smatin|de\sl['’]après-midi|du\ssoir"
    r"|de\sla\s(?:mañana|tarde|noche)|di\s(?:mattina|pomeriggio|sera)|da\s(?:manhã|tarde|noite)"
    r"|['’]s\s(?:ochtends|middags|avonds))"
)
_CLOCK = regex.compile(
    rf"(?<![\d.,:])(?P<hour>2[0-4]|[01]?\d)(?!\d)(?:(?P<mark>[:.h]|\sh\s)(?P<minute>[0-5]\d)"
    rf"(?::[0-5]\d)?)?"
    rf"(?:\s?(?:(?P<unit>uhr|o['’]?\s?clock|heures?|h(?=\s|$|[.,;])|horas?|ore"
    rf"|uur)))?(?:\s?{_HALF})?{_ZONE}",
    regex.IGNORECASE,
)
_MILITARY = regex.compile(
    r"(?<!\d)(?P<hour>[01]\d|2[0-4])(?P<minute>[0-5]\d)\s?(?:hours|hrs|h\b|uhr)", regex.IGNORECASE
)
_NAMED = {
    12 * 60: (
        "noon|midday|mittag|mittags|midi|mediodía|mezzogiorno|meio-dia|meio\\sdia|middag"
        "|twelve\\snoon|12\\snoon"
    ),
    0: (
        "midnight|mitternacht|minuit|medianoche|mezzanotte|meia-noite|middernacht|12\\smidnight"
        "|twelve\\smidnight"
    ),
}
_NAMES = regex.compile(
    "|".join(
        rf"(?P<m{minutes}>(?<!\p{{L}})(?:{names})(?!\p{{L}}))" for minutes, names in _NAMED.items()
    ),
    regex.IGNORECASE,
)
_HOURS = {
    word: hour
    for words in (
        "one two three four five six seven eight nine ten eleven twelve",
        "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
        "een twee drie vier vijf zes zeven acht negen tien elf twaalf",
    )
    for hour, word in enumerate(words.split(), start=1)
}
_PARTS = {
    "quarter": 15,
    "a quarter": 15,
    "viertel": 15,
    "kwart": 15,
    "five": 5,
    "ten": 10,
    "twenty": 20,
    "twenty-five": 25,
    "half": 30,
    "fünf": 5,
    "zehn": 10,
    "zwanzig": 20,
}
_HOUR_WORD = rf"(?:{'|'.join(sorted(_HOURS, key=len, reverse=True))}|\d{{1,2}})"
_SPELLED = regex.compile(
    rf"(?<!\p{{L}})(?:(?P<part>half|(?:a\s)?quarter|five|ten|twenty(?:-five)?|viertel|kwart|fünf"
    rf"|zehn|zwanzig|\d{{1,2}})\s(?P<side>past|after|to|before|till|nach|vor|over"
    rf"|voor)\s(?P<at>{_HOUR_WORD})"
    rf"|(?P<before>halb|half)\s(?P<next>{_HOUR_WORD})"
    rf"|(?P<oclock>{_HOUR_WORD})\so['’]?\s?clock|(?P<full>{_HOUR_WORD})\suhr"
    rf"|(?P<spoken>{_HOUR_WORD})[\s-](?P<minutes>thirty|fifteen|forty-five"
    rf"|forty\sfive))(?:\s?{_HALF})?(?!\p{{L}})",
    regex.IGNORECASE,
)
_MINUTES = {"thirty": 30, "fifteen": 15, "forty-five": 45, "forty five": 45}


def times(raw: str) -> list[Time]:
    """Every time of the day in the text, in order."""
    result = [
        *_spoken(raw),
        *(_time(m, int(m["hour"]), int(m["minute"]), sure=True) for m in _MILITARY.finditer(raw)),
        *_in_east_asia(raw),
    ]
    for spelled in (*_named(raw), *_spelled(raw)):
        if all(spelled.end <= t.start or t.end <= spelled.start for t in result):
            result.append(spelled)
    taken = [(t.start, t.end) for t in result]
    for match in _CLOCK.finditer(raw):
        mark = (match["mark"] or "").strip()
        explicit = mark in (":", "h") or match["half"] or match["unit"]
        free = not any(a < match.end() and match.start() < b for a, b in taken)
        if free and explicit and (mark != "." or match["half"] or match["unit"]):
            hour, minute = int(match["hour"]), int(match["minute"] or 0)
            # 09:15, 12:30 and 18:00 are of a clock with 24 hours, 9:15 may be of one with 12.
            sure = hour >= 12 or match["hour"].startswith("0")
            result.append(_time(match, hour, minute, sure=sure))
    return sorted(result, key=lambda t: t.start)


def is_time(raw: str) -> Time | None:
    """The time that the whole text is; None if it is anything else, such as a duration (`2
    horas`)."""
    if _DURATION.fullmatch(raw.strip()):
        return None
    result = times(raw.strip().removeprefix("at ").strip())
    text = raw.strip().removeprefix("at ").strip().rstrip(".")
    if len(result) == 1 and result[0].start == 0 and result[0].end >= len(text):
        return result[0]
    return None


_DURATION = regex.compile(r"\d{1,2}\s?(?:h|heures?|horas?|ore|uur|hours?)", regex.IGNORECASE)


def same_time(result: Time, target: Time) -> bool | None:
    """Whether the two are one time; None where it is open which half of the day the one found is
    in."""
    one, two = result.minutes, target.minutes
    if result.zone is not None and target.zone is not None:
        one, two = (one - result.zone) % DAY, (two - target.zone) % DAY
    if one == two:
        return True
    if one % (DAY // 2) != two % (DAY // 2) or (result.half and target.half):
        return False
    return True if not target.half else None


_LATE_ENDINGS = (
    "afternoon evening atnight nachmittags abends midi soir tarde noche pomeriggio sera noite "
    "middags avonds"
).split()


def _in_half(hour: int, half: str) -> int:
    """The hour of a clock with 24, in the half of the day that the words tell."""
    half = half.casefold().replace(".", "").replace(" ", "")
    if not half:
        return hour
    late = half.startswith("pm") or half.endswith(tuple(_LATE_ENDINGS))
    return hour % 12 + 12 if late else hour % 12


def _spoken(raw: str) -> list[Time]:
    """Times in words, as `spoken_times` reads them."""
    result = []
    for minutes, half, start, end in spoken_times(raw):
        hour = _in_half(minutes // 60, half)
        sure = bool(half) or minutes >= DAY // 2 + 60 or minutes // 60 == 0
        result.append(Time(hour % 24 * 60 + minutes % 60, sure, None, start, end))
    return result


def _time(match: "regex.Match[str]", hour: int, minute: int, *, sure: bool) -> Time:
    groups = match.groupdict()
    half = groups.get("half") or ""
    hour = _in_half(hour, half)
    zone = None
    if groups.get("zone") or groups.get("offset"):
        zone = _ZONES.get((groups.get("zone") or "utc").casefold(), 0) + _offset(
            groups.get("offset")
        )
    return Time((hour % 24) * 60 + minute, sure or bool(half), zone, match.start(), match.end())


def _offset(written: str | None) -> int:
    if not written:
        return 0
    digits = written[1:].replace(":", "")
    minutes = int(digits[:-2]) * 60 + int(digits[-2:]) if len(digits) > 2 else int(digits) * 60
    return minutes if written[0] == "+" else -minutes


def _named(raw: str) -> list[Time]:
    return [
        Time(int((m.lastgroup or "m0")[1:]), True, None, m.start(), m.end())
        for m in _NAMES.finditer(raw)
    ]


_EAST_ASIAN = regex.compile(
    r"(?P<part>午前|午後|上午|下午|晚上|早上|中午|夜|오전|오후)?\s?(?P<hour>\d{1,2}"
    r"|[一二两兩三四五六七八九十]{1,3})\s?[時时点點시](?!间|間)"
    r"(?:(?P<half>半|반)|(?P<quarter>[一三]刻)|\s?(?P<minute>\d{1,2}"
    r"|[一二三四五六七八九十]{1,4})\s?[分분])?"
)
_LATE = frozenset(["午後", "下午", "晚上", "夜", "오후"])


def _in_east_asia(raw: str) -> list[Time]:
    """`午後3時`, `下午3点半`, `오후 3시 30분`."""
    result = []
    for m in _EAST_ASIAN.finditer(raw):
        hour = _han(m["hour"])
        minute = 30 if m["half"] else _han(m["minute"] or "0")
        if m["quarter"]:
            minute = 15 * _han(m["quarter"][0])
        if hour > 24 or minute > 59:
            continue
        hour = hour % 12 + 12 if m["part"] in _LATE else hour
        known = bool(m["part"]) or hour >= 12
        result.append(Time(hour % 24 * 60 + minute, known, None, *m.span()))
    return result


_HAN = {character: n for n, character in enumerate("一二三四五六七八九", start=1)} | {
    "两": 2,
    "兩": 2,
}


def _han(text: str) -> int:
    """A number up to 99 in digits or Han numerals."""
    if text.isdigit() and text.isascii():
        return int(text)
    tens, mark, ones = text.rpartition("十")
    return (10 * _HAN.get(tens, 1) if mark else 0) + _HAN.get(ones, 0)


def _hour(word: str) -> int:
    return int(word) if word.isdigit() else _HOURS[word.casefold()]


def _spelled(raw: str) -> list[Time]:
    result = []
    for m in _SPELLED.finditer(raw):
        if m["part"]:
            part = (
                int(m["part"])
                if m["part"].isdigit()
                else _PARTS[m["part"].casefold().replace("\n", " ")]
            )
            late = m["side"].casefold() in ("past", "after", "nach", "over")
            total = _hour(m["at"]) * 60 + (part if late else -part)
        elif m[
            "before"
        ]:  # half seven is 7:30 in English, halb acht is 7:30 in German and half acht in Dutch
            word = m["next"].casefold()
            english = m["before"].casefold() == "half" and word in _HOURS and _is_english(word)
            total = _hour(word) * 60 + (30 if english else -30)
        elif m["spoken"]:
            total = _hour(m["spoken"]) * 60 + _MINUTES[m["minutes"].casefold().replace("\n", " ")]
        else:
            total = _hour(m["oclock"] or m["full"]) * 60
        result.append(_time(m, (total // 60) % 24, total % 60, sure=False))
    return result


def _is_english(word: str) -> bool:
    return word in "one two three four five six seven eight nine ten eleven twelve".split()
