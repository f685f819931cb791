"""Block Kit's limits as a pure check, with the messages and pointers that Slack gives.

Source: docs.slack.dev, reference/block-kit (blocks, block elements, composition objects), and the slack_sdk models.
Only what the page can draw is accepted: an app that is happy here is happy in Slack, not the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_TEXT = 9_600
"""Characters of block text one message surely takes; Slack states no number and refuses somewhere above this."""
VIEW_BYTES = 250_000

_SELECTS = {"static_select", "users_select"}
_CHOOSERS = {"checkboxes", "radio_buttons", "datepicker", "timepicker"} | _SELECTS
_ACTIONS = {"button", "overflow", "datetimepicker"} | _CHOOSERS
_INPUTS = {"plain_text_input", "url_text_input", "email_text_input", "number_input", "datetimepicker"} | _CHOOSERS
_ACCESSORIES = {"button", "overflow", "image"} | _CHOOSERS
_TRIGGERS = {"on_enter_pressed", "on_character_entered"}


class Findings:
    """Collects what is wrong, each with its place as a JSON pointer."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, place: str, sentence: str) -> None:
        """Note one problem."""
        self.messages.append(f"[ERROR] {sentence} [json-pointer:{place}]")

    def fields(self, thing: Mapping[str, Any], place: str, required: str, optional: str) -> None:
        """Check that every required field is there and no unknown one is."""
        need = set(required.split())
        for name in sorted(need - thing.keys()):
            self.add(place, f"missing required field: {name}")
        for name in sorted(thing.keys() - need - set(optional.split()) - {"type"}):
            self.add(place, f"invalid additional property: {name}")

    def string(self, thing: Mapping[str, Any], name: str, place: str, limit: int, least: int = 1) -> None:
        """Check one string's length, where it is given."""
        if name not in thing:
            return
        value = thing[name]
        if not isinstance(value, str):
            self.add(f"{place}/{name}", "must be a string")
        elif len(value) > limit:
            self.add(f"{place}/{name}", f"must be less than {limit + 1} characters")
        elif len(value) < least:
            self.add(f"{place}/{name}", f"must be more than {least - 1} characters")

    def text(self, thing: Mapping[str, Any], name: str, place: str, limit: int, *, is_plain: bool = True) -> None:
        """Check one text object, where it is given."""
        if name in thing:
            self.text_object(thing[name], f"{place}/{name}", limit, is_plain=is_plain)

    def text_object(self, value: object, place: str, limit: int, *, is_plain: bool) -> None:
        """Check a text object's kind, fields and length."""
        if not isinstance(value, dict):
            self.add(place, "must be a text object")
        elif value.get("type") == "plain_text":
            self.fields(value, place, "text", "emoji")
            self.string(value, "text", place, limit)
        elif value.get("type") == "mrkdwn" and not is_plain:
            self.fields(value, place, "text", "verbatim")
            self.string(value, "text", place, limit)
        else:
            self.add(f"{place}/type", "must be plain_text" if is_plain else "must be plain_text or mrkdwn")

    def many(self, thing: Mapping[str, Any], name: str, place: str, most: int) -> list[Any]:
        """Check a list's length and return it, empty where it cannot be used."""
        value = thing.get(name, [])
        if not isinstance(value, list):
            self.add(f"{place}/{name}", "must be an array")
            return []
        if not value:
            self.add(f"{place}/{name}", "must have at least 1 item")
        elif len(value) > most:
            self.add(f"{place}/{name}", f"no more than {most} items allowed")
        return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _confirm(found: Findings, element: Json, place: str) -> None:
    confirm = element.get("confirm")
    if confirm is None:
        return
    place = f"{place}/confirm"
    if not isinstance(confirm, dict):
        found.add(place, "must be an object")
        return
    found.fields(confirm, place, "title text confirm deny", "style")
    found.text(confirm, "title", place, 100)
    found.text(confirm, "text", place, 300, is_plain=False)
    found.text(confirm, "confirm", place, 30)
    found.text(confirm, "deny", place, 30)


def _option(found: Findings, option: object, place: str, *, is_plain: bool) -> None:
    if not isinstance(option, dict):
        found.add(place, "must be an option object")
        return
    found.fields(option, place, "text value", "description url")
    found.text(option, "text", place, 75, is_plain=is_plain)
    found.string(option, "value", place, 150)
    found.text(option, "description", place, 75, is_plain=is_plain)


def _options(found: Findings, element: Json, place: str, most: int, *, is_plain: bool = True) -> None:
    if "option_groups" in element and "options" not in element:
        for number, group in enumerate(found.many(element, "option_groups", place, 100)):
            below = f"{place}/option_groups/{number}"
            if not isinstance(group, dict):
                found.add(below, "must be an option group")
                continue
            found.fields(group, below, "label options", "")
            found.text(group, "label", below, 75)
            _options(found, group, below, 100)
        return
    for number, option in enumerate(found.many(element, "options", place, most)):
        _option(found, option, f"{place}/options/{number}", is_plain=is_plain)


def _button(found: Findings, element: Json, place: str) -> None:
    found.fields(element, place, "text", "action_id url value style confirm accessibility_label")
    found.text(element, "text", place, 75)
    found.string(element, "value", place, 2000)
    found.string(element, "url", place, 3000)
    found.string(element, "accessibility_label", place, 75)
    if str(element.get("style", "primary")) not in {"primary", "danger"}:
        found.add(f"{place}/style", "must be a valid enum value")


def _select(found: Findings, element: Json, place: str) -> None:
    found.fields(
        element,
        place,
        "",
        "action_id placeholder options option_groups initial_option initial_user initial_channel "
        "initial_conversation confirm focus_on_load filter default_to_current_conversation response_url_enabled",
    )
    found.text(element, "placeholder", place, 150)
    if element["type"] == "static_select":
        _options(found, element, place, 100)
        if "initial_option" in element:
            _option(found, element["initial_option"], f"{place}/initial_option", is_plain=True)
            _initial_among(found, [element["initial_option"]], element, place)


def _initial_among(found: Findings, chosen: Sequence[Any], element: Json, place: str) -> None:
    groups = [g for g in _list(element.get("option_groups")) if isinstance(g, dict)]
    options = [*_list(element.get("options")), *(o for g in groups for o in _list(g.get("options")))]
    values = [o.get("value") for o in options if isinstance(o, dict)]
    if any(not isinstance(o, dict) or o.get("value") not in values for o in chosen):
        found.add(place, "the initial option must be one of the options")


def _overflow(found: Findings, element: Json, place: str) -> None:
    found.fields(element, place, "options", "action_id confirm")
    _options(found, element, place, 5)


def _choices(found: Findings, element: Json, place: str) -> None:
    found.fields(element, place, "options", "action_id initial_option initial_options confirm focus_on_load")
    _options(found, element, place, 10, is_plain=False)
    initial = _list(element.get("initial_options")) or [element[k] for k in ("initial_option",) if k in element]
    _initial_among(found, initial, element, place)


def _picker(found: Findings, element: Json, place: str) -> None:
    optional = "action_id placeholder initial_date initial_time initial_date_time confirm focus_on_load timezone"
    found.fields(element, place, "", optional)
    found.text(element, "placeholder", place, 150)
    if "initial_date_time" in element and not isinstance(element["initial_date_time"], int):
        found.add(f"{place}/initial_date_time", "must be an integer")


def _text_input(found: Findings, element: Json, place: str) -> None:
    found.fields(
        element,
        place,
        "is_decimal_allowed" if element["type"] == "number_input" else "",
        "action_id placeholder multiline initial_value min_length max_length dispatch_action_config focus_on_load "
        "min_value max_value",
    )
    found.text(element, "placeholder", place, 150)
    found.string(element, "initial_value", place, 3000, least=0)
    most = element.get("max_length", 3000)
    if not isinstance(most, int) or not 1 <= most <= 3000:
        found.add(f"{place}/max_length", "must be between 1 and 3000")
    elif len(str(element.get("initial_value", ""))) > most:
        found.add(f"{place}/initial_value", f"must be less than {most + 1} characters")
    config = element.get("dispatch_action_config", {})
    if not isinstance(config, dict) or {str(on) for on in _list(config.get("trigger_actions_on"))} - _TRIGGERS:
        found.add(f"{place}/dispatch_action_config", "must name on_enter_pressed or on_character_entered")


def _image(found: Findings, element: Json, place: str) -> None:
    found.fields(element, place, "alt_text", "image_url slack_file title block_id")
    found.string(element, "alt_text", place, 2000)
    found.string(element, "image_url", place, 3000)
    found.text(element, "title", place, 2000)


ELEMENTS: Mapping[str, Callable[[Findings, Json, str], None]] = {
    "button": _button,
    "overflow": _overflow,
    "checkboxes": _choices,
    "radio_buttons": _choices,
    "image": _image,
    **dict.fromkeys(_SELECTS, _select),
    **dict.fromkeys(("datepicker", "timepicker", "datetimepicker"), _picker),
    **dict.fromkeys(("plain_text_input", "url_text_input", "email_text_input", "number_input"), _text_input),
}


def _element(found: Findings, element: object, place: str, allowed: set[str]) -> None:
    kind = element.get("type") if isinstance(element, dict) else None
    if not isinstance(element, dict) or not isinstance(kind, str) or kind not in allowed:
        found.add(place, f"unsupported type: {kind}")
        return
    found.string(element, "action_id", place, 255)
    ELEMENTS[kind](found, element, place)
    _confirm(found, element, place)


def _section(found: Findings, block: Json, place: str) -> None:
    found.fields(block, place, "", "text fields accessory block_id expand")
    if "text" not in block and "fields" not in block:
        found.add(place, "missing required field: text")
    found.text(block, "text", place, 3000, is_plain=False)
    if "fields" in block:
        for number, field in enumerate(found.many(block, "fields", place, 10)):
            found.text_object(field, f"{place}/fields/{number}", 2000, is_plain=False)
    if "accessory" in block:
        _element(found, block["accessory"], f"{place}/accessory", _ACCESSORIES)


def _header(found: Findings, block: Json, place: str) -> None:
    found.fields(block, place, "text", "block_id level")
    found.text(block, "text", place, 150)


def _divider(found: Findings, block: Json, place: str) -> None:
    found.fields(block, place, "", "block_id")


def _context(found: Findings, block: Json, place: str) -> None:
    found.fields(block, place, "elements", "block_id")
    for number, element in enumerate(found.many(block, "elements", place, 10)):
        below = f"{place}/elements/{number}"
        if isinstance(element, dict) and element.get("type") == "image":
            _image(found, element, below)
        else:
            found.text_object(element, below, 3000, is_plain=False)


def _actions(found: Findings, block: Json, place: str) -> None:
    found.fields(block, place, "elements", "block_id")
    elements = found.many(block, "elements", place, 25)
    for number, element in enumerate(elements):
        _element(found, element, f"{place}/elements/{number}", _ACTIONS)
    ids = [str(e["action_id"]) for e in elements if isinstance(e, dict) and "action_id" in e]
    if len(ids) != len(set(ids)):
        found.add(place, "`action_id` must be unique within a block")


def _input(found: Findings, block: Json, place: str) -> None:
    found.fields(block, place, "label element", "block_id hint optional dispatch_action")
    found.text(block, "label", place, 2000)
    found.text(block, "hint", place, 2000)
    if "element" in block:
        _element(found, block["element"], f"{place}/element", _INPUTS)


def _markdown(found: Findings, block: Json, place: str) -> None:
    found.fields(block, place, "text", "block_id")
    found.string(block, "text", place, 12_000)


BLOCKS: Mapping[str, Callable[[Findings, Json, str], None]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "image": _image,
    "markdown": _markdown,
}


def _check_blocks(found: Findings, blocks: object, place: str, most: int) -> None:
    if not isinstance(blocks, list):
        found.add(place, "must be an array")
        return
    if len(blocks) > most:
        found.add(place, f"no more than {most} items allowed")
    for number, block in enumerate(blocks):
        below = f"{place}/{number}"
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str) or kind not in BLOCKS:
            found.add(below, f"unsupported type: {kind}")
            continue
        found.string(block, "block_id", below, 255)
        BLOCKS[kind](found, block, below)
    ids = [str(b["block_id"]) for b in blocks if isinstance(b, dict) and "block_id" in b]
    if len(ids) != len(set(ids)):
        found.add(place, "`block_id` must be unique")


def message_problems(blocks: object) -> list[str]:
    """Return what Slack would refuse in a message's blocks, as it says it in `response_metadata.messages`."""
    found = Findings()
    _check_blocks(found, blocks, "/blocks", MESSAGE_BLOCKS)
    return found.messages


def view_problems(view: object) -> list[str]:
    """Return what Slack would refuse in a modal or an App Home view."""
    found = Findings()
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):  # a tuple: it may be unhashable
        found.add("/view/type", "must be modal or home")
        return found.messages
    extra = "title submit close clear_on_close notify_on_close submit_disabled" if view["type"] == "modal" else "title"
    found.fields(view, "/view", "blocks", f"private_metadata callback_id external_id {extra}")
    if view["type"] == "modal":
        if "title" not in view:
            found.add("/view", "missing required field: title")
        for name in ("title", "submit", "close"):
            found.text(view, name, "/view", 24)
    found.string(view, "private_metadata", "/view", 3000, least=0)
    found.string(view, "callback_id", "/view", 255, least=0)
    found.string(view, "external_id", "/view", 255, least=0)
    _check_blocks(found, view.get("blocks", []), "/view/blocks", VIEW_BLOCKS)
    if view["type"] == "modal" and "submit" not in view and _has_input(view.get("blocks")):
        found.add("/view", "missing required field: submit")
    return found.messages


def _has_input(blocks: object) -> bool:
    return isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)


def texts_of(thing: object) -> list[Json]:
    """Return every text object inside blocks, in order; a markdown block counts as one."""
    if isinstance(thing, list):
        return [text for item in thing for text in texts_of(item)]
    if not isinstance(thing, dict):
        return []
    if thing.get("type") in {"plain_text", "mrkdwn", "markdown"} and isinstance(thing.get("text"), str):
        return [thing]
    return [text for value in thing.values() for text in texts_of(value)]


def text_length(blocks: object) -> int:
    """Return the characters of text in blocks, as the total that a message may hold counts them."""
    return sum(len(text["text"]) for text in texts_of(blocks))
