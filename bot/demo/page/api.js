// The page's two ways to the server: doing something, and hearing what changed.

import { state } from "./state.js";

export async function perform(what, details) {
  try {
    const answer = await fetch(`/page/do/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ as: state.me, ...details }),
    });
    return await answer.json();
  } catch {
    return { ok: false, sentence: "The rehearsal has stopped.", errors: {} };
  }
}

export async function load(me) {
  const answer = await fetch(`/page/state?as=${encodeURIComponent(me)}`);
  return answer.ok ? await answer.json() : null;
}

let stream = null;

// `onReady` is called at every (re)connection: what happened meanwhile must be loaded afresh.
export function listen(me, { onReady, onChange, onTrouble }) {
  stream?.close();
  stream = new EventSource(`/page/live?as=${encodeURIComponent(me)}`);
  stream.addEventListener("ready", onReady);
  stream.addEventListener("message", (event) => onChange(JSON.parse(event.data)));
  stream.addEventListener("error", onTrouble);
}
