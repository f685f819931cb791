// The stage: a post and what we answered, as the public would see them.

import { el } from "./dom.js";
import { timeOf } from "./when.js";

const LABELS = { x: "X", twitter: "X", reddit: "Reddit", hackernews: "Hacker News", bluesky: "Bluesky", mastodon: "Mastodon", reviews: "Reviews", feeds: "A blog", replay: "Replay" };

export function drawPost(post) {
  const written = Date.parse(post.created_at);
  return el(
    "article",
    { class: "post", "data-post": post.id },
    el(
      "header",
      {},
      el("span", { class: "post-face", "aria-hidden": "true" }, (post.name || post.handle || "?").slice(0, 1).toUpperCase()),
      el("div", {}, el("strong", { dir: "auto" }, post.name || post.handle || "Somebody"), el("span", { class: "dim" }, ` @${post.handle}`)),
      el("span", { class: "post-place" }, LABELS[post.platform] ?? post.platform),
    ),
    post.title ? el("h3", { dir: "auto" }, post.title) : null,
    el("p", { class: "post-text", dir: "auto" }, post.text || "(This post was written before the rehearsal began.)"),
    Number.isNaN(written) ? null : el("p", { class: "dim" }, timeOf(written)),
    ...post.replies.map(drawReply),
  );
}

function drawReply(reply) {
  return el(
    "div",
    { class: reply.after ? "post-reply goes-on" : "post-reply", id: reply.id, "data-reply": reply.id },
    el("img", { src: "/page/files/leaf.svg", alt: "", class: "post-face" }),
    el(
      "div",
      {},
      el("p", {}, el("strong", {}, reply.account || "The brand"), el("span", { class: "dim" }, " · ", timeOf(Date.parse(reply.at)))),
      el("p", { class: "post-text", dir: "auto" }, reply.text),
    ),
  );
}
