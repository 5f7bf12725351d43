"""Tests from wherever a configuration keeps them, with their defaults, one for each combination of
variables.
"""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.promptfoo.applications import SESSION
from llmeval.importers.promptfoo.csvfile import read_csv
from llmeval.importers.promptfoo.files import loaded, referenced
from llmeval.importers.promptfoo.templates import rendered
from llmeval.importers.reading import read_lines, read_yaml
from llmeval.suite.yaml_file import Document

MAX_TESTS = 100_000
"""Most tests of a configuration, and most combinations of the variables of one test."""
_KEYS = (
    "description",
    "vars",
    "assert",
    "threshold",
    "options",
    "metadata",
    "providerOutput",
    "assertScoringFunction",
    "provider",
    "providers",
    "prompts",
    "tests",
    "config",
)
_OPTIONS = (
    "prefix",
    "suffix",
    "provider",
    "transform",
    "postprocess",
    "disableDefaultAsserts",
    "disableVarExpansion",
    "rubricPrompt",
    "transformVars",
    "runSerially",
    "repeat",
)


@dataclass
class Test:
    """One test with its defaults. `asserts`: its own; `defaults`: those of `defaultTest`, which it
    may have switched off.
    """

    __test__ = False
    place: SourcePlace
    description: str
    variables: dict[str, Any]
    asserts: list[SourcePlace]
    defaults: list[SourcePlace]
    threshold: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    output: Any = None


def read_tests(
    config: SourcePlace, base: Path, types: frozenset[str], ledger: Ledger
) -> list[Test]:
    """Every test of a configuration; what can't be taken over is in the ledger.

    Raises:
        SuiteError: a file can't be read.
    """
    default = _default(config.at("defaultTest"), base, ledger)
    places = list(_places(config.at("tests"), base, types, ledger))
    if not config.value.get("tests") and not config.value.get("scenarios"):
        places = [SourcePlace(Document(config.document.file, _first_test(config, ledger), {}))]
    for scenario in config.at("scenarios").items():
        places += _scenario(scenario, base, types, ledger)
    tests: list[Test] = []
    for place in places:
        with ledger.trying(place):
            tests += _expanded(place, default, base, ledger)
        if len(tests) > MAX_TESTS:
            raise SuiteError(place.says(f"more than {MAX_TESTS:,} tests; import it in parts"))
    return tests


def _first_test(config: SourcePlace, ledger: Ledger) -> dict[str, object]:
    """The only test of a configuration without tests. If promptfoo would generate attacks, its
    variables hold a greeting, which the user replaces.
    """
    redteam = config.value.get("redteam")
    if not redteam:
        return {}
    ledger.fill_in(
        config.at("redteam"),
        "without its attacks the configuration has no test: replace the greeting in the only case"
        " by your requests",
    )
    name = redteam.get("injectVar") if isinstance(redteam, dict) else None
    return {"vars": {str(name or "prompt"): "Hello. What can you do for me?"}}


def _default(place: SourcePlace, base: Path, ledger: Ledger) -> SourcePlace:
    if isinstance(place.value, str):
        with ledger.trying(place):
            return read_yaml(referenced(place.value, base)[0])
        return SourcePlace(Document(place.document.file, {}, {}))
    return place


def _places(
    place: SourcePlace, base: Path, types: frozenset[str], ledger: Ledger
) -> Iterator[SourcePlace]:
    for item in place.items():
        if isinstance(item.value, dict) and "path" in item.value and "vars" not in item.value:
            ledger.leave_out(
                item.at("path"), "tests that code makes: write them to a file and name that"
            )
        elif isinstance(item.value, dict):
            yield item
        elif isinstance(item.value, str):
            with ledger.trying(item):
                yield from _from_files(item, base, types, ledger)
        else:
            ledger.leave_out(item, f"is not a test: {item.value!r}")


def _from_files(
    item: SourcePlace, base: Path, types: frozenset[str], ledger: Ledger
) -> Iterable[SourcePlace]:
    name = str(item.value)
    if name.startswith("huggingface://"):
        raise UnmappedError(
            "a data set of the hub: name it in the suite, `cases: {source:"
            " "
            "hf://owner/name?split=test}`"
        )
    if "://" in name and not name.startswith("file://"):
        raise UnmappedError("tests from the network: save them as CSV and name that file")
    for path in referenced(name, base):
        end = path.suffix.lower()
        if end == ".csv":
            yield from read_csv(path, types, ledger)
        elif end == ".jsonl":
            yield from read_lines(path)
        elif end in (".yaml", ".yml", ".json"):
            yield from _places(read_yaml(path), path.parent, types, ledger)
        else:
            raise UnmappedError(
                f"{path.name}: tests come from CSV, JSONL, JSON and YAML; save this as one of them"
            )


def _scenario(
    scenario: SourcePlace, base: Path, types: frozenset[str], ledger: Ledger
) -> list[SourcePlace]:
    """Each test of a scenario with each of its configurations, as tests of their own."""
    places = []
    for config in _places(scenario.at("config"), base, types, ledger):
        for test in _places(scenario.at("tests"), base, types, ledger):
            one, two = config.value, test.value
            data = {
                **one,
                **two,
                **{
                    key: {**(one.get(key) or {}), **(two.get(key) or {})}
                    for key in ("vars", "options", "metadata")
                },
                "assert": [*(one.get("assert") or []), *(two.get("assert") or [])],
            }
            line = test.document.line(test.path)
            places.append(
                SourcePlace(Document(test.document.file, data, {} if line is None else {(): line}))
            )
    return places


def _expanded(
    place: SourcePlace, default: SourcePlace, base: Path, ledger: Ledger
) -> Iterator[Test]:
    raw, under = place.value, default.value if isinstance(default.value, dict) else {}
    for key in raw:
        if key not in _KEYS:
            ledger.note(place.at(key), f"the key {key!r} of a test has no meaning here")
    if raw.get("assertScoringFunction") or under.get("assertScoringFunction"):
        raise UnmappedError(
            "code that makes one score of several is not run here",
            place.at("assertScoringFunction"),
        )
    for key in ("provider", "providers", "prompts"):
        if raw.get(key) or under.get(key):
            ledger.note(
                place.at(key),
                f"`{key}` of a single test has no counterpart: every candidate and prompt gets this"
                " case",
            )
    options = {**(under.get("options") or {}), **(raw.get("options") or {})}
    _check_options(
        options, place.at("options") if raw.get("options") else default.at("options"), ledger
    )
    values = {
        name: _value(value, base, place.at("vars", name))
        for name, value in {
            **_variables(default),
            **_variables(place),
        }.items()
    }
    spread = (
        []
        if options.get("disableVarExpansion")
        else [name for name, value in values.items() if _is_list(value)]
    )
    combinations = math.prod(len(values[name]) for name in spread)
    if combinations > MAX_TESTS:
        raise UnmappedError(
            f"its lists of variables make {combinations:,} tests; the limit is {MAX_TESTS:,}",
            place.at("vars"),
        )
    for combination in itertools.product(*(values[name] for name in spread)):
        chosen = {**values, **dict(zip(spread, combination, strict=True))}
        yield Test(
            place,
            str(raw.get("description") or ""),
            {name: rendered(value, chosen) for name, value in chosen.items()},
            place.at("assert").items(),
            [] if options.get("disableDefaultAsserts") else default.at("assert").items(),
            raw.get("threshold", under.get("threshold")),
            options,
            {**(under.get("metadata") or {}), **(raw.get("metadata") or {})},
            raw.get("providerOutput"),
        )


def _variables(test: SourcePlace) -> dict[str, Any]:
    """The variables of a test: a mapping, or YAML and JSON files with one each. A path is relative
    to the file with the test, as in promptfoo.

    Raises:
        UnmappedError: anything else.
    """
    place = test.at("vars")
    value = place.value or {}
    if isinstance(value, str):
        base = Path(place.document.file).parent
        files = referenced(value, base)
        parts = [loaded(f"file://{file.resolve()}", base) for file in files]
        if all(isinstance(part, dict) for part in parts):
            return {name: item for part in parts for name, item in part.items()}
        value = parts
    if not isinstance(value, dict):
        raise UnmappedError("variables are a mapping, or a file with one mapping", place)
    return value


def _is_list(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, str | int | float) for item in value)
    )


def _value(value: object, base: Path, place: SourcePlace) -> Any:
    try:
        if isinstance(value, str) and value.startswith("file://") and "*" in value:
            return [loaded(f"file://{path}", Path("/")) for path in referenced(value, base)]
        if isinstance(value, list):
            return [loaded(item, base) for item in value]
        return loaded(value, base)
    except UnmappedError as error:
        raise UnmappedError(str(error), place) from None


def _check_options(options: dict[str, object], place: SourcePlace, ledger: Ledger) -> None:
    for key in options:
        if key == "transformVars" and SESSION.fullmatch(str(options[key]).strip()):
            ledger.note(
                place.at(key),
                "a new id for each test is `{{ run.unique }}` in the body of an HTTP model",
            )
            continue
        if key in ("storeOutputAs", "transformVars"):
            raise UnmappedError(f"`{key}` has no counterpart here", place.at(key))
        if key not in _OPTIONS:
            ledger.note(place.at(key), f"the option {key!r} has no meaning here")
        if key == "rubricPrompt":
            ledger.note(
                place.at(key), "a judge's own prompt is not used: the protocol is llmeval's"
            )
        if key == "repeat":
            raise UnmappedError(
                "repeats are the suite's, `repeats: N`, the same for all cases", place.at(key)
            )
        if key == "runSerially":
            ledger.note(
                place.at(key), "cases are independent of each other here; their order is free"
            )
