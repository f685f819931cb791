"""One feed of X, opened with its settings."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from clocks import Hands
from fake_x import OUR_HANDLE, SECRET, SECRETS, FakeX
from servers import Answer
from stand import Serve
from stand_x import look, mentions, open_x

from listeners import x
from listeners.catalog import PLATFORMS, may_train, open_platform
from listeners.contract import FeedContext
from listeners.errors import ListenerError, SettingRefused, WatchRefused
from listeners.query import Watch, compile_watches


@pytest.fixture
def context(context: FeedContext) -> FeedContext:
    """A feed with all five keys."""
    return replace(context, secrets=SECRETS)


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_missing_key_is_refused_by_its_name(context: FeedContext, name: str):
    """At start, not at the first reply."""
    secrets = {key: value for key, value in SECRETS.items() if key != name}
    with pytest.raises(SettingRefused, match=f"{name} is not set"):
        x.open_platform({"handle": "acme"}, replace(context, secrets=secrets))


def test_each_account_has_keys_of_its_own(context: FeedContext):
    """By the beginning of their names."""
    secrets = {key.replace("X_", "X_HELP_", 1): value for key, value in SECRETS.items()}
    assert x.open_platform({"handle": "acme", "env_prefix": "X_HELP"}, replace(context, secrets=secrets)).kind == "x"
    with pytest.raises(SettingRefused, match="X_HELP_BEARER_TOKEN is not set"):
        x.open_platform({"handle": "acme", "env_prefix": "X_HELP"}, context)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("handle", "not a handle", "letters, digits and _"),
        ("handle", "", "letters, digits and _"),
        ("user_id", "jane", "in digits"),
        ("mode", "firehose", "'stream', 'poll' or 'mentions'"),
        ("budget_usd_per_month", -1, "greater than or equal to 0"),
        ("slow_at_percent", 101, "less than or equal to 100"),
        ("poll_seconds", 1, "greater than or equal to 5"),
        ("poll_seconds", 1_201, "less than or equal to 1200"),
        ("tag_prefix", "a:b", "one short word"),
        ("base_url", "api.x.com", "web address"),
        ("base_url", "https://u:p@api.x.com", "user name"),
        ("env_prefix", "SLACK", "capital letters"),
        ("price_post", "free", "valid number"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(context: FeedContext, key: str, value: object, said: str):
    """With its name, and why."""
    with pytest.raises(SettingRefused, match=said) as caught:
        x.open_platform({"handle": "acme", key: value}, context)
    assert caught.value.key == key


def test_a_handle_may_be_written_with_its_sign(context: FeedContext):
    """As people write it."""
    feed = x.open_platform({"handle": "@Acme"}, context)
    assert feed.kind == "x"


def test_a_watch_that_is_too_long_for_the_account_is_refused(context: FeedContext):
    """With its name; an Enterprise account may ask more."""
    words = " ".join(f"word{number}" for number in range(100))
    long = replace(context, watches=compile_watches([Watch("long", "Acme", words)]))
    with pytest.raises(WatchRefused, match="longer; leave words out") as caught:
        open_platform("x", {"handle": "acme"}, long)
    assert caught.value.watch == "long"
    open_platform("x", {"handle": "acme", "query_length": 4_096, "rule_length": 2_048}, long).close()


@pytest.mark.parametrize("query", ["from:jane", "acme from:jane", "acme -from:jane", "acme -(cloud from:jane)"])
def test_people_cannot_be_watched_without_their_names(context: FeedContext, query: str):
    """A watch must not be deaf because money is saved."""
    named = replace(context, watches=compile_watches([Watch("jane", "Acme", query)]))
    with pytest.raises(SettingRefused, match="set expansions to authors") as caught:
        x.open_platform({"handle": "acme", "expansions": "none"}, named)
    assert caught.value.key == "expansions"
    x.open_platform({"handle": "acme", "expansions": "authors"}, named).close()


def test_its_text_trains_no_model_and_is_looked_at_again():
    """X's terms."""
    assert not may_train("x")
    assert PLATFORMS["x"].recheck_days is None


def test_no_library_is_loaded_before_a_feed_is_opened():
    """`--help` and a bot without X pay nothing for it; opening loads no counting."""
    code = (
        "import sys; import listeners.catalog; assert 'tweepy' not in sys.modules;"
        "import listeners.x; assert 'tweepy' in sys.modules; assert 'twitter_text' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_no_log_holds_a_key(serve: Serve, context: FeedContext, hands: Hands, caplog: pytest.LogCaptureFixture):
    """Not even where every library is told to say all."""
    caplog.set_level(logging.DEBUG)
    for name in ("tweepy", "tweepy.client", "oauthlib", "requests_oauthlib", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    fake = FakeX(now=hands.now)
    fake.add(f"@{OUR_HANDLE} acme")
    feed = open_x(serve(fake), context, mode="stream")
    (mention,) = mentions(look(feed))
    feed.reply(mention, "hello", "key")
    feed.recheck([mention])
    feed.check()
    assert SECRET not in caplog.text
    feed.close()


def test_no_answer_brings_a_key_into_what_is_told(serve: Serve, context: FeedContext):
    """Should X, or what stands in its place, repeat one."""
    fake = FakeX()
    echo = f'{{"title": "{SECRETS["X_BEARER_TOKEN"]}", "detail": "bad {SECRETS["X_ACCESS_TOKEN"]}"}}'.encode()
    for status in (400, 403, 404):
        fake.faults["GET /2"] = [Answer(status, echo)]
        feed = open_x(serve(fake), context, user_id="77")
        with pytest.raises(ListenerError) as caught:
            look(feed)
        assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"
        fake.faults["GET /2"] = [Answer(status, echo)] * 3
        assert SECRET not in repr(feed.check())


@pytest.mark.parametrize("mode", ["stream", "poll", "mentions"])
def test_close_ends_listening_at_once(serve: Serve, context: FeedContext, mode: str):
    """In every mode, from another thread, though nobody ends its pause."""
    before = threading.active_count()
    fake = FakeX()
    feed = open_x(serve(fake), replace(context, pause=lambda seconds: bool(time.sleep(min(seconds, 0.02)))), mode=mode)
    heard = threading.Event()

    def listen() -> None:
        for _batch in feed.listen(None):
            heard.set()

    thread = threading.Thread(target=listen)
    thread.start()
    assert heard.wait(5)
    began = time.monotonic()
    feed.close()
    thread.join(5)
    assert time.monotonic() - began < 2
    assert not thread.is_alive()
    fake.hang_up()
    while threading.active_count() > before + 1:
        time.sleep(0.01)
