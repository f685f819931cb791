"""A draft by a model: asked for apart, kept beside the playbook's, and never waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from seeds import NOW, a_mention, an_assessment, hear, shaped

from bot.config import Secrets, Settings
from bot.drafting import BY_MODEL, Drafting
from bot.late_drafts import RESTS_FOR, Drafter, LateDrafts, drafter_of
from bot.records import CardView
from bot.store import Store
from bot.store.suggestions import Suggested
from listeners.contract import Shape
from nlp.endpoint import Endpoint
from nlp.playbook import Playbook, load_playbook
from tests.nlp.fake_endpoint import FakeEndpoint, hang_up, say_nothing

PAIRING = "my kettle will not pair with the app, the amber light blinks"
WRITTEN = "I can see that the light blinks. [what you found out]"


@pytest.fixture
def book(project: Path) -> Playbook:
    """The playbook of the demo."""
    return load_playbook(project / "bot" / "demo" / "playbook.toml")


@pytest.fixture
def drafting(store: Store, book: Playbook) -> Drafting:
    """What makes suggestions."""
    return Drafting(store, book)


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    """A model on loopback that writes one good draft."""
    with FakeEndpoint() as served:
        served.say(WRITTEN)
        yield served


class Asking:
    """A drafter that is asked, and what it brought."""

    def __init__(self, drafting: Drafting, endpoint: FakeEndpoint, *platforms: str, timeout: float = 5.0) -> None:
        self.drafting = drafting
        self.late = LateDrafts(
            drafting, Drafter(Endpoint(endpoint.url, "m", timeout_seconds=timeout), frozenset(platforms))
        )
        self.brought: list[Suggested] = []

    def ask(self, view: CardView, now: datetime = NOW) -> Suggested:
        """Suggest and ask; return what was suggested before. `wait` waits for the end."""
        before = self.drafting.suggested(view, shape, now)
        self.late.ask(view, shape, before, now, self.brought.append)
        return before

    def wait(self) -> list[Suggested]:
        """Return what it brought, once it has done all it was asked."""
        everybody = threading.Barrier(3)
        for _ in range(2):
            self.late._pool.submit(everybody.wait, 10)
        everybody.wait(10)
        return self.brought


@pytest.fixture
def asking(drafting: Drafting, endpoint: FakeEndpoint) -> Iterator[Asking]:
    """A drafter that may see posts of the stage."""
    made = Asking(drafting, endpoint, "stage")
    yield made
    made.late.close()


def shape(text: str) -> Shape:
    """Count as the stage does."""
    return shaped(text)


def view_of(store: Store, native_id: str, text: str = PAIRING, **fields: object) -> CardView:
    """Hear a post and return its card's view."""
    view = store.card_view(hear(store, a_mention(native_id, text, brand="Kettle & Fern", **fields)))
    assert view is not None
    return view


def test_a_draft_stands_beside_the_others_and_stays(
    store: Store, drafting: Drafting, asking: Asking, endpoint: FakeEndpoint
):
    """The last to choose from, marked as a model's; asked once; the same after a restart; nobody's own words."""
    view = view_of(store, "1")
    before = asking.ask(view)
    (brought,) = asking.wait()
    assert brought.drafts[:-1] == tuple(before.drafts)
    assert (brought.drafts[-1].text, brought.drafts[-1].kind) == (WRITTEN, BY_MODEL)
    assert "the drafter (m)" in brought.drafts[-1].source
    assert asking.ask(view) == brought == drafting.suggested(view, shape, NOW)
    asking.wait()
    assert len(endpoint.asked) == 1
    assert WRITTEN in store.suggested_texts(view.conversation.id)


def test_an_open_modal_keeps_what_it_began_with(store: Store, drafting: Drafting, asking: Asking):
    """The draft that came does not change what an earlier number means."""
    view = view_of(store, "1")
    before = asking.ask(view)
    asking.wait()
    assert drafting.suggested(view, shape, NOW, before.number) == before


@pytest.mark.parametrize("platforms", [(), ("x",), ("reddit", "x")])
def test_without_leave_no_post_is_shown(
    store: Store, drafting: Drafting, endpoint: FakeEndpoint, platforms: tuple[str, ...]
):
    """Only posts of platforms that are named."""
    asking = Asking(drafting, endpoint, *platforms)
    asking.ask(view_of(store, "1"))
    asking.late.close()
    assert endpoint.asked == []


def test_the_platform_of_the_feed_must_be_named_too(store: Store, asking: Asking, endpoint: FakeEndpoint):
    """A replayed post is the replay's as well."""
    asking.ask(view_of(store, "1", feed_platform="replay"))
    asking.wait()
    assert endpoint.asked == []


def test_drawing_asks_nobody(store: Store, drafting: Drafting, endpoint: FakeEndpoint):
    """Suggestions alone never reach the network."""
    drafting.suggested(view_of(store, "1"), shape, NOW)
    assert endpoint.asked == []


def test_where_nothing_is_suggested_nobody_is_asked(store: Store, asking: Asking, endpoint: FakeEndpoint):
    """Silence is silence."""
    view = store.card_view(hear(store, a_mention("1", PAIRING, brand="Kettle & Fern"), an_assessment(0)))
    assert view is not None
    assert not asking.ask(view).drafts
    asking.wait()
    assert endpoint.asked == []


@pytest.mark.parametrize("said", ["We will refund you $5.", "Great news! [x]", ""])
def test_a_bad_draft_is_not_shown(store: Store, asking: Asking, endpoint: FakeEndpoint, said: str):
    """The playbook's drafts stand, and the model is not asked again for this post."""
    endpoint.say(said)
    view = view_of(store, "1")
    before = asking.ask(view)
    assert asking.wait() == []
    assert asking.ask(view) == before


def test_the_same_words_are_not_suggested_to_two_people(store: Store, asking: Asking):
    """A model that repeats itself is refused like any other repetition."""
    asking.ask(view_of(store, "1"))
    asking.wait()
    asking.ask(view_of(store, "2"))
    assert len(asking.wait()) == 1


def test_a_drafter_that_does_not_answer_rests(store: Store, asking: Asking, endpoint: FakeEndpoint):
    """It is left alone for a minute; then it is asked again, for the same post, too."""
    endpoint.raw = hang_up
    view = view_of(store, "1")
    asking.ask(view)
    asking.wait()
    asking.ask(view, NOW + RESTS_FOR - timedelta(seconds=1))
    asking.wait()
    assert len(endpoint.asked) == 1
    endpoint.raw = None
    asking.ask(view, NOW + RESTS_FOR)
    assert len(asking.wait()) == 1


def test_nobody_waits_for_a_slow_one(store: Store, drafting: Drafting, endpoint: FakeEndpoint):
    """Asking returns at once; of a crowd only a few wait for it; closing ends with its time-out."""
    endpoint.raw = say_nothing(0.5)
    asking = Asking(drafting, endpoint, "stage", timeout=0.3)
    for number in range(12):
        asking.ask(view_of(store, str(number)))
    assert asking.late._waiting <= 6
    assert asking.brought == []
    asking.late.close()
    assert len(endpoint.asked) <= 2
    assert asking.brought == []


def test_a_newer_suggestion_is_not_overtaken(store: Store, drafting: Drafting, asking: Asking, endpoint: FakeEndpoint):
    """What came for words that the author has edited meanwhile is dropped."""
    view = view_of(store, "1")
    before = drafting.suggested(view, shape, NOW)
    newer = drafting.suggested(view, lambda text: shaped(text, limit=500), NOW)
    assert newer.number != before.number
    asking.late.ask(view, shape, before, NOW, asking.brought.append)
    assert asking.wait() == []
    assert len(endpoint.asked) == 1


def test_what_fails_while_showing_stops_nothing(store: Store, drafting: Drafting, asking: Asking):
    """The draft is kept for the next time, and the next post has its turn."""

    def break_off(_suggested: Suggested) -> None:
        raise RuntimeError

    view = view_of(store, "1")
    asking.late.ask(view, shape, drafting.suggested(view, shape, NOW), NOW, break_off)
    asking.wait()
    assert drafting.suggested(view, shape, NOW).drafts[-1].kind == BY_MODEL
    assert asking.late._waiting == 0


# The settings


def settings_with(**drafter: object) -> Settings:
    """Return settings with a drafter."""
    return Settings.model_validate({"brand": {"name": "Acme"}, "drafter": drafter})


def test_by_default_there_is_no_drafter():
    """No settings, no model."""
    assert drafter_of(settings_with(), Secrets()) is None


def test_a_drafter_takes_its_key_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    """The key is in no settings, and no platform is given it."""
    monkeypatch.setenv("DRAFTER_KEY", "s3cret-of-the-model")
    secrets = Secrets()
    secrets._variables.update({"DRAFTER_KEY": "s3cret-of-the-model", "X_TOKEN": "t"})
    settings = settings_with(url="https://models.example/v1/", model="small", platforms=["bluesky"])
    drafter = drafter_of(settings, secrets)
    assert drafter is not None
    assert drafter.endpoint == Endpoint("https://models.example/v1", "small", "s3cret-of-the-model", 10)
    assert drafter.platforms == {"bluesky"}
    assert "s3cret" not in repr(drafter) + repr(secrets)
    assert secrets.for_platforms() == {"X_TOKEN": "t"}


@pytest.mark.parametrize(
    ("drafter", "told"),
    [
        ({"url": "http://models.example/v1"}, "write an https:// address up to /v1"),
        ({"url": "https://u:p@models.example/v1"}, "without a password"),
        ({"url": "https://models.example/v1", "platforms": ["x"]}, "name the model too"),
        ({"url": "https://models.example/v1", "model": "m"}, "say whose posts the model may see"),
        ({"platforms": ["myspace"]}, "there is no platform 'myspace'"),
        ({"timeout_seconds": 0}, "greater than or equal"),
    ],
)
def test_a_drafter_that_cannot_work_is_refused(drafter: dict[str, object], told: str):
    """With what to do."""
    with pytest.raises(ValidationError, match=told):
        settings_with(**drafter)
