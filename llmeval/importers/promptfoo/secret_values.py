"""Credentials that are written into a promptfoo configuration. They are replaced before anything
else reads the configuration, so that no file, name, note or message can have them.

Prompts and variables are data and stay. So do the values of assertions, which say what an answer
has; code in them does not.
"""

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from llmeval.core.redaction import HIDDEN, hide, redact
from llmeval.importers.credentials import (
    HARMLESS_HEADERS,
    TextCleaner,
    credential_header,
    holds_credential,
    is_credential,
    is_random,
    is_weak_name,
    names_credential,
    words_of,
)
from llmeval.importers.ledger import Ledger, SourcePlace
from llmeval.importers.promptfoo.templates import quoted_templates
from llmeval.importers.promptfoo.vendors import ALIASES, VENDORS
from llmeval.importers.writing import Imported
from llmeval.suite.yaml_file import Document, Path

_DATA = ("vars", "providerOutput", "prefix", "suffix")
_CODE_KEYS = (
    "transform",
    "postprocess",
    "transformVars",
    "transformResponse",
    "responseParser",
    "transformRequest",
    "contextTransform",
)
_SHOWN = ("description", "label", "metadata", "metric", "displayName", "tags")
"""Texts that a suite shows and does not send: a variable there would only have to be set."""
_SETTINGS = (
    "config",
    "provider",
    "providers",
    "targets",
    "env",
    "redteam",
    "extensions",
    "options",
)
_CODE_TYPES = ("python", "javascript", "ruby")
_NAME_KEYS = frozenset(
    "id model modelName deployment deploymentName deploymentId version revision name region project"
    " projectId location pattern title endpointId assistantId".split()
)
"""Settings whose values are names, which may be as random as keys are."""
_TAKEN_NAMES = frozenset(
    "PATH HOME USER LOGNAME SHELL PWD LANG TERM HOST HOSTNAME TMPDIR MAIL EDITOR DISPLAY ID"
    " VALUE URL".split()
)
"""Names that a shell has set already, or that say nothing."""


_READ = re.compile(r"\benv(?:\.|\[\W{1,3})(\w+)")
"""Variables that the configuration reads: each has its value already."""


@dataclass(frozen=True)
class _Spot:
    """Where a value stands. `name`: its key. `settings`: inside of a provider or its settings.
    `header`: it is a header's value. `shown`: a text that is not sent. `key`: the vendor's variable
    for its key.
    """

    path: Path = ()
    name: str = ""
    settings: bool = False
    header: bool = False
    shown: bool = False
    key: str = ""

    def below(self, part: str | int, **changes: bool | str) -> "_Spot":
        """The spot of a part."""
        name = part if isinstance(part, str) else self.name
        below = replace(self, path=(*self.path, part), name=name)
        return replace(below, **changes) if changes else below  # type: ignore[arg-type]


class SecretValues:
    """The credentials of one configuration and of the files that it names."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._names: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._read_names: set[str] = set()
        self._clean: dict[int, tuple[Document, Document]] = {}
        self._document = Document("", None, {})

    def without(self, place: SourcePlace) -> SourcePlace:
        """The place, in a document without credentials. Each one is in the ledger, by the name of
        the variable in its place.
        """
        document = place.document
        if id(document) not in self._clean:
            self._document = document
            data = document.data
            self._read_names.update(_READ.findall(json.dumps(data, default=str)))
            if isinstance(data, dict) and isinstance(data.get("env"), dict):
                self._walked(data["env"], _Spot(("env",), "env", settings=True))
            clean = replace(document, data=self._walked(data, _Spot()))
            self._clean[id(document)] = (document, clean)
            self._clean[id(clean)] = (clean, clean)
        return SourcePlace(self._clean[id(document)][1], place.path)

    def _walked(self, value: object, spot: _Spot) -> object:
        if isinstance(value, dict):
            return self._mapping(value, spot)
        if isinstance(value, list):
            return [self._walked(item, spot.below(at)) for at, item in enumerate(value)]
        if isinstance(value, str):
            return self._text(value, spot)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and (spot.settings or spot.shown):
            text = self._text(str(value), spot)
            return value if text == str(value) else text
        return value

    def _mapping(self, value: Mapping[object, object], spot: _Spot) -> dict[object, object]:
        own = replace(spot, key=_vendor_key(value) or spot.key)
        made: dict[object, object] = {}
        for key, item in value.items():
            name = str(key)
            clean = self._cleaned(name, spot, "text") if "://" in name else key
            part = clean if isinstance(clean, str | int) else name
            made[clean] = self._member(name, item, own.below(part), value)
        return made

    def _member(
        self, name: str, item: object, spot: _Spot, whole: Mapping[object, object]
    ) -> object:
        spot = replace(spot, name=name, key=spot.key or _key_of(name))
        if name == "body" and isinstance(item, str) and spot.settings:
            with contextlib.suppress(ValueError):
                item = json.loads(quoted_templates(item))
        if name == "headers" and isinstance(item, dict):
            headers = replace(spot, settings=True, header=True)
            return {
                each: self._walked(text, headers.below(str(each))) for each, text in item.items()
            }
        if name in _CODE_KEYS and isinstance(item, str):
            return self._cleaned(item, spot, "code")
        if len(spot.path) == 1 and name in ("extensions", "redteam"):  # never copied
            return self._walked(item, replace(spot, settings=True, shown=True))
        if name in _SHOWN and (not spot.settings or "id" in whole):
            return self._walked(item, replace(spot, shown=True))
        if not spot.settings:
            if name in _DATA or (name == "prompts" and len(spot.path) == 1):
                self._say_what_stays(item, spot, name == "prompts")
                return item
            if name in ("value", "rubricPrompt"):
                return self._asserted(item, spot, whole)
            if name == "config" and isinstance(item, list):  # of a scenario: variables
                return self._walked(item, spot)
        inside = spot.settings or (name in _SETTINGS and name != "options")
        return self._walked(item, replace(spot, settings=inside))

    def _asserted(self, item: object, spot: _Spot, whole: Mapping[object, object]) -> object:
        """The value of an assertion: code and addresses without credentials, data as it is."""
        kind = str(whole.get("type") or "").removeprefix("not-")
        if isinstance(item, str) and kind in _CODE_TYPES:
            return self._cleaned(item, spot, "code")
        if isinstance(item, str) and kind == "webhook":
            return self._cleaned(item, spot, "text")
        self._say_what_stays(item, spot, True)
        return item

    def _say_what_stays(self, item: object, spot: _Spot, say: bool) -> None:
        parts = enumerate(item) if isinstance(item, list) else [(None, item)]
        for at, part in parts if say else ():
            if any(map(holds_credential, _texts(part))):
                self._note(
                    spot if at is None else spot.below(at),
                    "has what looks like a credential; it stays, because it is part of the text"
                    " that is sent or expected: revoke it, and write a made-up one",
                )

    def _text(self, text: str, spot: _Spot) -> str:
        named = names_credential(spot.name)
        strict = spot.header or spot.path[:1] == ("env",) or not is_weak_name(spot.name)
        whole = named and is_credential(text, strict=strict)
        if spot.header and not named:
            whole = credential_header(spot.name, text)
        if not spot.settings and not spot.shown:
            whole = False
        if whole and "{{" not in text and not text.startswith("file://"):
            return self._put(text, spot)
        if text.startswith("exec:") or spot.name in ("request", "command"):
            return self._cleaned(text, spot, "command")
        provider = spot.name in ("id", "provider", "providers", "targets") and "://" not in text
        if provider or (spot.name in _NAME_KEYS and spot.name != "id" and not spot.shown):
            return self._cleaned(text, replace(spot, name="model"), "model")
        clean = self._cleaned(text, spot, "text" if spot.settings else "code")
        if whole and clean == text:
            clean = self._cleaned_parts(text, spot)
        return clean

    def _cleaned_parts(self, text: str, spot: _Spot) -> str:
        """A text under a credential's name with templates in it: what is no template goes."""
        parts = re.split(r"(\{\{.*?\}\}|\s+)", text)
        return "".join(
            self._put(part, spot)
            if part.strip() and not part.startswith("{{") and is_credential(part, strict=True)
            else part
            for part in parts
        )

    def _cleaned(self, text: str, spot: _Spot, kind: str) -> str:
        def put(value: str, name: str) -> str:
            return self._put(value, replace(spot, name=name or spot.name))

        header = spot.header and spot.name.lower() not in HARMLESS_HEADERS
        named = header or names_credential(spot.name)
        return TextCleaner(put, kind, named=named).cleaned(text)

    def _put(self, value: str, spot: _Spot) -> str:
        """The template in place of a credential."""
        hide([value, value.removeprefix("Bearer ").removeprefix("Basic ")])
        if spot.shown:
            self._note(spot, "has what looks like a credential, which is not copied")
            return HIDDEN
        own = spot.name.removeprefix("env.") if spot.name.startswith("env.") else ""
        name = own or self._values.get(value) or self._free_name(spot)
        self._values[value], self._names[name] = name, value
        self._note(spot, f"set {name}: a credential is written here, and is not copied")
        return f"{{{{env.{name}}}}}"

    def _note(self, spot: _Spot, message: str) -> None:
        self._ledger.note(SourcePlace(self._document, spot.path), message)

    def _free_name(self, spot: _Spot) -> str:
        words = words_of(spot.name)
        if spot.key and spot.path[-1:] == ("apiKey",) and spot.name == "apiKey":
            plain = spot.key
        else:
            plain = "_".join(words).upper() or "CREDENTIAL"
        if plain in _TAKEN_NAMES or not plain[0].isalpha() or is_random(plain):
            plain = f"PROVIDER_{plain}" if not is_random(plain) else "CREDENTIAL"
        number, name = 1, plain
        own = spot.path[:1] == ("env",)
        while name in self._names or (name in self._read_names and not own):
            number += 1
            name = f"{plain}_{number}"
        return name


def hide_in_messages(imported: Imported) -> Imported:
    """The same with `***` in messages that quote a credential, which data may have too."""
    notes, left_out, to_fill = (
        [redact(line) for line in lines]
        for lines in (imported.notes, imported.left_out, imported.to_fill)
    )
    return replace(imported, notes=notes, left_out=left_out, to_fill=to_fill)


def _vendor_key(value: Mapping[object, object]) -> str:
    """The variable with the key of the vendor of a provider; empty for what is none."""
    identifier = value.get("id")
    return _key_of(identifier) if isinstance(identifier, str) else ""


def _key_of(identifier: str) -> str:
    name, colon, _ = identifier.partition(":")
    vendor = VENDORS.get(ALIASES.get(name, name)) if colon else None
    return vendor.key if vendor else ""


def _texts(value: object) -> list[str]:
    """The texts below a value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []
