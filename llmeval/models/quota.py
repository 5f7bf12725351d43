"""Does a refusal last? A limit a minute passes while a run waits; a quota a day, or an empty account, does not.

Endpoints say it in many words. `tests/models/refusals.yaml` has a table of bodies, each with its source and verdict.
Three rules give the order:

1. Fields and codes that name one kind decide (`quotaId: ...PerDay...`, `insufficient_quota`).
2. The first period named in the words decides. "Rate limit exceeded: free-models-per-day. Add credits to unlock 1000
   requests per day" is of a day; "Limit 30000 tokens per min. ... add a payment method at .../billing" is of a minute.
3. Words about money last. Words about a quota without a period last unless the endpoint states a short wait: Gemini
   says "you exceeded your current quota" of its limits a minute as well.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

LASTING = 600.0
"""Seconds. An endpoint that wants to be left alone for longer ends the run: every case would wait as long."""

_CODES = frozenset([
    "insufficient_quota", "billing_hard_limit_reached", "billing_not_active",  # OpenAI, Azure
    "exceeded_current_quota_error", "insufficient_balance", "insufficient_credits",  # Moonshot, DeepSeek and others
    "quota_exhausted", "daily_limit_exceeded", "dailylimitexceeded", "credits_exhausted", "out_of_credits",
    "payment_required", "billing_error", "arrearage", "accountoverdueerror", "budget_exceeded",  # Alibaba, ByteDance, LiteLLM
    "not_enough_balance", "credit_limit_reached", "free_tier_exhausted", "usage_limit_reached",
    "allocationquota.freetieronly", "setlimitexceeded", "account_deactivated", "spending_limit_reached",
])  # fmt: skip
"""Values of `code`, `type`, `status` or `reason` that stand for an account that has nothing left."""
_NAMED = frozenset(["code", "type", "status", "reason", "error_code", "errorcode", "errortype", "__type"])

_LONG_PERIOD = (
    r"(?:per|by|\b(?:a|each|every))[\s_-]?(?:calendar[\s_-]?)?(?:day|week|month|year|billing)|/\s?(?:1\s?)?(?:day|week|month|year|d)\b"
    r"|\b(?:daily|weekly|monthly|yearly|annual)\b|\b[tr]p[dw]\b|\b24\s?-?h(?:ours?|rs?)?\b|per\s?86400"
    r"|\bfor\s+(?:today|this\s+(?:week|month))\b|\bthis\s+(?:month|week)'s\b"
    r"|每日|每天|当日|当天|今日|今天|每月|本月|每周|日限|一日|1日|月間|毎日|毎月|일일|하루"
    r"|täglich|tages(?:kontingent|limit)|monats(?:kontingent|limit)|journali[eè]r|quotidien|mensuel|\bpar\s+(?:jour|mois)"
    r"|\bdiari[oa]|\bmensual|\bpor\s+(?:d[ií]a|mes)|giornalier|mensile|суточн|в\s+(?:день|сутки|месяц)"
)
_SHORT_PERIOD = (
    r"(?:per|by|\b(?:a|each|every))[\s_-]?(?:\d+\s?)?(?:min(?:ute)?s?|sec(?:ond)?s?)(?![a-z])|per\s?60\s?s|/\s?(?:\d+\s?)?(?:min(?:ute)?|sec(?:ond)?|s|m)\b"
    r"|perminute|persecond|byminute|bysecond|\b[trqi]p[ms]\b|\bqp[ms]\b|[tr]pm(?:exceeded|limit)|ratequota"
    r"|concurren|parallel\s+request|simultaneous|in[\s-]flight|每分钟|每秒|并发|1分|毎分|分間|분당|pro\s+(?:minute|sekunde)"
    r"|par\s+(?:minute|seconde)|por\s+(?:minuto|segundo)|в\s+(?:минуту|секунду)"
)
_PERIOD = re.compile(rf"(?P<long>{_LONG_PERIOD})|(?P<short>{_SHORT_PERIOD})")
_THING = r"(?:credits?|balance|funds?|prepayment|wallet)"
_MONEY = re.compile(
    rf"insufficient[\s_-]+(?:\w+\s+)?{_THING}|not[\s_-]+enough[\s_-]+(?:\w+\s+)?{_THING}|\b(?:out|run\s+out)\s+of\s+(?:\w+\s+)?{_THING}"
    rf"|\bno\s+(?:\w+\s+)?{_THING}|{_THING}\b[^.]{{0,40}}\b(?:too\s+low|exhausted|used\s+up|depleted|insufficient|negative|exceeded|expired|required|zero|over)"
    rf"|(?:used|exhausted|depleted|exceeded|spent|more|additional|purchase|add|buy)\b[^.]{{0,40}}\bcredits?\b|\bcredit\s+limit"
    r"|spend(?:ing)?[\s_-]+(?:limit|cap)|\bbudget\b[^.]{0,40}\b(?:exceeded|exhausted|reached|used\s+up)|(?:exceed\w*|over|exhausted)[\s_-]+(?:\w+\s+){0,3}budget"
    r"|\bin\s+arrears|\barrears\b|overdue|unpaid|past\s+due|payment\s+(?:is\s+)?required|billing\s+(?:hard\s+)?limit|not\s+active,\s+please\s+check\s+your\s+billing"
    r"|余额|欠费|充值|资源包|残高|잔액|guthaben\s+(?:ist\s+)?(?:aufgebraucht|erschöpft)|cr[ée]dits?\s+(?:épuis|insuffisant|agotad|insuficient)"
)
_USED_UP = r"(?:exceed(?:ed|s|ing)?|exhausted|used\s+up|reached|depleted|consumed|ran\s+out|hit|over|violation|surpassed|expired|ended)"
_OWNED = r"(?:quota|allowance|usage[\s_-]+limits?|free[\s_-]+(?:tier|trial|plan)|trial|hard\s+limit|subscription|plan(?:'s)?\s+limit)"
_QUOTA = re.compile(
    rf"{_USED_UP}\b[^.]{{0,60}}\b{_OWNED}|{_OWNED}\b[^.]{{0,60}}\b{_USED_UP}|current\s+quota|insufficient[\s_-]+quota|quota[\s_-]?exceeded"
    r"|out\s+of\s+(?:\w+\s+){0,3}quota|no\s+(?:remaining\s+)?quota|check\s+your\s+plan|upgrade\s+your\s+plan"
    r"|额度|配额|(?:kontingent|quota)\s+(?:ist\s+)?(?:aufgebraucht|erschöpft|überschritten)|(?:cuota|quota)\s+(?:agotad|superad|excedid|dépass|épuis|esaurit)|квот"
)
_MOMENTARY = re.compile(r"\(e\.g\. check quota\)|please\s+(?:try|retry)\s+(?:again\s+)?(?:shortly|later|soon)")
"""Vertex AI says of a shared pool that is busy: "Resource has been exhausted (e.g. check quota)"."""
_ADDRESS = re.compile(r"https?://\S+")
_SKIPPED = frozenset(["input", "url", "link", "links", "help", "documentation_url", "request_id", "user_id"])
"""Fields that say nothing about the limit: some servers repeat the request in `input`."""
_DEPTH, _LONGEST_TEXT = 8, 8_000


def lasts(status: int, body: Any, text: str, wait: float | None) -> bool:
    """Whether no wait of minutes helps, so that the run should end.

    Args:
        status: of HTTP.
        body: the reply's JSON, or None.
        text: the body as text, used where it is no JSON.
        wait: seconds that the endpoint asks to wait for, where it does.
    """
    if any(code in _CODES for code in _codes(body, _DEPTH)) or status == 402:
        return True
    if status not in (403, 429, 503, 529):
        return status in (400, 401, 404, 412) and _empty_account(words(body, text))
    if wait is not None and wait > LASTING:
        return True
    periods = {period for quota in _quota_ids(body, _DEPTH) for period in _periods(quota)}
    said = words(body, text)
    if periods or (periods := set(_periods(said)[:1])):
        return "long" in periods and (status != 403 or _limits(said))
    if status in (503, 529):
        return False
    return _MONEY.search(said) is not None or (wait is None and _spent(said))


def words(body: Any, text: str) -> str:
    """Everything a body says, in lower case, without addresses: "upgrade at .../billing" is in every refusal of some."""
    said = " \n".join(_texts(body, _DEPTH)) if body is not None else text
    return _ADDRESS.sub(" ", said[:_LONGEST_TEXT]).lower()


def _empty_account(said: str) -> bool:
    """Of statuses that have other causes as well: only words that name the account's money or its usage limit."""
    return (
        _MONEY.search(said) is not None or re.search(r"reached\s+your\s+(?:\w+\s+){0,3}usage\s+limit", said) is not None
    )


def _limits(said: str) -> bool:
    """Whether it is about a limit at all: a 403 is mostly about permissions."""
    return re.search(r"limit|quota|exceed|exhaust", said) is not None


def _spent(said: str) -> bool:
    return _QUOTA.search(said) is not None and _MOMENTARY.search(said) is None


def _periods(said: str) -> list[str]:
    """`long` or `short` for each period named, in the order named."""
    return [str(match.lastgroup) for match in _PERIOD.finditer(said.lower())]


def _codes(value: Any, depth: int) -> Iterator[str]:
    for key, inner in _pairs(value, depth):
        if key in _NAMED and isinstance(inner, str):
            yield inner.lower()


def _quota_ids(value: Any, depth: int) -> Iterator[str]:
    """Gemini and other Google APIs name the quota that was exceeded: `quotaId`, `quota_limit`."""
    for key, inner in _pairs(value, depth):
        if key in ("quotaid", "quota_limit", "quotalimit") and isinstance(inner, str):
            yield inner


def _pairs(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if depth == 0:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key).lower(), inner
            yield from _pairs(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value[:50]:
            yield from _pairs(inner, depth - 1)


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        for key, inner in value.items():
            if str(key).lower() not in _SKIPPED:
                yield from _texts(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value[:50]:
            yield from _texts(inner, depth - 1)
