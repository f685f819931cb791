"""The commands together, what they share, and how they end."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bot.cli import check, demo, digest, export, forget, init, quality, rank, replay, run, team, watch
from bot.cli.failures import plain_sentence
from bot.cli.logs import LogLevel, start_log
from bot.cli.terminal import complain, say
from bot.redaction import redact


class _Commands(TyperGroup):
    """The group of commands: an error that a person can mend ends in one line for each mistake, without a traceback."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # noqa: ANN401 - as in the class above it
        try:
            return super().invoke(ctx)
        except Exception as err:
            sentence = plain_sentence(err)
            if not sentence or ctx.params.get("debug"):
                raise
            for line in redact(sentence).splitlines():
                complain(f"cuecard: {line}")
            raise typer.Exit(getattr(err, "exit_code", 1)) from err


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich would take longer to load than all the rest
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        say(f"cuecard {version('cuecard')}")
        raise typer.Exit


@app.callback()
def start(
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
    log_level: Annotated[LogLevel, typer.Option("--log-level", help="How much to tell on stderr.")] = LogLevel.INFO,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Hears who needs a human answer, and prompts a person to give it."""
    del version
    start_log(LogLevel.DEBUG if debug else log_level)


for command in (
    demo.demo,
    init.init,
    check.check,
    run.run,
    replay.replay,
    rank.rank,
    digest.digest,
    export.export,
    forget.forget,
    team.team,
    quality.evaluate,
    quality.train,
):
    app.command()(command)
app.command(cls=watch.WatchCommand)(watch.watch)
