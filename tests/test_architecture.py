"""The house: imports point one way, and rooms stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "llmeval"
CORE = {"core"}
STORE = CORE | {"store"}
ALLOWED = {
    "core": set(),
    "store": CORE,
    "suite": CORE,
    "data": CORE | {"suite"},
    "models": CORE | {"suite"},
    "checks": CORE,
    "stats": CORE,
    "judges": STORE | {"models", "stats"},
    "runner": STORE | {"suite", "data", "models", "checks", "judges", "__init__"},
    "gate": STORE | {"stats"},
    "compare": STORE | {"stats", "gate"},
    "review": STORE | {"stats", "gate"},
    "history": STORE | {"stats", "gate"},
    "planning": STORE | {"suite", "judges", "runner", "stats", "gate", "history"},
    "report": STORE | {"stats", "gate", "planning", "compare"},
    "monitor": STORE | {"stats"},
    "governance": STORE | {"stats", "gate", "__init__"},
    "importers": CORE | {"suite", "checks"},
    "__init__": {"api", "runner", "suite", "testing"},
    "datatests": STORE
    | {"suite", "data", "checks", "runner", "stats", "gate", "planning", "history", "report"}
    | {"__init__"},
    "api": STORE
    | {"suite", "data", "models", "judges", "runner", "gate", "planning", "review", "history"}
    | {"report", "governance", "__init__"},
    "testing": STORE | {"api", "suite", "data", "models", "runner", "checks", "report"},
    "pytest_plugin": STORE | {"api", "testing", "suite", "data"},
    "__main__": {"cli"},
}
"""What each room may import beside itself. The order of the rows is the direction of the data."""


def imported(path: Path) -> set[str]:
    """The rooms of llmeval that a module imports, wherever in its text."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [node.module]
                if node.module != "llmeval"
                else [f"llmeval.{alias.name}" for alias in node.names]
            )
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "llmeval" and len(parts) > 1:
                rooms.add(
                    parts[1]
                    if (PACKAGE / parts[1]).exists() or (PACKAGE / f"{parts[1]}.py").exists()
                    else "__init__"
                )
    return rooms


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    room = relative.parts[0].removesuffix(".py")
    if room == "cli":
        return
    assert imported(path) <= ALLOWED[room] | {room}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_public_names_exist() -> None:
    import llmeval

    assert all(getattr(llmeval, name) is not None for name in llmeval.__all__)
    with pytest.raises(AttributeError):
        _ = llmeval.nothing_of_the_sort


@pytest.mark.parametrize(
    "heavy", ["torch", "transformers", "datasets", "pandas", "openai", "aiohttp", "numpy"]
)
def test_help_imports_nothing_heavy(heavy: str) -> None:
    code = f"import sys, llmeval.cli.app; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
