// Where blocks stand, and what using an element does there: in a message, in App Home, in a modal.

import { perform } from "./api.js";
import { askFirst } from "./confirm.js";
import { names, teammates } from "./state.js";

function held(view, block, element) {
  return view.state.values[block.block_id]?.[element.action_id];
}

function initial(element) {
  return { selected_option: element.initial_option, selected_user: element.initial_user, value: element.initial_value };
}

async function confirmed(element) {
  return !element.confirm || (await askFirst(element.confirm, names));
}

export function inMessage(channel, message, onTrouble) {
  const chosen = new Map();
  return {
    names,
    people: teammates(),
    value: (block, element) => chosen.get(element.action_id) ?? initial(element),
    keep: (block, element, value) => chosen.set(element.action_id, value),
    async use(block, element, value) {
      if (!(await confirmed(element))) return false;
      const used = { block_id: block.block_id, action_id: element.action_id, value };
      const answer = await perform("press", { channel, ts: message.ts, ...used });
      onTrouble(answer.sentence ?? "");
      return answer.ok;
    },
  };
}

export function inView(view, form, onTrouble) {
  return {
    names,
    people: teammates(),
    value: (block, element) => form[block.block_id]?.[element.action_id] ?? held(view, block, element) ?? initial(element),
    keep(block, element, value) {
      (form[block.block_id] ??= {})[element.action_id] = value;
    },
    async use(block, element, value) {
      if (!(await confirmed(element))) return false;
      const used = { block_id: block.block_id, action_id: element.action_id, value };
      const answer = await perform("act", { view_id: view.id, state: form, ...used });
      onTrouble(answer.sentence ?? "");
      return answer.ok;
    },
  };
}
