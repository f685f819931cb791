"""The settings of a Reddit feed: refused with their names before anything is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from fake_reddit import SECRETS, FakeReddit, comment
from servers import Script, Server
from stand_reddit import look_at, open_reddit, texts

from listeners import reddit
from listeners.contract import FeedContext
from listeners.errors import Permanent, SettingRefused, WatchRefused
from listeners.query import Watch, compile_watches

Serve = Callable[[Script], Server]


def test_no_watch_is_told_not_sat_out(serve: Serve, context: FeedContext):
    """A feed that hears nothing says so."""
    platform = open_reddit(serve(FakeReddit()), replace(context, watches=compile_watches([])))
    with pytest.raises(Permanent, match="No watch listens"):
        next(platform.listen(None))
    assert not platform.check()[0].is_good


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"subreddits": [], "inbox": False}, "subreddits"),
        ({"subreddits": ["r/tea?x"]}, "subreddits.0"),
        ({"subreddits": ["tea"] * 101}, "subreddits"),
        ({"search": [""]}, "search.0"),
        ({"env_prefix": "SLACK"}, "env_prefix"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"oauth_url": "https://me:pw@x"}, "oauth_url"),
        ({"user_agent": "tea"}, "user_agent"),
        ({"user_agent": "line\nbreaks here"}, "user_agent"),
        ({"poll_seconds": 0}, "poll_seconds"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(context: FeedContext, settings: dict[str, object], key: str):
    """With its name, before anything is asked."""
    with pytest.raises(SettingRefused) as caught:
        reddit.open_platform(settings, replace(context, secrets=SECRETS))
    assert caught.value.key == key


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_a_missing_secret_is_named(context: FeedContext, missing: str):
    """The variable's name, at the start; a feed of another prefix has variables of its own."""
    secrets = {name: value for name, value in SECRETS.items() if name != missing}
    with pytest.raises(SettingRefused, match=missing):
        reddit.open_platform({}, replace(context, secrets=secrets))
    with pytest.raises(SettingRefused, match="ACME_USERNAME"):
        reddit.open_platform({"env_prefix": "ACME"}, replace(context, secrets=SECRETS))


@pytest.mark.parametrize("name", ["u/acme_care", "/u/acme_care", "acme_care"])
def test_names_are_taken_as_people_write_them(context: FeedContext, name: str):
    """With or without what Reddit puts before them."""
    platform = reddit.open_platform(
        {"subreddits": ["r/tea", "/r/Pots/", "u_jane"]}, replace(context, secrets=SECRETS | {"REDDIT_USERNAME": name})
    )
    assert platform._access.username == "acme_care"
    assert platform._settings.subreddits == ("tea", "Pots", "u_jane")
    with pytest.raises(SettingRefused, match="REDDIT_USERNAME"):
        reddit.open_platform({}, replace(context, secrets=SECRETS | {"REDDIT_USERNAME": "Jane Doe"}))


def test_a_watch_that_only_the_search_would_hear_must_have_a_word(serve: Serve, context: FeedContext):
    """An emoji is heard where subreddits are read whole; where only the search is asked, it is refused by name."""
    pots = replace(context, watches=compile_watches([Watch("pot", "Acme", "🫖")]), secrets=SECRETS)
    with pytest.raises(WatchRefused) as caught:
        reddit.open_platform({"search": ["all"]}, pots)
    assert caught.value.watch == "pot"
    (batch,) = look_at(open_reddit(serve(FakeReddit([comment("c1", "my 🫖!")])), pots, search=["all"]))
    assert texts(batch) == ["my 🫖!"]
