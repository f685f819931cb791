"""The house rules that no linter knows: sizes, names, and a README that is true."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from bot.cli.app import app

ROOMS = ("bot", "listeners", "nlp", "benchmarks")
MOST_LINES, MOST_FUNCTION_LINES = 400, 40
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager", "service", "misc"}


def modules(project: Path) -> list[Path]:
    """Return every module outside the tests."""
    return sorted(path for room in ROOMS for path in (project / room).rglob("*.py"))


def test_files_are_short_and_named_for_what_they_hold(project: Path):
    """No module passes 400 lines, and none is a drawer for everything."""
    for path in modules(project):
        assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES, path
        assert path.stem not in FORBIDDEN_NAMES, path


def test_functions_are_short(project: Path):
    """No function passes 40 lines, its docstring not counted."""
    for path in modules(project):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node
                assert (node.end_lineno or 0) - first.lineno + 1 <= MOST_FUNCTION_LINES, f"{path}: {node.name}"


def test_readme_links_and_pictures_exist(project: Path):
    """Everything that the README and the docs point to inside the project is there."""
    for page in (project / "README.md", *sorted((project / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_readme_commands_exist(project: Path):
    """Each `cuecard …` in the README is a command, and each `make …` a target."""
    readme = (project / "README.md").read_text("utf-8")
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert set(re.findall(r"^cuecard ([a-z]+)", readme, re.MULTILINE)) <= known
    targets = set(re.findall(r"^([a-z]+):", (project / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)", readme, re.MULTILINE)) <= targets


def test_lock_file_names_no_address(project: Path):
    """The lock holds versions and hashes; where packages come from is the machine's business."""
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (project / lock).read_text("utf-8")


def test_tracked_files_hold_no_database_or_secret(project: Path):
    """Nothing that belongs to one machine or one team is in the tree."""
    if not (project / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=project, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert not [name for name in tracked if name.endswith((".db", ".db-wal", ".env", ".pyc"))]
