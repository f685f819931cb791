// Slack's mrkdwn as DOM nodes. Only unescaped <…> is live, exactly as in Slack: if an app forgets to escape, it shows.

import { el } from "./dom.js";
import { dateToken } from "./when.js";

const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", rotating_light: "🚨", fire: "🔥", eyes: "👀",
  speech_balloon: "💬", bell: "🔔", no_bell: "🔕", zzz: "💤", hourglass: "⌛", hourglass_flowing_sand: "⏳", clock3: "🕒",
  alarm_clock: "⏰", star: "⭐", sparkles: "✨", wave: "👋", thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎",
  raising_hand: "🙋", pray: "🙏", tada: "🎉", heart: "❤️", green_heart: "💚", tea: "🍵", memo: "📝", pencil: "✏️",
  pencil2: "✏️", link: "🔗", mag: "🔍", inbox_tray: "📥", outbox_tray: "📤", lock: "🔒", key: "🔑", question: "❓",
  exclamation: "❗", information_source: "ℹ️", bulb: "💡", point_right: "👉", arrow_right: "➡️", ear: "👂", mute: "🔇",
  large_green_circle: "🟢", large_yellow_circle: "🟡", large_orange_circle: "🟠", red_circle: "🔴", white_circle: "⚪",
  calendar: "📅", chart_with_upwards_trend: "📈", busts_in_silhouette: "👥", bust_in_silhouette: "👤", leaves: "🍃",
  seedling: "🌱", clipboard: "📋", hand: "✋", raised_hand: "✋", handshake: "🤝", recycle: "♻️", satellite: "📡",
};

const INLINE = new RegExp(
  [
    "<([^<>\\n]+)>", // 1 a live token
    "`([^`\\n]+)`", // 2 code
    "(?<![\\w*])\\*(\\S(?:[^*\\n]*\\S)?)\\*(?![\\w*])", // 3 bold
    "(?<![\\w_])_(\\S(?:[^_\\n]*\\S)?)_(?![\\w_])", // 4 italic
    "(?<![\\w~])~(\\S(?:[^~\\n]*\\S)?)~(?![\\w~])", // 5 struck
    ":([a-z0-9_+-]+):", // 6 emoji
    "(https?://[^\\s<>]+[^\\s<>.,;:!?)\\]'\"])", // 7 a bare address
  ].join("|"),
  "g",
);

export function unescape(text) {
  return text.replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" })[name]);
}

export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
}

function safeUrl(href) {
  try {
    const url = new URL(href);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

// A message of this workspace, where an address points to one: it is shown here, not in another tab.
export function messageAt(url) {
  const found = url.origin === location.origin && /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(url.pathname);
  return found ? { channel: found[1], ts: `${found[2]}.${found[3]}` } : null;
}

function visit(message) {
  document.dispatchEvent(new CustomEvent("visit", { detail: message }));
}

export function openLink(href) {
  const url = safeUrl(href);
  if (url === null) return;
  const message = messageAt(url);
  if (message) visit(message);
  else window.open(url.href, "_blank", "noopener,noreferrer");
}

export function safeLink(href, label) {
  const url = safeUrl(href);
  if (url === null) return document.createTextNode(label);
  const onclick = (event) => {
    const message = messageAt(url);
    if (!message) return;
    event.preventDefault();
    visit(message);
  };
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", title: url.href, onclick }, label);
}

function token(inside, names) {
  const [head, ...rest] = inside.split("|");
  const label = rest.length ? unescape(rest.join("|")) : "";
  if (head.startsWith("!date^")) {
    const [, seconds, pattern] = head.split("^");
    return document.createTextNode(dateToken(seconds, unescape(pattern ?? ""), label));
  }
  if (head.startsWith("!")) return el("span", { class: "ping", "data-ping": head }, `@${label || head.slice(1)}`);
  if (head.startsWith("@")) {
    const mine = head.slice(1) === names.me ? " mine" : "";
    return el("span", { class: `ping person${mine}`, "data-ping": head }, `@${names.person(head.slice(1)) || label}`);
  }
  if (head.startsWith("#")) return el("span", { class: "ping" }, `#${names.channel(head.slice(1)) || label}`);
  const href = unescape(head);
  return safeLink(href, label || href);
}

function inline(text, names) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(unescape(text.slice(end, match.index)));
    end = match.index + match[0].length;
    if (match[1]) nodes.push(token(match[1], names));
    else if (match[2]) nodes.push(el("code", {}, unescape(match[2])));
    else if (match[3]) nodes.push(el("strong", {}, ...inline(match[3], names)));
    else if (match[4]) nodes.push(el("em", {}, ...inline(match[4], names)));
    else if (match[5]) nodes.push(el("s", {}, ...inline(match[5], names)));
    else if (match[6]) nodes.push(EMOJI[match[6]] ?? match[0]);
    else nodes.push(safeLink(unescape(match[7]), unescape(match[7])));
  }
  nodes.push(unescape(text.slice(end)));
  return nodes.filter((node) => node !== "");
}

function paragraphs(text, names) {
  const nodes = [];
  let quote = null;
  for (const line of text.split("\n")) {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      if (quote === null) nodes.push((quote = el("blockquote")));
      else quote.append(el("br"));
      quote.append(...inline(quoted[1], names));
    } else {
      if (quote === null && nodes.length) nodes.push(el("br"));
      quote = null;
      nodes.push(...inline(line, names));
    }
  }
  return nodes;
}

export function mrkdwn(text, names) {
  const parts = text.split("```");
  const nodes = [];
  parts.forEach((part, index) => {
    const isCode = index % 2 === 1 && index < parts.length - 1;
    if (isCode) nodes.push(el("pre", {}, unescape(part.replace(/^\n|\n$/g, ""))));
    else if (part) nodes.push(...paragraphs((index % 2 === 1 ? "```" : "") + part, names));
  });
  return nodes;
}

// Plain text is only ever text: entities are decoded once, as Slack does in every text object, and nothing is live.
export function plainText(text) {
  if (!text) return "";
  const words = unescape(text.text);
  return text.emoji === false ? words : withEmoji(words);
}

export function textNodes(text, names) {
  return text.type === "mrkdwn" ? mrkdwn(text.text, names) : [plainText(text)];
}
