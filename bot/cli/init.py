"""`cuecard init`: the files to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.failures import Failure
from bot.cli.terminal import say

_PACKAGE = Path(__file__).resolve().parents[1]
_PROJECT = _PACKAGE.parent
# Each file, and where it may be found: in an installed package, or in the project's own folder.
FILES: tuple[tuple[str, tuple[Path, ...]], ...] = (
    ("cuecard.toml", (_PACKAGE / "templates" / "cuecard.toml",)),
    ("playbook.toml", (_PROJECT / "nlp" / "playbook.example.toml",)),
    (".env.example", (_PACKAGE / "templates" / "env.example",)),
    ("manifest.yml", (_PROJECT / "manifest.yml", _PACKAGE / "templates" / "manifest.yml")),
)
NEXT = """
What next:
  1. In cuecard.toml set the brand, what to listen for, and the channel.
  2. At https://api.slack.com/apps make an app "from a manifest" with manifest.yml, and install it.
  3. Copy .env.example to .env and put the two tokens in; invite the bot to the channel.
  4. cuecard check     says what is missing
     cuecard run       starts it
To see it work before all that: cuecard demo"""


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write; it is made where it does not exist.")] = Path(),
) -> None:
    """Write settings and all else to start from.

    cuecard.toml, playbook.toml, .env.example and the Slack app's manifest.yml, all commented.
    A file that is there already is kept as it is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, sources in FILES:
        target = folder / name
        if _write_new(target, _read_first(sources)):
            say(f"wrote   {target}")
        else:
            say(f"kept    {target}, which was there already")
    say(NEXT)


def _read_first(sources: tuple[Path, ...]) -> bytes:
    for source in sources:
        if source.is_file():
            return source.read_bytes()
    raise Failure(f"This installation lacks {sources[0].name}; install Cuecard again.")


def _write_new(target: Path, content: bytes) -> bool:
    """Write a file that does not exist yet; what is there stays as it is, whoever made it in the meantime."""
    try:
        with target.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True
