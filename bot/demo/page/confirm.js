// The dialog that asks before something is done.

import { el } from "./dom.js";
import { textNodes } from "./mrkdwn.js";

export function askFirst(confirm, names) {
  const dialog = document.getElementById("confirm");
  const before = document.activeElement;
  return new Promise((resolve) => {
    const end = (answer) => {
      dialog.close();
      before?.focus?.({ preventScroll: true });
      resolve(answer);
    };
    dialog.setAttribute("aria-labelledby", "confirm-title");
    dialog.replaceChildren(
      el("h2", { id: "confirm-title" }, ...textNodes(confirm.title, names)),
      el("div", { class: "confirm-text", dir: "auto" }, ...textNodes(confirm.text, names)),
      el(
        "div",
        { class: "modal-foot" },
        el("button", { type: "button", "data-role": "deny", onclick: () => end(false) }, ...textNodes(confirm.deny, names)),
        el(
          "button",
          { type: "button", class: confirm.style ?? "primary", "data-role": "confirm", onclick: () => end(true) },
          ...textNodes(confirm.confirm, names),
        ),
      ),
    );
    dialog.oncancel = (event) => {
      event.preventDefault();
      end(false);
    };
    dialog.showModal();
    dialog.querySelector('[data-role="confirm"]').focus();
  });
}
