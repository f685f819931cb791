"""`cuecard forget`: erase what an author wrote, or one post."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.options import SettingsOption, open_existing_store
from bot.cli.terminal import clean, say


def forget(
    author: Annotated[
        str, typer.Option(metavar="PLATFORM:HANDLE", help="Erase all that this author wrote.", show_default=False)
    ] = "",
    post: Annotated[str, typer.Option(metavar="URL|PLATFORM:ID", help="Erase this one post.", show_default=False)] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    settings: SettingsOption = None,
) -> None:
    """Erase an author or a post, here and on its cards. It cannot be undone."""
    if bool(author) == bool(post):
        raise typer.BadParameter("say either --author or --post, and not both")
    platform, name = _parts(author, "--author") if author else ("", "")
    from bot.config import load_settings

    loaded = load_settings(settings)
    with open_existing_store(loaded.store.path) as store:
        what = f"all that {name} wrote on {platform}" if author else f"the post {post}"
        if not yes and not typer.confirm(clean(f"Erase {what}? It cannot be undone.")):
            say("Nothing was erased.")
            raise typer.Exit(1)
        count = store.forget_author(platform, name) if author else store.forget_post(post)
    say(f"Erased {count} post{'' if count == 1 else 's'}." if count else "Nothing of that is stored.")


def _parts(text: str, option: str) -> tuple[str, str]:
    """Cut 'platform:rest' in two."""
    platform, colon, rest = text.partition(":")
    rest = rest.strip().lstrip("@")
    if not colon or not platform.strip() or not rest:
        raise typer.BadParameter(f"{option} is the platform, a colon and the handle, such as bluesky:ana.example")
    return platform.strip(), rest
