"""What is made from the code is up to date, and what the documents name exists."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    path = Path(__file__).parent.parent / "docs" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("file", "maker"),
    [
        ("docs/suite-reference.md", "suite_reference"),
        ("docs/checks.md", "checks_reference"),
        ("docs/commands.md", "command_reference"),
        ("docs/records.md", "records_reference"),
        ("llmeval/checks/index.py", "checks_index"),
    ],
)
def test_made_files_are_up_to_date(
    repository: Path, generate: ModuleType, file: str, maker: str
) -> None:
    assert (repository / file).read_text(encoding="utf-8") == getattr(generate, maker)(), (
        "run: python docs/generate.py"
    )


def test_the_pages_of_the_checks_are_up_to_date(repository: Path, generate: ModuleType) -> None:
    pages = generate.check_pages()
    assert {f"checks/{path.name}" for path in (repository / "docs" / "checks").iterdir()} == set(
        pages
    )
    for name, text in pages.items():
        assert (repository / "docs" / name).read_text(encoding="utf-8") == text, (
            "run: python docs/generate.py"
        )


def test_links_lead_somewhere(repository: Path) -> None:
    for document in [*repository.glob("*.md"), *repository.glob("docs/**/*.md")]:
        text = re.sub(
            r"`[^`\n]+`", "", document.read_text(encoding="utf-8")
        )  # links, not examples of links
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_dependency_has_its_reason(repository: Path) -> None:
    import tomllib

    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    reasons = (repository / "docs" / "dependencies.md").read_text().lower()
    for requirement in [*project["dependencies"], *extras]:
        name = re.split(r"[<>=;\[ ]", requirement)[0].lower()
        if name.startswith(("types-", "llmeval")):
            continue
        assert re.search(rf"\b{re.escape(name)}\b", reasons), (
            f"{name} is not in docs/dependencies.md"
        )


def test_the_readme_names_commands_that_exist(repository: Path) -> None:
    import typer

    from llmeval.cli.app import app

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(
        re.findall(r"(?:`|bin/|^)llmeval ([a-z]+)\b", (repository / "README.md").read_text(), re.M)
    )
    assert named
    assert named <= known


def test_modules_that_documents_name_exist(repository: Path) -> None:
    for document in [*repository.glob("*.md"), *repository.glob("docs/*.md")]:
        if document.name == "CHANGELOG.md":
            continue  # it names what was
        text = document.read_text(encoding="utf-8")
        for name in re.findall(
            r"`((?:llmeval|tests|benchmarks|docs)/[\w/.-]+\.(?:py|md|yaml))\b", text
        ):
            assert (repository / name).exists(), f"{document.name}: {name}"


def test_tests_that_the_promises_name_exist(repository: Path) -> None:
    text = (repository / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|benchmarks)/[\w./]+)`", text))
    assert len(named) > 12
    assert [each for each in sorted(named) if not (repository / each).exists()] == []


def test_the_table_of_rooms_is_the_one_that_is_tested(repository: Path) -> None:
    from tests.test_architecture import ALLOWED

    page = (repository / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `(\w+)` \| .* \| (.*) ?\|$", page.partition("## Rooms")[2].partition("\n## ")[0], re.M
    )
    rooms = {room: set(re.findall(r"`(\w+)`", imports)) for room, imports in rows}
    assert rooms == {
        room: allowed - {"__init__"}
        for room, allowed in ALLOWED.items()
        if not room.startswith("__")
    }
