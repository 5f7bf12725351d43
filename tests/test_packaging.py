"""The wheel: what it holds, and that it works where there is no checkout."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

SUITE = """\
suite: tiny
cases: [{id: a, question: "Which city?", reference: Tokyo}]
prompt: "{{ question }}"
models: {recorded: {provider: replay, source: answers.jsonl}}
candidate: recorded
checks: [facts]
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=Path(__file__).parent.parent, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files where Python finds them before the checkout."""
    site = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(site)
    return site


def llmeval(site: Path, cwd: Path, *args: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-P", "-m", "llmeval", *map(str, args)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_holds_what_the_checkout_holds(wheel: Path, repository: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "llmeval", "prompts", "suites"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    expected = {
        name if name.startswith("llmeval/") else f"llmeval/_data/{name}" for name in tracked
    }
    assert "llmeval/py.typed" in names
    assert names >= expected
    packed = {name for name in names if ".dist-info/" not in name}
    assert packed == expected, "nothing else is shipped"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


PART_OF = {
    "harper": "harper-py",
    "markupsafe": "jinja2",
    "mlflow": "mlflow-skinny",
    "pydantic_core": "pydantic",
    "huggingface_hub": "transformers",
    "safetensors": "transformers",
    "tokenizers": "transformers",
}
"""What a declared package always brings and shows in its own interface; and one that may not be
installed.
"""


def test_what_is_imported_is_declared(repository: Path) -> None:
    """Every third-party module that the package imports, anywhere, comes with the core or with an
    extra for users.
    """
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    extras = [
        names
        for extra, names in project["optional-dependencies"].items()
        if extra not in ("dev", "docs")
    ]
    wanted = [*project["dependencies"], *(name for names in extras for name in names)]
    declared = {re.split(r"[<>=;\[ ]", each)[0].lower().replace("_", "-") for each in wanted}
    homes = packages_distributions()
    for path in sorted((repository / "llmeval").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in (
                {name.split(".")[0] for name in names}
                - sys.stdlib_module_names
                - {"llmeval", "pytest", "compression"}  # the last is in Python from 3.14 on
            ):
                found = {home.lower().replace("_", "-") for home in homes.get(name, [name])} | {
                    PART_OF.get(name, "")
                }
                assert found & declared, (
                    f"{path.name} imports {name}, which pyproject.toml does not name"
                )


def test_it_runs_where_there_is_no_checkout(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    (tmp_path / "answers.jsonl").write_text('{"id": "a", "output": "It is Tokyo."}\n')
    assert llmeval(installed, tmp_path, "validate", "suite.yaml").returncode == 0
    ran = llmeval(installed, tmp_path, "run", "suite.yaml", "--json", "--out", "run")
    assert ran.returncode == 0, ran.stderr
    assert '"facts"' in ran.stdout
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000, "its template came along"


@pytest.mark.parametrize("example", ["qa", "format", "grounded"])
def test_the_examples_come_with_it(installed: Path, tmp_path: Path, example: str) -> None:
    assert llmeval(installed, tmp_path, "init", "--example", example).returncode == 0
    checked = llmeval(installed, tmp_path, "validate", f"suites/{example}.yaml")
    assert checked.returncode == 0, checked.stderr


LOCAL = "{provider: transformers, model: smollm2-135m-instruct}"


@pytest.mark.parametrize(
    ("command", "line", "written", "package", "extra"),
    [
        (
            "validate",
            '[{id: a, question: "Which city?", reference: Tokyo}]',
            "c.parquet",
            "datasets",
            "data",
        ),
        ("run", "{provider: replay, source: answers.jsonl}", LOCAL, "torch", "local"),
    ],
)
def test_what_an_extra_brings_is_named_when_it_is_missing(
    installed: Path, tmp_path: Path, command: str, line: str, written: str, package: str, extra: str
) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE.replace(line, written))
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    program = f"import sys; sys.modules[{package!r}] = None; from llmeval.cli.main import main; sys.exit(main())"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    started = [sys.executable, "-P", "-c", program, command, "suite.yaml"]
    done = subprocess.run(
        started, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert f"pip install 'llmeval-ci[{extra}]'" in done.stderr


OTHER_PACKAGE = re.compile(
    r"""\b(?:pip|pipx|uv|poetry)\b.*?\b(?:install|inject|add|run)\b.*?[\s'"`]llmeval(?![\w.-])
    |\buvx\s+llmeval(?![\w.-])
    |\bllmeval\[[a-z,]+\]
    |\bdefault:\s*llmeval(?![\w.-])
    """,
    re.VERBOSE,
)
"""A command that installs the package, one of its extras, or what a recipe installs where nothing
else is said.
"""

NAMES = [
    # a line of text, and whether it names the package of another project
    ("pip install llmeval", True),
    ("python3 -m pip install --quiet llmeval", True),
    ('needs tree-sitter: pip install "llmeval[code]"', True),
    ("uv tool install llmeval", True),
    ("uvx llmeval run suites/qa.yaml", True),
    ("    default: llmeval", True),
    ("pip install 'llmeval-ci[local]'", False),
    ("pip install llmeval-ci", False),
    ("pip install -e . && llmeval run suites/qa.yaml", False),
    ("llmeval run suites/qa.yaml", False),
    ("What pip installs. Empty where llmeval is installed already.", False),
]


@pytest.mark.parametrize(("line", "wrong"), NAMES)
def test_the_pattern_knows_the_other_package(line: str, wrong: bool) -> None:
    assert names_other_package(line) == wrong


def names_other_package(line: str) -> bool:
    """Whether a command in the line installs the package `llmeval`, which is another project's."""
    return any(OTHER_PACKAGE.search(part) for part in line.split("&&"))


def test_no_text_names_the_package_of_another_project(repository: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    wrong = []
    for name in tracked:
        if name == "tests/test_packaging.py" or not (repository / name).is_file():
            continue
        text = (repository / name).read_bytes().decode("utf-8", "replace")
        wrong += [
            f"{name}:{i}: {line.strip()}"
            for i, line in enumerate(text.splitlines(), 1)
            if names_other_package(line)
        ]
    assert wrong == []


def test_the_distribution_has_its_own_name(repository: Path) -> None:
    from llmeval.core.errors import DISTRIBUTION, install_hint

    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert project["name"] == DISTRIBUTION == "llmeval-ci"
    assert install_hint("local") == "pip install 'llmeval-ci[local]'"
