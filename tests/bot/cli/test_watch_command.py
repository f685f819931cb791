"""`cuecard watch`: a query tried on platforms and on posts."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import Result

from bot.cli.highlight import Highlighter, _cells, point_at
from listeners.catalog import PLATFORMS, label_of
from listeners.match import fold
from listeners.query import Watch, compile_watches, parse

PROJECT = Path(__file__).resolve().parents[3]
POSTS = "my Acme order\nnothing\n\nacme jobs\nÁCME rocks #acme\n"


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """Plain posts, one a line."""
    file = tmp_path / "posts.txt"
    file.write_text(POSTS, "utf-8")
    return file


def rows_of(result: Result) -> dict[str, str]:
    """The table's rows by their platform, each on one line."""
    rows: dict[str, str] = {}
    label = ""
    for line in result.stdout.partition("\n\n")[0].splitlines()[1:]:
        label = line.partition("  ")[0] or label
        rows[label] = f"{rows.get(label, '')} {line.removeprefix(label)}"
    return {label: " ".join(row.split()) for label, row in rows.items()}


def test_every_platform_says_what_it_is_asked(cuecard: Callable[..., Result]):
    """One row each, in the order of the catalogue, and nothing is needed for it: no settings, no account."""
    result = cuecard("watch", "acme")
    assert result.exit_code == 0
    assert list(rows_of(result)) == [entry.label for entry in PLATFORMS.values()]
    assert rows_of(result)["Hacker News"].startswith('"acme"')


def test_one_platform_can_be_asked_for(cuecard: Callable[..., Result]):
    """Before or after the query."""
    for arguments in (
        ["acme", "--platform", "replay"],
        ["--platform", "replay", "acme"],
        ["acme", "--platform=replay"],
    ):
        result = cuecard("watch", *arguments)
        assert result.exit_code == 0
        assert list(rows_of(result)) == ["Replay"]


def test_a_platform_that_is_not_known_is_refused(cuecard: Callable[..., Result]):
    """With the ones that are."""
    result = cuecard("watch", "acme", "--platform", "myspace")
    assert result.exit_code == 2
    assert result.stderr.startswith("cuecard: There is no platform 'myspace'; use one of ")
    assert "hackernews" in result.stderr


def test_long_questions_are_wrapped(cuecard: Callable[..., Result], monkeypatch: pytest.MonkeyPatch):
    """Each in its own column, none lost."""
    monkeypatch.setenv("COLUMNS", "80")
    words = [f"word{number}" for number in range(30)]
    result = cuecard("watch", " OR ".join(words), "--platform", "hackernews")
    assert all(f'"{word}"' in result.stdout for word in words)
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_what_a_platform_cannot_express_is_shown_with_the_place(cuecard: Callable[..., Result]):
    """The caret stands under the word; the other platforms are not kept from showing theirs."""
    result = cuecard("watch", "acme OR 🫖")
    assert result.exit_code == 0
    assert "cannot listen for this: Hacker News cannot search for '🫖'" in rows_of(result)["Hacker News"]
    lines = result.stdout.splitlines()
    caret = next(number for number, line in enumerate(lines) if line.strip() == "^")
    assert lines[caret].index("^") == lines[caret - 1].index("🫖")
    assert "Replay" in rows_of(result)


def test_the_platform_that_was_named_must_express_it(cuecard: Callable[..., Result]):
    """Then the query is a bad one, and a script can tell."""
    assert cuecard("watch", "acme OR 🫖", "--platform", "hackernews").exit_code == 2
    assert cuecard("watch", "acme OR 🫖", "--platform", "replay").exit_code == 0


@pytest.mark.parametrize(
    ("query", "sentence", "column"),
    [
        ('acme "cloud', "Column 6: the quote that opens here is never closed.", 5),
        ("acme OR", "Column 6: nothing stands after this OR.", 5),
        ("-jobs", "Column 1: this would match nearly every post; add a word that must be there.", 0),
        ("", "Column 1: the query is empty; write what to listen for.", 0),
        ("東京 AND x", "Column 4: words side by side must all be there, so AND is not needed; leave it out.", 5),
        ("a\tb (", "Column 5: the '(' that opens here is never closed.", 4),
    ],
)
def test_a_bad_query_is_one_sentence_with_a_caret(
    cuecard: Callable[..., Result], query: str, sentence: str, column: int
):
    """The caret stands in the column as a terminal counts it: some letters take two."""
    result = cuecard("watch", query)
    assert result.exit_code == 2
    assert result.stdout == ""
    said, shown, caret = result.stderr.split("\n")[:3]
    assert said == f"cuecard: {sentence}"
    assert shown == f"    {query.replace(chr(9), ' ')}"
    assert caret == " " * (4 + column) + "^"


def test_lines_that_match_are_shown_with_their_numbers(cuecard: Callable[..., Result], posts: Path):
    """And how many they are; without marks, where no person watches."""
    result = cuecard("watch", "acme -jobs", posts)
    assert result.exit_code == 0
    shown = result.stdout.partition("\n\n")[2]
    assert shown == "      1  my Acme order\n      5  ÁCME rocks #acme\n2 of 4 posts match.\n"


def test_no_match_is_told_by_the_exit_code(cuecard: Callable[..., Result], posts: Path, tmp_path: Path):
    """As grep does; a file without a post is no failure."""
    result = cuecard("watch", "globex", posts)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "0 of 4 posts match.")
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert cuecard("watch", "globex", empty).exit_code == 0


def test_rows_are_judged_as_a_feed_judges_them(cuecard: Callable[..., Result], tmp_path: Path):
    """By title and text, author and language."""
    file = tmp_path / "posts.jsonl"
    rows = [
        {"id": 1, "text": "it is down", "title": "Acme", "author": "jane", "language": "en"},
        {"id": 2, "text": "acme ist weg", "author": "hans", "language": "de"},
        {"id": 3, "text": "hello", "author": "bob"},
        {"id": 4, "text": "two\nlines of acme"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = cuecard("watch", "acme lang:en OR from:bob", file)
    assert result.stdout.partition("\n\n")[2].splitlines() == [
        "      1  jane: Acme · it is down",
        "      3  bob: hello",
        "      4  two lines of acme",
        "3 of 4 posts match.",
    ]


def test_a_bad_line_is_told_and_the_others_are_read(cuecard: Callable[..., Result], tmp_path: Path):
    """With its number and the reason; the exit code is 2."""
    file = tmp_path / "posts.csv"
    file.write_text("id,text\n1,acme\n,acme\n3,acme\n")
    result = cuecard("watch", "acme", file)
    assert result.exit_code == 2
    assert f"{file}, line 3: it has no id." in result.stderr
    assert result.stdout.endswith("2 of 2 posts match; 1 could not be read.\n")


@pytest.mark.parametrize(
    ("stdin", "shown"),
    [
        ('\n{"id": 1, "text": "acme"}\n', "      2  acme"),
        ('\ufeff{"id": 1, "text": "acme"}\n', "      1  acme"),
        ("\nhello acme\n{acme}\n", "      2  hello acme"),
        ("acme", "      1  acme"),
    ],
)
def test_standard_input_is_json_or_plain_text(cuecard: Callable[..., Result], stdin: str, shown: str):
    """Its first line tells."""
    result = cuecard("watch", "acme", "-", stdin=stdin.encode())
    assert result.exit_code == 0
    assert result.stdout.partition("\n\n")[2].splitlines()[0] == shown


def test_nothing_on_standard_input_is_nothing_to_match(cuecard: Callable[..., Result]):
    """No failure."""
    result = cuecard("watch", "acme", "-", stdin=b"")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "0 of 0 posts match.")


def test_a_file_that_is_not_there_is_told(cuecard: Callable[..., Result]):
    """In one line."""
    result = cuecard("watch", "acme", "nowhere.jsonl")
    assert result.exit_code == 1
    assert "nowhere.jsonl cannot be read: No such file or directory." in result.stderr


def test_plain_text_that_is_not_utf8_is_shown_as_it_can_be(cuecard: Callable[..., Result], tmp_path: Path):
    """A stray byte hides no line."""
    file = tmp_path / "posts.TXT"
    file.write_bytes(b"\xef\xbb\xbfacme \xff\n")
    result = cuecard("watch", "acme", file)
    assert "      1  acme \ufffd\n" in result.stdout


def test_a_plain_line_without_end_is_refused(
    cuecard: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As in the other kinds of files."""
    monkeypatch.setattr("listeners.rows.MAX_LINE", 100)
    file = tmp_path / "posts.txt"
    file.write_text("acme " * 50 + "\nacme\n")
    result = cuecard("watch", "acme", file)
    assert result.exit_code == 2
    assert "line 1: it is longer than 100 bytes." in result.stderr
    assert "      2  acme" in result.stdout


@pytest.mark.parametrize("query", ["-jobs acme", "-hiring acme", "-(jobs OR hiring) acme", '-"for sale" acme'])
def test_a_query_that_begins_with_a_minus_is_a_query(cuecard: Callable[..., Result], posts: Path, query: str):
    """Also where it begins as an option does."""
    for arguments in (
        [query, posts],
        [query, posts, "--platform", "replay"],
        ["--platform", "replay", "--", query, posts],
    ):
        result = cuecard("watch", *arguments)
        assert (result.exit_code, "my Acme order" in result.stdout) == (0, True)


@pytest.mark.parametrize("arguments", [["acme", "--platfrom", "replay"], ["acme", "--platform"], [], ["a", "b", "c"]])
def test_options_that_are_written_wrong_are_told(cuecard: Callable[..., Result], arguments: Sequence[str]):
    """They are not taken for queries."""
    result = cuecard("watch", *arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


def test_help_is_help(cuecard: Callable[..., Result]):
    """Whatever else is there."""
    for arguments in (["-h"], ["acme", "--help"]):
        assert "Try a query" in cuecard("watch", *arguments).stdout


def test_a_post_cannot_act_on_the_terminal(cuecard: Callable[..., Result], tmp_path: Path):
    """Its control characters are taken out, in text, title and author."""
    file = tmp_path / "posts.jsonl"
    evil = "\x1b]0;title\x07acme\x1b[2J\u202e\rx"
    file.write_text(json.dumps({"id": 1, "text": evil, "title": evil, "author": {"handle": evil}}) + "\n")
    result = cuecard("watch", "acme", file)
    assert not re.search("[\x1b\x07\r\u202e]", result.stdout)
    assert "acme" in result.stdout


def test_a_query_cannot_act_on_the_terminal(cuecard: Callable[..., Result]):
    """It may have been pasted; the caret still stands right."""
    result = cuecard("watch", "\x1b[31macme OR")
    _said, shown, caret = result.stderr.split("\n")[:3]
    assert (shown, caret) == ("    acme OR", "         ^")


# --- what loads, and what a terminal sees

_LOADED = """
import sys
from bot.__main__ import main
try:
    main()
finally:
    print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""
_SHORT_FILES_ARE_LONG = """
import bot.cli.watch
bot.cli.watch._LONG = 10
from bot.__main__ import main
main()
"""


def environment() -> dict[str, str]:
    """An environment in which the project is found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "NO_COLOR"))}
    return {**kept, "PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8", "TERM": "xterm-256color", "COLUMNS": "100"}


def test_it_loads_nothing_that_it_does_not_need(posts: Path):
    """It is there at once: no language model, no Slack, no database, and no platform but the one that was named."""
    command = [sys.executable, "-c", _LOADED, "watch", "acme", str(posts), "--platform", "replay"]
    ran = subprocess.run(command, capture_output=True, timeout=60, env=environment(), check=True)
    loaded = set(ran.stderr.decode().splitlines()[-1].split()[1:])
    assert not loaded & {"spacy", "slack_sdk", "slack_bolt", "sqlite_utils", "feedparser", "uvicorn", "rich", "numpy"}


def in_terminal(folder: Path, *arguments: str, out: Path | None = None) -> str:
    """Run `cuecard watch` in a terminal of its own, with long files; return what it shows."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", _SHORT_FILES_ARE_LONG, "watch", *arguments]
    heard: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(ours, 65_536):
                heard.append(part)
        except OSError:  # the other end is closed
            return

    with (out or Path(os.devnull)).open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, stdin=theirs, stdout=stream if out else theirs, stderr=theirs, env=environment()
        )
        os.close(theirs)
        reader = threading.Thread(target=read)
        reader.start()
        assert process.wait(60) == 0
        reader.join(10)
    os.close(ours)
    return b"".join(heard).decode()


def test_words_are_marked_and_a_long_file_has_a_bar(posts: Path):
    """Where a person watches: the words stand out as they are written, and the bar spoils no line."""
    seen = in_terminal(posts.parent, "acme", posts.name, "--platform", "replay")
    assert "\x1b[1;31mAcme\x1b[0m order" in seen
    assert "\x1b[1;31mÁCME\x1b[0m rocks #\x1b[1;31macme\x1b[0m" in seen
    assert "━" in seen
    assert "3 of 4 posts match." in seen


def test_a_bar_goes_to_the_terminal_and_the_posts_into_the_file(posts: Path, tmp_path: Path):
    """What is sent into a file is plain and whole."""
    out = tmp_path / "out"
    seen = in_terminal(posts.parent, "acme", posts.name, "--platform", "replay", out=out)
    assert "━" in seen
    assert "Acme order" not in seen
    assert out.read_text("utf-8").endswith(
        "      1  my Acme order\n      4  acme jobs\n      5  ÁCME rocks #acme\n3 of 4 posts match.\n"
    )


# --- words in texts


def marked(query: str, text: str) -> list[str]:
    """The words that are found."""
    return [text[start:end] for start, end in Highlighter(parse(query)).find(text)]


@pytest.mark.parametrize(
    ("query", "text", "words"),
    [
        ("acme", "Acme, acmes and ACME's", ["Acme", "ACME"]),
        ('"acme cloud" OR tea', "the ACME   Cloud and tea", ["ACME   Cloud", "tea"]),
        ("acme -jobs", "acme jobs", ["acme"]),
        ("acme -(jobs OR -tea)", "acme jobs tea", ["acme", "tea"]),
        ("@acme", "@acme @acme_help me@acme acme", ["@acme"]),
        ("strasse", "Die Straße", ["Straße"]),
        ("cafe", "un cafe\u0301 CAFÉ", ["cafe\u0301", "CAFÉ"]),
        ("東京", "東京都", ["東京"]),
        ("🫖", "tea🫖tea", ["🫖"]),
        ("tea OR teapot OR pot", "teapot", ["teapot"]),
        ("from:jane", "jane", []),
        ("acme", "nothing", []),
        ("ﬁle", "file", ["file"]),
        ("file", "a ﬁle", ["ﬁle"]),
    ],
)
def test_words_are_found_as_they_are_written(query: str, text: str, words: list[str]):
    """In any case, with or without accents, whole; what is left out is not marked."""
    assert marked(query, text) == words


LETTERS = st.text(alphabet="aA bß.éÉe\u0301@#_ﬁ東🫖-'\u2019İ\u200d", max_size=25)


@given(LETTERS, st.sampled_from(["a", "ab", "ss", "e", "@a", "#b", "東", "🫖", '"a b"', "fi"]))
def test_what_is_marked_is_what_matches(text: str, query: str):
    """A post that matches has a mark, and one that does not has none; each mark reads as the word."""
    line = " ".join(text.split())
    found = marked(query, line)
    assert bool(found) is bool(compile_watches([Watch("q", "", query)]).match(line))
    assert all(fold(query.strip('"')) in fold(word) for word in found)


def test_a_long_post_is_shown_around_its_first_word():
    """A page of text does not hide why it matched."""
    text = "x " * 3_000 + "acme " + "y " * 3_000
    plain = Highlighter(parse("acme")).show(text, is_marked=False)
    assert len(plain) == 1_002
    assert plain.startswith("…")
    assert plain.endswith("…")
    assert " acme " in plain
    assert "\x1b[1;31macme\x1b[0m" in Highlighter(parse("acme")).show(text, is_marked=True)


@given(st.text(max_size=80), st.integers(0, 80), st.integers(10, 60))
def test_a_caret_stays_within_the_width(query: str, position: int, width: int):
    """However long the query, and whatever is in it."""
    shown, caret = point_at(query, min(position, len(query)), width)
    assert _cells(shown) <= width
    assert len(caret) <= width + 1
    assert "\n" not in shown


def test_labels_in_the_table_are_those_of_the_catalogue():
    """A reader of a card finds the same names here."""
    assert {label_of(name) for name in PLATFORMS} == {entry.label for entry in PLATFORMS.values()}
