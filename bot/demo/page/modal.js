// The modal on top of a person's stack. When the app updates it in place, what was typed and the focus stay.

import { perform } from "./api.js";
import { drawBlock, patchInput } from "./blocks.js";
import { el, keyed, rebuild } from "./dom.js";
import { closeMenu } from "./menu.js";
import { plainText, textNodes } from "./mrkdwn.js";
import { inView } from "./places.js";
import { names, state } from "./state.js";

const dialog = document.getElementById("modal");
const forms = new Map(); // view id -> {block id: {action id: value}}
let shown = "";
let before = null; // what had the focus when the first modal opened

export function drawModal() {
  const view = state.views.at(-1);
  for (const id of forms.keys()) if (!state.views.some((one) => one.id === id)) forms.delete(id);
  if (view === undefined) return hide();
  if (!forms.has(view.id)) forms.set(view.id, {});
  if (shown !== view.id) open(view);
  update(view);
  if (!dialog.open) {
    before = document.activeElement;
    dialog.showModal();
    focusFirst(view);
  }
}

function hide() {
  if (!dialog.open && shown === "") return;
  closeMenu();
  shown = "";
  dialog.close();
  dialog.replaceChildren();
  if (before?.isConnected) before.focus({ preventScroll: true });
  else document.querySelector(`#list [data-ts="${CSS.escape(before?.closest?.("[data-ts]")?.dataset.ts ?? "")}"]`)?.focus();
}

function open(view) {
  shown = view.id;
  closeMenu();
  dialog.dataset.view = view.callback_id;
  dialog.dataset.viewId = view.id;
  dialog.replaceChildren(
    el(
      "form",
      { method: "dialog", novalidate: true },
      el("header", { class: "modal-head" }, el("h2", { id: "modal-title" }), closeButton("✕", "Close")),
      el("p", { class: "trouble", role: "alert" }),
      el("div", { class: "blocks modal-blocks" }),
      el("footer", { class: "modal-foot" }),
    ),
  );
  dialog.setAttribute("aria-labelledby", "modal-title");
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  if (dialog.open) queueMicrotask(() => focusFirst(view));
}

function closeButton(label, name) {
  return el("button", { type: "button", class: "quiet", "aria-label": name, "data-role": "close", onclick: closeTop }, label);
}

function update(view) {
  dialog.querySelector("h2").replaceChildren(...textNodes(view.title, names));
  forget(forms.get(view.id), view.blocks);
  const place = inView(view, forms.get(view.id), (sentence) => trouble(sentence));
  keyed(dialog.querySelector(".modal-blocks"), view.blocks, {
    key: (block) => keyOf(block),
    make: (block) => drawBlock(block, place),
    patch: (node, block) => patch(node, block, place),
  });
  const foot = dialog.querySelector(".modal-foot");
  const words = JSON.stringify([view.close, view.submit]);
  if (foot.dataset.words === words) return;
  foot.dataset.words = words;
  rebuild(foot, () => foot.replaceChildren(...footOf(view)));
}

// What was entered goes with its block, as in Slack: where the block comes back, it begins anew.
function forget(form, blocks) {
  for (const id of Object.keys(form)) if (!blocks.some((block) => block.block_id === id)) delete form[id];
}

function keyOf(block) {
  return block.type === "input" ? `${block.block_id} ${block.element.type} ${block.element.action_id}` : `${block.block_id} ${block.type}`;
}

function footOf(view) {
  const close = el("button", { type: "button", "data-role": "cancel", onclick: closeTop }, plainText(view.close) || "Cancel");
  const send = view.submit && el("button", { type: "submit", class: "primary", "data-role": "submit" }, ...textNodes(view.submit, names));
  return [el("span", { class: "composer-hint" }, send ? "Ctrl+Enter submits" : ""), close, send].filter(Boolean);
}

// An input stays the same node; its words may change. Everything else is drawn again where it changed.
function patch(node, block, place) {
  const version = JSON.stringify(block);
  if (node.version === version) return;
  const isNew = node.version === undefined;
  node.version = version;
  if (isNew) return;
  if (block.type === "input") patchInput(node, block, place);
  else rebuild(node, () => node.replaceChildren(...drawBlock(block, place).childNodes));
}

function focusFirst(view) {
  const marked = view.blocks.find((block) => block.element?.focus_on_load);
  const first =
    (marked && dialog.querySelector(`[data-block-id="${CSS.escape(marked.block_id)}"] :is(input,textarea,button)`)) ||
    dialog.querySelector(".modal-blocks :is(textarea,input)") ||
    dialog.querySelector(".modal-foot .primary, .modal-foot button");
  first?.focus();
}

function trouble(sentence) {
  const line = dialog.querySelector(".trouble");
  if (line) line.textContent = sentence;
}

function showErrors(errors) {
  let first = null;
  for (const node of dialog.querySelectorAll(".block-input")) {
    const sentence = errors[node.dataset.blockId] ?? "";
    node.querySelector(".input-error").textContent = sentence;
    const control = node.querySelector("input,textarea,button");
    control.setAttribute("aria-invalid", String(sentence !== ""));
    if (sentence) first ??= control;
  }
  first?.focus();
}

async function submit() {
  const view = state.views.at(-1);
  const button = dialog.querySelector('[data-role="submit"]');
  if (!view?.submit || button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  trouble("");
  const answer = await perform("submit", { view_id: view.id, state: forms.get(view.id) ?? {} });
  button.ariaBusy = null;
  if (shown !== view.id) return;
  trouble(answer.sentence ?? "");
  showErrors(answer.errors ?? {});
}

function closeTop() {
  const view = state.views.at(-1);
  if (!view) return;
  state.views = state.views.slice(0, -1);
  drawModal();
  perform("close", { view_id: view.id });
}

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  closeTop();
});

dialog.addEventListener("input", (event) => {
  if (event.target.type === "checkbox") return showErrors({}); // another choice: what was refused may be right now
  const line = event.target.closest(".block-input")?.querySelector(".input-error");
  if (line) line.textContent = "";
  event.target.removeAttribute("aria-invalid");
});

dialog.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    submit();
  }
});
