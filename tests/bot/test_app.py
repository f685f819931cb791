"""The composition root: the bot starts whole, or not at all."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import Cuecard
from bot.config import Brand, Secrets, Settings, SettingsError, SlackSettings, StoreSettings
from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal
from bot.intake import Intake
from bot.scheduler import Scheduler
from bot.slack.client import SlackRefusedError
from bot.store import Store, StoreError
from bot.store.taste import look
from bot.store.taste_versions import Fitted, begin_version
from nlp.assess import Assessor
from nlp.team import Taste

PLAYBOOK = Path(__file__).parents[2] / "nlp" / "playbook.example.toml"


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    """A workspace to sign in to."""
    with Rehearsal(rules=Rules(is_paced=False)) as started:
        yield started


@pytest.fixture
def settings(tmp_path: Path, rehearsal: Rehearsal) -> Settings:
    """Settings of a bot that plays an empty file."""
    (tmp_path / "posts.jsonl").touch()
    return Settings(
        brand=Brand(name="Acme"),
        slack=SlackSettings(channel="C0MENTIONS", api_url=rehearsal.api_url),
        playbook=PLAYBOOK,
        store=StoreSettings(path=tmp_path / "cuecard.db"),
        feed={"story": {"platform": "replay", "path": str(tmp_path / "posts.jsonl")}},
    )


def tokens(rehearsal: Rehearsal, bot_token: str = "") -> Secrets:
    """Return the workspace's tokens, or another bot token."""
    return Secrets.model_validate(
        {"slack_bot_token": bot_token or rehearsal.bot_token, "slack_app_token": rehearsal.app_token}
    )


@pytest.fixture
def nothing_left(rehearsal: Rehearsal, tmp_path: Path) -> Iterator[None]:
    """After the test no thread is left that was not there before, and nobody holds the database."""
    del rehearsal
    before = set(threading.enumerate())
    yield
    ends_at = time.monotonic() + 5
    while left := [thread for thread in threading.enumerate() if thread not in before and thread.name != "warm-up"]:
        assert time.monotonic() < ends_at, left
        time.sleep(0.01)
    lock = tmp_path / "cuecard.db.lock"
    if lock.exists():
        held = sqlite3.connect(lock, timeout=0, isolation_level=None)
        held.execute("begin exclusive")
        held.close()


@pytest.mark.usefixtures("nothing_left")
def test_a_feed_that_refuses_a_setting_leaves_nothing(settings: Settings, rehearsal: Rehearsal, tmp_path: Path):
    """One sentence with the place; no database, no lock, no thread."""
    bad = settings.model_copy(update={"feed": {**settings.feed, "blogs": {"platform": "feeds", "urls": ["ftp://x"]}}})
    with pytest.raises(SettingsError, match=r"feed\.blogs|blogs"):
        Cuecard(bad, tokens(rehearsal))
    assert not list(tmp_path.glob("cuecard.db*"))


@pytest.mark.usefixtures("nothing_left")
def test_a_token_that_slack_refuses_stops_everything(settings: Settings, rehearsal: Rehearsal):
    """The context ends as if it had never begun."""
    with pytest.raises(SlackRefusedError, match="SLACK_BOT_TOKEN"), Cuecard(settings, tokens(rehearsal, "xoxb-other")):
        pytest.fail("it must not start")


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("part", [Scheduler, Intake])
def test_a_part_that_fails_to_start_or_to_be_built_takes_the_others_down(
    settings: Settings, rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, part: type
):
    """Whatever was started before it is stopped again."""

    def fail(*_: object, **__: object) -> None:
        raise OSError("no room for another thread")

    monkeypatch.setattr(part, "start" if part is Scheduler else "__init__", fail)
    with pytest.raises(OSError, match="no room"), Cuecard(settings, tokens(rehearsal)):
        pytest.fail("it must not start")


@pytest.mark.usefixtures("nothing_left")
def test_a_second_bot_is_refused_before_it_touches_the_tables(
    settings: Settings, rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
):
    """The first one keeps the tables it knows, whatever version the second is."""
    with Store(settings.store.path) as store, store.hold():
        monkeypatch.setattr(Store, "open", lambda _self: pytest.fail("it opened the database"))
        with pytest.raises(StoreError, match="Another Cuecard is running"):
            Cuecard(settings, tokens(rehearsal))


@pytest.mark.usefixtures("nothing_left")
def test_old_posts_are_looked_at_again_where_a_platform_needs_it(settings: Settings, rehearsal: Rehearsal):
    """For Hacker News, which tells of no edits, one thread more runs; each feed is known with what it listens for."""
    nowhere = {"platform": "hackernews", "base_url": "http://127.0.0.1:9/", "firebase_url": "http://127.0.0.1:9/"}
    both = settings.model_copy(update={"feed": {**settings.feed, "hn": nowhere}})
    with Cuecard(both, tokens(rehearsal)) as cuecard:
        assert "recheck" in {thread.name for thread in threading.enumerate()}
        found = dict(cuecard.store.read().execute("select name, settings from feed").fetchall())
        assert set(found) == {"hn", "story"}
        assert len(set(found.values()) - {None, ""}) == 2


def test_what_was_learned_from_the_team_ranks_from_the_first_post_on(
    settings: Settings, rehearsal: Rehearsal, tmp_path: Path
):
    """A start uses the version in use before anything is assessed, and goes on looking at the decisions."""
    base, liked = Assessor().base, Taste(shift=4.0).to_json()
    with Store(settings.store.path) as store, store.transaction() as db:
        begin_version(db, Fitted(base, 90, 0.6, 0.7, liked, {}, frozenset()), datetime.now(UTC))
    post = {"id": "1", "text": "the new counter is lovely", "created_at": datetime.now(UTC).isoformat()}
    (tmp_path / "posts.jsonl").write_text(json.dumps(post) + "\n")
    with Cuecard(settings, tokens(rehearsal)) as cuecard:
        rehearsal.wait_for(lambda: cuecard.store.read().execute("select 1 from mention").fetchone())
        (model,) = cuecard.store.read().execute("select model from mention").fetchone()
        rehearsal.wait_for(lambda: look(cuecard.store.read()).looked_at)
    assert model.endswith("+team-1")


def test_a_bot_that_stops_can_be_started_again(settings: Settings, rehearsal: Rehearsal):
    """Stopping frees the database and every thread; stopping twice is harmless."""
    for _ in range(2):
        with Cuecard(settings, tokens(rehearsal)) as cuecard:
            rehearsal.wait_for(lambda: rehearsal.connections)
        cuecard.stop()
