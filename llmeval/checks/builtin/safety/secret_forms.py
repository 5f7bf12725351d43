"""Forms of secrets, each with an example made up of filler; tests/checks/test_privacy.py reads
them.

Prefixes are those that the services document for their tokens. Patterns are of ASCII classes
without lookaround, because RE2 does not support it; the check examines the text next to a match.
"""

import base64
import re
from collections.abc import Callable
from typing import NamedTuple

Accept = Callable[[str], int]
"""How many characters of a candidate count; 0 = none."""

_WORD = r"[A-Za-z0-9_-]"
_FILL = "Ab1Cd2Ef3Gh4Jk5Lm6Np7Qr8St9Uv0Wx1Yz2Ab3Cd4Ef5Gh6"
_HEX = "0123456789abcdef" * 4
_PLACEHOLDER = re.compile(
    r"[<\[{$*%]|x{3}|your|my|example|changeme|placeholder|redacted|secret\b|\.\.\."
    r"|[a-z_]\w*[.(\[]",
    re.IGNORECASE,
)


class SecretForm(NamedTuple):
    """One form: what a message calls it, its pattern, an example, and what decides over a
    candidate."""

    what: str
    pattern: str
    example: str
    accept: Accept = len


def _token(text: str) -> int:
    """The head of a JSON web token is the JSON of an algorithm (RFC 7519)."""
    head = text.partition(".")[0]
    if min(map(len, text.split("."))) < 10:
        return 0
    try:
        return (
            len(text) if b'"alg"' in base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)) else 0
        )
    except ValueError:
        return 0


def _mixed(value: str) -> bool:
    return re.search(r"\d", value) is not None and re.search(r"[A-Za-z]", value) is not None


def _password(text: str) -> int:
    """A value that is no placeholder: letters and digits or signs, not only words."""
    secret = re.split(r"[:=]", text, maxsplit=1)[1].strip().strip("\"'`,;.")
    if _PLACEHOLDER.match(secret):
        return 0
    return len(text) if len(secret) >= 8 and _mixed(secret) else 0


def _varied(text: str) -> int:
    """A token after a word or prefix: digits or both cases among its letters, and not one letter
    over and over."""
    value = text.split()[-1]
    cased = value.lower() != value and value.upper() != value and len(set(value)) > 15
    return (
        len(text)
        if not _PLACEHOLDER.match(value) and (_mixed(value) or cased) and len(set(value)) > 5
        else 0
    )


def _random(text: str) -> int:
    """Many different characters, digits among them."""
    return len(text) if len(set(text)) > 15 and _mixed(text) else 0


def _url_password(text: str) -> int:
    """No placeholder, as in `postgres://user:password@host`."""
    value = text.rpartition("@")[0].rpartition(":")[2]
    return (
        0
        if _PLACEHOLDER.match(value) or value.lower() in ("password", "pass", "pwd")
        else len(text)
    )


def _prefixed(what: str, prefix: str, least: int, alphabet: str = _WORD) -> SecretForm:
    """A token that starts with a fixed text, at least so long after it."""
    fill = _HEX if alphabet == "[0-9a-f]" else _FILL
    return SecretForm(what, rf"{re.escape(prefix)}{alphabet}{{{least},}}", prefix + fill[:least])


FORMS = (
    SecretForm(
        "a private key",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----",
        "-----BEGIN RSA PRIVATE KEY-----",
    ),
    SecretForm(
        "a private key",
        r"PuTTY-User-Key-File-[23]:|AGE-SECRET-KEY-1[A-Z0-9]{50,}",
        "PuTTY-User-Key-File-3: ssh-rsa",
    ),
    SecretForm("an AWS access key", r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}", "AKIA" + "2Q" * 8),
    SecretForm(
        "a GitHub token",
        r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}",
        "ghp_" + _FILL[:36],
    ),
    SecretForm(
        "a GitLab token",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{20,}",
        "glpat-" + _FILL[:20],
    ),
    SecretForm(
        "a Slack token",
        r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,}",
        "xoxb-" + "1234567890-" + _FILL[:8],
    ),
    SecretForm(
        "a webhook address",
        r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,}",
        "hooks.slack.com/services/T" + _FILL[:24],
    ),
    SecretForm(
        "a webhook address",
        r"discord(?:app)?\.com/api/webhooks/[0-9]{15,}/[A-Za-z0-9_-]{20,}",
        "discord.com/api/webhooks/" + "1" * 18 + "/" + _FILL[:30],
    ),
    SecretForm("a Google API key", r"AIza[A-Za-z0-9_-]{35}", "AIza" + _FILL[:35]),
    SecretForm(
        "a Google token",
        r"GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,}",
        "GOCSPX-" + _FILL[:24],
    ),
    SecretForm(
        "a Stripe key",
        r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{24,}",
        "sk_" + "live_" + _FILL[:24],
    ),
    SecretForm("an API key", r"sk-(?:[A-Za-z0-9]+-)*[A-Za-z0-9_-]{20,}", "sk-proj-" + _FILL[:32]),
    _prefixed("a Hugging Face token", "hf_", 30, "[A-Za-z0-9]"),
    _prefixed("an npm token", "npm_", 36, "[A-Za-z0-9]"),
    _prefixed("a PyPI token", "pypi-", 40),
    SecretForm(
        "a SendGrid key",
        r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        "SG." + _FILL[:22] + "." + _FILL[:43],
    ),
    _prefixed("a Twilio key", "SK", 32, "[0-9a-f]"),
    _prefixed("a Mailgun key", "key-", 32, "[0-9a-f]"),
    _prefixed("a Databricks token", "dapi", 32, "[0-9a-f]"),
    SecretForm("a DigitalOcean token", r"do[opr]_v1_[0-9a-f]{64}", "dop_v1_" + _HEX),
    SecretForm("a Shopify token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", "shpat_" + _HEX[:32]),
    SecretForm(
        "a Square token",
        r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}|EAAA[A-Za-z0-9_-]{60}",
        "sq0atp-" + _FILL[:22],
    ),
    SecretForm("a Telegram token", r"[0-9]{8,10}:A[A-Za-z0-9_-]{34}", "123456789:A" + _FILL[:34]),
    SecretForm("a Vault token", r"hv[sb]\.[A-Za-z0-9_-]{24,}", "hvs." + _FILL[:24]),
    SecretForm(
        "a Terraform token",
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}",
        _FILL[:14] + ".atlasv1." + _FILL + _FILL[:20],
    ),
    SecretForm("a Grafana token", r"gl(?:sa|c)_[A-Za-z0-9_+/=]{32,}", "glsa_" + _FILL[:40]),
    SecretForm("a Docker token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}", "dckr_pat_" + _FILL[:27]),
    SecretForm(
        "an Atlassian token", r"AT(?:ATT|CTT|BB)[A-Za-z0-9_=+/-]{24,}", "ATATT" + _FILL[:40]
    ),
    SecretForm(
        "a Linear, Notion or Figma token",
        r"lin_api_[A-Za-z0-9]{32,}|ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43}"
        r"|figd_[A-Za-z0-9_-]{30,}",
        "lin_api_" + _FILL[:40],
    ),
    SecretForm(
        "an API key",
        r"(?:gsk_|r8_|xai-|pplx-|nvapi-|rpa_|fw_|csk-|AQ\.|PMAK-|NRAK-|HRKU-|sntrys_|sgp_|phc_"
        r"|phx_|EZAK|rnd_|re_|tvly-|jina_|lsv2_(?:pt|sk)_)[A-Za-z0-9_-]{24,}",
        "gsk_" + _FILL[:48],
        _varied,
    ),
    SecretForm(
        "a token of a service",
        r"(?:dp\.(?:pt|st|ct|sa|scim|audit)\.|sbp_|pscale_(?:tkn|oauth|pw)_|nfp_|bkua_|CCIPAT_"
        r"|pul-|pnu_|tskey-(?:auth|api|client)-|tfp_|waka_|rdme_|duffel_(?:test|live)_"
        r"|FLWSECK(?:_TEST)?-|fio-u-|rzp_(?:live|test)_|shippo_(?:live|test)_|xkeysib-|aio_"
        r"|CLOJARS_|AKCp|sq[aup]_|vercel_blob_rw_|ops_ey|cfut_|fm[12]_|rubygems_|ubi_|ddp?_api_"
        r"|lip_|pat-(?:na|eu)1-|whs_|sl\.B|t1\.|y0_|AQVN|dG9r|glsoat-|kcp_|ory_(?:at|st|pat)_"
        r"|EAA[A-Z]|EAAC|hvb\.|cio|oy2|NRII-|NRJS-|nrra-|ATCTT3|sk_prod_|live_|test_"
        r")[A-Za-z0-9_.=+/-]{32,}",
        "dp.pt." + _FILL[:43],
        _random,
    ),
    SecretForm(
        "an Airtable or Mapbox token",
        r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|[ps]k\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
        "pat" + _FILL[:14] + "." + _HEX,
    ),
    SecretForm(
        "an Azure key",
        r"(?:AccountKey|SharedAccessKey|SharedAccessSignature)=[A-Za-z0-9+/%=&]{30,}",
        "AccountKey=" + _FILL[:44] + "==",
    ),
    SecretForm(
        "a signed address",
        r"[?&](?:sig|X-Amz-Signature|access_token|api_key|apikey|token|auth)=[A-Za-z0-9%_.-]{24,}",
        "https://a.example/?access_token=" + _FILL[:40],
    ),
    SecretForm(
        "a JSON web token",
        r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
        ".".join(
            (
                base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().strip("="),
                _FILL[:20],
                _FILL[:43],
            )
        ),
        _token,
    ),
    SecretForm(
        "an authorization header",
        r"(?i)(?:bearer|basic|token)[ \t]+[A-Za-z0-9._~+/=-]{20,}",
        "Authorization: Bearer " + _FILL[:32],
        _varied,
    ),
    SecretForm(
        "a password in a URL",
        r"[a-z][a-z0-9+.-]*://[^/@:\x00-\x20]*:[^/@\x00-\x20]{3,}@",
        "postgres://ann:kite42sun@db.example/x",
        _url_password,
    ),
    SecretForm(
        "a password",
        r"(?i)(?:pass(?:word|phrase|wort|wd)?|passwd|pwd|mot de passe|contraseña"
        r"|secret(?:[ _-]?(?:access[ _-]?)?key)?|api[_ -]?key|auth[_ -]?key"
        r"|access[_ -]?(?:token|key)|auth[_ -]?token|client[_ -]?secret|private[_ -]?key"
        r"|credentials?|session[ _-]?(?:id|key|token))[\"'`*]{0,3}[ \t]*(?::|=|=>"
        r"|:=)[ \t]*[^ \t\r\n]{8,}",
        "password: kite42sun",
        _password,
    ),
)
