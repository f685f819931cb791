// Block Kit blocks as DOM.

import { el } from "./dom.js";
import { drawElement } from "./elements.js";
import { mrkdwn, safeLink, textNodes } from "./mrkdwn.js";

export function drawBlock(block, place) {
  const draw = DRAW[block.type] ?? unknown;
  const node = draw(block, place);
  node.classList.add("block", `block-${block.type}`);
  node.dataset.blockId = block.block_id ?? "";
  return node;
}

export function drawBlocks(blocks, place) {
  return el("div", { class: "blocks" }, ...blocks.map((block) => drawBlock(block, place)));
}

const words = (text, place, tag = "div", name = "words") => el(tag, { class: name, dir: "auto" }, ...textNodes(text, place.names));

function section(block, place) {
  const body = el("div", { class: "section-body" });
  if (block.text) body.append(words(block.text, place));
  if (block.fields) body.append(el("div", { class: "fields" }, ...block.fields.map((field) => words(field, place))));
  const node = el("div", {}, body);
  if (block.accessory) node.append(el("div", { class: "accessory" }, drawElement(block, block.accessory, place)));
  return node;
}

function context(block, place) {
  const parts = block.elements.map((part) =>
    part.type === "image" ? drawElement(block, part, place) : words(part, place, "span"),
  );
  return el("div", {}, ...parts);
}

function input(block, place) {
  const id = `input-${block.block_id}`;
  const element = drawElement(block, block.element, place);
  const control = element.matches("input,textarea,button") ? element : (element.querySelector("input") ?? element);
  control.id = id;
  control.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  return el(
    "div",
    { "data-input": `${block.element.type} ${block.element.action_id}` },
    el("label", { for: id, class: "input-label" }),
    element,
    el("p", { class: "input-hint", id: `${id}-hint` }),
    el("p", { class: "input-error", id: `${id}-error`, role: "alert" }),
  );
}

// What may change around an input that stays: its label and hint.
export function patchInput(node, block, place) {
  const label = node.querySelector(".input-label");
  label.replaceChildren(...textNodes(block.label, place.names));
  if (block.optional) label.append(el("small", {}, " (optional)"));
  node.querySelector(".input-hint").replaceChildren(...(block.hint ? textNodes(block.hint, place.names) : []));
}

const unknown = (block) => el("div", { class: "unknown" }, `(${block.type})`);

const DRAW = {
  section,
  context,
  input: (block, place) => {
    const node = input(block, place);
    patchInput(node, block, place);
    return node;
  },
  header: (block, place) => el("h3", { dir: "auto" }, ...textNodes(block.text, place.names)),
  divider: () => el("hr"),
  actions: (block, place) =>
    el("div", { role: "group", "aria-label": "Actions" }, ...block.elements.map((element) => drawElement(block, element, place))),
  image: (block) => el("div", {}, safeLink(block.image_url ?? "", block.alt_text)),
  markdown: (block, place) => el("div", { dir: "auto" }, ...mrkdwn(block.text, place.names)),
};
