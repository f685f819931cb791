"""Made-up events of Jetstream, on its old wire: of the size, the kinds and the languages of real ones."""
# ruff: noqa: RUF001 - signs that look like others are what the texts are about

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any, Final

# fmt: off
_PHRASES: Final = {
    "en": (54, (
        "I have been waiting for this all week", "does anybody else see that", "the weather is so good today",
        "what a game last night!!", "thread below\n\n1. read it\n2. think", 'he said "no" and left', "first snow here",
        "new post is up: example.com/blog/2026/11/some-long-...", "honestly the best thing I read this month",
        "nobody told me that it would be this loud", "my cat did it again", "three days left, and then we are off",
    )),
    "en-US": (8, (
        "I don’t know who needs to hear this", "“never again”, they said… and here we are", "good morning ☕",
        "one of my favourite places ❤️", "can’t believe it is Monday already", "so happy for you 😹",
    )),
    "ja": (13, (
        "今日はとても寒いですね", "明日は早起きしないといけない…", "新しいイラストを描きました！",
        "ラーメン食べたい🍜", "やっと終わった、お疲れさまでした", "おはようございます！！",
    )),
    "pt": (8, (
        "não sei se vocês já viram isso", "hoje o dia está lindo demais", "que saudade de você, é sério",
        "alguém aí também está sem luz?", "só mais um café e começo, tá?", "a próxima é melhor 😂",
    )),
    "es": (4, ("no sé qué decir, de verdad", "mañana será otro día", "¿alguien más lo vio?", "qué bonito es")),
    "de": (4, ("ich weiß auch nicht, was das soll", "heute ist es schön draußen", "kommt ihr später noch vorbei?")),
    "fr": (3, ("je ne sais pas quoi en penser", "c’est déjà l’été ici", "très bonne soirée à tous")),
    "ko": (2, ("오늘은 날씨가 정말 좋아요", "배고파서 라면 먹었어요", "내일 또 만나요")),
    "ru": (2, ("Сегодня очень холодно", "Не знаю, что и сказать", "Всем доброе утро 🔥")),
    "zh": (1, ("今天天气真好", "晚上一起吃饭吧")),
    "uk": (1, ("Сьогодні гарний день", "Дякую всім за підтримку 💙")),
    "tr": (1, ("bugün hava çok güzel", "yarın görüşürüz")),
}
_STARTS: Final = ("ko", "bran", "tor", "mil", "fen", "gal", "ha", "pas", "ru", "vel", "wi", "zo", "a", "no")
_ENDS: Final = ("wick", "land", "mere", "by", "ton", "ra", "ley", "stow", "ia", "den", "o", "x")
# fmt: on


def make_names(number: int) -> list[str]:
    """Return that many names of brands and things, as watches have them; no two are the same."""
    rng = random.Random(5)  # noqa: S311 - benchmark material
    names = {rng.choice(_STARTS) + rng.choice(_STARTS) + rng.choice(_ENDS) for _ in range(number * 4)}
    return sorted(names, key=lambda name: (-len(name), name))[:number]


def make_events(number: int, words: Sequence[str]) -> list[bytes]:
    """Return events: nine in ten are posts, of which about one in a hundred has one of the words."""
    rng = random.Random(11)  # noqa: S311 - benchmark material
    return [_make_event(rng, place, rng.choice(words) if place % 100 == 7 else "") for place in range(number)]


def _make_event(rng: random.Random, place: int, word: str) -> bytes:
    commit: dict[str, Any] = {"rev": f"3m{place:011}", "operation": "create", "collection": "app.bsky.feed.post"}
    commit["rkey"] = f"3m{rng.randrange(10**11):011}"
    if place % 10 == 9:
        commit["operation"] = "delete"
    else:
        commit |= {"record": _make_record(rng, word), "cid": _key(rng, 59)}
    event = {"did": f"did:plc:{_key(rng, 24)}", "time_us": 1_795_435_200_000_000 + place, "kind": "commit"}
    return json.dumps(event | {"commit": commit}, ensure_ascii=False, separators=(",", ":")).encode()


def _make_record(rng: random.Random, word: str) -> dict[str, Any]:
    (language,) = rng.choices(list(_PHRASES), [share for share, _ in _PHRASES.values()])
    phrases = _PHRASES[language][1]
    said = " ".join(rng.sample(phrases, rng.randrange(1, min(4, len(phrases)))))
    record: dict[str, Any] = {"$type": "app.bsky.feed.post", "createdAt": "2026-11-23T12:00:00.000Z"}
    shape = rng.random()
    if shape < 0.2:
        thumb = {"$type": "blob", "mimeType": "image/jpeg", "ref": {"$link": _key(rng, 59)}, "size": 98_765}
        page = {
            "description": "What happened, and why",
            "thumb": thumb,
            "title": "A page",
            "uri": "https://a.example/?b=1",
        }
        record["embed"] = {"$type": "app.bsky.embed.external", "external": page}
    record["langs"] = [language]
    if shape > 0.45:
        up, root = ({"cid": _key(rng, 59), "uri": f"at://did:plc:{_key(rng, 24)}/app.bsky.feed.post/3m"} for _ in "ab")
        record["reply"] = {"parent": up, "root": root}
    return record | {"text": f"{said} {word}" if word else said}


def _key(rng: random.Random, length: int) -> str:
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz234567", k=length))
