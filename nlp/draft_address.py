"""How a draft addresses its reader: by a first name we are sure of, a plain handle, the brand as its watch names it.

Whatever comes from outside is used only where it could embarrass nobody: a slot that can not be filled safely is not
filled at all, and the entry that needs it is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.names import first_name
from nlp.signals import plain_name

_LONGEST_BRAND = 60
_PLAIN_HANDLE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,29}")
_PLAIN_BRAND = re.compile(r"\w(?:[\w .&'\u2019+-]*[\w.+])?")
_RUDE = (
    r"f[u4v]c?k|sh[i1]t|c[u4]nt|n[i1]gg|f[a4]gg?|r[a4]pe|h[i1]tler|sex|p[o0]rn|k[i1]ll|nazi|b[i1]tch|wh[o0]re|slut"
    r"|d[i1]ck|c[o0]ck|puss|pen[i1]s|retard|trann|kike|spic|chink|paki|[a4]ss|jew|musl"
)
_UNFIT_HANDLE = re.compile(rf"support|official|admin|help|team|{_RUDE}", re.IGNORECASE)
_UNFIT_WORD = re.compile(
    r"\b(?:f[u4v*]c?k\w*|\w*fuck\w*|sh[i1]t\w*|bullsh\w*|c[u4]nts?|n[i1]gg\w+|f[a4]gg?(?:ots?)?|rap(?:e|es|ed|ist\w*)"
    r"|h[i1]tler"
    r"|p[o0]rn\w*|nazis?|b[i1]tch\w*|wh[o0]res?|sluts?|d[i1]ck(?:s|head\w*)?|c[o0]ck(?:s|sucker\w*)?|pussy|pussies|pen[i1]s"
    r"|retard\w*|trann(?:y|ies)|kikes?|spics?|chinks?|pakis?|[a4]ss(?:hole\w*)?|wank\w*|twats?|bastards?|kys)\b",
    re.IGNORECASE,
)
_MORE_THAN_A_NAME = frozenset(
    """airlines airways alert alerts army art arts association bakery band bank bar beauty beer bistro blog books
    bot boutique brewery brewing burger cafe cam capital catering center centre channel church city clinic
    coaching coffee college collective community concerts consulting council county courier crew crypto deals
    dental design designs diary digital dispatch district drive energy events express factory fashion fc films
    finance fitness florist food foods forever foundation gallery games gaming garage garden gardens girl guy
    hair hardware herald hotel house hub industries insurance insider institute jewellery jewelry journal
    kitchen lab labs legal library life limited living lounge magazine mail market marketing media memes mobile
    motors museum music network nails online optics org paper park party personal pharmacy photo photography
    photos pizza plumbing podcast police post power press productions project publishing radio ranch records
    rentals repairs report reports restaurant review reviews rocks roofing salon sales school security shack
    shoes solutions speaks spa sports station street studio studios style supplies supply systems talk tattoo
    taxi tech technology teacher theatre theater times today tours town travel travels tribune tv university
    vegan vibes video videos vlog weather web wine wines wolf woman women works world yoga zone""".split()  # noqa: SIM905 - to be read as words
)
_ALSO_A_WORD = frozenset(
    """amber angel april art august aurora autumn bill brook brooke candy chance charity chase crystal daisy dawn
    destiny dean dick drew earl eden ever faith fern frank gene ginger glen grace grant harmony haven hazel
    heather heaven holly hope hunter iris ivy jade jasmine jay jean jewel joy june lance lark lily lucky major
    mark marina mason may max melody mercy miles misty olive opal page paige pat patience paris pearl penny
    pierce prince precious rain ray rich river rob robin rock rose rosemary ruby rusty sandy sky skye sonny star
    stone storm summer sunny sydney taylor trinity ty van venus victory violet virginia warren will willow wolf
    woody""".split()  # noqa: SIM905 - to be read as words
)
"""First names that are words too: trusted only where another name stands behind them."""


def slot_values(name: str, handle: str, brand: str, ours: str) -> dict[str, str]:
    """Return the slots that can be filled safely.

    Args:
        name: the author's display name.
        handle: the author's handle, without '@'.
        brand: the brand that the post is about, as its watch names it.
        ours: the brand's name in the playbook.
    """
    filled = {
        "first_name": sure_first_name(name, f"{brand} {ours}"),
        "handle": plain_handle(handle, (brand, ours)),
        "brand": plain_brand(brand),
    }
    return {slot: value for slot, value in filled.items() if value}


def sure_first_name(name: str, brand: str = "") -> str:
    """Return the first name in a display name, or '' where it may be a brand, a place, a joke or a slur."""
    found = first_name(name, brand)
    parts = [part.casefold().strip(".,'\u2019") for part in name.split()]
    is_company = any(part in _MORE_THAN_A_NAME for part in parts[1:])
    is_word = len(parts) == 1 and parts[0] in _ALSO_A_WORD
    if not found or is_company or is_word or is_rude(name) or plain_name(brand).startswith(plain_name(found)):
        return ""
    return found


def plain_handle(handle: str, brands: Sequence[str] = ()) -> str:
    """Return '@handle' where it is plain and does not pose as us, else ''."""
    poses = any(ours and ours in plain_name(handle) for ours in map(plain_name, brands))
    if not _PLAIN_HANDLE.fullmatch(handle) or _UNFIT_HANDLE.search(handle) or poses:
        return ""
    return f"@{handle}"


def plain_brand(brand: str) -> str:
    """Return a brand's name where it is one and can be said aloud, else ''."""
    is_fit = len(brand) <= _LONGEST_BRAND and _PLAIN_BRAND.fullmatch(brand) is not None
    return brand if is_fit and not is_rude(brand) else ""


def is_rude(text: str) -> bool:
    """Say whether a word stands in `text` that we would not say aloud."""
    return _UNFIT_WORD.search(text) is not None
