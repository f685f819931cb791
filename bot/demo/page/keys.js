// The keyboard: moving between messages, going to places, closing what is open.

import { isTyping } from "./dom.js";
import { closeMenu } from "./menu.js";

export function messageInFocus() {
  return document.activeElement?.closest?.(".message") ?? null;
}

function move(step) {
  const focused = messageInFocus();
  const list = focused?.closest(".list, .thread-list") ?? document.getElementById("list");
  const messages = [...list.querySelectorAll(":scope > .message")];
  if (!messages.length) return;
  const at = messages.indexOf(focused);
  const next = at === -1 ? (step > 0 ? visibleFirst(messages) : messages.length - 1) : at + step;
  const target = messages[Math.max(0, Math.min(messages.length - 1, next))];
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "nearest" });
}

function visibleFirst(messages) {
  const top = document.getElementById("scroll").getBoundingClientRect().top;
  return Math.max(0, messages.findIndex((message) => message.getBoundingClientRect().bottom > top + 20));
}

export function listenToKeys({ goTo, openThread, closeThread, hasThread }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      closeMenu();
      if (hasThread()) closeThread();
      return;
    }
    if (isTyping(event.target)) return;
    const message = messageInFocus();
    const doing = {
      j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
      t: () => message && openThread(message.dataset.ts),
      "?": () => document.getElementById("keys").showModal(),
      "/": () => startCommand(),
    }[event.key] ?? (/^[1-4]$/.test(event.key) ? () => goTo(Number(event.key) - 1) : null);
    if (doing) {
      event.preventDefault();
      doing();
    } else if (event.key === "Enter" && event.target === message) {
      event.preventDefault();
      message.querySelector(".blocks button, .message-body button")?.focus();
    }
  });
}

function startCommand() {
  const field = document.getElementById("say");
  if (!field) return;
  field.focus();
  if (!field.value) field.value = "/";
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
