"""`cuecard demo`: the rehearsal workspace, the real bot connected to it, and a made-up brand's mentions playing in."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config import Brand, Secrets, Settings, SettingsError, SlackSettings, StoreSettings, WatchSettings
from bot.config import ReplySettings as Reply
from bot.demo import team
from bot.demo.blocks import Json
from bot.demo.rehearsal import Rehearsal
from bot.demo.server import PortTaken
from bot.demo.stage import stage_path
from bot.records import JobKind

if TYPE_CHECKING:
    from bot.app import Cuecard

HERE = files("bot.demo")
FEED = "replay"
"""The feed's name: that under which `cuecard replay` puts posts, so that those can be answered on the stage too."""
AT_ONCE = 6
"""So many mentions of the story are there from the start; the others play in."""
PACE_SECONDS = 4.0
HOLD_SECONDS = 10.0
_MOST_SHOWN = 5_000
_MOST_REDRAWN = 30


def run_demo(
    *,
    port: int = 8750,
    open_browser: bool = True,
    db: Path | None = None,
    feed: Path | None = None,
    pace: float | None = None,
) -> None:
    """Run until Ctrl-C or SIGTERM.

    Raises:
        SettingsError: the port is taken, or the feed can not be read; one sentence says so.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with open_demo(port=port, db=db, feed=feed, pace=pace) as (rehearsal, cuecard):
            sys.stdout.write(f"The rehearsal is at {rehearsal.url} - nothing leaves this machine. Ctrl-C ends it.\n")
            sys.stdout.flush()
            if open_browser:
                open_page(rehearsal.url)
            cuecard.wait()
    except KeyboardInterrupt:
        sys.stdout.write("\nThe rehearsal is over.\n")


@contextlib.contextmanager
def open_demo(
    *,
    port: int = 0,
    db: Path | None = None,
    feed: Path | None = None,
    pace: float | None = None,
    hold_seconds: float = HOLD_SECONDS,
) -> Iterator[tuple[Rehearsal, Cuecard]]:
    """Start the workspace and the bot; stop both at the end, and forget what was not asked to be kept."""
    from bot.app import Cuecard  # noqa: PLC0415 - loads the model; a taken port is told before that

    rehearsal = Rehearsal(port)
    with tempfile.TemporaryDirectory(prefix="cuecard-demo-", ignore_cleanup_errors=True) as folder:
        try:
            rehearsal.start()
        except PortTaken as err:
            raise SettingsError(f"{err} Choose another with --port, for example --port 0 for any free one.") from err
        with contextlib.ExitStack() as stack:
            stack.callback(rehearsal.stop)
            settings = build_settings(rehearsal, Path(folder), db=db, feed=feed, pace=pace)
            settings = settings.model_copy(update={"reply": Reply(hold_seconds=hold_seconds)})
            cuecard = Cuecard(settings, secrets_of(rehearsal))
            stack.callback(cuecard.stop)
            cuecard.start()
            _redraw(cuecard)
            yield rehearsal, cuecard


def _redraw(cuecard: Cuecard) -> None:
    """Put the open cards of a kept database into the channel, which is empty at every start."""
    now = datetime.now(UTC)
    for view in cuecard.store.queue(_MOST_REDRAWN, now=now):
        cuecard.store.request_job(JobKind.CARD, str(view.conversation.id), now=now)


def secrets_of(rehearsal: Rehearsal) -> Secrets:
    """Return the workspace's own tokens; the machine's environment is not looked at."""
    return Secrets.model_validate({"slack_bot_token": rehearsal.bot_token, "slack_app_token": rehearsal.app_token})


def build_settings(
    rehearsal: Rehearsal, folder: Path, *, db: Path | None = None, feed: Path | None = None, pace: float | None = None
) -> Settings:
    """Return the settings of the made-up brand; its feed is prepared in `folder` and shown to the stage."""
    feeds = _own_feed(rehearsal, folder, pace) if feed is None else _given_feed(rehearsal, feed, pace)
    playbook = folder / "playbook.toml"
    playbook.write_bytes((HERE / "playbook.toml").read_bytes())
    channels = {name: channel_id for channel_id, name in team.CHANNELS}
    return Settings(
        brand=Brand(name=team.TEAM_NAME, handles=("kettleandfern",)),
        slack=SlackSettings(
            channel=channels["mentions"], ops_channel=channels["cuecard-ops"], api_url=rehearsal.api_url
        ),
        store=StoreSettings(path=db.absolute() if db else folder / "cuecard.db"),
        playbook=playbook,
        watch=(WatchSettings(name="us", query='"kettle & fern" OR "kettle and fern" OR kettleandfern'),),
        feed=feeds,
    )


def _replay(rehearsal: Rehearsal, path: Path, pace: float) -> dict[str, object]:
    return {
        "platform": "replay",
        "path": str(path),
        "pace_seconds": pace,
        "stage_url": rehearsal.stage_url,
        "account": "@kettleandfern",
        "threads": True,
    }


def _own_feed(rehearsal: Rehearsal, folder: Path, pace: float | None) -> dict[str, dict[str, object]]:
    """Give each post of the story its time and its address on the stage; the first few are heard at once."""
    pace = PACE_SECONDS if pace is None else pace
    rows = [_prepare(row, rehearsal.url) for row in story()]
    rehearsal.add_posts(rows)
    parts = {"opening": (rows[:AT_ONCE], 0.0), FEED: (rows[AT_ONCE:], pace)}
    feeds = {}
    for name, (some, seconds) in parts.items():
        path = folder / f"{name}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in some), "utf-8")
        feeds[name] = _replay(rehearsal, path, seconds)
    return feeds


def story() -> list[Json]:
    """Return the story's rows as they were written."""
    return [json.loads(line) for line in (HERE / "feed.jsonl").read_text("utf-8").splitlines()]


def _prepare(row: Json, base_url: str) -> Json:
    ready = {name: value for name, value in row.items() if name != "minutes_ago"}
    ready["url"] = f"{base_url}/stage/{stage_path(row['id'])}"
    if "minutes_ago" in row:
        written = datetime.now(UTC) - timedelta(minutes=row["minutes_ago"])
        ready["created_at"] = written.isoformat(timespec="seconds")
    return ready


def _given_feed(rehearsal: Rehearsal, feed: Path, pace: float | None) -> dict[str, dict[str, object]]:
    """Play somebody's own file; the stage learns its first posts for display."""
    from listeners.replay import Refusal, read_lines, read_rows  # noqa: PLC0415

    if not feed.is_file():
        raise SettingsError(f"There is no file {feed}; name a JSONL or CSV file with --feed.")
    with feed.open("rb") as stream:
        rows = list(islice(read_rows(read_lines(stream), str(feed)), _MOST_SHOWN))
    rehearsal.add_posts(
        {
            "id": row.native_id,
            "platform": row.platform,
            "text": row.text,
            "title": row.title,
            "author": {"handle": row.author.handle, "name": row.author.name},
            "created_at": row.created_at.isoformat(),
        }
        for row in rows
        if not isinstance(row, Refusal)
    )
    return {FEED: _replay(rehearsal, feed.absolute(), pace or 0.0)}


def open_page(url: str) -> None:
    """Open the page where there is a desktop; a terminal's own browser would take the terminal over."""
    has_desktop = sys.platform in {"darwin", "win32"} or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    if has_desktop:
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(url)
