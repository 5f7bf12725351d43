"""Recognizes credentials in configurations of other tools: by the name of a key, by a known form,
and by how random a text is.

It prefers a variable too many to a copied key: whoever imports reads a note and sets the variable.
"""

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from llmeval.checks.builtin.safety.privacy import secret_places
from llmeval.core.redaction import HIDDEN

Replace = Callable[[str, str], str]
"""Takes a credential and the name of its key (`env.NAME`: the variable whose default it is; empty
where it has none). Returns the template in its place.
"""

_TEMPLATE = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\$\{\w+\}|\$[A-Z_][A-Z0-9_]*(?![A-Za-z0-9])"
    r"|data:[\w./+-]*;base64,[A-Za-z0-9+/=]+",
    re.S,
)
_FIRST_MARK, _MARKS = 0xF0000, 60_000
"""Characters of a private plane, which replace templates while a text is examined."""
_ANY_MARK = re.compile("[\U000f0000-\U000ffffd]")
_DEFAULT = re.compile(r"\|\s*default\(\s*(['\"])(?P<value>.*?)\1[^)]*\)\s*")
_STRONG = frozenset(
    "password passwd passphrase passwort pwd secret secrets credential credentials cred creds"
    " authorization apikey cookie jwt bearer token tokens auth".split()
)
_WEAK = frozenset("key keys pass pat sig signature sas otp pin code".split())
_JOINED = re.compile(
    r"(?:api|access|auth|secret|private|client|subscription|session|bearer|refresh|app|user|license"
    r"|service|signing|master|admin|account|webhook|id|x)(?:key|token|secret|pass|auth|cred)s?$"
    r"|(?:password|passwd|passphrase|secret|credentials?|apikey|authorization)$"
)
_NO_CREDENTIAL = frozenset(
    "envar env var variable required type header name file path url uri endpoint prefix limit count"
    " usage max min budget length size location".split()
)
_OTHER_KEYS = frozenset(
    "sort primary foreign partition cache order group row json answer output idempotency max min"
    " status error response language country zip postal area promo source".split()
)
_NO_VALUE = frozenset(
    "none null true false dummy empty unused not-needed no-key no-key-required basic bearer token"
    " string number ollama lm-studio".split()
)
HARMLESS_HEADERS = frozenset(
    "accept accept-encoding accept-language accept-charset cache-control connection content-type"
    " content-length content-encoding host origin pragma referer http-referer user-agent x-title"
    " openai-organization openai-project openai-beta anthropic-version anthropic-beta"
    " x-ms-version x-goog-user-project date te via".split()
)
"""Headers whose values are copied, unless they have a known form of a credential."""
_SCHEMES = frozenset("bearer basic token apikey key digest".split())
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>`]+")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.S
)
_ASSIGNED = re.compile(
    r"(?<![A-Za-z0-9])(?P<name>[A-Za-z_][\w-]{1,60})\\?[\"'`]?\]?\s*"
    r"(?::=|=>|:|(?<![=!<>])=(?!=))\s*"
)
_FLAG = re.compile(r"(?<![\w-])--(?P<name>[A-Za-z][\w-]{1,60})[ \t]+(?=[^-\s])")
_LOGIN = re.compile(
    r"(?<![\w-])(?:-u|--user|--proxy-user)[ =]?[\"']?(?P<value>[^\s\"':]+:[^\s\"']+)"
)
_VALUE = re.compile(
    r"\\?(?P<quote>[\"'`])(?P<quoted>.*?)\\?(?P=quote)"
    r"|(?P<bare>(?:(?:Bearer|Basic|Token)\s+)?[^\s\"'`,;&(){}\[\]]+)",
    re.S | re.I,
)
_LONG_WORD = re.compile(r"[A-Za-z0-9]{16,}")
_LONG_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{16,}")


def words_of(name: str) -> list[str]:
    """The words of a key such as `xApiKey`, `x-api-key` and `X_API_KEY`, in small letters."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", apart) if word]


def names_credential(name: str) -> bool:
    """Whether a key has the name of a credential: `apiKey`, `x-my-cred`, `dbPassword`."""
    words = words_of(name)
    if not words or words[-1] in _NO_CREDENTIAL:
        return False
    if words[-1] in ("tokens", "token") and len(words) > 1 and words[0] in _NO_CREDENTIAL:
        return False  # max_tokens, usage_token
    if words[-1] in _WEAK:
        return not (len(words) > 1 and words[-2] in _OTHER_KEYS)
    return bool(_STRONG.intersection(words)) or _JOINED.search("".join(words)) is not None


def is_random(text: str) -> bool:
    """Whether a part of a text is a long mix of letters and digits, as keys are. Names of models,
    dates, and UUIDs are not.
    """
    for word in _LONG_WORD.findall(text):
        if _changes(word) >= 3 or len(re.findall(r"[a-z][A-Z]", word)) > max(3, len(word) / 5):
            return True
    plain = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", text, flags=re.I)
    return any(
        len(token) >= 32 and _changes(re.sub(r"[+/=_-]", "", token)) >= 8
        for token in _LONG_TOKEN.findall(plain)
    )


def credential_header(name: str, value: str) -> bool:
    """Whether a header may hold a credential: by its name, or because it is none of the well-known
    ones and its value has letters and digits mixed.
    """
    if names_credential(name):
        return is_credential(value, strict=True)
    literal = _ANY_MARK.sub("", mask(value)[0]).strip()
    if name.lower() in HARMLESS_HEADERS or re.fullmatch(r"v?[\d.:-]+\w{0,6}", literal):
        return False
    mixed = any(_changes(word) for word in re.findall(r"\w{6,}", literal))
    return is_random(literal) or (mixed and " " not in literal and "://" not in literal)


def is_credential(value: str, *, strict: bool) -> bool:
    """Whether the value of a key that names a credential is one: no template, no placeholder.

    Args:
        strict: whether a plain word counts too, as in `key: created_at`.
    """
    words = _ANY_MARK.sub(" ", mask(value)[0]).split()
    literal = " ".join(word for word in words if word.lower().strip(":") not in _SCHEMES)
    if literal.lower() in _NO_VALUE or not re.search(r"\w{2,}", literal):
        return False
    return strict or not re.fullmatch(r"[a-z][a-z_ -]*", literal)


def is_weak_name(name: str) -> bool:
    """Whether a name such as `key` also has other uses than for credentials."""
    words = words_of(name)
    return len(words) == 1 and words[0] in _WEAK


def mask(text: str) -> tuple[str, list[str]]:
    """The text with one private character for each template, and the templates."""
    templates: list[str] = []

    def put(match: re.Match[str]) -> str:
        if len(templates) >= _MARKS:
            return match[0]
        templates.append(match[0])
        return chr(_FIRST_MARK + len(templates) - 1)

    return _TEMPLATE.sub(put, _ANY_MARK.sub("", text)), templates


class TextCleaner:
    """Replaces the credentials in one text.

    Args:
        replace: returns the template for a credential.
        named: whether the key of the text names a credential.
        kind: `code` leaves values that are code, such as `key = row.id`; `model` is the name of a
            model, where randomness says nothing; `command` has options and headers; `text` is
            anything else.
    """

    def __init__(self, replace: Replace, kind: str, *, named: bool = False) -> None:
        self._replace, self._named, self._kind = replace, named, kind
        self._templates: list[str] = []

    def cleaned(self, text: str) -> str:
        """The text with a template in place of each credential."""
        masked, self._templates = mask(text)
        named = self._named or re.search(r"(?:bearer|basic|token)\s*\{\{", text, re.I) is not None
        self._templates = [self._without_default(each, named) for each in self._templates]
        masked = _PRIVATE_KEY.sub(lambda match: self._put(match[0], "private_key"), masked)
        masked = _ADDRESS.sub(lambda match: self._hold(self._address(match[0])), masked)
        if self._kind != "model":
            masked = _LOGIN.sub(
                lambda match: match[0].replace(match["value"], self._put(match["value"], "login")),
                masked,
            )
            masked = self._spans(masked, self._assigned(masked))
        masked = self._spans(masked, _known_forms(masked))
        if self._kind in ("text", "command") and not text.startswith("file://"):
            masked = _LONG_TOKEN.sub(lambda match: self._random(match[0], ""), masked)
        return self._shown(masked)

    def _shown(self, masked: str) -> str:
        """The text with its templates."""
        return _ANY_MARK.sub(
            lambda match: self._shown(self._templates[ord(match[0]) - _FIRST_MARK]), masked
        )

    def _hold(self, text: str) -> str:
        """A mark for a text that is examined already."""
        self._templates.append(text)
        return chr(_FIRST_MARK + len(self._templates) - 1)

    def _random(self, text: str, name: str) -> str:
        """A text with its random parts replaced; parts are between slashes, if one of them is
        random by itself.
        """
        if not is_random(text):
            return text
        parts = text.split("/")
        if not any(map(is_random, parts)):
            return self._put(text, name)
        return "/".join(self._put(part, name) if is_random(part) else part for part in parts)

    def _put(self, value: str, name: str) -> str:
        """The mark of the template for a credential; templates inside of the value stay."""
        if not re.search(r"\w", _ANY_MARK.sub("", value)):
            return value
        if _ANY_MARK.search(value):
            return "".join(
                part if _ANY_MARK.fullmatch(part) else self._put(part, name)
                for part in re.split(f"({_ANY_MARK.pattern})", value)
                if part
            )
        return self._hold(self._replace(value, name))

    def _without_default(self, template: str, named: bool) -> str:
        """`{{env.X}}` for `{{env.X | default('...')}}` with a credential in the default."""
        match = _DEFAULT.search(template)
        if match is None or "env" not in template:
            return template
        value, variable = match["value"], re.search(r"env(?:\.|\[['\"])(\w+)", template)
        named = named or names_credential(variable[1] if variable else "")
        if not (named and is_credential(value, strict=True)) and not holds_credential(value):
            return template
        self._replace(value, f"env.{variable[1]}" if variable else "")
        return template[: match.start()] + template[match.end() :]

    def _address(self, text: str) -> str:
        scheme, _, rest = text.partition("://")
        if scheme == "file":
            return text
        end = re.search(r"[/?#]", rest)
        host = rest[: end.start()] if end else rest
        tail = rest[end.start() :] if end else ""
        login, at, host = host.rpartition("@")
        if login:
            user, colon, password = login.partition(":")
            user = self._put(user, "url_user") if user else ""
            login = user + colon + (self._put(password, "url_password") if password else "")
        path, hash_sign, fragment = tail.partition("#")
        path, mark, query = path.partition("?")
        pairs = "&".join(self._pair(pair) for pair in query.split("&"))
        parts = "&".join(self._pair(pair) for pair in fragment.split("&"))
        start = self._spans(f"{host}{path}", _known_forms(f"{host}{path}"))
        start = _LONG_TOKEN.sub(lambda match: self._random(match[0], "url_token"), start)
        return f"{scheme}://{login}{at}{start}{mark}{pairs}{hash_sign}{parts}"

    def _pair(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        plain = unquote(value)
        if not equals or not value:
            return pair
        if (names_credential(unquote(name)) and is_credential(plain, strict=True)) or is_random(
            plain
        ):
            return f"{name}={self._put(value, name)}"
        return pair

    def _assigned(self, text: str) -> Iterator[tuple[int, int, str]]:
        """(start, end, name) of values after a name such as `api_key=`."""
        for pattern in (_ASSIGNED, _FLAG):
            for head in pattern.finditer(text):
                name = head["name"]
                value = _VALUE.match(text, head.end()) if names_credential(name) else None
                if value is None:
                    continue
                group = "bare" if value["quoted"] is None else "quoted"
                literal = value[group]
                if group == "bare" and not self._is_literal(literal):
                    continue
                if not is_credential(literal, strict=not is_weak_name(name)):
                    continue
                scheme = re.match(r"(?:bearer|basic|token)\s+", literal, re.I)
                yield value.start(group) + (scheme.end() if scheme else 0), value.end(group), name

    def _is_literal(self, text: str) -> bool:
        """Whether a value without quotes is one: in code it may be a name, in prose a word."""
        if self._kind == "command":
            return True
        if self._kind == "code" and "." in text:
            return False
        return re.search(r"\d", text) is not None or re.search(r"[^a-z][^.]{11,}", text) is not None

    def _spans(self, text: str, spans: Iterator[tuple[int, int, str]]) -> str:
        """The text with the spans replaced; of two that overlap, the earlier one."""
        parts, at = [], 0
        for start, end, name in sorted(spans):
            if start >= at:
                parts += [text[at:start], self._put(text[start:end], name)]
                at = end
        return "".join([*parts, text[at:]])


def holds_credential(text: str) -> bool:
    """Whether a text has a credential in a known form, or a login in an address."""
    return bool(secret_places(mask(text)[0]))


def without_credentials(text: str, name: str = "") -> str:
    """A text that is shown and not sent, with `***` in place of its credentials.

    Args:
        name: its key, which may say that all of it is one.
    """
    if names_credential(name) and is_credential(text, strict=not is_weak_name(name)):
        return HIDDEN
    return TextCleaner(lambda value, key: HIDDEN, "text").cleaned(text)


def _known_forms(text: str) -> Iterator[tuple[int, int, str]]:
    for start, end, what in secret_places(text):
        span = text[start:end]
        head = None
        if what in ("an authorization header", "a password", "an Azure key", "a signed address"):
            head = re.match(
                r"[^:=]*?(?:bearer|basic|token)[ \t]+|[^:=]*[:=]>?[ \t\"'`*]*", span, re.I
            )
        yield start + (head.end() if head else 0), end, ""


def _changes(text: str) -> int:
    """How often a letter follows a digit, or a digit a letter."""
    return len(re.findall(r"(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]", text))
