"""What every platform of the catalogue promises, tried on each of them.

A platform that is added to the catalogue must get a stand here, or the suite fails.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import NoReturn

import pytest
from servers import Script, Server
from stand import SECRET, Stand
from stands import STANDS

from listeners.catalog import LABELS, PLATFORMS, label_of, open_platform
from listeners.contract import Capability, FeedContext, Platform, Shape
from listeners.errors import ListenerError, Permanent, SettingRefused
from listeners.mention import Batch, Mention
from listeners.query import compile_watches


@pytest.fixture(params=sorted(PLATFORMS))
def name(request: pytest.FixtureRequest) -> str:
    """Every platform of the catalogue."""
    chosen = str(request.param)
    if chosen not in STANDS:
        pytest.fail(f"{chosen} is in the catalogue and has no stand in stands.py")
    return chosen


@pytest.fixture
def stand(name: str, serve: Callable[[Script], Server], tmp_path: Path) -> Iterator[Stand]:
    """The platform's stand."""
    built = STANDS[name](serve, tmp_path)
    yield built
    built.close()


@pytest.fixture
def context(context: FeedContext, stand: Stand) -> FeedContext:
    """A feed with the secrets that the stand's platform needs."""
    return replace(context, secrets=stand.secrets)


@pytest.fixture
def platform(name: str, stand: Stand, context: FeedContext) -> Iterator[Platform]:
    """The platform, opened."""
    opened = open_platform(name, stand.settings, context)
    yield opened
    opened.close()


def look(platform: Platform, cursor: str | None, looks: int = 1, *, least: int = 0) -> list[Batch]:
    """Take a few batches, and then as many as it takes to hear that many mentions, and let go.

    A platform that is asked brings all in one look; one that pushes may say first that it listens.
    """
    listener = platform.listen(cursor)
    batches = list(islice(listener, looks))
    while len(mentions(batches)) < least:
        batches.append(next(listener))
    return batches


def mentions(batches: list[Batch]) -> list[Mention]:
    """All mentions in batches."""
    return [mention for batch in batches for mention in batch.mentions]


def test_the_catalogue_and_the_stands_are_the_same_set():
    """No stand is left over either."""
    assert set(STANDS) == set(PLATFORMS)


def test_opening_touches_no_network(name: str, stand: Stand, context: FeedContext, monkeypatch: pytest.MonkeyPatch):
    """A bot with a dead network still starts."""

    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    open_platform(name, stand.settings, context).close()
    assert not any(server.requests for server in stand.servers)


def test_an_unknown_setting_is_refused_with_its_key(name: str, stand: Stand, context: FeedContext):
    """A typing mistake is not passed over in silence."""
    with pytest.raises(SettingRefused) as caught:
        open_platform(name, {**stand.settings, "pol_seconds": 3}, context)
    assert caught.value.key == "pol_seconds"
    assert "pol_seconds" in str(caught.value)


def test_the_platform_key_of_the_settings_is_no_mistake(name: str, stand: Stand, context: FeedContext):
    """The table of a feed names its platform."""
    open_platform(name, {**stand.settings, "platform": name}, context).close()


def test_mentions_are_whole(name: str, stand: Stand, platform: Platform):
    """Every mention can be stored, shown, and led back to its feed."""
    stand.add(1, "acme is down")
    stand.add(2, "acme is up")
    found = mentions(look(platform, None, least=2))
    assert len(found) == 2
    assert len({(mention.platform, mention.native_id) for mention in found}) == 2
    for mention in found:
        assert mention.platform in LABELS
        assert label_of(name)
        assert (mention.feed, mention.brand, mention.watches) == ("main", "Acme", ("acme",))
        assert mention.created_at.tzinfo == UTC
        assert mention.native_id
        assert mention.text
        assert mention.author.handle


def test_it_resumes_at_a_cursor(stand: Stand, platform: Platform):
    """What a stored cursor covers is not needed again, and what came after it is heard."""
    stand.add(1, "acme one")
    first = look(platform, None, least=1)
    stand.add(2, "acme two")
    resumed = mentions(look(platform, first[-1].cursor, least=1))
    assert "acme two" in [mention.text for mention in resumed]
    assert mentions(first)[0].native_id not in [mention.native_id for mention in resumed if mention.text == "acme two"]


def test_what_was_not_stored_comes_again(stand: Stand, platform: Platform):
    """Called again with the old cursor, it tells again: at least once."""
    stand.add(1, "acme one")
    before = look(platform, None, least=1)[-1].cursor
    stand.add(2, "acme two")
    lost, again = mentions(look(platform, before, least=1)), mentions(look(platform, before, least=1))
    assert "acme two" in [mention.text for mention in lost]
    assert [mention.native_id for mention in lost] == [mention.native_id for mention in again]


def test_hearing_nothing_is_said_too(platform: Platform):
    """An empty batch says 'I am listening', so silence is never taken for peace."""
    (batch,) = look(platform, None)
    assert batch.mentions == ()


def test_cursors_are_text_that_survives_storage(stand: Stand, platform: Platform):
    """A cursor is opaque text of a bounded size."""
    stand.add(1, "acme one")
    cursor = look(platform, None, least=1)[-1].cursor
    assert isinstance(cursor, str)
    assert cursor.encode().decode() == cursor
    assert 0 < len(cursor) < 100_000


def test_faults_come_out_as_the_projects_own_errors(stand: Stand, platform: Platform):
    """What the platform throws is translated, keeps its cause, and tells no secret."""
    stand.add(1, "acme one")
    stand.breaks()
    with pytest.raises(ListenerError) as caught:
        look(platform, None, looks=3)
    err: BaseException | None = caught.value
    while err is not None:
        assert SECRET not in f"{err} {err!r}"
        err = err.__cause__


def test_a_look_that_fails_is_no_sign_of_life(stand: Stand, platform: Platform):
    """A batch would say that the feed is heard, and silence would be taken for a clean bill."""
    stand.breaks()
    batches = platform.listen(None)
    with pytest.raises(ListenerError):
        next(batches)


def test_nothing_that_is_printed_holds_a_secret(stand: Stand, platform: Platform, context: FeedContext):
    """Not the platform, nor its context, nor a batch, nor a finding."""
    told = replace(context, secrets={"TOKEN": SECRET})
    stand.add(1, "acme one")
    batches = look(platform, None, least=1)
    findings = platform.check()
    stand.breaks()
    findings += platform.check()
    assert SECRET not in f"{platform!r} {platform} {told!r} {[batch.mentions for batch in batches]!r} {findings!r}"


def test_check_tells_good_from_bad_without_raising(stand: Stand, platform: Platform):
    """Each finding is a sentence; a bad one says what to do."""
    stand.add(1, "acme one")
    assert all(finding.is_good for finding in platform.check())
    stand.breaks()
    findings = platform.check()
    assert not all(finding.is_good for finding in findings)
    for finding in findings:
        assert finding.sentence
        assert finding.is_good or finding.remedy


def test_close_ends_a_listener_that_waits(name: str, stand: Stand, context: FeedContext):
    """A feed between two looks stops at once, even where nobody ends its pause."""
    opened = open_platform(
        name, stand.settings, replace(context, pause=lambda seconds: bool(time.sleep(min(seconds, 0.01))))
    )
    heard = threading.Event()

    def listen() -> None:
        for _batch in opened.listen(None):
            heard.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert heard.wait(10)
    opened.close()
    thread.join(10)
    assert not thread.is_alive()


def test_a_pause_that_says_stop_ends_a_listener(name: str, stand: Stand, context: FeedContext):
    """The caller's word is enough."""
    opened = open_platform(name, stand.settings, replace(context, pause=lambda _seconds: True))
    assert len(list(opened.listen(None))) == 1


def test_capability_and_shape_are_pure(stand: Stand, platform: Platform, monkeypatch: pytest.MonkeyPatch):
    """They ask nobody and answer the same each time, so the preview is what is sent."""
    stand.add(1, "acme one")
    (mention,) = mentions(look(platform, None, least=1))
    here, connect = threading.current_thread(), socket.socket.connect

    def refuse(opened: socket.socket, address: tuple[str, int]) -> None:
        assert threading.current_thread() is not here, "a connection was made"
        connect(opened, address)  # the stand's own threads go on

    monkeypatch.setattr(socket.socket, "connect", refuse)
    capability = platform.capability(mention)
    assert isinstance(capability, Capability)
    assert capability == platform.capability(mention)
    assert capability.reason
    assert (capability.route == "by_hand") is bool(capability.url)
    for text in ("  Thank you, e\u0301!  ", "👩‍👩‍👧", "", "a" * 100_000, "\ud800\0"):
        shape = platform.shape(text, mention)
        assert isinstance(shape, Shape)
        assert shape == platform.shape(text, mention)
        assert platform.shape(shape.text, mention).text == shape.text
        assert shape.text == shape.text.strip()
    assert platform.shape(" ", mention).problem


def test_a_thread_is_made_of_posts_that_fit(stand: Stand, platform: Platform):
    """Where a long text may go out in parts, each is fine by itself, and nothing but white space is lost."""
    stand.add(1, "acme one")
    (mention,) = mentions(look(platform, None, least=1))
    text = "We looked into this, and we are sorry. " * 40 + "Ana"
    shape = platform.shape(text, mention)
    if not shape.parts:
        assert not shape.problem or shape.limit
        return
    assert shape.problem
    assert len(shape.parts) > 1
    assert all(not platform.shape(part, mention).problem for part in shape.parts)
    assert [word for part in shape.parts for word in part.split() if not word.startswith("@")] == text.split()


def test_a_reply_that_cannot_be_made_is_refused(stand: Stand, platform: Platform):
    """Where the route is not api, reply() refuses for good; where it is, a dead line is told as not posted."""
    stand.add(1, "acme one")
    (mention,) = mentions(look(platform, None, least=1))
    route = platform.capability(mention).route
    with pytest.raises(ListenerError) as caught:
        platform.reply(mention, "hello", "key")
    assert isinstance(caught.value, Permanent) is (route != "api")
    assert SECRET not in f"{caught.value} {caught.value!r}"


def test_an_unknown_platform_is_refused_with_the_known_ones():
    """The sentence says what there is."""
    with pytest.raises(SettingRefused) as caught:
        open_platform("myspace", {}, FeedContext("main", compile_watches([]), lambda _seconds: True))
    assert str(caught.value) == f"There is no platform 'myspace'; use one of {', '.join(sorted(PLATFORMS))}."


def test_every_platform_has_a_manual_page(name: str, stand: Stand, context: FeedContext, project: Path):
    """The module's docstring, and docs/platforms.md, explain every setting."""
    opened = open_platform(name, stand.settings, context)
    module = __import__(PLATFORMS[name].module, fromlist=["Settings"])
    page = (
        (project / "docs/platforms.md").read_text().partition(f"## {PLATFORMS[name].label}\n")[2].partition("\n## ")[0]
    )
    for setting in module.Settings.model_fields:
        assert f"    {setting} " in module.__doc__
        assert f"`{setting}`" in page
    opened.close()
