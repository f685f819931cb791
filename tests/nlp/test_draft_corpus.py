"""Every draft for every post of our corpus: traced to its source, sober where it must be, never twice the same."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from draft_sentences import sentences

from listeners.mention import Mention
from nlp.assessment import Assessment, Draft
from nlp.draft import DEFAULT_GAP, Drafts, suggest
from nlp.draft_address import is_rude, slot_values
from nlp.draft_words import is_cheerful
from nlp.gap import open_gaps
from nlp.playbook import Playbook, load_playbook
from nlp.templates import LINK, fill, needed_slots, reduce

Say = Callable[..., Mention]
Told = Callable[..., Assessment]
PEOPLE = ("", "Ana Lima", "Tomas de Vries", "xX_k1ller_Xx", "Shitlord", "Halcyon Support", "{brand}", "Hope", "Ana 🍞")
Made = list[tuple[Mention, Assessment, Drafts]]


SHIPPED = ("nlp/playbook.example.toml", "bot/demo/playbook.toml")


@pytest.fixture(scope="module", params=range(len(SHIPPED)), ids=SHIPPED)
def half(request: pytest.FixtureRequest) -> int:
    """Which half of the corpus, and which of the playbooks that we ship is tried on it."""
    return int(request.param)


@pytest.fixture(scope="module")
def playbook(half: int, project: Path) -> Playbook:
    """The playbook of this half."""
    return load_playbook(project / SHIPPED[half])


@pytest.fixture(scope="module")
def made(say: Say, told: Told, corpus: list[dict[str, Any]], half: int, playbook: Playbook) -> Made:
    """The drafts for half of the corpus as judged, in an order of its own, each knowing what was said lately."""
    chance = random.Random(11)  # noqa: S311 - an order, no secret
    posts = chance.sample(corpus, len(corpus))[half :: len(SHIPPED)]
    recent: deque[list[str]] = deque(maxlen=20)
    found: Made = []
    for post in posts:
        brand = chance.choice([post["brand"], playbook.brand or post["brand"]])
        mention = say(post["text"], post["id"], chance.choice(PEOPLE), f"h{post['id']}", brand=brand)
        assessment = told(post["grade"], post["intent"], sarcastic=float(post.get("sarcastic") or 0))
        drafts = suggest(mention, assessment, playbook, limit=280, recent=list(recent))
        found.append((mention, assessment, drafts))
        if drafts:
            recent.append([draft.text for draft in drafts])
    return found


def each(made: Made) -> Iterator[tuple[Mention, Assessment, Draft]]:
    """Yield every draft with what it is for."""
    for mention, assessment, drafts in made:
        for draft in drafts:
            yield mention, assessment, draft


def test_most_posts_that_need_a_person_get_a_draft(made: Made) -> None:
    """Silence is for grade 0 and what reads like noise, not for want of words."""
    for _, assessment, drafts in made:
        is_noise = assessment.intent in {"spam_promo", "irrelevant"} or assessment.grade == 0
        assert bool(drafts) is not is_noise, (assessment.grade, assessment.intent, drafts.reason)


def test_every_sentence_stands_in_its_source(made: Made, playbook: Playbook) -> None:
    """Taken together, the entries named beside a draft, their slots filled, are the draft: nothing is made up."""
    entries = (*playbook.facts, *playbook.openers, *playbook.next_steps, *playbook.gaps, DEFAULT_GAP)
    texts = {entry.name: entry.texts for entry in entries} | {
        f"the gap of {fact.name}": (fact.gap,) for fact in playbook.facts
    }
    links = {f"{LINK}{name}": address for name, address in playbook.links.items()}
    for mention, _, draft in each(made):
        author = mention.author
        values = slot_values(author.name, author.handle, mention.brand, playbook.brand) | links
        assert _is_made_of(draft.text, [texts[name] for name in draft.source.split(" + ")], values), draft


def _is_made_of(text: str, sources: Sequence[Sequence[str]], values: Mapping[str, str]) -> bool:
    """Say whether a text is one wording of each source, in their order, and nothing else."""
    if not sources:
        return not text
    said = [fill(wording, values) for wording in sources[0] if needed_slots(wording) <= values.keys()]
    return any(text.startswith(each) and _is_made_of(text[len(each) :].lstrip(), sources[1:], values) for each in said)


def test_no_slot_is_left_and_every_draft_has_a_gap(made: Made) -> None:
    """Braces are gone, brackets are gaps, and an eighth of the limit is free."""
    for _, _, draft in each(made):
        assert not set("{}") & set(draft.text)
        assert open_gaps(draft.text)
        assert len(re.findall(r"[\[\]]", draft.text)) == 2 * len(open_gaps(draft.text))
        assert len(draft.text) <= 280 - 35


def test_people_in_a_row_are_not_told_the_same(made: Made) -> None:
    """No sentence stands in the drafts of two people in a row, and no text twice among twenty, gaps included."""
    before: set[str] = set()
    lately: deque[list[str]] = deque(maxlen=20)
    for _, _, drafts in made:
        assert not any("no other words" in note for note in drafts.notes)
        if drafts:
            now = sentences(drafts)
            assert not now & before
            assert not {draft.text for draft in drafts} & {text for texts in lately for text in texts}
            before = now
            lately.append([draft.text for draft in drafts])


def test_nothing_of_the_post_or_its_author_is_echoed(made: Made) -> None:
    """No handle, no slur, no name that is none, and no run of six words of the post that the playbook does not have."""
    for mention, _, draft in each(made):
        assert mention.author.handle not in draft.text
        assert not is_rude(draft.text)
        assert not re.search(r"xX|Shit|Support|Hope|🍞", draft.text)
        words, post = reduce(re.sub(r"\[[^\]]*\]", "", draft.text)).split(), f" {reduce(mention.text)} "
        assert not any(f" {' '.join(words[at : at + 6])} " in post for at in range(len(words) - 5))


def test_nothing_cheerful_where_it_hurts(made: Made) -> None:
    """On a grade 3 and on sarcasm there is no exclamation mark, no emoji and no glad word."""
    sober = [draft for _, told, draft in each(made) if told.grade == 3 or told.sarcastic >= 0.5]
    assert len(sober) > 500
    assert not [draft.text for draft in sober if is_cheerful(draft.text)]


def test_the_same_post_gets_the_same_drafts(made: Made, playbook: Playbook) -> None:
    """Asked again with the same in mind, the answer is the same: choice is by the post's id, not by chance."""
    for mention, assessment, _ in made[:200]:
        assert suggest(mention, assessment, playbook) == suggest(mention, assessment, playbook)
