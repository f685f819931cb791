"""The sieve of a firehose: it may let too much through, and must never hold back what a watch matches."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listeners.firehose import Sieve, choose_needle
from listeners.match import fold, folded_characters
from listeners.query import Watch, Watches, compile_watches

ENCODERS: dict[str, Callable[[object], bytes]] = {
    "compact": lambda event: json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8"),
    "spaced": lambda event: json.dumps(event, ensure_ascii=False).encode("utf-8"),
    "ASCII": lambda event: json.dumps(event).encode(),
    "wide": lambda event: json.dumps(event, ensure_ascii=False, indent=1, separators=(" ,", "\t: ")).encode("utf-8"),
    "for a page": lambda event: escape(json.dumps(event, separators=(",", ":"), ensure_ascii=False), "<>&/").encode(),
    "nothing but escapes": lambda event: escape_letters(event).encode(),
}


def escape(text: str, signs: str) -> str:
    """Write some signs as escapes."""
    return "".join(f"\\u{ord(sign):04X}" if sign in signs else sign for sign in text)


def escape_letters(value: object) -> str:
    """Write JSON in which every letter of a string, keys included, is an escape."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{escape_letters(key)}:{escape_letters(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str):
        units = value.encode("utf-16-be", "surrogatepass")
        return '"' + "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)) + '"'
    return json.dumps(value)


def event(text: str, **others: object) -> dict[str, object]:
    """A post as Jetstream tells it."""
    record = {"$type": "app.bsky.feed.post", "langs": ["en"], "text": text, **others}
    commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": "3k", "record": record}
    return {"did": "did:plc:jane", "time_us": 1, "kind": "commit", "commit": commit}


def compact(text: str, **others: object) -> bytes:
    """A post as Jetstream writes it."""
    return ENCODERS["compact"](event(text, **others))


def watch(*queries: str) -> Watches:
    """Watches for these queries."""
    return compile_watches([Watch(str(number), "", query) for number, query in enumerate(queries)])


# fmt: off
WORDS = st.sampled_from([
    "acme", "ACME", "ＡＣＭＥ", "𝐚𝐜𝐦𝐞", "acmé", "a\u0301cme", "ac\u200bme", "ac\u00adme", "ⓐcme", "aᶜme", "acmes", "™",
    "c++", "c＋＋", "ﬁx", "Fix", "straße", "STRASSE", "Æro", "aero", "øl", "ol", "№5", "no5", "\u212a2", "K2", "text",
    "東京", "㍿", "株式会社", "ｶﾞｽ", "か\u3099", "が", "ガス", "가나", "\u1100\u1161나", "ㅏ", "акме", "АКМЕ", "ёж",
    "👍", "👍🏽", "❤\ufe0f", "1️⃣", "ΣΊΣΥΦΟΣ", "\u0940", "की", "é", "e", "a", "’", "“", "…", "\x7f", "\x00", "ﳲ",
    "\\", '"', "/", "<b>", "AT&T", '"text":"', "did",
])
QUERIES = st.sampled_from([
    "acme", '"acme cloud"', "acme -jobs", "c++", "fix", "strasse", "aero", "ol", "no5", "k2", "tm", "a", "x.com", "2",
    "東京", "株式会社", "ガス", "が", "가나", "акме", "еж", "👍", "❤", "σισυφοσ", "की", "l'acme", "at&t", "1️⃣",
    "lang:en acme", "acme東京", "text",
])
# fmt: on
SIGNS = WORDS | st.characters(codec="utf-8")
TEXTS = st.lists(st.tuples(SIGNS, st.sampled_from([" ", "", "\n", ".", "\u3000"]))).map(
    lambda pairs: "".join(word + between for word, between in pairs)
)


@settings(max_examples=300)
@given(st.lists(QUERIES, min_size=1, max_size=4), TEXTS, st.sampled_from(sorted(ENCODERS)))
def test_what_a_watch_matches_is_never_held_back(queries: list[str], text: str, encoder: str):
    """Whatever the text holds, in whatever disguise, and however it was written as JSON."""
    watches = watch(*queries)
    raw = ENCODERS[encoder](event(text))
    assert json.loads(raw) == event(text)
    if watches.match(text):
        assert Sieve(watches).passes(raw)


def test_every_letter_in_disguise_is_let_through():
    """Each character of Unicode that is compared as another is taken for it, alone and inside a word."""
    narrow = watch(" OR ".join("abcdefghijklmnopqrstuvwxyz0123456789"), "acme")
    wide = watch("が OR カ OR 가 OR и OR α OR 東 OR ا OR ש", "акме")
    for watches, start, end in ((narrow, "ac", "me"), (wide, "ак", "ме")):
        sieve = Sieve(watches)
        for sign in folded_characters():
            for text in (sign, f"{start}{sign}{end}"):
                assert not watches.match(text) or sieve.passes(compact(text)), ascii(text)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("가나", "\u1100\u1161나"),
        ("가나", "\u1100\u314f나"),
        ("가나", "\u3131\u314f나"),
        ("がっこう", "か\u3099っこう"),
        ("ガス", "ｶﾞｽ"),
        ("ガス", "カ\uff9eス"),
        ("バス", "ハ\u3099ス"),
        ("株式会社", "㍿"),
        ("10日", "㏩"),
        ("акме", "АК\u0301МЕ"),
        ("ёж", "е\u0308ж"),
    ],
)
def test_letters_that_are_made_of_several_are_let_through(term: str, text: str):
    """However many characters they were written with."""
    watches = watch(term, "acme")
    assert watches.match(text)
    assert Sieve(watches).passes(compact(text))


def test_no_other_character_is_compared_as_another():
    """The characters that the signs are chosen from are all there are."""
    planes = (range(0x20000, 0x30000, 7), range(0x30000, 0xE0000, 101), range(0xE1000, 0x110000, 101))
    known = folded_characters()
    for code in (code for plane in planes for code in plane):
        assert chr(code) in known or fold(chr(code)) == chr(code)


@pytest.mark.parametrize(
    "text",
    [
        "Nothing to see here",
        "Não há nada aqui, é só uma ação… 🙂",
        "待って、今日だったの知らなかった！！",
        "I don’t know — “soon” isn’t an answer ❤️",
        'She said "no"\n\nand left \\ stayed',
        "ничего",
        "Ich weiß nicht",
    ],
)
@pytest.mark.parametrize("encoder", ["compact", "spaced", "ASCII", "wide", "for a page"])
def test_what_has_nothing_of_a_watch_is_held_back(text: str, encoder: str):
    """Also with accents, emoji, other scripts and escapes in it: that is what the sieve is for."""
    assert not Sieve(watch("acme", "contoso -jobs", "株式会社")).passes(ENCODERS[encoder](event(text)))


def test_of_recorded_posts_hardly_any_is_let_through(shared: Path):
    """Real posts of a real minute, with watches that none of them matches."""
    folder = shared / "recorded/bluesky"
    lines = b"".join((folder / name).read_bytes() for name in ("golden_v1.jsonl", "expected_v1.jsonl")).splitlines()
    posts = [line for line in lines if b'"text"' in line]
    watches = watch("acme", '"acme cloud" OR globex', "東京駅", "contoso")
    assert len(posts) == 18
    assert sum(map(Sieve(watches).passes, posts)) == 0


@pytest.mark.parametrize(
    "raw",
    [
        b'{"did":"did:plc:jane","kind":"commit","commit":{"operation":"delete","rkey":"3k"}}',
        b'{"kind":"account","account":{"active":false}}',
        b'{"commit":{"record":{"text":null}}}',
        b'{"commit":{"record":{"text":"some',
        b'{"commit":{"record":{"text":"some \\"',
        b'{"commit":{"record":{"text":"one"},"more":{"text":"two"}}}',
        b'{"commit":{"record":{"text":"a half \\ud83d"}}}',
        b'{"commit":{"record":{"text":"\xc3 \xc2"}}}',
        b"",
        b"<html>",
    ],
)
def test_what_cannot_be_judged_is_let_through(raw: bytes):
    """Deletions, broken JSON, two texts: a parser must tell."""
    assert Sieve(watch("acme")).passes(raw)


def test_a_text_in_a_text_does_not_confuse_it():
    """Quotes inside a string are escaped, so they are never taken for a key."""
    sieve = Sieve(watch("acme"))
    assert not sieve.passes(compact('he wrote {"text":"hi"} there'))
    assert sieve.passes(compact('he wrote {"text":"hi"} to acme'))
    assert sieve.passes(compact("hello", embed={"text": "acme"}))


def test_posts_of_wanted_authors_are_let_through():
    """A watch for a person hears everything they write, wherever their id stands."""
    sieve = Sieve(watch("from:jane"), ["did:plc:jane"])
    assert sieve.passes(compact("anything"))
    assert sieve.passes(ENCODERS["wide"](event("anything")))
    assert not sieve.passes(compact("anything").replace(b"jane", b"janet"))


def test_a_term_without_a_needle_opens_the_sieve():
    """Better to read all than to miss one."""
    assert choose_needle("\u0338") == ""
    sieve = Sieve(watch("acme", '"\u093c"'))
    assert sieve.passes(compact("nothing of any watch"))


@pytest.mark.parametrize(
    ("term", "needle"),
    [
        ("acme cloud", "cloud"),
        ("at&t", "at"),
        ("c++", "c++"),
        ("x.com", "x.com"),
        ("acme's", "acme"),
        ("東京タワー", "東京タワー"),
        ("iphone発売", "iphone"),
        ("कि\u094dमत", "कि"),
        ("👍", "👍"),
        ("acme\ufffd", "acme"),
    ],
)
def test_a_needle_is_the_longest_sure_piece(term: str, needle: str):
    """Of one script, without marks, quotes, dashes and what JSON may escape; with signs only where it is short."""
    assert choose_needle(fold(term)) == needle
