"""Learning from the team: 200 simulated decisions of teams with a taste, and of teams that press at random.

The model is trained anew without two fifths of our corpus' brands; the teams hear those, decide on posts of half of
them, and are measured on the other half's. A team has four houses that the brands belong to. Four in five decisions are
on cards (a chance of a half or more), the rest on posts that a person looked up; one decision in twenty is the other
way round. Every team answers what must be answered now, but those that keep to their taste 'strictly'. Average
precision is that of all held-out posts by their corrected `needs_reply`; for a few teams also by `priority`.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import orjson

from benchmarks.report import Figure
from listeners.mention import Author, Mention
from nlp.assess import Assessor
from nlp.features import Array
from nlp.lessons import Lessons, average_precision, learn
from nlp.pipeline import load
from nlp.team import NO_TASTE, Taste, corrected
from nlp.train import train
from nlp.training_rows import CORPUS, fold_of, read_rows
from nlp.traits import Flags, Traits

DECISIONS = 200
TEAMS, RANDOM_TEAMS, TEAMS_BY_PRIORITY = 20, 2_000, 2
_TRAINING = Path(__file__).resolve().parents[2] / "shared" / "data" / "train"
_HELD_OUT = (0, 1)
_ON_CARDS, _SLIPS = 0.8, 0.05
_RECENT = 600
_HOUSES = 4
_MONEY = re.compile(r"refund|charg|\bbill|\bpa(id|y)\b|price|cost|money|[£$€]", re.IGNORECASE)
_DELIVERY = re.compile(r"deliver|parcel|courier|order|arriv|\bbags?\b|luggage|delay|late\b", re.IGNORECASE)
_APP = re.compile(r"\bapp\b|log ?in|website|update|password|account", re.IGNORECASE)
_POLITE = re.compile(r"\b(please|pls|thanks|thank you)\b|\b(can|could) (you|u)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Posts:
    """The posts of the brands that were held out: what the model reads, and what people judged."""

    assessor: Assessor
    rows: Sequence[Mapping[str, Any]]
    mentions: Sequence[Mention]
    traits: Traits
    priorities: Array

    @property
    def brands(self) -> list[str]:
        """The brand of each."""
        return [row["brand"] for row in self.rows]

    def tastes(self) -> Mapping[str, Flags]:
        """Return, by the taste's name, which posts that team answers."""
        grades = np.array([row["grade"] for row in self.rows])
        now, due = grades == 3, grades >= 2
        wanted = {**self._by_intent(due), **self._others(due)}
        strict = ("intent: questions and purchases only", "intent: anything but complaints", "platform: X only")
        return {name: now | own for name, own in wanted.items()} | {
            f"{name}, strictly": wanted[name] for name in strict
        }

    def by_priority(self, taste: Taste, places: Sequence[int]) -> Array:
        """Return the priorities of some posts with a correction."""
        self.assessor.correct(replace(taste, base=self.assessor.base, version=1))
        told = self.assessor.assess([self.mentions[place] for place in places])
        self.assessor.correct(NO_TASTE)
        return np.array([assessment.priority for assessment in told])

    def _by_intent(self, due: Flags) -> dict[str, Flags]:
        intents = np.array([row["intent"] for row in self.rows])
        questions = np.isin(intents, ["question_help", "purchase_intent"])
        return {
            "intent: only what is urgent": np.zeros(len(due), dtype=bool),
            "intent: complaints only": due & (intents == "complaint"),
            "intent: praise and questions only": questions | (intents == "praise"),
            "intent: questions and purchases only": questions,
            "intent: anything but complaints": due & (intents != "complaint"),
            "intent: praise too, never who leaves": (due | (intents == "praise")) & (intents != "churn_risk"),
            "intent: never a part of a thread": due & (intents != "followup_in_thread"),
        }

    def _others(self, due: Flags) -> dict[str, Flags]:
        platforms = np.array([row["platform"] for row in self.rows])
        houses = np.array([_house_of(brand) for brand in self.brands])
        return {
            "topic: money only": due & self._say(_MONEY),
            "topic: anything but money": due & ~self._say(_MONEY),
            "topic: delivery only": due & self._say(_DELIVERY),
            "topic: anything but delivery": due & ~self._say(_DELIVERY),
            "brand: one house of four only": due & (houses == 0),
            "brand: all houses but one": due & (houses != 0),
            "platform: X only": due & (platforms == "x"),
            "platform: anything but X": due & (platforms != "x"),
            "platform: never Reddit or Hacker News": due & ~np.isin(platforms, ["reddit", "hackernews"]),
            "words: who asks politely only": due & self._say(_POLITE),
            "words: with an exclamation mark only": due & self._say(re.compile("!")),
            "words: nothing about the app or the site": due & ~self._say(_APP),
        }

    def _say(self, pattern: re.Pattern[str]) -> Flags:
        return np.array([pattern.search(row["text"]) is not None for row in self.rows])


@dataclass(frozen=True)
class _Gain:
    """What a team's correction came to: average precisions, further gains, and if it was kept.

    `below` is the gain among posts below grade 3, `cards` that by priority, NaN where it was not measured.
    """

    before: float
    after: float
    below: float
    cards: float
    is_kept: bool
    seconds: float

    @property
    def gain(self) -> float:
        """By how much the average precision rose."""
        return self.after - self.before


def measure() -> list[Figure]:
    """Simulate the teams; needs the folder of training posts beside the project."""
    posts = _held_out_posts()
    told = {
        name: [_Team(posts, seed).gain(answered, answered) for seed in range(TEAMS)]
        for name, answered in posts.tastes().items()
    }
    gains = [float(np.mean([each.gain for each in teams])) for teams in told.values()]
    rose = sum(gain >= 0.05 for gain in gains)
    took = np.mean([each.seconds for teams in told.values() for each in teams])
    detail = f"the mean of {len(gains)} tastes, of which {rose} rise by so much; learned in {took * 1e3:.0f} ms"
    own = Figure(
        "teams with a taste of their own: average precision", float(np.mean(gains)), "", "at least 0.05", detail
    )
    return [own, *(_figure(*each) for each in told.items()), *_random_teams(posts)]


def _figure(name: str, teams: Sequence[_Gain]) -> Figure:
    gains = np.array([each.gain for each in teams])
    before, after = np.mean([each.before for each in teams]), np.mean([each.after for each in teams])
    kept, below = sum(each.is_kept for each in teams), np.mean([each.below for each in teams])
    detail = (
        f"{before:.3f} → {after:.3f}, spread {gains.std():.3f}, {gains.min():+.3f} to {gains.max():+.3f};"
        f" below grade 3 {below:+.3f}; by priority {np.nanmean([each.cards for each in teams]):+.3f};"
        f" kept for {kept} of {len(teams)} teams"
    )
    return Figure(name, float(gains.mean()), "", "reported", detail)


def _random_teams(posts: _Posts) -> list[Figure]:
    due = np.array([row["grade"] >= 2 for row in posts.rows])
    told = []
    for seed in range(RANDOM_TEAMS):
        rng = np.random.default_rng(seed)
        pressed = rng.random(len(due)) < rng.choice([0.3, 0.5, 0.7])
        told.append(_Team(posts, seed).gain(pressed, due))
    changes = np.array([each.gain for each in told])
    detail = f"{RANDOM_TEAMS:,} teams, a correction kept for {sum(each.is_kept for each in told)} of them"
    worse = f"for {int((changes < -0.01).sum())} of them it falls by more than 0.01"
    return [
        Figure("decisions at random: average precision, mean", float(changes.mean()), "", "at least -0.01", detail),
        Figure("decisions at random: average precision, worst", float(changes.min()), "", "at least -0.01", worse),
    ]


class _Team:
    """A team that hears half of the brands and decides on some of their posts."""

    def __init__(self, posts: _Posts, seed: int) -> None:
        self._posts, self._seed, self._rng = posts, seed, np.random.default_rng(seed)
        own = {brand for brand in sorted(set(posts.brands)) if self._rng.random() < 0.5}
        is_own = np.array([brand in own for brand in posts.brands])
        self._others = np.flatnonzero(~is_own)
        heard = self._rng.permutation(np.flatnonzero(is_own))
        is_card = posts.traits.odds[heard] >= 0
        cards = round(_ON_CARDS * DECISIONS)
        drawn = [heard[is_card][:cards], heard[~is_card][: DECISIONS - cards]]
        self._decided = self._rng.permutation(np.concatenate(drawn))
        self._recent = heard[:_RECENT]

    def gain(self, answered: Flags, wanted: Flags) -> _Gain:
        """Learn from the team's decisions, and measure on what neither it nor the model has seen."""
        traits = self._posts.traits
        slips = self._rng.random(len(answered)) < _SLIPS
        lessons = Lessons(traits.take(self._decided), (answered ^ slips)[self._decided], np.ones(len(self._decided)))
        undecided = ~np.isin(self._recent, self._decided)
        started = time.thread_time()
        learned = learn(lessons, traits.take(self._recent), undecided)
        took = time.thread_time() - started
        unseen, marks = traits.take(self._others), wanted[self._others]
        after, loose = corrected(learned.taste, unseen), ~unseen.is_urgent
        below = _precision(marks[loose], after[loose]) - _precision(marks[loose], unseen.odds[loose])
        cards = self._gain_of_cards(learned.taste, marks) if self._seed < TEAMS_BY_PRIORITY else float("nan")
        return _Gain(_precision(marks, unseen.odds), _precision(marks, after), below, cards, not learned.why_not, took)

    def _gain_of_cards(self, taste: Taste, marks: Flags) -> float:
        before = _precision(marks, self._posts.priorities[self._others])
        return _precision(marks, self._posts.by_priority(taste, self._others.tolist())) - before


def _precision(marks: Flags, odds: Array) -> float:
    return average_precision(marks, odds, np.ones(len(marks)))


def _held_out_posts() -> _Posts:
    """Train without some brands, and read the posts of those."""
    with tempfile.TemporaryDirectory() as folder:
        kept = [row for row in read_rows(_TRAINING) if fold_of(row.brand or row.text) not in _HELD_OUT]
        with (
            mock.patch("nlp.train.read_rows", return_value=kept),
            mock.patch("nlp.train.read_crisis_rows", return_value=[]),
        ):
            train(_TRAINING, Path(folder))
        assessor = Assessor(load(Path(folder)))
        files = sorted(CORPUS.glob("*.jsonl"))
        lines = [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]
        rows = [line for line in lines if fold_of(line["brand"]) in _HELD_OUT]
        mentions = [_mention(row) for row in rows]
        priorities = np.array([assessment.priority for assessment in assessor.assess(mentions)])
        return _Posts(assessor, rows, mentions, assessor.read(mentions), priorities)


def _house_of(brand: str) -> int:
    return sum(brand.encode()) % _HOUSES


def _mention(row: Mapping[str, Any]) -> Mention:
    epoch = datetime(2026, 11, 23, tzinfo=UTC)
    brand = f"house {_house_of(row['brand'])}"
    return Mention(row["platform"], row["id"], row["text"], Author("someone"), epoch, brand=brand, account=row["brand"])
