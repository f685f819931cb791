"""Which fact of the playbook answers a post: one whose keywords stand in it, else one that a search found."""

from __future__ import annotations

from nlp.draft_occasion import Occasion
from nlp.playbook import Entry
from nlp.retrieval import rank
from nlp.topics import topics_of
from nlp.wording import content_words, plain_words, stem

_MOST_TERMS = 40
_MOST_RANKED = 8
_SHARED_WORDS = 3
_QUESTIONS = frozenset({"question_help", "purchase_intent"})


def search_terms(text: str) -> tuple[str, ...]:
    """Return what to search for on behalf of a post: its words, and its topics as words of our own making."""
    words = content_words(text)[:_MOST_TERMS]
    return (*words, *(f"topic{topic.replace('_', '')}" for topic in topics_of(plain_words(text))))


def searched_text(fact: Entry) -> str:
    """Return what a fact is found by: its wordings, its keywords and its topics."""
    told = " ".join([*fact.texts, *(word.rstrip("*") for word in fact.keywords), *fact.products])
    return f"{told} {' '.join(search_terms(told)[len(content_words(told)[:_MOST_TERMS]) :])}"


def choose_fact(occasion: Occasion) -> Entry | None:
    """Return the fact that answers the post, or None.

    The fact with the most keywords in the post; of several the one that fits best. Where no keyword stands in it, a
    fact that a search found, if it is surely about the same. Only questions get such a guess, and no urgent ones: to a
    complaint, or in haste, a wrong fact is worse than none.
    """
    fitting = [fact for fact in occasion.playbook.facts if occasion.fits(fact)]
    called = {fact.name: occasion.matches(fact) for fact in fitting}
    most = max(called.values(), default=0)
    if most:
        return _best(occasion, [fact for fact in fitting if called[fact.name] == most])
    if occasion.assessment.grade == 3 or occasion.intent not in _QUESTIONS:
        return None
    by_name = {fact.name: fact for fact in fitting}
    guessed = [by_name[name] for name in occasion.found.facts if name in by_name][:_MOST_RANKED]
    return _best(occasion, [fact for fact in guessed if _answers(occasion, fact)])


def likely_facts(occasion: Occasion) -> list[Entry]:
    """Return the facts that may bear on a post, for who writes about it: those that keywords call for first."""
    fitting = [fact for fact in occasion.playbook.facts if occasion.fits(fact)]
    called = sorted((fact for fact in fitting if occasion.matches(fact)), key=lambda fact: -occasion.matches(fact))
    by_name = {fact.name: fact for fact in fitting}
    guessed = [by_name[name] for name in occasion.found.facts if name in by_name]
    return list(dict.fromkeys([*called, *(fact for fact in guessed if _answers(occasion, fact))]))


def _best(occasion: Occasion, facts: list[Entry]) -> Entry | None:
    if len(facts) < 2:
        return facts[0] if facts else None
    scores = rank(occasion.text, [searched_text(fact) for fact in facts])
    return max(zip(scores, range(len(facts), 0, -1), facts, strict=True), key=lambda each: each[:2])[2]


def _answers(occasion: Occasion, fact: Entry) -> bool:
    """Say whether a fact that no keyword called for word by word answers the post.

    One of its keywords stands there in another form ('refunds' for 'refund'), and they have a topic in common; a fact
    without keywords shares three words with the post. On our own posts anything looser was wrong nine times in ten.
    """
    stems = {stem(word) for word in content_words(occasion.text)}
    if fact.keywords:
        has_topic = bool(_topics(occasion.text) & _topics(searched_text(fact)))
        return has_topic and any(_is_held(keyword, stems) for keyword in fact.keywords)
    return any(len(stems & {stem(word) for word in content_words(text)}) >= _SHARED_WORDS for text in fact.texts)


def _topics(text: str) -> set[str]:
    return set(topics_of(plain_words(text)))


def _is_held(keyword: str, stems: set[str]) -> bool:
    """Say whether the words of a keyword stand in a post in whatever form.

    Empty words alone do not count, and neither does a keyword in -ing: a track is no tracking.
    """
    wanted = {stem(word) for word in content_words(keyword)}
    return bool(wanted) and not keyword.endswith("ing") and len(wanted) == len(plain_words(keyword)) and wanted <= stems
