"""Block Kit's limits: what Slack takes passes, one more is refused, with Slack's place and words."""
# ruff: noqa: ANN401 - JSON and Bolt's injected arguments can be anything

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mini_app import card, option, plain, reply_modal

from bot.demo.blocks import message_problems, text_length, view_problems
from bot.demo.pings import targets_in

Json = dict[str, Any]


def section(text: str) -> Json:
    """Return a section of plain text."""
    return {"type": "section", "text": plain(text)}


def actions(*elements: Json) -> list[Json]:
    """Return one block of actions."""
    return [{"type": "actions", "elements": list(elements)}]


def button(**more: Any) -> Json:
    """Return a button with a change."""
    return {"type": "button", "action_id": "a", "text": plain("Go"), **more}


def select(options: list[Json], **more: Any) -> Json:
    """Return a select."""
    return {"type": "static_select", "action_id": "s", "options": options, **more}


def modal(**more: Any) -> Json:
    """Return a small modal with a change."""
    return {"type": "modal", "title": plain("Reply"), "blocks": [{"type": "divider"}], **more}


def words(limit: int, **more: Any) -> Json:
    """Return an input block with a longest text."""
    element = {"type": "plain_text_input", "action_id": "t", "max_length": limit}
    return {"type": "input", "label": plain("Words"), "element": element, **more}


def test_everything_of_the_mini_app_is_accepted():
    """One of everything that the page can draw passes."""
    assert message_problems(card()) == []
    assert view_problems(reply_modal()) == []


LIMITS = [
    pytest.param(lambda n: [section("x")] * n, 50, "/blocks", id="50 blocks in a message"),
    pytest.param(lambda n: [section("x" * n)], 3000, "/blocks/0/text/text", id="section text"),
    pytest.param(
        lambda n: [{"type": "section", "fields": [plain("x")] * n}], 10, "/blocks/0/fields", id="section fields"
    ),
    pytest.param(
        lambda n: [{"type": "section", "fields": [plain("x" * n)]}], 2000, "/blocks/0/fields/0/text", id="field text"
    ),
    pytest.param(lambda n: [{"type": "header", "text": plain("x" * n)}], 150, "/blocks/0/text/text", id="header"),
    pytest.param(
        lambda n: [{"type": "context", "elements": [plain("x")] * n}], 10, "/blocks/0/elements", id="context elements"
    ),
    pytest.param(
        lambda n: actions(*[button(action_id=f"a{i}") for i in range(n)]), 25, "/blocks/0/elements", id="actions"
    ),
    pytest.param(
        lambda n: actions(button(text=plain("x" * n))), 75, "/blocks/0/elements/0/text/text", id="button text"
    ),
    pytest.param(lambda n: actions(button(value="x" * n)), 2000, "/blocks/0/elements/0/value", id="button value"),
    pytest.param(lambda n: actions(button(url="x" * n)), 3000, "/blocks/0/elements/0/url", id="button url"),
    pytest.param(lambda n: actions(button(action_id="x" * n)), 255, "/blocks/0/elements/0/action_id", id="action id"),
    pytest.param(lambda n: [section("x") | {"block_id": "x" * n}], 255, "/blocks/0/block_id", id="block id"),
    pytest.param(
        lambda n: actions(select([option("x" * n, "v")])),
        75,
        "/blocks/0/elements/0/options/0/text/text",
        id="option text",
    ),
    pytest.param(
        lambda n: actions(select([option("x", "v" * n)])),
        150,
        "/blocks/0/elements/0/options/0/value",
        id="option value",
    ),
    pytest.param(
        lambda n: actions(select([option("x", str(i)) for i in range(n)])),
        100,
        "/blocks/0/elements/0/options",
        id="options",
    ),
    pytest.param(
        lambda n: actions(select([option("x", "v")]) | {"type": "overflow", "options": [option("x", "v")] * n}),
        5,
        "/blocks/0/elements/0/options",
        id="overflow",
    ),
    pytest.param(
        lambda n: actions(select([option("x", "v")], placeholder=plain("x" * n))),
        150,
        "/blocks/0/elements/0/placeholder/text",
        id="placeholder",
    ),
]


@pytest.mark.parametrize(("build", "limit", "place"), LIMITS)
def test_the_limit_is_taken_and_one_more_refused(build: Any, limit: int, place: str):
    """Exactly the documented number passes; one above names the place."""
    assert message_problems(build(limit)) == []
    problems = message_problems(build(limit + 1))
    assert any(f"[json-pointer:{place}" in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("name", "limit"), [("title", 24), ("submit", 24), ("close", 24), ("private_metadata", 3000), ("callback_id", 255)]
)
def test_view_limits(name: str, limit: int):
    """A view's own words have limits too."""

    def of(length: int) -> Json:
        text = "x" * length
        return modal(**{name: plain(text) if limit == 24 else text})

    assert view_problems(of(limit)) == []
    assert f"/view/{name}" in view_problems(of(limit + 1))[0]


def test_a_view_takes_100_blocks():
    """A modal may be twice as long as a message."""
    assert view_problems(modal(blocks=[{"type": "divider"}] * 100)) == []
    assert "no more than 100 items" in view_problems(modal(blocks=[{"type": "divider"}] * 101))[0]


def test_max_length_is_at_most_3000():
    """Slack takes no longer input than 3,000 characters."""
    assert view_problems(modal(blocks=[words(3000)], submit=plain("Go"))) == []
    assert "between 1 and 3000" in view_problems(modal(blocks=[words(3001)], submit=plain("Go")))[0]


WRONG = [
    pytest.param([section("")], "more than 0 characters", id="empty text"),
    pytest.param([{"type": "section"}], "missing required field: text", id="section without text"),
    pytest.param(
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "must be plain_text", id="mrkdwn header"
    ),
    pytest.param([{"type": "carousel"}], "unsupported type: carousel", id="unknown block"),
    pytest.param([section("x") | {"colour": "red"}], "invalid additional property: colour", id="unknown field"),
    pytest.param(
        [section("a") | {"block_id": "1"}, section("b") | {"block_id": "1"}], "must be unique", id="block ids"
    ),
    pytest.param(actions(button(), button()), "must be unique", id="action ids"),
    pytest.param(actions(button(style="blue")), "valid enum value", id="style"),
    pytest.param(actions(select([])), "at least 1 item", id="no options"),
    pytest.param(
        actions(select([option("x", "v")], initial_option=option("y", "w"))), "one of the options", id="initial"
    ),
    pytest.param(actions({"type": "plain_text_input", "action_id": "t"}), "unsupported type", id="input in actions"),
    pytest.param(
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}],
        "additional property: emoji",
        id="emoji",
    ),
    pytest.param("no list", "must be an array", id="no list"),
    pytest.param([None], "unsupported type", id="no object"),
]


@pytest.mark.parametrize(("blocks", "sentence"), WRONG)
def test_wrong_blocks_are_named(blocks: Any, sentence: str):
    """Each mistake is said in words."""
    assert any(sentence in problem for problem in message_problems(blocks))


def test_a_modal_with_an_input_needs_a_submit():
    """Slack refuses a form that can not be submitted."""
    assert "missing required field: submit" in view_problems(modal(blocks=[words(10)]))[0]


def test_the_text_of_blocks_is_counted_once():
    """The total counts every text object, nested ones too."""
    assert text_length([section("abc"), *actions(button(text=plain("de")))]) == 5


names = st.sampled_from(["type", "text", "elements", "element", "options", "option_groups", "initial_option", "blocks"])
kinds = st.sampled_from(
    ["modal", "home", "section", "actions", "input", "static_select", "checkboxes", "plain_text_input"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | kinds,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner),
    max_leaves=20,
)


@given(json_values)
def test_any_json_gets_an_answer(value: Any):
    """Whatever an app sends, the check answers with sentences and changes nothing."""
    before = copy.deepcopy(value)
    assert isinstance(message_problems(value), list)
    assert isinstance(view_problems(value), list)
    assert value == before


def test_live_tokens_ping_and_escaped_ones_do_not():
    """What an app forgot to escape calls people; what it escaped calls nobody."""
    live = "<!channel> <@U1|x> <!subteam^S1> <!here|h>"
    assert list(targets_in(live)) == ["!channel", "@U1", "!subteam^S1", "!here"]
    assert list(targets_in(live.replace("<", "&lt;"))) == []
    assert list(targets_in("<!date^1^{date}|x> @channel")) == []
    assert list(targets_in("hey @channel", is_linking=True)) == ["!channel"]
