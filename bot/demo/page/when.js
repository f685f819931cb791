// Times as people say them. Every <time data-at> is kept up to date.

import { el } from "./dom.js";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const long = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

export function relative(at, now = Date.now()) {
  const seconds = Math.round((now - at) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < 90 * 60) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 22 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return `${day.format(at)}, ${clock.format(at)}`;
}

export function timeOf(at) {
  return el("time", { datetime: new Date(at).toISOString(), "data-at": at, title: long.format(at) }, relative(at));
}

export function timeOfTs(ts) {
  return timeOf(Number.parseFloat(ts) * 1000);
}

// Slack's <!date^seconds^{date_short} at {time}^link|fallback>
export function dateToken(seconds, pattern, fallback) {
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.getTime())) return fallback;
  const date = (options) => new Intl.DateTimeFormat("en-GB", options).format(at);
  const forms = {
    date_num: at.toISOString().slice(0, 10),
    date: date({ day: "numeric", month: "long", year: "numeric" }),
    date_short: date({ day: "numeric", month: "short", year: "numeric" }),
    date_long: date({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    time: clock.format(at),
    time_secs: date({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    ago: relative(at.getTime()),
  };
  return pattern.replace(/\{(\w+?)(_pretty)?\}/g, (whole, name) => forms[name] ?? whole);
}

setInterval(() => {
  for (const node of document.querySelectorAll("time[data-at]")) node.textContent = relative(Number(node.dataset.at));
}, 15_000);
