"""When nothing is suggested, and the one sentence that says why."""

from __future__ import annotations

from nlp.draft_occasion import Occasion
from nlp.templates import count_words

_MAYBE_CRISIS, _SURELY_CRISIS = 0.5, 0.8
_OWN_MATTERS = frozenset(
    {"complaint", "question_help", "praise", "purchase_intent", "churn_risk", "followup_in_thread"}
)
"""What people write about their own affairs: there, most that sounds like a public tragedy to the model is none."""


def why_silent(occasion: Occasion) -> str:
    """Return why silence, or a person's own words alone, are better than a suggestion; '' where one may help."""
    told = occasion.assessment
    reasons = (
        (
            told.crisis >= (_SURELY_CRISIS if occasion.intent in _OWN_MATTERS else _MAYBE_CRISIS),
            "This may speak of a public tragedy. Whatever is said should be a person's own words.",
        ),
        (told.closes, "They only close the thread; that needs no answer."),
        (occasion.is_unclear, "What this post wants is not clear. Read it first; the words should be your own."),
        (told.intent == "spam_promo", "This reads like promotion; that needs no answer."),
        (told.intent == "irrelevant", "This reads like something else of the same name."),
        (told.grade == 0, "Nothing here asks for an answer."),
    )
    return next((reason for is_so, reason in reasons if is_so), "") or _rule(occasion) or _language(occasion)


def what_to_mind(occasion: Occasion) -> list[str]:
    """Return what is not sure about a post, and matters to whoever writes."""
    minded = []
    if occasion.assessment.crisis >= _MAYBE_CRISIS:
        minded.append("This may be about a public tragedy: read it whole before you answer.")
    if not occasion.is_language_sure:
        minded.append(f"The post's language is not known; these are in {occasion.language_name}.")
    return minded


def why_empty(occasion: Occasion, *, is_too_long: bool) -> str:
    """Return why the playbook made nothing of a post that may be answered."""
    if is_too_long:
        return "No draft is short enough to leave room for your own words here."
    what = occasion.intent.replace("_", " ")
    return f"The playbook has no words yet for a post like this ({what}, grade {occasion.assessment.grade})."


def _rule(occasion: Occasion) -> str:
    """Return the reason of the playbook's own rule that asks for silence."""
    for rule in occasion.playbook.silences:
        is_named = not rule.keywords or count_words(occasion.text, rule.keywords) > 0
        if is_named and occasion.is_meant(rule):
            return rule.reason
    return ""


def _language(occasion: Occasion) -> str:
    book = occasion.playbook
    spoken = {entry.language.partition("-")[0].lower() for entry in (*book.openers, *book.next_steps)}
    if not spoken or occasion.language in spoken:
        return ""
    return f"The post is in {occasion.language_name}, and the playbook has no words in it yet."
