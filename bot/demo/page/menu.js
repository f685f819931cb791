// A menu that opens over the page, from a button; used for selects and overflow menus. One is open at a time.

import { el } from "./dom.js";

let open = null;

export function closeMenu() {
  if (open === null) return;
  const { list, anchor } = open;
  open = null;
  list.remove();
  anchor.setAttribute("aria-expanded", "false");
  document.removeEventListener("pointerdown", pressedElsewhere, true);
}

function pressedElsewhere(event) {
  if (open && !open.list.contains(event.target) && !open.anchor.contains(event.target)) closeMenu();
}

function place(list, anchor) {
  const box = anchor.getBoundingClientRect();
  const below = window.innerHeight - box.bottom;
  list.style.minWidth = `${box.width}px`;
  const left = Math.max(8, Math.min(box.left, window.innerWidth - list.offsetWidth - 8));
  const top = below > list.offsetHeight + 12 || below > box.top ? box.bottom + 4 : box.top - list.offsetHeight - 4;
  list.style.left = `${left}px`;
  list.style.top = `${Math.max(8, top)}px`;
}

// `options`: [{label, detail, value, isChosen, group}]. `choose(value)` is called once, after the menu has closed.
export function openMenu(anchor, options, choose) {
  if (open?.anchor === anchor) return closeMenu();
  closeMenu();
  const list = el("div", { class: "menu", role: "listbox", "aria-label": anchor.getAttribute("aria-label") ?? "Options" });
  let group = null;
  for (const option of options) {
    if (option.group && option.group !== group) list.append(el("div", { class: "menu-group" }, (group = option.group)));
    list.append(
      el(
        "button",
        {
          type: "button", role: "option", tabindex: "-1", "aria-selected": String(Boolean(option.isChosen)),
          "data-value": option.value,
          onclick: () => {
            closeMenu();
            anchor.focus({ preventScroll: true });
            choose(option.value);
          },
        },
        option.label,
        option.detail ? el("small", {}, option.detail) : null,
      ),
    );
  }
  list.addEventListener("keydown", (event) => moveIn(event, list, anchor));
  (anchor.closest("dialog") ?? document.body).append(list);
  open = { list, anchor };
  anchor.setAttribute("aria-expanded", "true");
  place(list, anchor);
  document.addEventListener("pointerdown", pressedElsewhere, true);
  (list.querySelector('[aria-selected="true"]') ?? list.querySelector("button"))?.focus();
  return list;
}

function moveIn(event, list, anchor) {
  const items = [...list.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (go !== undefined) {
    items[(go + items.length) % items.length]?.focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    closeMenu();
    anchor.focus({ preventScroll: true });
  } else if (event.key.length === 1 && /\S/.test(event.key)) {
    const start = event.key.toLowerCase();
    const rest = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    rest.find((item) => item.textContent.trim().toLowerCase().startsWith(start))?.focus();
  } else {
    return;
  }
  event.stopPropagation();
  if (event.key !== "Tab") event.preventDefault();
}
