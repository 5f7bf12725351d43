"""A configuration as suites, one a prompt: the same cases, models and judges."""

import json
from pathlib import Path
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.importers.ledger import Ledger, SourcePlace
from llmeval.importers.promptfoo.assertions import CHECKS
from llmeval.importers.promptfoo.cases import PROTOCOLS, CaseMaker, ImportedRow, metric_of
from llmeval.importers.promptfoo.chat_images import IMAGE_IN_TEXT, chat_cases, images_in
from llmeval.importers.promptfoo.code_checks import CodeChecks, output_shape
from llmeval.importers.promptfoo.code_file import CodeFile
from llmeval.importers.promptfoo.judges import judges_of
from llmeval.importers.promptfoo.prompts import Prompt, read_prompts
from llmeval.importers.promptfoo.providers import ProviderReader
from llmeval.importers.promptfoo.refused import REFUSED, TO_FILL, TOOL_SCHEMAS
from llmeval.importers.promptfoo.suite_parts import (
    head_lines,
    is_drawn,
    label_matches,
    one_case,
    remaining_rows,
    same_model,
    used_variables,
)
from llmeval.importers.promptfoo.tests import read_tests
from llmeval.importers.reading import read_yaml
from llmeval.importers.writing import Imported, Variable, jsonl, slug, suite_text, unique

_TAKEN = (
    "description",
    "prompts",
    "providers",
    "targets",
    "tests",
    "scenarios",
    "defaultTest",
    "evaluateOptions",
    "env",
    "commandLineOptions",
)
_SILENT = (
    "outputPath",
    "sharing",
    "writeLatestResults",
    "tags",
    "metadata",
    "$schema",
    "assertionTemplates",
    "tracing",
    "version",
    "author",
)
_REASONS = {
    "redteam": "attacks are not generated here; only the tests of the configuration are imported",
    "extensions": "code is not run by an import",
    "nunjucksFilters": "code is not run by an import; templates have Jinja2's filters",
    "derivedMetrics": "metrics made of metrics have no counterpart; gate on the metrics themselves",
}
_KNOWN = frozenset([*CHECKS, *PROTOCOLS, *REFUSED, *TO_FILL, *TOOL_SCHEMAS, "assert-set"])


def convert(path: Path, out: Path, name: str | None, *, skip_unknown: bool) -> Imported:
    """The suites of a promptfoo configuration.

    Args:
        path: promptfooconfig.yaml.
        out: the folder that suites are to stand in.
        name: the suite's name; default: from the configuration's folder.
        skip_unknown: leave out what has no counterpart, instead of refusing the whole.

    Raises:
        SuiteError: not a configuration, a file is missing, or something has no counterpart (all of
            it, a line each).
    """
    config, ledger, base = read_yaml(path), Ledger(), path.parent
    if not isinstance(config.value, dict):
        raise SuiteError(
            f"{path}:1: a promptfoo configuration is a mapping with prompts, providers and tests"
        )
    _top(config, ledger)
    prompts = read_prompts(config, base, ledger)
    named = name or slug(path.resolve().parent.name)
    code = CodeFile(base, out, named)
    providers = ProviderReader(base, ledger, code)
    models = providers.read(config)
    shape = output_shape(model for model, _ in models.values())
    maker, rows = CaseMaker(base, ledger, CodeChecks(code, ledger, shape)), []
    for test in read_tests(config, base, _KNOWN, ledger):
        with ledger.trying(test.place):
            rows.append(maker.row(test))
    taken = {metric_of(check) for row in rows for check in (*row.defaults, *row.own)}
    judges = judges_of(maker.judges, models, taken, providers, ledger)
    protocols = {judge["prompt"] for judge in judges.values()}
    rows = remaining_rows(
        [row for row in rows if row.defaults or row.own or row.judged & protocols], ledger
    )
    rows = one_case(rows, prompts, models, ledger)
    files = _Files(config, out, named, code.module, ledger)
    if rows and prompts:
        files.add(prompts, models, rows, judges)
    ledger.settle(skip_unknown=skip_unknown)
    for what, remaining in (("test", rows), ("prompt", prompts), ("provider", files.suites)):
        if not remaining:
            reasons = "".join(f"{line}\n" for line in ledger.left_out)
            raise SuiteError(f"{reasons}{path}: no {what} is left, so there is nothing to write")
    if code.text:
        files.files[code.path] = code.text
    return Imported(
        files.files, files.suites, ledger.notes, ledger.left_out, len(rows), ledger.to_fill
    )


def _top(config: SourcePlace, ledger: Ledger) -> None:
    for key in config.value:
        if key == "redteam" and (config.value.get("tests") or config.value.get("scenarios")):
            ledger.note(config.at(key), "attacks are not generated here; `promptfoo eval` has none")
        elif key in _REASONS:
            ledger.leave_out(config.at(key), _REASONS[key])
        elif key not in _TAKEN and key not in _SILENT:
            ledger.note(config.at(key), "this key has no meaning here")
    options = config.value.get("evaluateOptions")
    for key, value in (options if isinstance(options, dict) else {}).items():
        place = config.at("evaluateOptions", key)
        if key in ("cache", "showProgressBar", "generateSuggestions"):
            continue
        if key not in ("repeat", "maxConcurrency"):
            ledger.note(
                place,
                f"`{key}` has no counterpart in a suite (`llmeval run --help`: limits on the"
                " command line)",
            )
        elif not isinstance(value, int) or value < 1:
            ledger.leave_out(place, f"is not a number from 1 up: {value!r}")


class _Files:
    """The files of one configuration, put together."""

    def __init__(
        self, config: SourcePlace, out: Path, name: str, module: str, ledger: Ledger
    ) -> None:
        self._config, self._out, self._name, self._ledger = config, out, name, ledger
        self._module = module
        self.files: dict[Path, str] = {}
        self.suites: list[Path] = []

    def add(
        self,
        prompts: list[Prompt],
        models: dict[str, tuple[dict[str, object], list[str]]],
        rows: list[ImportedRow],
        judges: dict[str, dict[str, object]],
    ) -> None:
        """Suites, data, prompts and recorded answers."""
        recorded = self._recorded(rows)
        checks, shared = self._checks(rows)
        needed = set().union(
            *(prompt.variables for prompt in prompts), *(used_variables(check) for check in checks)
        )
        data = []
        for row in rows:
            own = row.own if shared else [*row.defaults, *row.own]
            filled = dict.fromkeys(
                sorted(needed - row.data.keys() - {"reference", "tags", "id"}), ""
            )
            if filled:
                self._ledger.note(
                    row.test.place,
                    f"has no {', '.join(filled)}, which the prompt uses: empty there",
                )
            data.append({**row.data, **filled, **({"checks": own} if own else {})})
        self._data = data
        self._source: object = f"data/{self._name}.jsonl"
        if any(f"{self._module}:" in json.dumps(row.get("checks", [])) for row in data):
            self._source = data  # only cases in the suite itself may name a function
        else:
            self.files[self._out / str(self._source)] = jsonl(data)
        for prompt in prompts:
            named = (
                self._name
                if len(prompts) == 1
                else unique(f"{self._name}-{slug(prompt.label)[:30]}", self._names)
            )
            self._suite(
                named, prompt, self._meant(models, prompt, judges, recorded), checks, judges, rows
            )

    @property
    def _names(self) -> list[str]:
        return [path.stem for path in self.suites]

    def _recorded(self, rows: list[ImportedRow]) -> bool:
        """Whether the tests bring their answers (`providerOutput`), which are then replayed."""
        with_output = [row for row in rows if row.test.output is not None]
        if not with_output:
            return False
        for row in rows:
            if row.test.output is None:
                self._ledger.leave_out(
                    row.test.place,
                    "has no `providerOutput`, which other tests have: a suite asks or replays",
                )
        self.files[self._out / "data" / f"{self._name}.answers.jsonl"] = jsonl(
            {
                "id": row.data["id"],
                "output": (
                    row.test.output if isinstance(row.test.output, str) else str(row.test.output)
                ),
            }
            for row in with_output
        )
        return True

    def _checks(self, rows: list[ImportedRow]) -> tuple[list[Any], bool]:
        """The suite's checks, where all tests share the defaults; else they stand in the cases."""
        first = rows[0].defaults
        shared = bool(first) and all(
            row.defaults == first and not row.test.threshold for row in rows
        )
        return (first, True) if shared else ([], False)

    def _meant(
        self,
        models: dict[str, tuple[dict[str, object], list[str]]],
        prompt: Prompt,
        judges: dict[str, dict[str, object]],
        recorded: bool,
    ) -> dict[str, dict[str, Any]]:
        """The models that a prompt is meant for, the judges' last."""
        judging = {judge["model"] for judge in judges.values()}
        demands = (
            {}
            if recorded
            else {
                name: model
                for name, (model, labels) in models.items()
                if (not labels or any(label_matches(prompt.label, label) for label in labels))
                and not (name in judging and name.startswith("judge"))
            }
        )
        if recorded:
            demands = {
                "recorded": {"provider": "replay", "source": f"data/{self._name}.answers.jsonl"}
            }
        return {
            **demands,
            **{name: models[name][0] for name in models if name in judging and name not in demands},
        }

    def _suite(
        self,
        name: str,
        prompt: Prompt,
        models: dict[str, dict[str, object]],
        checks: list[object],
        judges: dict[str, dict[str, object]],
        rows: list[ImportedRow],
    ) -> None:
        candidates = [
            each for each in models if each not in {judge["model"] for judge in judges.values()}
        ] or list(models)
        place = self._config.at("prompts")
        if not candidates:
            self._ledger.leave_out(
                place, f"no provider is left for the prompt {prompt.label[:60]!r}"
            )
            return
        candidate = candidates[0]
        own = any(
            same_model(models[candidate], models[str(judge["model"])]) for judge in judges.values()
        )
        if own:
            self._ledger.note(
                place,
                "a judge is the candidate itself, so the suite says `allow_self_judge: true`; name"
                " another",
            )
        options = self._config.value.get("evaluateOptions") or {}
        limit = options.get("maxConcurrency")
        if limit:
            for model in models.values():
                if model["provider"] in ("openai", "http"):
                    model.setdefault("limits", {"concurrency": limit})
        self._say_what_is_not_compared(models[candidate], checks, rows)
        gate = self._gate(checks, judges, rows)
        suite = {
            "suite": name,
            "description": str(self._config.value.get("description") or ""),
            "cases": {"source": self._cases(name, prompt)},
            **({} if prompt.images else self._prompt(name, prompt, rows)),
            "models": models,
            "candidate": candidate,
            "repeats": options.get("repeat", 1) if options.get("repeat", 1) != 1 else None,
            "checks": checks,
            "judges": judges,
            "allow_self_judge": True if own else None,
            "gate": gate,
        }
        path = self._out / f"{name}.yaml"
        self.files[path] = suite_text(
            suite, head_lines(Path(self._config.document.file), candidates[1:], path, gate)
        )
        self.suites.append(path)

    def _say_what_is_not_compared(
        self, model: dict[str, Any], checks: list[object], rows: list[ImportedRow]
    ) -> None:
        text = json.dumps([checks, [[*row.defaults, *row.own] for row in rows]])
        place = self._config.at("providers")
        if '"max_cost"' in text and "price" not in model:
            self._ledger.note(
                place,
                "`max_cost` applies to no case until the model has a `price`: {input: ..., output:"
                " ...}, US dollars for a million tokens",
            )
        if model.get("params", {}).get("tools") or model.get("params", {}).get("functions"):
            self._ledger.note(
                place,
                "promptfoo compares a tool call as JSON text; here the text of an answer has no"
                " tool calls, and `tool_call` checks them",
            )

    def _cases(self, name: str, prompt: Prompt) -> object:
        """The cases of a prompt: those of all prompts, or with their own messages for a chat with
        images.
        """
        if not prompt.images:
            if images_in(self._data) & prompt.variables:
                self._ledger.leave_out(self._config.at("prompts"), IMAGE_IN_TEXT)
            return self._source
        cases = chat_cases(prompt.images, self._data)
        if isinstance(self._source, list):
            return cases
        source = f"data/{name}.jsonl"
        self.files[self._out / source] = jsonl(cases)
        return source

    def _prompt(self, name: str, prompt: Prompt, rows: list[ImportedRow]) -> dict[str, Any]:
        before = (
            "{{ prompt_prefix | default('') }}"
            if any("prompt_prefix" in row.data for row in rows)
            else ""
        )
        after = (
            "{{ prompt_suffix | default('') }}"
            if any("prompt_suffix" in row.data for row in rows)
            else ""
        )
        if prompt.turns:
            if before or after:
                self._ledger.leave_out(
                    self._config.at("prompts"), "a prefix or suffix of a chat has no counterpart"
                )
            return {"messages": [{"role": role, "content": text} for role, text in prompt.turns]}
        if isinstance(prompt.text, Variable):  # only a suite's own texts read the environment
            return {"prompt": Variable(f"{before}{prompt.text}{after}")}
        self.files[self._out / "prompts" / f"{name}.j2"] = f"{before}{prompt.text}{after}\n"
        return {"prompt": f"prompts/{name}.j2"}

    def _gate(
        self, checks: list[object], judges: dict[str, dict[str, object]], rows: list[ImportedRow]
    ) -> dict[str, Any] | str:
        """promptfoo fails when one test fails, or when fewer pass than its threshold says."""
        if all(row.only_runs for row in rows):
            return "none"
        every = {"must_pass": "all"}
        rate = (self._config.value.get("env") or {}).get("PROMPTFOO_PASS_RATE_THRESHOLD")
        if rate is None:
            return every
        place = self._config.at("env", "PROMPTFOO_PASS_RATE_THRESHOLD")
        try:
            share = float(rate) / 100
            if not 0 <= share <= 1:
                raise ValueError(rate)
        except (TypeError, ValueError):
            self._ledger.leave_out(place, f"is not a number from 0 to 100: {rate!r}")
            return every
        if share in (0, 1):
            return every if share else "none"
        self._ledger.note(
            place,
            "a floor on each metric here, cleared when its confidence bound does; where the cases"
            " can't tell, the run warns",
        )
        left = set().union(*(row.informational for row in rows))
        metrics = dict.fromkeys([metric_of(check) for check in checks])
        for row in rows:
            metrics.update(dict.fromkeys(metric_of(check) for check in (*row.defaults, *row.own)))
        floors = {
            metric: share
            for metric in [*metrics, *judges]
            if metric not in left and not is_drawn(metric)
        }
        return {"floors": floors, "on_inconclusive": "warn"}
