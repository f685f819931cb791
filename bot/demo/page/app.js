// The page: puts the parts together and keeps them true.

import { listen, load, perform } from "./api.js";
import { drawBlock } from "./blocks.js";
import { drawComposer } from "./composer.js";
import { el, keyed, rebuild } from "./dom.js";
import { listenToKeys } from "./keys.js";
import { avatar, drawMessages, drawThread } from "./messages.js";
import { drawModal } from "./modal.js";
import { messageAt } from "./mrkdwn.js";
import { inView } from "./places.js";
import { drawPost } from "./stage.js";
import { apply, fill, markRead, names, roots, state, teammates, unread } from "./state.js";

const byId = (id) => document.getElementById(id);
const list = byId("list");
const scroll = byId("scroll");
const homeForm = {};
let drawn = ""; // the place and person that the list shows now

const hooks = {
  isThread: false,
  openThread(channel, ts) {
    state.thread = { channel, ts };
    draw();
    byId("thread").querySelector("[data-role=note]")?.focus();
  },
  closeThread() {
    const ts = state.thread?.ts;
    state.thread = null;
    draw();
    list.querySelector(`[data-ts="${CSS.escape(ts ?? "")}"]`)?.focus({ preventScroll: true });
  },
};

// --- places ------------------------------------------------------------------------------------------------

function places() {
  const channels = [...state.channels.values()].map((channel) => ({
    id: channel.id, label: channel.name, mark: "#", count: unread(channel), about: ABOUT[channel.name] ?? "",
  }));
  return [
    ...channels,
    { id: "home", label: "App Home", mark: "⌂", count: 0, about: `What ${names.person(state.bot)} shows only you` },
    { id: "stage", label: "The stage", mark: "◐", count: 0, about: "What the public sees: only what a person sent" },
  ];
}

const ABOUT = {
  mentions: "What was said about us and needs a person",
  "cuecard-ops": "For whoever keeps Cuecard running",
};

function goTo(id) {
  if (state.place === id) return;
  state.place = id;
  state.thread = null;
  history.replaceState(null, "", `/?as=${state.me}#${id}`);
  if (id === "home") perform("home", {});
  draw();
}

function drawSidebar() {
  byId("team").textContent = state.team;
  keyed(byId("places"), places(), {
    key: (place) => place.id,
    make: (place) => el("li", {}, el("button", { type: "button", "data-place": place.id, onclick: () => goTo(place.id) })),
    patch(node, place) {
      const button = node.firstElementChild;
      button.classList.toggle("is-unread", place.count > 0);
      button.setAttribute("aria-current", place.id === state.place ? "page" : "false");
      button.replaceChildren(
        el("span", { class: "mark", "aria-hidden": "true" }, place.mark),
        place.label,
        ...(place.count ? [el("span", { class: "count", "aria-label": `${place.count} unread` }, String(place.count))] : []),
      );
    },
  });
  keyed(byId("people"), [{ id: "legend" }, ...teammates()], {
    key: (person) => person.id,
    make: (person) => (person.id === "legend" ? el("legend", {}, "You are") : personButton(person)),
    patch(node, person) {
      if (person.id !== "legend") node.setAttribute("aria-pressed", String(person.id === state.me));
    },
  });
}

function personButton(person) {
  return el(
    "button",
    { type: "button", class: "person", "data-person": person.id, onclick: () => become(person.id) },
    avatar(person.id),
    el("span", {}, person.name, el("small", {}, person.title)),
  );
}

// --- the middle --------------------------------------------------------------------------------------------

function draw() {
  drawSidebar();
  const place = places().find((one) => one.id === state.place);
  const channel = state.channels.get(state.place);
  const now = `${state.place} ${state.me}`;
  const isFresh = drawn !== now;
  const wasLow = isFresh || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  if (isFresh) list.replaceChildren();
  drawn = now;
  byId("place").dataset.shown = state.place;
  byId("place-title").textContent = (channel ? "#" : "") + place.label;
  byId("place-about").textContent = place.about;
  drawComposer(byId("composer"), channel);
  if (!channel) byId("newer").hidden = true;
  if (channel) drawChannel(channel, wasLow, isFresh);
  else if (state.place === "home") drawHome();
  else drawStage();
  if (isFresh && !channel) scroll.scrollTop = 0; // a page is read from its top, a channel from its end
  drawThread(byId("thread"), hooks);
  drawModal();
  const unseen = places().reduce((sum, one) => sum + one.count, 0);
  document.title = `${unseen ? `(${unseen}) ` : ""}${channel ? "#" : ""}${place.label} · Cuecard rehearsal`;
}

function drawChannel(channel, wasLow, isFresh) {
  const messages = roots(channel);
  const before = new Set([...list.querySelectorAll(":scope > .message")].map((node) => node.dataset.ts));
  list.className = "list";
  list.setAttribute("role", "feed");
  drawMessages(list, channel, messages, hooks);
  if (!messages.length) list.replaceChildren(empty("Nothing here yet", EMPTY[channel.name] ?? ""));
  const added = messages.filter((message) => !before.has(message.ts));
  // Never move what a person is about to press, or is typing in; always show what answers them.
  const isBusy = list.contains(document.activeElement) || list.querySelector(".card:hover") !== null;
  const isAnswer = added.some((message) => message.user === state.me || message.is_ephemeral);
  if (isFresh || isAnswer || (wasLow && !isBusy)) scroll.scrollTop = scroll.scrollHeight;
  else if (added.length) byId("newer").hidden = false;
  if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80) byId("newer").hidden = true;
  if (document.visibilityState === "visible") markRead(channel);
  drawSidebar();
}

const EMPTY = {
  mentions: "Cards appear here as the feed plays: the posts that need a person, with the reason why.",
  "cuecard-ops": "Quiet is good: here Cuecard only says when something is wrong.",
};

function empty(title, text) {
  return el("div", { class: "empty", "data-key": "empty" }, el("h2", {}, title), el("p", {}, text));
}

function drawHome() {
  list.className = "list home";
  list.removeAttribute("role");
  if (state.home === null) return list.replaceChildren(empty("App Home", "Nothing has been published here yet."));
  list.querySelector(":scope > .empty")?.remove();
  const said = list.querySelector(":scope > .trouble") ?? el("p", { class: "trouble", role: "alert", "data-key": "trouble" });
  const place = inView(state.home, homeForm, (sentence) => (said.textContent = sentence));
  keyed(list, [{ block_id: "trouble" }, ...state.home.blocks], {
    key: (block) => block.block_id,
    make: (block) => (block.block_id === "trouble" ? said : drawBlock(block, place)),
    patch(node, block) {
      const version = JSON.stringify(block);
      if (node.version !== undefined && node.version !== version) {
        rebuild(node, () => {
          const again = drawBlock(block, place);
          node.className = again.className;
          node.replaceChildren(...again.childNodes);
        });
      }
      node.version = version;
    },
  });
}

function drawStage() {
  list.className = "list stage";
  list.removeAttribute("role");
  const posts = [...state.stage.values()];
  if (!posts.length) {
    const text = "A reply appears here once a person has sent it, and only then.";
    return list.replaceChildren(empty("Nothing was said in public yet", text));
  }
  list.querySelector(":scope > .empty")?.remove();
  keyed(list, posts, {
    key: (post) => post.id,
    make: (post) => drawPost(post),
    patch(node, post) {
      const version = JSON.stringify(post);
      if (node.version !== undefined && node.version !== version) node.replaceChildren(...drawPost(post).childNodes);
      node.version = version;
    },
  });
}

// Go to one message: from a link to it, or because the page was opened at its address.
function visit({ channel, ts }) {
  if (!state.channels.has(channel)) return;
  if (state.place !== channel) goTo(channel);
  const message = state.channels.get(channel).messages.get(ts);
  if (message?.thread_ts && message.thread_ts !== ts) hooks.openThread(channel, message.thread_ts);
  const node = document.querySelector(`.message[data-ts="${CSS.escape(ts)}"]`);
  node?.scrollIntoView({ block: "center" });
  node?.focus({ preventScroll: true });
}

// --- life --------------------------------------------------------------------------------------------------

let isDue = false;
function drawSoon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    draw();
  }, 0);
}

let held = null; // changes that arrive while the whole state is loaded; applied after it, in order

async function refresh(me) {
  held = [];
  const whole = (await load(me)) ?? (await load(""));
  fill(whole);
  held.forEach(apply);
  held = null;
  const asked = messageAt(location);
  history.replaceState(null, "", `/?as=${state.me}#${state.place}`);
  byId("connection").textContent = "";
  if (state.place === "home") perform("home", {});
  draw();
  if (asked) visit(asked);
}

async function become(me) {
  state.thread = null;
  for (const key of Object.keys(homeForm)) delete homeForm[key];
  listen(me, {
    onReady: () => refresh(me),
    onChange(change) {
      if (held !== null) return held.push(change);
      apply(change);
      return drawSoon();
    },
    onTrouble: () => (byId("connection").textContent = "Reconnecting…"),
  });
}

scroll.addEventListener("scroll", () => {
  if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80) byId("newer").hidden = true;
});
byId("newer").addEventListener("click", () => {
  scroll.scrollTop = scroll.scrollHeight;
  list.lastElementChild?.focus({ preventScroll: true });
});
byId("show-keys").addEventListener("click", () => byId("keys").showModal());
document.addEventListener("visibilitychange", drawSoon);
document.addEventListener("visit", (event) => visit(event.detail));
listenToKeys({
  goTo: (index) => goTo(places()[index]?.id ?? state.place),
  openThread: (ts) => state.channels.has(state.place) && hooks.openThread(state.place, ts),
  closeThread: hooks.closeThread,
  hasThread: () => state.thread !== null,
});
become(state.me || "U0ANALIMA");
