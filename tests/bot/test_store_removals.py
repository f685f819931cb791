"""Posts and authors that were taken down on their platform."""

from __future__ import annotations

from datetime import timedelta

from bot.store import Store
from bot.store.erasure import write_removals
from listeners.mention import Author, Removal
from tests.bot.flow_fixtures import NOW, batch, build_intake, mention, number_of, one

LATER = NOW + timedelta(hours=1)


def remove(store: Store, *removals: Removal) -> list[int]:
    """Write removals; return the conversations they concerned."""
    with store.transaction() as db:
        return write_removals(db, removals, LATER)


def left(store: Store) -> str:
    """Return the posts that still have their words."""
    return str(
        one(
            store,
            "select group_concat(native_id, ' ') from (select native_id from mention where text <> '' order by 1)",
        )
    )


def test_the_deletions_of_a_whole_network_cost_one_look(store: Store) -> None:
    """A platform that tells every deletion tells of thousands of unknown posts and authors: no query for each."""
    build_intake(store).take([batch(mention("a"), mention("b"))])
    counts = []
    for number in (1, 5000):
        posts = [Removal("place", LATER, native_id=f"unknown {each}") for each in range(number)]
        asked: list[str] = []
        store.read().conn.set_trace_callback(asked.append)
        assert remove(store, *posts) == []
        store.read().conn.set_trace_callback(None)
        counts.append(len(asked))
    assert counts[0] == counts[1] < 10
    assert one(store, "select count(*) from event where event = 'remove'") == 0


def test_the_few_that_are_known_are_found_among_them(store: Store) -> None:
    """Each known post is emptied as of when it was taken down; its conversation has one line on record."""
    build_intake(store).take([batch(*(mention(each) for each in "abc"))])
    flood = [Removal("place", LATER, native_id=f"unknown {each}") for each in range(1000)]
    flood[500:500] = [
        Removal("place", LATER, native_id="a"),
        Removal("place", LATER + timedelta(hours=1), native_id="b"),
    ]
    assert remove(store, *flood) == [number_of(store, "a"), number_of(store, "b")]
    assert left(store) == "c"
    found = store.read().execute("select removed_at from mention where text = '' order by native_id").fetchall()
    assert found == [(LATER.timestamp(),), ((LATER + timedelta(hours=1)).timestamp(),)]
    assert one(store, "select count(*) from event where event = 'remove'") == 2


def test_an_author_taken_down_takes_all_posts_along_once(store: Store) -> None:
    """By handle in any case or by id, on that platform only; told again, nothing more happens."""
    kim = Author("Kim", native_id="K1")
    build_intake(store).take(
        [
            batch(
                mention("a", author=kim),
                mention("b", author=kim, thread_id="t"),
                mention("c", author=Author("lee", native_id="kim")),
                mention("d", author=Author("mo", native_id="k1")),
                mention("e", author=kim, platform="elsewhere"),
                mention("f", author=Author("kimberly")),
            )
        ]
    )
    assert remove(store, Removal("place", LATER, author="kim")) == [1, 2, 3]
    assert left(store) == "d e f"
    again = [Removal("place", LATER, author=name) for name in ("kim", "Kim", "K1")]
    events = one(store, "select count(*) from event")
    assert remove(store, *again) == []
    assert one(store, "select count(*) from event") == events


def test_many_authors_at_once(store: Store) -> None:
    """However many accounts go in one batch, those that we know of are emptied."""
    build_intake(store).take([batch(*(mention(f"{each:03}", author=Author(f"author{each}")) for each in range(600)))])
    gone = [Removal("place", LATER, author=f"author{each}") for each in range(0, 3000, 2)]
    assert len(remove(store, *gone)) == 300
    assert left(store).split() == [f"{each:03}" for each in range(1, 600, 2)]


def test_a_post_and_its_author_taken_down_together_is_one_line_on_record(store: Store) -> None:
    """A platform may say both, in one batch or in two."""
    build_intake(store).take([batch(mention("a", author=Author("kim")))])
    both = (Removal("place", LATER, author="kim"), Removal("place", LATER, native_id="a"))
    assert remove(store, *both) == [1]
    assert remove(store, *both) == []
    assert one(store, "select count(*) from event where event = 'remove'") == 1


def test_a_new_post_that_is_gone_already_leaves_no_words(store: Store) -> None:
    """Heard and taken down in the same batch."""
    build_intake(store).take([batch(mention("a"), removals=(Removal("place", NOW, native_id="a"),))])
    assert one(store, "select text from mention") == ""
