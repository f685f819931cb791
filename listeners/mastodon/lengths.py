"""How long a post is as Mastodon counts, and a reply prepared so that whom it answers is named. Pure.

Mastodon counts characters as people see them; a link for a fixed number, however long; of a name of another server only
what stands before the second '@'; and the content warning too (its StatusLengthValidator).
"""

from __future__ import annotations

import unicodedata
from typing import Final

import regex

from listeners.contract import Shape
from listeners.mastodon.posts import PUBLIC, ReplyRef
from listeners.parts import cut_parts
from listeners.text import count_graphemes, whole_characters

_URL: Final = regex.compile(
    r"""(?<![A-Za-z0-9@$\#\uff20\uff03])https?://
    (?:[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}])?\.)+(?:xn--[a-z0-9-]+|\p{L}{2,})
    (?=[^0-9a-zA-Z@+-]|$)(?::[0-9]+)?
    (?:/(?:[^\s<>()?]|\([^\s<>()?]*\))*(?:[^\s<>()?!*"'「」;:=,.$%\[\]~&|@]|\([^\s<>()?]*\))|/)?
    (?:\?[a-z0-9!?*'();:&=+$/%\#\[\]_.,~|@^-]*[a-z0-9_&=\#/-])?""",
    flags=regex.IGNORECASE | regex.VERBOSE,
)
_CONTROL: Final = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NAME: Final = regex.compile(
    r"(?<![=/\w])@([a-z0-9_]+(?:[a-z0-9_.-]+[a-z0-9_]+)?)(?:@(\w[\w.-]*\w))?", flags=regex.IGNORECASE
)


def count_characters(text: str, ref: ReplyRef) -> int:
    """Return how many characters Mastodon counts in a post, with the content warning that is kept from the parent."""
    text = _URL.sub("x" * ref.url_length, text)
    return count_graphemes(ref.warning + _NAME.sub(r"@\1", text))


def shape_reply(text: str, ref: ReplyRef, most: int) -> Shape:
    """Prepare and count a reply; `most` is the limit of the settings, 0 for the server's own.

    The author is named at its beginning where the person did not name them, since Mastodon tells nobody of an answer
    that does not. A reply that only its readers by name can see names the author in each part of a thread.
    """
    limit = most or ref.limit
    words = _complete_names(_prepare(text), ref)
    bare = words.casefold().removeprefix(f"@{ref.author}".casefold()) if ref.author else words
    if not bare.strip():
        return Shape(words, count_characters(words, ref), limit, problem="There is no text to post.")
    prepared = _with_author(words, ref)
    count = count_characters(prepared, ref)
    if count <= limit:
        return Shape(prepared, count, limit)
    problem = f"This is {count - limit} characters too long: {count} of {limit}."
    if ref.warning:
        problem += " The content warning counts too."
    return Shape(prepared, count, limit, problem=problem, parts=_cut(prepared, ref, limit))


def _prepare(text: str) -> str:
    plain = _CONTROL.sub("", whole_characters(text).replace("\r\n", "\n"))
    return unicodedata.normalize("NFC", plain).strip()


def _complete_names(text: str, ref: ReplyRef) -> str:
    """Write the author's name in full where only its first half stands there: that is somebody else on our server."""
    user, _, domain = ref.author.partition("@")

    def complete(found: regex.Match[str]) -> str:
        is_author = found[2] is None and found[1].lower() == user.lower()
        return f"@{ref.author}" if is_author and domain.lower() != ref.domain.lower() else found[0]

    return _NAME.sub(complete, text) if domain else text


def _is_author_named(text: str, ref: ReplyRef) -> bool:
    if regex.search(rf"(?<![=/\w])@{regex.escape(ref.author)}(?![\w@])", text, regex.IGNORECASE):
        return True
    user, _, domain = ref.author.lower().partition("@")
    is_ours = domain == ref.domain.lower()
    return is_ours and any(found[2] is None and found[1].lower() == user for found in _NAME.finditer(text))


def _with_author(text: str, ref: ReplyRef) -> str:
    return text if not ref.author or _is_author_named(text, ref) else f"@{ref.author} {text}"


def _cut(prepared: str, ref: ReplyRef, limit: int) -> tuple[str, ...]:
    """Return the parts of a thread; in a private one each names the author, or they would not see it."""
    if ref.visibility in PUBLIC:
        return cut_parts(prepared, lambda piece: count_characters(piece, ref) <= limit)
    parts = cut_parts(prepared, lambda piece: count_characters(f"@{ref.author} {piece}", ref) <= limit)
    return tuple(_with_author(part, ref) for part in parts)
