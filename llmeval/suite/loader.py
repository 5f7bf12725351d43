"""From a suite file to a `Suite`: YAML, environment, `${VARIABLES}`, validation; every message
names file and line.
"""

import os
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from pydantic import SecretStr, TypeAdapter, ValidationError

from llmeval.core.errors import SuiteError
from llmeval.core.files import irregular_kind
from llmeval.core.redaction import hide
from llmeval.core.templates import Template
from llmeval.suite import yaml_file
from llmeval.suite.env_file import NAME as ENV_FILE
from llmeval.suite.env_file import read_env_file
from llmeval.suite.explained_errors import explain, real_path
from llmeval.suite.judge_schema import JudgeSpec
from llmeval.suite.matrix import check_matrix
from llmeval.suite.model_schema import BaseModelSpec, OpenAISpec, Price
from llmeval.suite.schema import SuiteSpec
from llmeval.suite.secrets import secrets_in
from llmeval.suite.strict import nearest
from llmeval.suite.variables import Variables

_TEMPLATE_SUFFIXES = (".j2", ".jinja", ".jinja2", ".txt", ".md")
_LIKE_A_PATH = re.compile(r"([A-Za-z]+:)?[\w.~@+/\\-]*(\w[/\\]\w[\w.@+-]*|\w\.[A-Za-z]\w{0,9})")
"""A text that looks like a path: one word with a slash inside, or with a file extension."""


@dataclass(frozen=True)
class Suite:
    """A suite that is valid and whose environment is chosen.

    `spec`: the file's content. `document`: for messages with line numbers. `changes`: dotted keys
    that the environment changed. `from_variables`: the values of environment variables that are
    secret, because `public` does not list them. `from_env_file`: the names of the variables that
    `.env` next to the suite gives. `default_key`: its OPENAI_API_KEY, if a model needs it.
    `trusted`: whether the user named the suite. A suite that only a run directory names may be
    foreign, so none of its code is imported.
    """

    spec: SuiteSpec
    document: yaml_file.Document
    path: FilePath
    environment: str | None = None
    changes: tuple[str, ...] = ()
    undefined: Mapping[yaml_file.Path, str] = field(default_factory=dict)
    trusted: bool = True
    from_variables: Set[str] = frozenset()
    from_env_file: tuple[str, ...] = ()
    default_key: str | None = None

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.spec.suite

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know before the first call."""
        names = ", ".join(self.from_env_file)
        return (f"{self.base / ENV_FILE} gives {names}",) if names else ()

    @property
    def base(self) -> FilePath:
        """The directory that the suite's paths are relative to."""
        return self.path.parent

    def error(self, path: yaml_file.Path, message: str) -> SuiteError:
        """A `SuiteError` that names the file and the line of `path`."""
        return self.document.error(path, message)

    def refuse_foreign_code(self, name: str) -> None:
        """Refuse to import `name` for a suite that is not trusted. Raises SuiteError."""
        if not self.trusted:
            raise SuiteError(
                f"{name} is code, and only the run directory names the suite {self.path}. If you"
                f" trust the suite, name it with `--suite {self.path}`, or add --trust"
            )

    def model(
        self, reference: str | BaseModelSpec, path: yaml_file.Path
    ) -> tuple[str, BaseModelSpec]:
        """(name, spec) of a model that is named in `models` or written in place. A model in place
        uses its own name.

        Raises:
            SuiteError: no such model, or it uses an environment variable that is not set.
        """
        if isinstance(reference, str):
            self.model_exists(reference, path)
            name, path = reference, ("models", reference)
            spec: BaseModelSpec = self.spec.models[reference]
        else:
            spec = reference
            name = spec.stated_model or str(getattr(spec, "provider", "model"))
        for undefined, variable in self.undefined.items():
            # a model of the command line has no path in the file
            if path and undefined[: len(path)] == path:
                raise self._unset(undefined, variable)
        return name, self._priced(name, self._with_key(spec))

    @cached_property
    def prices(self) -> Mapping[str, Price]:
        """US dollars per million tokens, by a model's name in the suite or at its endpoint.

        Raises:
            SuiteError: the file that `prices` names can't be read, or is not such a table.
        """
        stated = self.spec.prices
        if not isinstance(stated, str):
            return stated
        document = yaml_file.parse(self.read_text(stated, ("prices",)), str(self.base / stated))
        try:
            return TypeAdapter(dict[str, Price]).validate_python(document.data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise document.error(
                real_path(first["loc"], document.data),
                f"not a table of prices ({first['msg']}); each line is `model: {{input: 0.15,"
                " output: 0.60}`, US dollars per million tokens",
            ) from None

    def _with_key(self, spec: BaseModelSpec) -> BaseModelSpec:
        """The specification with the OPENAI_API_KEY of `.env`, if it is needed."""
        if self.default_key is None or not isinstance(spec, OpenAISpec) or spec.api_key is not None:
            return spec
        return spec.model_copy(update={"api_key": SecretStr(self.default_key)})

    def _priced(self, name: str, spec: BaseModelSpec) -> BaseModelSpec:
        if spec.price is not None:
            return spec
        price = self.prices.get(name) or self.prices.get(spec.stated_model or "")
        return spec if price is None else spec.model_copy(update={"price": price})

    def model_exists(self, name: str, path: yaml_file.Path) -> None:
        """Refuse a name that is not under `models`. Raises SuiteError."""
        if name not in self.spec.models:
            near_names = nearest(name, list(self.spec.models))
            raise self.error(path, f"there is no model {name!r} under `models`; {near_names}")

    def check_defined(self) -> None:
        """Refuse variables that are not set, except in models and environments that are not used.

        Raises:
            SuiteError: names the variable and the line.
        """
        for path, variable in self.undefined.items():
            if path[0] not in ("models", "environments", "candidate", "judges"):
                raise self._unset(path, variable)

    def judge(self, name: str) -> JudgeSpec:
        """One judge's specification."""
        return self.spec.judges[name]

    def prompt(self) -> list[tuple[str, Template]]:
        """The prompt as (role, template) turns; empty when the cases carry their own messages.

        Raises:
            SuiteError: the file is missing, or a template is not valid.
        """
        if self.spec.messages is not None:
            return [
                (turn.role, self.template(turn.content, ("messages", i, "content")))
                for i, turn in enumerate(self.spec.messages)
            ]
        if self.spec.prompt is None:
            return []
        return [("user", self.template(self.spec.prompt, ("prompt",)))]

    def read_text(self, name: str, path: yaml_file.Path) -> str:
        """The text of a file named in the suite.

        Raises:
            SuiteError: it can't be read.
        """
        kind = irregular_kind(self.base / name)
        if kind:
            raise self.error(path, f"{name} is {kind}, and only files are read: name a file")
        try:
            return (self.base / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise self.error(
                path, f"can't read {name} ({reason}); paths are relative to {self.base}"
            ) from None

    def has_text(self, name: str) -> bool:
        """Whether there is a file of this name, relative to the suite."""
        return (self.base / name).exists()

    def secrets(self) -> set[str]:
        """Every secret value in the suite. Records, cache and logs must not contain them."""
        return {*secrets_in(self.spec), *self.from_variables}

    def template(self, text: str, path: yaml_file.Path) -> Template:
        """A template of the suite, or of the file that it names. Raises SuiteError."""
        if _is_one_line(text):
            if text.endswith(_TEMPLATE_SUFFIXES):
                return Template(self.read_text(text, path), f"{text}")
            self._refuse_path(text, path)
        return Template(
            text, f"{self.document.file}:{self.document.line(path)}: {yaml_file.format_path(path)}"
        )

    def _refuse_path(self, text: str, path: yaml_file.Path) -> None:
        """Refuse a text that looks like a file's path, because it would be sent as the prompt."""
        suffixes = ", ".join(_TEMPLATE_SUFFIXES[:-1]) + f" and {_TEMPLATE_SUFFIXES[-1]}"
        if len(text) < 250 and text and (self.base / text).is_file():
            raise self.error(
                path,
                f"{text!r} is a file, but would be sent as text: only files that end in {suffixes}"
                f" are read. Rename it to {FilePath(text).stem}.j2, or write the text here",
            )
        if _LIKE_A_PATH.fullmatch(text):
            raise self.error(
                path,
                f"{text!r} looks like the path of a file, but {self.base} has no such file. Files"
                f" end in {suffixes}. To send exactly this text, write it as a block (`prompt: |`)",
            )

    def _unset(self, path: yaml_file.Path, variable: str) -> SuiteError:
        return self.error(
            path,
            f"the environment variable {variable} is not set; set it, or write"
            f" ${{{variable}:-default}}",
        )


def _is_one_line(text: str) -> bool:
    return "\n" not in text and "{{" not in text and "{%" not in text


def load_suite(path: str | os.PathLike[str], environment: str | None = None) -> Suite:
    """Read and validate a suite file.

    Args:
        path: the suite file.
        environment: a name under `environments`; None uses the file without changes.

    Raises:
        SuiteError: anything wrong, with file, line, key and the fix. Nothing was called.
    """
    file = FilePath(path)
    kind = irregular_kind(file)
    if kind:
        raise SuiteError(f"{file}: is {kind}, and only files are read: save the suite as a file")
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SuiteError(
            f"{file}: no such file. Start with a suite that `llmeval init` writes"
        ) from None
    except IsADirectoryError:
        raise SuiteError(f"{file}: is a directory; name one suite file in it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{file}: can't be read: {error}") from None
    return parse_suite(text, file, environment)


def parse_suite(
    text: str, file: FilePath, environment: str | None = None, label: str | None = None
) -> Suite:
    """Validate a suite from the text of its file.

    Args:
        text: the file's content. file: where it lies, or would lie.
        environment: as for `load_suite`.
        label: what messages call the file; by default its path.

    Raises:
        SuiteError: as `load_suite`.
    """
    document = yaml_file.parse(text, label or str(file))
    if not isinstance(document.data, dict):
        raise SuiteError(
            f"{document.file}:1: a suite is a mapping that starts with `suite: <name>`"
        )
    variables = Variables(read_env_file(file.parent))
    data = variables.expand(document.data, ())
    public = data.get("public")
    secrets = variables.secrets(public if isinstance(public, list) else ())
    hide(secrets)
    undefined = variables.undefined
    spec = _validate(SuiteSpec, data, document)
    changes: tuple[str, ...] = ()
    if environment is not None:
        data, document, changes = _overlay(data, environment, document, spec)
        undefined = _moved(undefined, environment, changes)
        spec = _validate(SuiteSpec, data, document)
    default_key = variables.default_key(spec)
    suite = Suite(spec, document, file, environment, changes, undefined)
    suite = replace(
        suite,
        from_variables=secrets | {key for key in [default_key] if key},
        from_env_file=tuple(sorted(variables.from_file)),
        default_key=default_key,
    )
    hide(suite.secrets())
    suite.check_defined()
    check_matrix(suite)
    return suite


def _overlay(
    data: dict[str, Any], name: str, document: yaml_file.Document, spec: SuiteSpec
) -> tuple[dict[str, Any], yaml_file.Document, tuple[str, ...]]:
    """The suite after one environment's keys have replaced its own."""
    if name not in spec.environments:
        raise document.error(
            ("environments",),
            f"there is no environment {name!r}; {nearest(name, list(spec.environments))}",
        )
    merged, lines, texts, changes = dict(data), dict(document.lines), dict(document.texts), []
    for key, value in data["environments"][name].items():
        if isinstance(value, dict) and key in ("models", "judges"):
            merged[key] = {**merged.get(key, {}), **value}
            changes += [f"{key}.{item}" for item in value]
        else:
            merged[key] = value
            changes.append(key)
    prefix: yaml_file.Path = ("environments", name)
    for path, line in document.lines.items():
        if path[:2] == prefix and len(path) > 2:
            lines[path[2:]] = line
            if path in document.texts:
                texts[path[2:]] = document.texts[path]
    return merged, yaml_file.Document(document.file, merged, lines, texts), tuple(changes)


def _moved(
    undefined: dict[yaml_file.Path, str], name: str, changes: tuple[str, ...]
) -> dict[yaml_file.Path, str]:
    """Undefined variables by their path after the overlay: those of the keys that remain, and those
    that the environment adds.
    """
    kept = {
        p: v
        for p, v in undefined.items()
        if not any(yaml_file.format_path(p).startswith(c) for c in changes)
    }
    came = {p[2:]: v for p, v in undefined.items() if p[:2] == ("environments", name)}
    return {**kept, **came}


def _validate(model: type[SuiteSpec], data: object, document: yaml_file.Document) -> SuiteSpec:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        messages = [
            str(document.error(*explain(item, data))) for item in error.errors(include_url=False)
        ]
        unique = list(dict.fromkeys(messages))
        more = f"\n... and {len(unique) - 10} more" if len(unique) > 10 else ""
        raise SuiteError("\n".join(unique[:10]) + more) from None
