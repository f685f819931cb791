// What this page knows of the workspace, kept true by the live stream.

export const state = {
  me: new URLSearchParams(location.search).get("as") || "",
  team: "",
  bot: "",
  people: [],
  commands: [],
  channels: new Map(), // id -> {id, name, messages: Map(ts -> message)}
  views: [],
  home: null,
  stage: new Map(), // post id -> post
  place: location.hash.slice(1) || "", // a channel's id, "home" or "stage"
  thread: null, // {channel, ts}
};

export const names = {
  get me() {
    return state.me;
  },
  person: (id) => state.people.find((person) => person.id === id)?.name,
  channel: (id) => state.channels.get(id)?.name,
};

export function teammates() {
  return state.people.filter((person) => !person.is_bot);
}

export function fill(whole) {
  Object.assign(state, {
    me: whole.me, team: whole.team, bot: whole.bot, people: whole.people, commands: whole.commands, views: whole.views,
    home: whole.home,
  });
  state.channels = new Map(
    whole.channels.map((channel) => [channel.id, { ...channel, messages: new Map(channel.messages.map((m) => [m.ts, m])) }]),
  );
  state.stage = new Map(whole.stage.map((post) => [post.id, post]));
  if (!state.channels.has(state.place) && !["home", "stage"].includes(state.place)) state.place = whole.channels[0].id;
}

const APPLY = {
  message({ channel, message }) {
    state.channels.get(channel)?.messages.set(message.ts, message);
  },
  removed({ channel, ts }) {
    state.channels.get(channel)?.messages.delete(ts);
  },
  views({ views }) {
    state.views = views;
  },
  home({ view }) {
    state.home = view;
  },
  stage({ post }) {
    state.stage.delete(post.id);
    state.stage = new Map([[post.id, post], ...state.stage]);
  },
};

export function apply(change) {
  APPLY[change.kind]?.(change);
}

// A channel's own messages, without what belongs into threads.
export function roots(channel) {
  return [...channel.messages.values()].filter((message) => !message.thread_ts || message.thread_ts === message.ts);
}

// The replies of every thread: Map(parent's ts -> messages).
export function threads(channel) {
  const found = new Map();
  for (const message of channel.messages.values()) {
    if (!message.thread_ts || message.thread_ts === message.ts) continue;
    if (!found.has(message.thread_ts)) found.set(message.thread_ts, []);
    found.get(message.thread_ts).push(message);
  }
  return found;
}

// --- what was read, kept per person while the window is open ---------------------------------------------

function readMarks() {
  return JSON.parse(sessionStorage.getItem(`read ${state.me}`) ?? "{}");
}

export function unread(channel) {
  const mark = readMarks()[channel.id] ?? "0";
  return roots(channel).filter((message) => message.ts > mark && message.user !== state.me).length;
}

export function markRead(channel) {
  const last = roots(channel).at(-1)?.ts;
  const marks = readMarks();
  if (last === undefined || marks[channel.id] === last) return;
  sessionStorage.setItem(`read ${state.me}`, JSON.stringify({ ...marks, [channel.id]: last }));
}
