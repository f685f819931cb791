// Small tools for building the page. Text always becomes a text node: nothing here parses HTML.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// Make `parent` show `items` in order, touching only what changed. A node that stays is never moved, so focus,
// selection and typed text inside it survive.
export function keyed(parent, items, { key, make, patch }) {
  const wanted = new Set(items.map(key));
  for (const child of [...parent.children]) {
    if (!wanted.has(child.dataset.key)) child.remove();
  }
  const existing = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let cursor = parent.firstElementChild;
  for (const item of items) {
    let node = existing.get(key(item));
    if (node === undefined) {
      node = make(item);
      node.dataset.key = key(item);
      parent.insertBefore(node, cursor);
    } else if (node === cursor) {
      cursor = cursor.nextElementSibling;
    } else {
      parent.insertBefore(node, cursor);
    }
    patch(node, item);
  }
}

// Rebuild the inside of `node`, and give the focus back to the same thing if it was inside.
export function rebuild(node, build) {
  const active = document.activeElement;
  const inside = node.contains(active) && active !== node ? active : null;
  const mark = inside?.closest("[data-action-id]")?.dataset.actionId ?? null;
  const role = inside?.dataset.role ?? null;
  build(node);
  if (inside === null || inside.isConnected) return;
  const used = mark === null ? null : node.querySelector(`[data-action-id="${CSS.escape(mark)}"]`);
  const again =
    (inside.value && used?.querySelector(`input[value="${CSS.escape(inside.value)}"]`)) || // one choice of several
    used?.querySelector("button,input,textarea") ||
    used ||
    (role !== null && node.querySelector(`[data-role="${CSS.escape(role)}"]`));
  (again || node).focus({ preventScroll: true });
}

export function isTyping(target) {
  return target instanceof HTMLElement && (target.matches("input,textarea,select") || target.isContentEditable);
}
