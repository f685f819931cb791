"""Reading RSS and Atom documents that mean harm, or are merely broken."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import item, rss

from listeners.feed_document import Document, FeedRefused, read_document

URL = "https://forum.example/feed"
WHEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    "<rss version='2.0'><channel><title>x</title><item><title>&c;</title></item></channel></rss>"
)


def read(data: bytes, content_type: str = "") -> Document:
    """Read a document as if it came from the forum."""
    return read_document(data, URL, content_type, 200)


def test_an_item_is_read():
    """Title, plain text, link, author, time; the key is made of its id."""
    (entry,) = read(rss(item("17", "Acme is &lt;b&gt;down&lt;/b&gt;", WHEN))).entries
    assert (entry.title, entry.text, entry.link) == ("A post", "Acme is down", "https://forum.example/17")
    assert entry.moment == WHEN
    assert len(entry.key) == 32


def test_atom_is_read():
    """Atom has other names for the same things."""
    data = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>News</title><entry>
      <id>tag:x,1</id><title>Hello</title><link href="/a?b=1"/><updated>2026-11-23T10:00:00Z</updated>
      <author><name>Jane</name><uri>https://jane.example/</uri></author>
      <content type="text">1 &lt; 2 acme</content></entry></feed>"""
    document = read(data)
    (entry,) = document.entries
    assert (entry.text, entry.link) == ("1 < 2 acme", "https://forum.example/a?b=1")
    assert (entry.author, entry.author_url, entry.moment) == ("Jane", "https://jane.example/", WHEN)
    assert document.language == "de"


def test_ids_that_are_numbers_belong_to_their_feed():
    """'17' in two feeds is two posts; an address in two feeds is one."""
    number, address = rss(item("17", "acme")), rss("<item><guid>https://x.example/1</guid><title>acme</title></item>")
    keys = [
        read_document(data, url, "", 200).entries[0].key
        for data in (number, address)
        for url in ("https://one.example/a", "https://one.example/b")
    ]
    assert keys[0] != keys[1]
    assert keys[2] == keys[3]


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://a:b@c.example/"]
)
def test_links_that_are_not_of_the_web_are_dropped(link: str):
    """A card never gets a link that runs something."""
    (entry,) = read(rss(f"<item><title>acme</title><guid>1</guid><link>{link}</link></item>")).entries
    assert entry.link == ""


def test_scripts_in_titles_are_not_text():
    """Titles of RSS are not cleaned by the parser."""
    (entry,) = read(rss("<item><title>&lt;script&gt;alert(1)&lt;/script&gt;acme</title></item>")).entries
    assert entry.title == "acme"


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS.encode(),
        b"\n<?xml version='1.0'?><!-- <a --> " + LAUGHS.encode(),
        LAUGHS.encode("utf-16"),
        LAUGHS.encode("utf-32"),
        LAUGHS.encode("utf-16-le"),
        LAUGHS.encode("utf-16-be"),
        b"<?xml version='1.0' encoding='utf-7'?>" + LAUGHS.encode("utf-7"),
        LAUGHS.replace("<!", "<\0!").encode(),
        ("\0" + LAUGHS).encode("utf-16"),
        b"<!-- <![CDATA[ -->" + LAUGHS.encode() + b"<!-- ]]> -->",
        b"junk " + LAUGHS.encode(),
    ],
)
def test_entities_never_unpack(data: bytes):
    """A DTD is refused in whatever encoding or wrapping it comes."""
    try:
        document = read(data)
    except FeedRefused:
        return
    assert not any("hahaha" in entry.title for entry in document.entries)


def test_a_dtd_is_refused_in_a_sentence_that_names_the_host():
    """The operator can see which feed it is."""
    with pytest.raises(FeedRefused, match=r"forum\.example sends a feed with a DTD"):
        read(LAUGHS.encode())


def test_an_article_about_html_is_no_dtd():
    """What stands inside an entry cannot be one."""
    (entry,) = read(
        rss("<item><title>acme</title><description><![CDATA[<!DOCTYPE html> rocks]]></description></item>")
    ).entries
    assert "rocks" in entry.text


def test_external_entities_are_not_fetched(tmp_path: Path):
    """Neither files nor addresses are opened."""
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    dtd = f'<!DOCTYPE x [<!ENTITY f SYSTEM "file://{secret}">]>'
    data = f'{dtd}<rss version="2.0"><channel><item><title>&f;</title></item></channel></rss>'
    with pytest.raises(FeedRefused):
        read(data.encode())


@pytest.mark.parametrize("data", [b"", b"<html><body>Log in</body></html>", b"{}", b"\xff\xfe", b"<", b"\0" * 99])
def test_what_is_no_feed_is_refused(data: bytes):
    """A login page is not taken for an empty feed."""
    with pytest.raises(FeedRefused, match="neither RSS nor Atom"):
        read(data)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", ""), ("utf-16", ""), ("iso-8859-1", "iso-8859-1"), ("big5", "big5"), ("koi8-r", "koi8-r")],
)
def test_encodings_are_understood(encoding: str, told: str):
    """By byte order mark, HTTP header or declaration."""
    word = {"big5": "中文", "koi8-r": "Привет"}.get(encoding, "déjà")
    text = f"<rss version='2.0'><channel><title>x</title><item><title>{word}</title></item></channel></rss>"
    (entry,) = read(text.encode(encoding), f"text/xml; charset={told}" if told else "").entries
    assert entry.title == word


@pytest.mark.parametrize("name", ["punycode", "idna", "zlib", "rot13", "undefined", "unicode_escape", "nonsense"])
def test_strange_encodings_are_not_tried(name: str):
    """Only encodings that feeds are written in."""
    assert codecs.lookup(name) if name != "nonsense" else True
    assert len(read(rss(item("1", "acme")), f"text/xml; charset={name}").entries) == 1


def test_too_many_entries_are_cut_and_told():
    """The first so many are read."""
    document = read_document(rss(*[item(str(number), "acme") for number in range(9)]), URL, "", 4)
    assert len(document.entries) == 4
    assert document.refused == ("Acme forum: 5 entries beyond the first 4 were not read.",)


def test_an_entry_without_words_is_refused_with_its_place():
    """The others are read."""
    document = read(rss("<item><guid>1</guid></item>", item("2", "acme")))
    assert len(document.entries) == 1
    assert document.refused == ("Acme forum, entry 1: it has neither title nor text.",)


@pytest.mark.parametrize("date", ["Thu, 01 Jan 0001 00:00:00 GMT", "nonsense", "", "Mon, 32 Foo 2026 99:99:99 GMT"])
def test_a_date_that_is_none_is_left_out(date: str):
    """An entry may have no time."""
    (entry,) = read(rss(f"<item><title>acme</title><pubDate>{date}</pubDate></item>")).entries
    assert entry.moment is None


def test_the_time_to_live_is_read_in_seconds():
    """<ttl> is in minutes."""
    assert read(rss(item("1", "x"), head="<ttl>60</ttl>")).ttl_seconds == 3600
    assert read(rss(item("1", "x"), head="<ttl>soon</ttl>")).ttl_seconds == 0


@given(st.binary(max_size=300) | st.text(alphabet="<>!?-[]&;abDOCTYPEx='\" /", max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes):
    """No other exception comes out."""
    try:
        read(data)
    except FeedRefused as err:
        told = str(err)
    else:
        told = "."
    assert told.endswith(".")


def files(shared: Path) -> Iterator[Path]:
    """The recorded feeds."""
    return (shared / "recorded/rss").rglob("*.xml")


def test_recorded_feeds_are_read_or_refused(shared: Path):
    """Hundreds of feeds made to be hard: no exception, no hang, no fetch (the network is closed)."""
    read_well = 0
    for file in files(shared):
        try:
            document = read(file.read_bytes())
        except FeedRefused:
            continue
        read_well += 1
        for entry in document.entries:
            assert entry.title or entry.text
            assert entry.link.startswith(("http://", "https://", ""))
            assert entry.moment is None or entry.moment.tzinfo is not None
    assert read_well > 300
