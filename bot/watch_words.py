"""The words of a watch's world (`about`, `not_about`): which are of use, and which brands need some. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator

if TYPE_CHECKING:
    from bot.config import Settings
    from nlp.relevance import Context

MOST_WORDS: Final = 60
LONGEST: Final = 60
_MOST_PARTS: Final = 5
_PART = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
# words that people write every day, and that companies are called by; none that means only a company
_PLAIN: Final = frozenset(
    """
    affirm alaska ally always amazon amber american anchor angel apple arc arrow aspen atlas aura aurora avalanche axis
    bamboo bark base beacon bear beats bee bell blizzard bloom blue bluebird bolt boost boots box branch brave breeze
    brick bridge bright bubble bud budget bumble butterfly canon canvas caterpillar chase cheer chime circle cirrus
    citizen clay clear clover coach cobalt comet comfort compass confluence copper coral corona costa crane crest
    cricket crisis crown crystal cube curve dash dawn delta dial diamond discord discover dolphin dove dragon dream
    drift duck eagle echo eclipse edge elastic element elephant ember enterprise everest evergreen express
    falcon fern figure finish fire firefly flash focus force forest fossil fox freedom frontier fuse galaxy gap gemini
    giant glide globe gold grain granite grape grid guardian gusto halo harbour harbor harvest hawk haven hazel heart
    helix heron hinge hive honey hopper horizon hub ice iceland icon impact indeed indigo inspire iris island ivory ivy
    jaguar jasmine jet journey joy jungle juniper keep kettle key kindle lark latitude laurel lead leaf legacy lemon
    lemonade level liberty light lily lime linear link lion loft loop lotus lucky lumen lush maple march mars
    matrix medium mercury meridian meta metro mind mini mint mirror monarch monday monster moon moss motion mustang
    national native nationwide nest next noble north notion nova oak oasis obsidian ocean octopus olive opal open
    oracle orange orbit orchard otter owl palm panda panther patagonia patch path peacock pearl pebble penguin phoenix
    pilot pine pioneer planet plus polar polo poppy prime prism progressive pulse puma quest raven reach red reed relay
    ring river robin rocket root rose ruby rust sage sail salt samba sandals scope scout seal sense shark shell shelter
    shield shift signal silk silver simple sky slack snap sonic southwest space spark spectrum sphinx spirit
    spring sprint sprout square stadium star starling steam stone storm stream stripe subway summit sun sunrise swan
    swift switch tangerine target teams tempo temple thread threads three thrive tide tiger timber tinder torch
    touch tower trace trail trident tulip turtle twitch union united unity urban valve vanguard vapour vault vector
    venus very vine violet virgin vision visa vista vital volt walnut wave whisper willow wing wise wish wolf wonder
    word zebra zen zenith zoom
    """.split()  # noqa: SIM905 - to be read as words
)


def check_word(value: str) -> str:
    """Return a word or short phrase of a world as it is compared.

    Raises:
        ValueError: it cannot be one; the sentence says why.
    """
    word = " ".join(value.split())
    parts = _PART.findall(word)
    if not parts:
        raise ValueError(f"{value[:LONGEST]!r} holds no word; write a word or a short phrase, such as 'boarding pass'")
    if len(word) > LONGEST or len(parts) > _MOST_PARTS:
        short = f"{word[:20]}…"
        raise ValueError(
            f"{short!r} is long; write words or phrases of at most {_MOST_PARTS} words and {LONGEST} letters"
        )
    if not word.isprintable():
        raise ValueError(f"{word[:LONGEST]!r} holds a sign that cannot be seen; write it again")
    return word


def check_number(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a list that is not too long.

    Raises:
        ValueError: it is.
    """
    if len(words) > MOST_WORDS:
        raise ValueError(f"there are {len(words)} here, and {MOST_WORDS} are the most; keep those that tell the most")
    return words


WorldWords = Annotated[tuple[Annotated[str, AfterValidator(check_word)], ...], AfterValidator(check_number)]
"""The type of a list of such words in the settings."""


def mistakes_of(
    number: int, about: Sequence[str], not_about: Sequence[str], brand: str
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the place in the settings, and the sentence, of what cannot work in the lists of a watch."""
    if not_about and not about:
        yield ("watch", number, "not_about"), "this works only beside `about`; name the words of your own world too"
    name = set(_parts(brand))
    seen: dict[str, str] = {}
    for key, words in (("about", about), ("not_about", not_about)):
        for place, word in enumerate(words):
            if set(_parts(word)) <= name:
                told = f"{word!r} is the brand's own name, which stands in every post; take it out"
                yield ("watch", number, key, place), told
            elif word.casefold() in seen:
                where = "here twice" if seen[word.casefold()] == key else "in `about` too"
                yield ("watch", number, key, place), f"{word!r} stands {where}; take one of the two out"
            seen.setdefault(word.casefold(), key)


def contexts_of(settings: Settings) -> Mapping[str, Context]:
    """Return the worlds of the watches that name words of their own, by the watch's name, prepared for judging."""
    from nlp.relevance import Context  # noqa: PLC0415 - loads the word vectors, which a plain import must not

    return {
        watch.name: Context(
            watch.brand or settings.brand.name, watch.about, watch.not_about, handles=settings.brand.handles
        )
        for watch in settings.watch
        if watch.about
    }


def watches_without_words(settings: Settings) -> list[tuple[str, str]]:
    """Return the name and the brand of each watch whose brand is a plain word, and that names no words of its own."""
    named = [(watch.name, watch.brand or settings.brand.name) for watch in settings.watch if not watch.about]
    return [(name, brand) for name, brand in named if is_plain_word(brand)]


def is_plain_word(brand: str) -> bool:
    """Say whether a brand is called by a single plain word of English, which posts about other things hold too."""
    return brand.strip().casefold() in _PLAIN


def _parts(text: str) -> list[str]:
    return [part.casefold() for part in _PART.findall(text)]
