// One post of the stage on its own page.

import { el } from "./dom.js";
import { drawPost } from "./stage.js";

const holder = document.getElementById("post");
const id = location.pathname.replace(/^\/stage\//, "");

async function draw() {
  const answer = await fetch(`/page/posts/${id}`);
  const post = await answer.json();
  holder.replaceChildren(answer.ok ? drawPost(post) : el("p", { class: "empty" }, post.sentence));
}

await draw();
document.getElementById(location.hash.slice(1))?.scrollIntoView();
setInterval(() => document.visibilityState === "visible" && draw(), 5000);
