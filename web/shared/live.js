// A page's live connection: the socket, the timer and the clock around the rules in `live-rules.js`.
//
//   const live = new Live();
//   live.listen((state) => …);        // after every event; what a state holds: live-rules.js
//   live.watch("harbour");            // or watch("harbour", "counts")
//   live.start();
//
// Limits: 64 lots on one connection (the server refuses more, see `refusal`). Nothing is queued: what is wished while
// there is no connection goes into the next hello.

import { beginning, freshness, nextTickMs, serverTimeMs, step } from "./live-rules.js";

const SUBPROTOCOL = "autospot.v1";
const CLOSE_NORMALLY = 1000;

export class Live {
  #listeners = new Set();
  #hearers = new Set();
  #socket = null;
  #timer = null;
  #open;
  #random;

  /** `open(url, protocol)` makes the socket; `now()` gives milliseconds that only grow, see `growingClock`. */
  constructor({
    url = liveUrl(globalThis.location),
    client,
    token,
    open = (address, protocol) => new WebSocket(address, protocol),
    now = growingClock(),
    random = Math.random,
  } = {}) {
    this.state = beginning({ client, token });
    this.now = now;
    this.#random = random;
    this.#open = () => open(url, SUBPROTOCOL);
    globalThis.addEventListener?.("online", () => this.#take({ type: "online" }));
  }

  start() {
    this.#take({ type: "start" });
  }

  stop() {
    this.#take({ type: "stop" });
  }

  watch(lot, detail = "bays") {
    this.#take({ type: "watch", lot, detail });
  }

  unwatch(lot) {
    this.#take({ type: "unwatch", lot });
  }

  /** Signs in, or goes on with a fresh token; with null the next connection is nobody's. */
  signIn(token) {
    this.#take({ type: "token", token });
  }

  /** Whether the lot's values may be shown as the present: see `freshness` in the rules. */
  freshness(lot) {
    return freshness(this.state, lot, this.now());
  }

  /** The present by the server's clock, ms since 1970; null before the first connection. */
  serverTimeMs() {
    return serverTimeMs(this.state, this.now());
  }

  /** Calls `listener(state)` after every change; returns how to stop that. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `hearer(message)` for messages to the person behind the page (`me`, `error`); returns how to stop that. */
  hear(hearer) {
    this.#hearers.add(hearer);
    return () => this.#hearers.delete(hearer);
  }

  #take(event) {
    const before = this.state;
    const [state, effects] = step(before, { ...event, nowMs: this.now(), random: this.#random() });
    this.state = state;
    for (const effect of effects) this.#perform(effect);
    this.#setTimer();
    if (state !== before) for (const listener of this.#listeners) listener(state);
  }

  #perform(effect) {
    switch (effect.do) {
      case "open":
        this.#connect();
        break;
      case "send":
        this.#socket.send(JSON.stringify(effect.message));
        break;
      case "drop":
        this.#drop();
        break;
      case "tell":
        for (const hearer of this.#hearers) hearer(effect.message);
        break;
    }
  }

  #connect() {
    const socket = this.#open();
    this.#socket = socket;
    // A socket that was dropped may speak on for a while: only the present one is heard.
    const when = (kind, eventOf) =>
      socket.addEventListener(kind, (happened) => {
        if (socket === this.#socket) this.#take(eventOf(happened));
      });
    when("open", () => ({ type: "opened" }));
    when("message", ({ data }) => frameOf(data));
    when("close", ({ code }) => {
      this.#socket = null;
      return { type: "closed", code };
    });
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(CLOSE_NORMALLY);
  }

  #setTimer() {
    clearTimeout(this.#timer);
    const atMs = nextTickMs(this.state);
    if (atMs !== null) this.#timer = setTimeout(() => this.#take({ type: "tick" }), Math.max(0, atMs - this.now()));
  }
}

function frameOf(data) {
  try {
    const message = JSON.parse(data);
    if (typeof message?.type === "string") return { type: "frame", message };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { type: "garbled" };
}

/** The live endpoint of the server that the page came from. */
export function liveUrl(location) {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/v1/live`;
}

/** Milliseconds that never run slower than either clock of the browser: the steady one stops while the device sleeps,
 * the wall clock is set back now and then, and both would make old values look fresh. */
export function growingClock(steady = () => performance.now(), wall = () => Date.now()) {
  let steadyMs = steady();
  let wallMs = wall();
  let grownMs = 0;
  return () => {
    const [steadyNowMs, wallNowMs] = [steady(), wall()];
    grownMs += Math.max(steadyNowMs - steadyMs, wallNowMs - wallMs, 0);
    [steadyMs, wallMs] = [steadyNowMs, wallNowMs];
    return grownMs;
  };
}
