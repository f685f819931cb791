// The box below the messages: plain messages, and slash commands with a hint while typing.

import { perform } from "./api.js";
import { el } from "./dom.js";
import { state } from "./state.js";

const HINT = "Type / for commands.";
const COMMAND = /^(\/\S+)\s*([\s\S]*)$/;

export function drawComposer(holder, channel) {
  if (channel === undefined) {
    holder.replaceChildren();
    delete holder.dataset.channel;
    return;
  }
  if (holder.dataset.channel === channel.id && holder.dataset.me === state.me) return;
  Object.assign(holder.dataset, { channel: channel.id, me: state.me });
  holder.replaceChildren(build(channel));
}

function build(channel) {
  const hints = el("div", { class: "hints", role: "listbox", id: "hints", "aria-label": "Commands", hidden: true });
  const said = el("p", { class: "composer-hint", role: "status" }, HINT);
  const field = el("textarea", {
    rows: 1, id: "say", placeholder: `Message #${channel.name}`, "aria-label": `Message #${channel.name}`,
    role: "combobox", "aria-expanded": "false", "aria-controls": "hints", "aria-autocomplete": "list",
  });
  let at = 0;

  const matching = () => {
    const text = field.value;
    if (!text.startsWith("/") || /\s/.test(text)) return [];
    return state.commands.filter((command) => command.name.startsWith(text));
  };
  const draw = () => {
    const found = matching();
    at = Math.min(at, Math.max(0, found.length - 1));
    hints.hidden = found.length === 0;
    field.setAttribute("aria-expanded", String(found.length > 0));
    if (found.length) field.setAttribute("aria-activedescendant", `hint-${at}`);
    else field.removeAttribute("aria-activedescendant");
    hints.replaceChildren(
      ...found.map((command, index) =>
        el(
          "div",
          { id: `hint-${index}`, role: "option", "aria-selected": String(index === at), onmousedown: (event) => pick(event, command) },
          el("strong", {}, command.name), " ", el("span", { class: "dim" }, command.hint), el("small", {}, command.description),
        ),
      ),
    );
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 180)}px`;
  };
  const pick = (event, command) => {
    event.preventDefault();
    field.value = `${command.name} `;
    draw();
  };
  const send = async () => {
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    draw();
    said.textContent = HINT;
    const [, command, rest] = COMMAND.exec(text) ?? [];
    const answer = command
      ? await perform("command", { channel: channel.id, command, text: rest })
      : await perform("say", { channel: channel.id, text });
    said.textContent = answer.sentence || HINT;
    if (!answer.ok && !field.value) field.value = text;
  };

  field.addEventListener("input", draw);
  field.addEventListener("blur", () => (hints.hidden = true));
  field.addEventListener("keydown", (event) => {
    const found = matching();
    const isExact = found.length === 1 && found[0].name === field.value && !found[0].hint;
    if (found.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length;
      event.preventDefault();
      draw();
    } else if (found.length && !isExact && (event.key === "Tab" || event.key === "Enter") && !event.shiftKey) {
      pick(event, found[at]);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      field.blur();
    }
  });
  return el("div", { class: "composer" }, hints, el("div", { class: "box" }, field, sendButton(send)), said);
}

function sendButton(send) {
  return el("button", { type: "button", class: "primary send", onclick: send }, "Post");
}
