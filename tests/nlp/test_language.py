"""Telling languages, and saying 'und' rather than guessing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.language import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order? It was meant to be here on Friday", "en"),
        ("llevo una semana esperando la tarjeta y nadie contesta, ¿alguien puede ayudarme?", "es"),
        ("meine Kopfhörer laden seit dem letzten Update nicht mehr, was kann ich tun?", "de"),
        ("le vol a été annulé hier soir et personne ne nous répond à l'aéroport", "fr"),
        ("荷物がまだ届きません", "ja"),
        ("비행기가 취소됐어요 도와주세요", "ko"),
        ("lol acme sucks", "und"),
        ("@HalcyonAir 😂😂😂", "und"),
        ("https://a.example/la-casa-de-papel", "und"),
        ("", "und"),
        ("\x00\ud800", "und"),
    ],
)
def test_a_language_is_told_only_when_sure(text: str, language: str) -> None:
    """Clear texts get a code; slang, emoji and links get 'und'."""
    assert detect(text) == language


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
@settings(max_examples=50, deadline=None)
def test_any_text_gets_a_code(text: str) -> None:
    """Whatever comes in, two or three lower-case letters come out."""
    code = detect(text)
    assert code.isalpha()
    assert code.islower()
    assert 2 <= len(code) <= 3
