// What a page does, seen and bent from inside it: counts of what it holds, and faults.

const real = {
  setTimeout: globalThis.setTimeout.bind(globalThis),
  clearTimeout: globalThis.clearTimeout.bind(globalThis),
  fetch: globalThis.fetch.bind(globalThis),
  WebSocket: globalThis.WebSocket,
  now: Date.now,
  add: EventTarget.prototype.addEventListener,
  remove: EventTarget.prototype.removeEventListener,
};

const sockets = [];
const timers = new Map();
const listeners = new Set();
let requests = 0;
let awaited = 0;
let bound = Infinity;
let is_mute = false;

class Spied extends real.WebSocket {
  constructor(...rest) {
    super(...rest);
    sockets.push(this);
  }
  send(data) {
    if (!is_mute) super.send(data);
  }
}
globalThis.WebSocket = Spied;

globalThis.fetch = (...rest) => {
  requests += 1;
  awaited += 1;
  return real.fetch(...rest).finally(() => (awaited -= 1));
};

globalThis.setTimeout = (then, after) => {
  const id = real.setTimeout(() => {
    if (after < bound) {
      timers.delete(id);
      then();
    }
  }, after);
  timers.set(id, then);
  return id;
};
globalThis.clearTimeout = (id) => {
  timers.delete(id);
  real.clearTimeout(id);
};

const is_global = (target) => target === globalThis || target === document;
EventTarget.prototype.addEventListener = function (name, then, ...rest) {
  if (is_global(this)) listeners.add(then);
  return real.add.call(this, name, then, ...rest);
};
EventTarget.prototype.removeEventListener = function (name, then, ...rest) {
  if (is_global(this)) listeners.delete(then);
  return real.remove.call(this, name, then, ...rest);
};

/// A wait that nothing here holds back, and that can be ended.
export class Wait {
  constructor(after) {
    this.promise = new Promise((done) => {
      this.end = done;
      this.timeout = real.setTimeout(done, after);
    });
  }
  stop() {
    real.clearTimeout(this.timeout);
    this.end();
  }
}

/// The body of the answer to a request that nothing here counts.
export const tell = async (url) => (await real.fetch(url, { method: "POST" })).text();

export const dialled = () => sockets.length;
export const requested = () => requests;
/// Requests without an answer.
export const requests_awaited = () => awaited;
export const timers_set = () => timers.size;
export const listeners_added = () => listeners.size;
/// WebSockets that are open or that could still call somebody.
export const sockets_held = () =>
  sockets.filter(
    (it) => it.readyState < 2 || it.onmessage || it.onopen || it.onclose,
  ).length;

/// Closes the last WebSocket behind the client's back.
export const close_last = (code, reason) => sockets.at(-1).close(code, reason);

/// Timers of so many milliseconds and more do not ring until this is called again.
export const hold_timers = (from) => {
  bound = from;
};

/// What is sent on WebSockets is lost.
export const mute = (yes) => {
  is_mute = yes;
};

/// The system's clock goes on by so much.
export const jump = (by) => {
  Date.now = () => real.now() + by;
};

export const take_web_socket = () => {
  delete globalThis.WebSocket;
};

/// All is as it was.
export const restore = () => {
  globalThis.WebSocket = Spied;
  Date.now = real.now;
  bound = Infinity;
  is_mute = false;
  delete document.hidden;
};

export const set_visibility = (state) => {
  Object.defineProperty(document, "hidden", {
    configurable: true,
    get: () => state === "hidden",
  });
  document.dispatchEvent(new Event("visibilitychange"));
};

export const happen = (name) => globalThis.dispatchEvent(new Event(name));
export const show_page = (persisted) =>
  globalThis.dispatchEvent(new PageTransitionEvent("pageshow", { persisted }));

export const set_meta = (name, content) => {
  document.querySelector(`meta[name=${name}]`)?.remove();
  const meta = document.createElement("meta");
  meta.name = name;
  meta.content = content;
  document.head.append(meta);
};
export const set_cookie = (cookie) => {
  document.cookie = cookie;
};

export const memory_pages = (memory) => memory.buffer.byteLength / 65536;
