"""How commands end: one line and an exit code, whatever went wrong; and what they load on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import Result

HEAVY = (
    "spacy",
    "slack_bolt",
    "slack_sdk",
    "sqlite_utils",
    "urllib3",
    "feedparser",
    "rich",
    "numpy",
    "starlette",
)
_WHAT_IS_LOADED = """
import sys
sys.argv = ["cuecard", *sys.argv[1:]]
from bot.__main__ import main
try:
    main()
finally:
    print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def program(
    *arguments: str | Path, folder: Path, stdin: bytes = b"", code: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a process of its own, in a folder."""
    start = ["-c", code] if code else ["-m", "bot"]
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        timeout=100,
        check=False,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """Return an environment without tokens, in which the project is found."""
    project = Path(__file__).resolve().parents[3]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "CUECARD_", "COV_"))}
    return {**kept, "PYTHONPATH": str(project), "PYTHONIOENCODING": "utf-8"}


def loaded_by(arguments: Sequence[str | Path], folder: Path, stdin: bytes = b"") -> set[str]:
    """Return the packages that a command loaded."""
    result = program(*arguments, folder=folder, stdin=stdin, code=_WHAT_IS_LOADED)
    last = result.stderr.decode().splitlines()[-1]
    assert last.startswith("LOADED "), result.stderr.decode()
    return set(last.split()[1:])


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_loads_nothing_heavy(arguments: list[str], tmp_path: Path):
    """Help is there at once."""
    assert not loaded_by(arguments, tmp_path) & {*HEAVY, "pydantic"}


@pytest.mark.parametrize("command", ["run", "rank", "demo", "replay"])
def test_help_of_a_command_loads_nothing_heavy(command: str, tmp_path: Path):
    """Nor does a command's own help; pydantic is typer's, to read the options."""
    assert not loaded_by([command, "--help"], tmp_path) & set(HEAVY)


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (["init"], HEAVY),
        (["digest"], {"spacy", "slack_bolt", "slack_sdk", "starlette", "rich", "feedparser"}),
        (["export"], {"spacy", "slack_bolt", "slack_sdk", "starlette", "rich", "feedparser"}),
        (
            ["forget", "--post", "https://x.example/1", "--yes"],
            {"spacy", "slack_bolt", "slack_sdk", "starlette", "rich"},
        ),
        (["check", "--offline"], {"spacy", "slack_bolt", "slack_sdk", "starlette", "rich"}),
        (["run"], {"spacy", "slack_bolt", "slack_sdk", "starlette", "rich"}),
        (["replay", "--db", "c.db", "-"], {"slack_bolt", "slack_sdk", "starlette"}),
        (["rank", "-"], {"slack_bolt", "slack_sdk", "sqlite_utils", "starlette", "feedparser"}),
    ],
)
def test_command_loads_only_what_it_needs(
    settings_file: Path, tmp_path: Path, arguments: list[str], unneeded: Sequence[str]
):
    """No command loads a library that it does not use; `run` here is refused for want of tokens before it loads any."""
    assert settings_file.exists()
    make_database(tmp_path / "cuecard.db")
    assert not loaded_by(arguments, tmp_path) & set(unneeded)


def make_database(path: Path) -> None:
    """Make an empty database."""
    from bot.store import Store  # noqa: PLC0415

    Store(path).open().close()


def test_mistake_in_the_settings_is_a_line_each(cuecard: Callable[..., Result], settings_file: Path):
    """Settings that cannot work end every command that needs them with one line for each mistake."""
    settings_file.write_text(settings_file.read_text() + '\n[digest]\nat = "9"\ntimezone = "x"\n')
    for command in (["run"], ["digest"], ["export"], ["forget", "--post", "x", "--yes"]):
        result = cuecard(*command)
        assert result.exit_code == 1
        lines = result.stderr.splitlines()
        assert [line.partition(", line ")[0] for line in lines] == [f"cuecard: {settings_file.name}"] * 2
        assert result.stdout == ""


def test_traceback_is_shown_only_when_asked_for(tmp_path: Path):
    """A person gets a sentence; `--debug` shows the developer the rest."""
    plain = program("digest", folder=tmp_path)
    assert plain.returncode == 1
    assert plain.stderr.decode().count("\n") == 1
    assert b"Traceback" not in plain.stderr
    assert b"Traceback" in program("--debug", "digest", folder=tmp_path).stderr


_BROKEN = """
import sys
import bot.cli.init
bot.cli.init._read_first = lambda sources: 1 / 0
from bot.__main__ import main
sys.argv = ["cuecard", *sys.argv[1:]]
main()
"""


def test_fault_of_ours_is_said_to_be_one(tmp_path: Path):
    """What nobody foresaw is one line too, with the way to its traceback."""
    result = program("init", folder=tmp_path, code=_BROKEN)
    assert result.returncode == 1
    assert b"something went wrong inside Cuecard (ZeroDivisionError" in result.stderr
    assert b"Traceback" not in result.stderr
    assert b"Traceback" in program("--debug", "init", folder=tmp_path, code=_BROKEN).stderr


@pytest.mark.parametrize(
    "arguments", [["no-such"], ["digest", "--no-such"], ["forget"], ["export", "--format", "xml"], ["replay"]]
)
def test_wrong_usage_ends_with_two(cuecard: Callable[..., Result], arguments: list[str]):
    """A command that is written wrong is told apart from one that cannot be done."""
    result = cuecard(*arguments)
    assert result.exit_code == 2
    assert "Error" in result.stderr or "Usage" in result.stderr


_WAITS = """
import sys, time
import bot.cli.init
def wait(sources):
    print("ready", flush=True)
    time.sleep(60)
bot.cli.init._read_first = wait
from bot.__main__ import main
sys.argv = ["cuecard", "init"]
main()
"""


def test_ctrl_c_ends_quietly_with_130(tmp_path: Path):
    """Ctrl-C is no error worth a word."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WAITS], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == err == b""


_WRITES = """
import sys
import bot.cli.init
from bot.cli.terminal import say
def write(sources):
    for number in range(100_000):
        say(str(number))
    return b""
bot.cli.init._read_first = write
from bot.__main__ import main
sys.argv = ["cuecard", "init"]
main()
"""


def test_reader_that_goes_away_is_no_error(tmp_path: Path):
    """`cuecard … | head -1` says nothing on standard error."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITES], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) in {0, 1}


def test_python_m_bot_is_the_same_program(tmp_path: Path):
    """`python -m bot` works as `cuecard` does."""
    result = program("--help", folder=tmp_path)
    assert result.returncode == 0
    assert result.stdout.startswith(b"Usage: cuecard ")
