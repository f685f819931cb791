// Messages and their threads.

import { perform } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { el, keyed, rebuild } from "./dom.js";
import { mrkdwn, unescape, withEmoji } from "./mrkdwn.js";
import { inMessage } from "./places.js";
import { names, state, threads } from "./state.js";
import { timeOfTs } from "./when.js";

const COLORS = { 0: "fern", 1: "clay", 2: "plum" };

export function avatar(user) {
  const at = state.people.findIndex((person) => person.id === user);
  const person = state.people[at];
  if (person?.is_bot || !person) return el("img", { class: "avatar", src: "/page/files/cuecard.svg", alt: "" });
  const initials = person.name.split(" ").map((part) => part[0]).join("");
  return el("span", { class: `avatar ${COLORS[at % 3]}`, "aria-hidden": "true" }, initials);
}

export function drawMessages(list, channel, messages, hooks) {
  const notes = threads(channel);
  keyed(list, messages, {
    key: (message) => message.ts,
    make: (message) => el("article", { class: "message", "data-ts": message.ts, tabindex: "-1" }),
    patch: (node, message) => patch(node, channel, message, notes.get(message.ts) ?? [], hooks),
  });
}

function patch(node, channel, message, replies, hooks) {
  const version = JSON.stringify([message, replies.length, replies.at(-1)?.ts, hooks.isThread]);
  if (node.version === version) return;
  const shown = JSON.stringify([message.text, message.blocks]);
  const isChanged = node.shown !== undefined && node.shown !== shown;
  Object.assign(node, { version, shown });
  const isCard = Boolean(message.blocks) && message.user === state.bot && !message.is_ephemeral;
  node.className = ["message", isCard ? "card" : "", message.is_ephemeral ? "whisper" : ""].filter(Boolean).join(" ");
  node.setAttribute("aria-label", `${names.person(message.user) ?? "Slackbot"}: ${withEmoji(unescape(message.text ?? "")).slice(0, 160)}`);
  rebuild(node, () => node.replaceChildren(...parts(channel, message, replies, hooks)));
  if (isChanged) blink(node);
}

function blink(node) {
  node.classList.remove("changed");
  requestAnimationFrame(() => node.classList.add("changed"));
}

function parts(channel, message, replies, hooks) {
  const trouble = el("p", { class: "trouble", role: "alert" });
  const place = inMessage(channel.id, message, (sentence) => (trouble.textContent = sentence));
  const body = message.blocks
    ? drawBlocks(message.blocks, place)
    : el("div", { class: "words", dir: "auto" }, ...mrkdwn(message.text ?? "", names));
  const head = el(
    "div",
    { class: "message-head" },
    el("strong", {}, names.person(message.user) ?? "Slackbot"),
    message.user === state.bot ? el("span", { class: "app-mark" }, "app") : null,
    timeOfTs(message.ts),
    message.edited && !message.blocks ? el("small", {}, "(edited)") : null,
  );
  return [
    avatar(message.user),
    el(
      "div",
      { class: "message-body" },
      message.is_ephemeral ? el("p", { class: "whisper-mark" }, "Only visible to you") : null,
      head,
      body,
      trouble,
      reactions(message),
      hooks.isThread || message.is_ephemeral ? null : threadButton(channel, message, replies, hooks),
    ),
  ];
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  const one = (reaction) => el("span", { class: "reaction" }, withEmoji(`:${reaction.name}:`), ` ${reaction.count}`);
  return el("div", { class: "reactions" }, ...message.reactions.map(one));
}

function threadButton(channel, message, replies, hooks) {
  const count = replies.length;
  const label = count === 0 ? "Add a note" : count === 1 ? "1 note" : `${count} notes`;
  const faces = [...new Set(replies.map((reply) => reply.user))].slice(0, 3).map(avatar);
  return el(
    "button",
    {
      type: "button", class: `thread-button${count ? "" : " is-empty"}`, "data-role": "thread",
      onclick: () => hooks.openThread(channel.id, message.ts),
    },
    ...faces,
    label,
    count ? el("span", { class: "dim" }, " last ", timeOfTs(replies.at(-1).ts)) : null,
  );
}

// --- the thread pane ---------------------------------------------------------------------------------------

export function drawThread(pane, hooks) {
  const open = state.thread;
  const channel = open && state.channels.get(open.channel);
  const parent = channel?.messages.get(open.ts);
  pane.hidden = !parent;
  document.getElementById("app").classList.toggle("has-thread", Boolean(parent));
  if (!parent) {
    pane.replaceChildren();
    delete pane.dataset.ts;
    return;
  }
  if (pane.dataset.ts !== open.ts || pane.dataset.me !== state.me) {
    Object.assign(pane.dataset, { ts: open.ts, me: state.me });
    pane.replaceChildren(...threadFrame(channel, hooks));
  }
  const inThread = { ...hooks, isThread: true };
  drawMessages(pane.querySelector(".thread-list"), channel, [parent, ...(threads(channel).get(open.ts) ?? [])], inThread);
}

function threadFrame(channel, hooks) {
  const field = el("textarea", {
    rows: 2, placeholder: "Write a note to the team", "aria-label": "Note to the team", "data-role": "note",
  });
  const send = async () => {
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    const answer = await perform("say", { channel: state.thread.channel, thread_ts: state.thread.ts, text });
    if (!answer.ok) field.value = text;
  };
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  return [
    el(
      "header",
      { class: "thread-head" },
      el("h2", {}, "Thread ", el("span", { class: "dim" }, `#${channel.name}`)),
      el("button", { type: "button", class: "quiet", "aria-label": "Close thread", onclick: hooks.closeThread }, "✕"),
    ),
    el("div", { class: "thread-list" }),
    el(
      "div",
      { class: "composer note" },
      el("div", { class: "box" }, field, el("button", { type: "button", class: "primary send", onclick: send }, "Add note")),
      el("p", { class: "composer-hint" }, "Notes stay inside: nothing written here is ever sent."),
    ),
  ];
}
