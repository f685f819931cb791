// Block Kit's interactive elements. `place` says where they stand and what using one does:
// {names, people, use(block, element, value), value(block, element), keep(block, element, value)}

import { el } from "./dom.js";
import { openMenu } from "./menu.js";
import { openLink, plainText, safeLink, textNodes } from "./mrkdwn.js";

const textOf = (text, place) => textNodes(text, place.names);
const plain = plainText;

export function drawElement(block, element, place) {
  const draw = DRAW[element.type];
  if (draw === undefined) return el("span", { class: "unknown" }, `(${element.type})`);
  const node = draw(block, element, place);
  node.dataset.actionId = element.action_id ?? "";
  node.dataset.blockId = block.block_id ?? "";
  return node;
}

function button(block, element, place) {
  const node = el(
    "button",
    { type: "button", class: element.style ?? null, "aria-label": element.accessibility_label ?? null },
    ...textOf(element.text, place),
  );
  node.addEventListener("click", async () => {
    if (node.ariaBusy === "true") return;
    if (element.url) openLink(element.url);
    node.ariaBusy = "true";
    await place.use(block, element, {});
    node.ariaBusy = null;
  });
  return node;
}

function chooser(block, element, place, options, { label, name }) {
  const node = el(
    "button",
    { type: "button", class: "select", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-label": name },
    el("span", { class: "select-label" }, label),
  );
  node.addEventListener("click", () => openMenu(node, options(), (value) => choose(block, element, place, value, node)));
  return node;
}

async function choose(block, element, place, value, node) {
  const held = element.type === "users_select" ? { selected_user: value } : { selected_option: { value } };
  const before = place.value(block, element);
  if (element.type !== "overflow") place.keep(block, element, held);
  if (block.type !== "input" || block.dispatch_action) {
    if ((await place.use(block, element, held)) || element.type === "overflow") return;
    place.keep(block, element, before);
  }
  const again = drawElement(block, element, place);
  node.replaceChildren(...again.childNodes);
  node.className = again.className;
}

function optionsOf(element) {
  const grouped = (element.option_groups ?? []).flatMap((group) =>
    group.options.map((option) => ({ ...option, group: plain(group.label) })),
  );
  return [...(element.options ?? []), ...grouped];
}

function staticSelect(block, element, place) {
  const held = () => place.value(block, element)?.selected_option?.value;
  const options = () =>
    optionsOf(element).map((option) => ({
      label: plain(option.text), detail: plain(option.description), value: option.value, group: option.group,
      isChosen: option.value === held(),
    }));
  const chosen = optionsOf(element).find((option) => option.value === held());
  const label = plain(chosen?.text) || plain(element.placeholder) || "Choose";
  const node = chooser(block, element, place, options, { label, name: plain(element.placeholder) || label });
  node.classList.toggle("is-empty", !chosen);
  return node;
}

function usersSelect(block, element, place) {
  const held = () => place.value(block, element)?.selected_user;
  const options = () => place.people.map((person) => ({ label: person.name, value: person.id, isChosen: person.id === held() }));
  const chosen = place.people.find((person) => person.id === held());
  const label = chosen?.name ?? (plain(element.placeholder) || "Choose a person");
  const node = chooser(block, element, place, options, { label, name: plain(element.placeholder) || label });
  node.classList.toggle("is-empty", !chosen);
  return node;
}

function overflow(block, element, place) {
  const options = () =>
    element.options.map((option) => ({ label: plain(option.text), detail: plain(option.description), value: option.value }));
  const node = chooser(block, element, place, options, { label: "⋯", name: "More actions" });
  node.classList.add("overflow");
  return node;
}

function field(block, element, place, attributes, name) {
  const node = el(attributes.tag ?? "input", attributes.with);
  node.value = attributes.read(place.value(block, element)?.[name]);
  node.addEventListener("change", () => {
    const value = { [name]: attributes.write(node.value) };
    place.keep(block, element, value);
    if (block.type !== "input" || block.dispatch_action) place.use(block, element, value);
  });
  return node;
}

const asText = { read: (value) => value ?? "", write: (value) => value || null };
const pad = (number) => String(number).padStart(2, "0");
const localTime = (seconds) => {
  if (!seconds) return "";
  const at = new Date(seconds * 1000);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;
};
const asSeconds = { read: localTime, write: (value) => (value ? Math.floor(new Date(value).getTime() / 1000) : null) };

function textInput(block, element, place) {
  const isLong = element.multiline === true;
  const node = el(isLong ? "textarea" : "input", {
    rows: isLong ? 6 : null, type: isLong ? null : "text", placeholder: plain(element.placeholder) || null,
    maxlength: element.max_length ?? null, dir: "auto",
  });
  node.value = place.value(block, element)?.value ?? "";
  const events = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  let timer = 0;
  node.addEventListener("input", () => {
    place.keep(block, element, { value: node.value || null });
    if (!block.dispatch_action || !events.includes("on_character_entered")) return;
    clearTimeout(timer);
    timer = setTimeout(() => place.use(block, element, { value: node.value || null }), 250);
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || isLong || !block.dispatch_action || !events.includes("on_enter_pressed")) return;
    event.preventDefault();
    place.use(block, element, { value: node.value || null });
  });
  return node;
}

function choices(block, element, place) {
  const isOne = element.type === "radio_buttons";
  const name = `${block.block_id}-${element.action_id}`;
  const held = place.value(block, element);
  const values = isOne ? [held?.selected_option?.value] : (held?.selected_options ?? []).map((option) => option.value);
  const node = el("div", { class: "choices", role: isOne ? "radiogroup" : "group" });
  const read = () => [...node.querySelectorAll("input:checked")].map((input) => ({ value: input.value }));
  for (const option of element.options) {
    const input = el("input", { type: isOne ? "radio" : "checkbox", name, value: option.value });
    input.checked = values.includes(option.value);
    input.addEventListener("change", () => {
      const value = isOne ? { selected_option: read()[0] ?? null } : { selected_options: read() };
      place.keep(block, element, value);
      if (block.type !== "input" || block.dispatch_action) place.use(block, element, value);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
      event.preventDefault(); // it would submit the form
      input.click();
    });
    const words = el("span", {}, ...textOf(option.text, place));
    if (option.description) words.append(el("small", {}, ...textOf(option.description, place)));
    node.append(el("label", {}, input, words));
  }
  return node;
}

const DRAW = {
  button,
  overflow,
  static_select: staticSelect,
  users_select: usersSelect,
  datepicker: (b, e, p) => field(b, e, p, { ...asText, with: { type: "date" } }, "selected_date"),
  timepicker: (b, e, p) => field(b, e, p, { ...asText, with: { type: "time" } }, "selected_time"),
  datetimepicker: (b, e, p) => field(b, e, p, { ...asSeconds, with: { type: "datetime-local" } }, "selected_date_time"),
  plain_text_input: textInput,
  url_text_input: textInput,
  email_text_input: textInput,
  number_input: textInput,
  checkboxes: choices,
  radio_buttons: choices,
  image: (b, e) => el("span", { class: "image" }, safeLink(e.image_url ?? "", e.alt_text)),
};
