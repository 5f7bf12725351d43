"""Whether waiting helps after a refusal. A limit per minute passes while a run waits. A quota per
day, or an account without credit, does not.

Endpoints word this in many ways. `tests/models/refusals.yaml` is a table of bodies, each with its
source and verdict. Three rules give the order:

1. Fields and codes that name one kind decide (`quotaId: ...PerDay...`, `insufficient_quota`).
2. The first period that the words name decides. "free-models-per-day. Add credits to unlock 1000
   requests per day" is a quota per day. "Limit 30000 tokens per min. Add a payment method at
   .../billing" is a limit per minute.
3. Words about money last. Words about a quota without a period last, unless the endpoint states a
   short wait: Gemini says "you exceeded your current quota" of its limits per minute as well.
"""

import re
from collections.abc import Iterator, Mapping

LASTING = 600.0
"""Seconds. A longer wait ends the run, because every case would wait as long."""

_CODES = frozenset(
    [
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",  # OpenAI, Azure
        "account_deactivated",
        "usage_limit_reached",
        "spending_limit_reached",
        "exceeded_current_quota_error",  # Moonshot
        "insufficient_balance",
        "insufficient_credits",
        "not_enough_balance",
        "payment_required",
        "credits_exhausted",
        "out_of_credits",
        "credit_limit_reached",
        "billing_error",
        "quota_exhausted",
        "daily_limit_exceeded",
        "dailylimitexceeded",  # Google
        "arrearage",
        "allocationquota.freetieronly",
        "free_tier_exhausted",  # Alibaba
        "accountoverdueerror",
        "setlimitexceeded",  # ByteDance
        "budget_exceeded",  # LiteLLM
    ]
)
"""Values of `code`, `type`, `status` or `reason` for an account whose credit or
quota is used up.
"""
_NAMED = frozenset(
    [
        "code",
        "type",
        "status",
        "reason",
        "error_code",
        "errorcode",
        "errortype",
        "__type",
    ]
)


def _any(*patterns: str) -> str:
    return "|".join(patterns)


_EACH = r"(?:per|by|\b(?:a|each|every))[\s_-]?"
_LONG_PERIOD = _any(
    _EACH + r"(?:calendar[\s_-]?)?(?:day|week|month|year|billing)",
    r"/\s?(?:1\s?)?(?:day|week|month|year|d)\b",
    r"(?<![a-z])(?:daily|weekly|monthly|yearly|annual)(?![a-z])",
    r"\b[tr]p[dw]\b",
    r"\b24\s?-?h(?:ours?|rs?)?\b",
    r"per\s?86400",
    r"\b(?:for|quota|limit|usage)\s+(?:today|this\s+(?:week|month))\b",
    r"\b(?:tomorrow|midnight|next\s+(?:day|week|month|billing))\b",
    r"每日|每天|当日|当天|今日|今天|每月|本月|每周|日限|一日|1日|月間|毎日|毎月|일일|하루",
    r"täglich|tages(?:kontingent|limit)|monats(?:kontingent|limit)|pro\s+(?:tag|monat)",
    r"journali[eè]r|quotidien|mensuel|\bpar\s+(?:jour|mois)",
    r"\bdiari[oa]|\bmensual|\bpor\s+(?:d[ií]a|mes)|giornalier|mensile|al\s+giorno",
    r"суточн|в\s+(?:день|сутки|месяц)",
)
_SHORT_PERIOD = _any(
    _EACH + r"(?:\d+\s?)?(?:min(?:ute)?s?|sec(?:ond)?s?)(?![a-z])",
    r"/\s?(?:\d+\s?)?(?:min(?:ute)?|sec(?:ond)?|s|m)\b",
    r"(?:last|within|past)\s+(?:the\s+)?(?:last\s+)?(?:\d+\s?)?(?:minute|second)",
    r"per\s?60\s?s|perminute|persecond|byminute|bysecond",
    r"\b[trqi]p[ms]\b|\bqp[ms]\b|[tr]pm(?:exceeded|limit)|ratequota",
    r"concurren|parallel\s+request|simultaneous|in[\s-]flight",
    r"每分钟|每秒|并发|1分|毎分|分間|분당|pro\s+(?:minute|sekunde)",
    r"par\s+(?:minute|seconde)|por\s+(?:minuto|segundo)|al\s+minuto|в\s+(?:минуту|секунду)",
)
_PERIOD = re.compile(rf"(?P<long>{_LONG_PERIOD})|(?P<short>{_SHORT_PERIOD})")
_THING = r"(?:credits?|balance|funds?|prepayment|wallet)"
_GONE = (
    r"(?:too\s+low|exhausted|used\s+up|depleted|insufficient|negative|exceeded|expired|required"
    r"|zero|over)"
)
_MONEY = re.compile(
    _any(
        rf"(?:insufficient|not[\s_-]+enough)[\s_-]+(?:\w+\s+)?{_THING}",
        rf"\bout\s+of\s+(?:\w+\s+)?{_THING}|\bno\s+(?:\w+\s+)?{_THING}",
        rf"{_THING}\b[^.]{{0,40}}\b{_GONE}",
        r"(?:used|exhausted|depleted|exceeded|spent|more|additional|purchase|add"
        r"|buy)\b[^.]{0,40}\bcredits?\b",
        r"\bcredit\s+limit|spend(?:ing)?[\s_-]+(?:limit|cap)",
        r"\bbudget\b[^.]{0,40}\b(?:exceeded|exhausted|reached|used\s+up)",
        r"(?:exceed\w*|over|exhausted)[\s_-]+(?:\w+(?:'s)?\s+){0,3}budget",
        r"\barrears\b|overdue|unpaid|past\s+due|payment\s+(?:is\s+)?required",
        r"billing\s+(?:hard\s+)?limit|not\s+active,\s+please\s+check\s+your\s+billing",
        r"余额|欠费|充值|资源包|残高|잔액|guthaben\s+(?:ist\s+)?(?:aufgebraucht|erschöpft)",
        r"cr[ée]dits?\s+(?:épuis|insuffisant|agotad|insuficient)",
    )
)
_USED_UP = (
    r"(?:exceed(?:ed|s|ing)?|exhausted|used\s+up|reached|depleted|consumed|ran\s+out|hit|over"
    r"|violation|surpassed|expired|ended)"
)
_OWNED = (
    r"(?:quota|allowance|usage[\s_-]+limits?|included\s+usage|free[\s_-]+(?:tier|trial|plan)|trial"
    r"|hard\s+limit|subscription|plan(?:'s)?\s+limit)"
)
_QUOTA = re.compile(
    _any(
        rf"{_USED_UP}\b[^.]{{0,60}}\b{_OWNED}|{_OWNED}\b[^.]{{0,60}}\b{_USED_UP}",
        r"current\s+quota|insufficient[\s_-]+quota|quota[\s_-]?exceeded"
        r"|\bno\s+(?:remaining\s+)?quota",
        r"out\s+of\s+(?:\w+\s+){0,3}quota|check\s+your\s+plan|upgrade\s+your\s+plan",
        r"额度|配额|(?:kontingent|quota)\s+(?:ist\s+)?(?:aufgebraucht|erschöpft|überschritten)",
        r"(?:cuota|quota)\s+(?:agotad|superad|excedid|dépass|épuis|esaurit)|квот",
    )
)
_USAGE_LIMIT = re.compile(r"reached\s+your\s+(?:\w+\s+){0,3}usage\s+limit")
_MOMENTARY = re.compile(
    r"\(e\.g\. check quota\)|please\s+(?:try|retry)\s+(?:again\s+)?(?:shortly|later|soon)"
)
"""Vertex AI says of a shared pool that is busy: "Resource has been exhausted (e.g. check
quota)"."""
_ADDRESS = re.compile(r"https?://\S+")
_SKIPPED = frozenset(
    [
        "input",
        "url",
        "link",
        "links",
        "help",
        "documentation_url",
        "request_id",
        "user_id",
    ]
)
"""Fields that say nothing about the limit: some servers repeat the request in `input`."""
_DEPTH, _LONGEST_TEXT = 8, 8_000


def lasts(status: int, body: object, text: str, wait: float | None) -> bool:
    """Whether waiting some minutes can't help, so that the run should end.

    Args:
        status: the HTTP status.
        body: the reply's JSON, or None.
        text: the body as text, used if it is not JSON.
        wait: the wait in seconds that the endpoint states; None without one.
    """
    if any(code in _CODES for code in _codes(body, _DEPTH)) or status == 402:
        return True
    if status not in (403, 429, 503, 529):
        return status in (400, 401, 404, 412) and _empty_account(words(body, text))
    if wait is not None and wait > LASTING:
        return True
    periods = {period for quota in _quota_ids(body, _DEPTH) for period in _periods(quota)}
    message = words(body, text)
    if periods or (periods := set(_periods(message)[:1])):
        return "long" in periods and (status != 403 or _limits(message))
    if status in (503, 529):
        return False
    return _MONEY.search(message) is not None or (wait is None and _spent(message))


def words(body: object, text: str) -> str:
    """All texts of a body in lower case, without addresses: some endpoints write "upgrade at
    .../billing" into every refusal.
    """
    message = " \n".join(_texts(body, _DEPTH)) if body is not None else text
    return _ADDRESS.sub(" ", message[:_LONGEST_TEXT]).lower()


def _empty_account(message: str) -> bool:
    """Whether the words name the account's money or its usage limit. Other words do not count for a
    status that has other causes as well."""
    return _MONEY.search(message) is not None or _USAGE_LIMIT.search(message) is not None


def _limits(message: str) -> bool:
    """Whether the refusal is about a limit at all: a 403 is mostly about permissions."""
    return re.search(r"limit|quota|exceed|exhaust", message) is not None


def _spent(message: str) -> bool:
    return _QUOTA.search(message) is not None and _MOMENTARY.search(message) is None


def _periods(message: str) -> list[str]:
    """`long` or `short` for each period named, in the order named."""
    return [str(match.lastgroup) for match in _PERIOD.finditer(message.lower())]


def _codes(value: object, depth: int) -> Iterator[str]:
    for key, inner in _pairs(value, depth):
        if key in _NAMED and isinstance(inner, str):
            yield inner.lower()


def _quota_ids(value: object, depth: int) -> Iterator[str]:
    """Gemini and other Google APIs name the quota that was exceeded: `quotaId`, `quota_limit`."""
    for key, inner in _pairs(value, depth):
        if key in ("quotaid", "quota_limit", "quotalimit") and isinstance(inner, str):
            yield inner


def _pairs(value: object, depth: int) -> Iterator[tuple[str, object]]:
    if depth == 0:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key).lower(), inner
            yield from _pairs(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value[:50]:
            yield from _pairs(inner, depth - 1)


def _texts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        for key, inner in value.items():
            if str(key).lower() not in _SKIPPED:
                yield from _texts(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value[:50]:
            yield from _texts(inner, depth - 1)
