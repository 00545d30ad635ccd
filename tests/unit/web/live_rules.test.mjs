// The rules of the live connection, case by case. Times in milliseconds since the connection was wished for.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  BEHIND_MS, CONNECT_MS, DEAD_AFTER_HEARTBEATS, GRACE_MS, LATER_MS, STEADY_MS,
  beginning, freshness, nextTickMs, serverTimeMs, step, verdict, windowMs,
} from "../../../web/shared/live-rules.js";

const HEARTBEAT_MS = 15_000;
const NOON_MS = Date.UTC(2026, 10, 22, 12);
const serverTime = (ms) => new Date(NOON_MS + ms).toISOString();

// -- builders: messages of a server whose clock says noon at 0

const view = (state) => ({ state, occupied: state === "occupied", since: null, at: null });
const views = (bays) => Object.fromEntries(Object.entries(bays).map(([bay, state]) => [bay, view(state)]));
const frame = (message, nowMs) => ({ type: "frame", message, nowMs });
const welcome = (nowMs = 0) =>
  frame({ type: "welcome", server: "autospot/1", now: serverTime(nowMs), epoch: "e1", heartbeat: HEARTBEAT_MS / 1000, limits: {} }, nowMs);
const snapshot = (rev, bays, { nowMs = 0, lot = "L", epoch = "e1", layout = 1 } = {}) =>
  frame({ type: "snapshot", lot, epoch, rev, layout, at: serverTime(nowMs), bays: views(bays), counts: { total: { rev } } }, nowMs);
const delta = (from, rev, bays, { nowMs = 0, lot = "L", epoch = "e1" } = {}) =>
  frame({ type: "delta", lot, epoch, from, rev, at: serverTime(nowMs), bays: views(bays), counts: { total: { rev } } }, nowMs);
const beat = (lots, nowMs, more = {}) => frame({ type: "beat", now: serverTime(nowMs), lots, ...more }, nowMs);
const bye = (code, after = 0, nowMs = 0) => frame({ type: "bye", code, name: "", message: "why", after }, nowMs);
const refused = (id, retry, after, nowMs = 0) =>
  frame({ type: "error", id, code: "not_found", message: "no such lot", retry, after }, nowMs);
const tick = (nowMs) => ({ type: "tick", nowMs });
const closed = (code, nowMs = 0, random = 0.5) => ({ type: "closed", code, nowMs, random });

const WATCHING = [{ type: "watch", lot: "L" }, { type: "start" }, { type: "opened" }, welcome()];
const AT_10 = [...WATCHING, snapshot(10, { A: "free", B: "free" })];

/** The connection is cut at `nowMs`, and there is a new one, welcomed. */
const again = (nowMs) => [closed(1006, nowMs), { type: "start", nowMs }, { type: "opened", nowMs }, welcome(nowMs)];

function play(events, state = beginning({ client: "test/1" })) {
  const effects = [];
  for (const event of events) {
    const [next, asked] = step(state, { nowMs: 0, random: 0.5, ...event });
    state = next;
    effects.push(...asked);
  }
  return { state, effects, lot: state.lots.get("L"), sent: effects.filter((each) => each.do === "send").map((each) => each.message) };
}

const shown = (lot) => Object.fromEntries([...lot.bays].map(([bay, { state }]) => [bay, state]));
const subscribeFrom = (rev, epoch = "e1") => ({ type: "subscribe", id: "L", lot: "L", detail: "bays", epoch, rev });

// -- order and gaps

describe("what a screen shows after frames", () => {
  const cases = [
    // name, frames after a snapshot at 10 with A and B free, bays, rev, subscriptions sent
    ["a delta from its own position", [delta(10, 11, { A: "occupied" })], { A: "occupied", B: "free" }, 11, []],
    ["two deltas in a row", [delta(10, 11, { A: "occupied" }), delta(11, 13, { B: "occupied" })], { A: "occupied", B: "occupied" }, 13, []],
    ["an overlap: from before its own position", [delta(10, 12, { A: "occupied" }), delta(9, 14, { A: "free", B: "reserved" })], { A: "free", B: "reserved" }, 14, []],
    ["the same delta twice", [delta(10, 12, { A: "occupied" }), delta(10, 12, { A: "occupied" })], { A: "occupied", B: "free" }, 12, []],
    ["a delta that ends before its own position", [delta(10, 14, { A: "occupied" }), delta(10, 12, { A: "free" })], { A: "occupied", B: "free" }, 14, []],
    ["a gap: nothing is applied, it asks from where it is", [delta(12, 13, { A: "occupied" })], { A: "free", B: "free" }, 10, [subscribeFrom(10)]],
    ["a gap, asked for once, until it is answered", [delta(12, 13, { A: "occupied" }), delta(13, 14, { B: "occupied" })], { A: "free", B: "free" }, 10, [subscribeFrom(10)]],
    ["a gap and its answer", [delta(12, 13, { A: "occupied" }), delta(10, 13, { A: "occupied" }), delta(13, 14, { B: "occupied" })], { A: "occupied", B: "occupied" }, 14, [subscribeFrom(10)]],
    ["a gap that is not answered for 2 s: asked again", [delta(12, 13, {}), tick(BEHIND_MS)], { A: "free", B: "free" }, 10, [subscribeFrom(10), subscribeFrom(10)]],
    ["another epoch: nothing is applied", [delta(10, 11, { A: "occupied" }, { epoch: "e2" })], { A: "free", B: "free" }, 10, [subscribeFrom(10)]],
    ["another epoch, answered by a snapshot with a lower position", [delta(10, 11, {}, { epoch: "e2" }), snapshot(3, { A: "occupied" }, { epoch: "e2" })], { A: "occupied" }, 3, [subscribeFrom(10)]],
    ["a snapshot without a bay: that bay is gone", [snapshot(20, { B: "occupied" }, { layout: 2 })], { B: "occupied" }, 20, []],
    ["a delta after a bay was removed does not bring it back", [snapshot(20, { B: "free" }), delta(20, 21, { B: "occupied" })], { B: "occupied" }, 21, []],
    ["a snapshot from a server that is behind replaces all", [snapshot(8, { A: "occupied" })], { A: "occupied" }, 8, []],
    ["a delta without changes moves the position", [delta(10, 15, {})], { A: "free", B: "free" }, 15, []],
    ["bays with the names of things every object has", [delta(10, 11, { constructor: "free", ["__proto__"]: "occupied" })], { A: "free", B: "free", constructor: "free", ["__proto__"]: "occupied" }, 11, []],
    ["a lot that nobody watches", [snapshot(99, { A: "occupied" }, { lot: "M" }), delta(99, 100, {}, { lot: "M" })], { A: "free", B: "free" }, 10, []],
    ["a message of a later version", [frame({ type: "weather", lot: "L" }, 0)], { A: "free", B: "free" }, 10, []],
  ];
  for (const [name, frames, bays, rev, asked] of cases) {
    test(name, () => {
      const { lot, sent } = play([...AT_10, ...frames]);
      assert.deepEqual(shown(lot), bays);
      assert.equal(lot.rev, rev);
      assert.equal(lot.counts.total.rev, rev, "counts and bays are of one position");
      assert.deepEqual(sent.slice(1), asked); // the first is the hello
    });
  }

  test("a state that was handed out never changes", () => {
    const before = play(AT_10).state;
    play([delta(10, 11, { A: "occupied" })], before);
    assert.deepEqual(shown(before.lots.get("L")), { A: "free", B: "free" });
  });

  test("with counts alone, no bays are known and counts follow", () => {
    const { lot, sent } = play([{ type: "watch", lot: "L", detail: "counts" }, { type: "start" }, { type: "opened" }, welcome(), snapshot(10, {}), delta(10, 12, {})]);
    assert.equal(sent[0].subscriptions[0].detail, "counts");
    assert.deepEqual([lot.bays.size, lot.counts.total.rev], [0, 12]);
  });
});

// -- beats

describe("a beat", () => {
  const cases = [
    // name, events after the snapshot at 10, subscriptions sent
    ["that names its own position asks for nothing", [beat({ L: 10 }, 1000), tick(5000)], []],
    ["that names an older position asks for nothing", [beat({ L: 9 }, 1000), tick(5000)], []],
    ["that is ahead is given 2 s", [beat({ L: 11 }, 1000), tick(1000 + BEHIND_MS - 1)], []],
    ["that is ahead for 2 s makes it ask", [beat({ L: 11 }, 1000), tick(1000 + BEHIND_MS)], [subscribeFrom(10)]],
    ["that is ahead is caught up with in time", [beat({ L: 11 }, 1000), delta(10, 11, {}, { nowMs: 2000 }), tick(1000 + BEHIND_MS)], []],
    ["that is ahead and half caught up with", [beat({ L: 12 }, 1000), delta(10, 11, {}, { nowMs: 2000 }), tick(1000 + BEHIND_MS)], [subscribeFrom(11)]],
    ["that is ahead is asked about again every 2 s", [beat({ L: 11 }, 0), tick(2000), tick(3000), tick(4000)], [subscribeFrom(10), subscribeFrom(10)]],
    ["that is ahead is not waited for longer because of the next one", [beat({ L: 11 }, 0), beat({ L: 12 }, 1500), tick(2000)], [subscribeFrom(10)]],
    ["without the lot asks for nothing", [beat({}, 1000), tick(5000)], []],
  ];
  for (const [name, events, asked] of cases) {
    test(name, () => assert.deepEqual(play([...AT_10, ...events]).sent.slice(1), asked));
  }

  test("about a lot that was never shown makes it ask without a position", () => {
    const { sent } = play([...WATCHING, beat({ L: 11 }, 0), tick(BEHIND_MS)]);
    assert.deepEqual(sent.at(-1), { type: "subscribe", id: "L", lot: "L", detail: "bays" });
  });

  test("that names its own position makes it ask where the server has not answered yet", () => {
    const { sent } = play([...AT_10, ...again(1000), beat({ L: 10 }, 2000), tick(2000 + BEHIND_MS)]);
    assert.deepEqual(sent.at(-1), subscribeFrom(10));
  });

  test("sets the clock by the server's", () => {
    const { state } = play([...AT_10, beat({ L: 10 }, 15_000)]);
    assert.equal(serverTimeMs(state, 16_000), NOON_MS + 16_000);
  });
});

// -- freshness

describe("values are", () => {
  const old = (sinceMs) => ({ is: "old", sinceMs: NOON_MS + sinceMs });
  const live = { is: "live" };
  const behind = { behind_since: serverTime(7000) };
  const cases = [
    // name, events, asked at, expected
    ["unknown before the first snapshot", WATCHING, 1000, { is: "unknown" }],
    ["live after it", AT_10, 1000, live],
    ["live as long as the next word may take, and 10 s more", AT_10, HEARTBEAT_MS + GRACE_MS, live],
    ["old after that, since the last word", AT_10, HEARTBEAT_MS + GRACE_MS + 1, old(0)],
    ["live through a short break", [...AT_10, closed(1006, 5000)], 5000 + GRACE_MS, live],
    ["old 10 s after contact was lost", [...AT_10, closed(1006, 5000)], 5001 + GRACE_MS, old(5000)],
    ["vouched for until the break, when it was silent for no longer than promised", [...AT_10, closed(1006, 14_000)], 14_000 + GRACE_MS, live],
    ["not vouched for during a silence that was too long", [...AT_10, closed(1006, 20_000)], 20_001, old(0)],
    ["old while the new connection has not answered", [...AT_10, closed(1006, 5000), { type: "start", nowMs: 16_000 }, { type: "opened", nowMs: 16_000 }, welcome(16_000)], 16_000, old(5000)],
    ["live again with the first answer", [...AT_10, closed(1006, 5000), { type: "start", nowMs: 16_000 }, { type: "opened", nowMs: 16_000 }, welcome(16_000), delta(10, 10, {}, { nowMs: 16_100 })], 16_100, live],
    ["live while a beat is ahead for a moment", [...AT_10, beat({ L: 11 }, 1000)], 1000 + GRACE_MS - 1000, live],
    ["old when nothing brings what the beats spoke of", [...AT_10, beat({ L: 11 }, 1000), beat({ L: 12 }, 16_000)], 16_000, old(0)],
    ["old at once where the server itself is behind", [...AT_10, beat({ L: 10 }, 10_000, behind)], 10_000, old(7000)],
    ["old although deltas come, until a beat says that all is well", [...AT_10, beat({ L: 10 }, 10_000, behind), delta(10, 11, {}, { nowMs: 11_000 })], 11_000, old(7000)],
    ["old since the server fell behind, also when contact is lost after that", [...AT_10, beat({ L: 10 }, 10_000, behind)], 60_000, old(7000)],
    ["live when a beat says so", [...AT_10, beat({ L: 10 }, 10_000, behind), beat({ L: 10 }, 25_000)], 25_000, live],
    ["still old after a reconnect to a server that was behind", [...AT_10, beat({ L: 10 }, 10_000, behind), closed(4201, 11_000), { type: "start", nowMs: 12_000 }, { type: "opened", nowMs: 12_000 }, welcome(12_000), delta(10, 10, {}, { nowMs: 12_000 })], 12_000, old(7000)],
    ["live when a server that was behind has caught up with its own beats", [...AT_10, beat({ L: 20 }, 0), snapshot(8, {}), beat({ L: 9 }, 1000), delta(8, 9, {}, { nowMs: 1100 })], 26_000, live],
    ["live when a new connection's server never got to what the former one's beat spoke of", [...AT_10, beat({ L: 20 }, 0), ...again(1000), delta(10, 12, {}, { nowMs: 1100 })], 26_000, live],
    ["old when the lot is refused", [...AT_10, refused("L", false, 0, 1000)], 1001 + GRACE_MS, old(0)],
  ];
  for (const [name, events, atMs, expected] of cases) {
    test(name, () => assert.deepEqual(freshness(play(events).state, "L", atMs), expected));
  }

  test("unknown for a lot that nobody watches", () => assert.deepEqual(freshness(beginning(), "L", 0), { is: "unknown" }));
});

// -- connecting

describe("a connection", () => {
  test("says hello first, with all it watches and where it is", () => {
    const { sent } = play([{ type: "token", token: "t" }, ...AT_10, { type: "watch", lot: "M", detail: "counts" }, closed(4201), tick(250), { type: "opened" }]);
    assert.deepEqual(sent.at(-1), {
      type: "hello",
      client: "test/1",
      token: "t",
      subscriptions: [{ id: "L", lot: "L", detail: "bays", epoch: "e1", rev: 10 }, { id: "M", lot: "M", detail: "counts" }],
    });
  });

  test("that is not open in time is given up", () => {
    const { state, effects } = play([{ type: "start" }, tick(CONNECT_MS - 1), tick(CONNECT_MS)]);
    assert.deepEqual([effects, state.phase], [[{ do: "open" }, { do: "drop" }], "waiting"]);
  });

  test("that is not welcomed in time is given up", () => {
    const { state, effects } = play([{ type: "start" }, { type: "opened", nowMs: 100 }, tick(100 + CONNECT_MS)]);
    assert.deepEqual([effects.at(-1), state.phase], [{ do: "drop" }, "waiting"]);
  });

  test("without a word for 2.5 heartbeats is dead", () => {
    const deadMs = DEAD_AFTER_HEARTBEATS * HEARTBEAT_MS;
    const alive = play([...AT_10, tick(deadMs - 1)]);
    assert.equal(alive.state.phase, "live");
    const { state, effects } = play([tick(deadMs)], alive.state);
    assert.deepEqual([effects, state.phase], [[{ do: "drop" }], "waiting"]);
  });

  test("is dead after 2.5 of the heartbeats that its server promised", () => {
    const hasty = welcome();
    hasty.message.heartbeat = 4;
    const { state } = play([{ type: "start" }, { type: "opened" }, hasty]);
    assert.equal(nextTickMs(state), 10_000);
  });

  test("begins with nothing asked, whatever was asked on the one before", () => {
    const { sent } = play([...AT_10, delta(12, 13, {}), ...again(100), tick(BEHIND_MS)]);
    assert.deepEqual(sent.map(({ type }) => type), ["hello", "subscribe", "hello"]);
  });

  test("with any word is alive", () => {
    const { state } = play([...AT_10, beat({ L: 10 }, 30_000), tick(60_000)]);
    assert.equal(state.phase, "live");
  });

  test("that speaks no JSON is given up", () => {
    const { state, effects } = play([...AT_10, { type: "garbled" }]);
    assert.deepEqual([effects.at(-1), state.phase], [{ do: "drop" }, "waiting"]);
  });

  test("passes on what is for the person", () => {
    const message = { type: "me", event: "booking_moved" };
    assert.deepEqual(play([...AT_10, frame(message, 0)]).effects.at(-1), { do: "tell", message });
  });

  test("watches and leaves lots, and signs in, while it is open", () => {
    const { sent, state } = play([...AT_10, { type: "watch", lot: "M" }, { type: "unwatch", lot: "L" }, { type: "token", token: "t2" }]);
    assert.deepEqual(sent.slice(1).map(({ type, lot, token }) => [type, lot ?? token]), [["subscribe", "M"], ["unsubscribe", "L"], ["auth", "t2"]]);
    assert.deepEqual([...state.lots.keys()], ["M"]);
  });

  test("is told what is wished between hello and welcome", () => {
    const { sent } = play([{ type: "start" }, { type: "opened" }, { type: "watch", lot: "L" }, welcome()]);
    assert.deepEqual(sent.at(-1), { type: "subscribe", id: "L", lot: "L", detail: "bays" });
  });

  test("is dropped on stop, and nothing comes back", () => {
    const { state, effects } = play([...AT_10, { type: "stop" }, tick(60_000), closed(1000)]);
    assert.deepEqual([effects.at(-1), state.phase, nextTickMs(state)], [{ do: "drop" }, "idle", null]);
  });

  test("asks again for a lot that was refused for now, not for one that was refused", () => {
    const later = play([...WATCHING, refused("L", true, 5), tick(4999)]);
    assert.equal(later.sent.length, 1);
    assert.equal(play([tick(5000)], later.state).sent.length, 1);
    const never = play([...WATCHING, refused("L", false, 0), tick(30_000)]);
    assert.deepEqual([never.sent.length, never.lot.refusal.code], [1, "not_found"]);
  });
});

// -- coming back

describe("after a close with", () => {
  const cases = [
    // code, bye or null, random, phase, milliseconds until it tries again
    [1006, null, 0, "waiting", 0],
    [1006, null, 0.5, "waiting", 250],
    [1001, null, 0.999, "waiting", 499.5],
    [4200, null, 0.5, "waiting", 250],
    [4201, bye(4201, 3), 0.5, "waiting", 3250],
    [4100, null, 0, "waiting", LATER_MS],
    [4102, bye(4102, 20), 0.5, "waiting", 20_250],
    [4103, bye(4103, 0), 0, "waiting", LATER_MS],
    [4000, null, 0.5, "ended", null],
    [4002, bye(4002), 0.5, "ended", null],
    [4099, null, 0.5, "ended", null],
    [1006, bye(4104, 0), 0, "waiting", LATER_MS], // the bye arrived, the close did not
    [1006, bye(4003, 0), 0, "ended", null],
  ];
  for (const [code, goodbye, random, phase, waitMs] of cases) {
    test(`${code}${goodbye ? ` and bye ${goodbye.message.code} after ${goodbye.message.after} s` : ""}, ${random} of the jitter: ${phase} ${waitMs ?? ""}`, () => {
      const { state } = play([...AT_10, ...(goodbye ? [goodbye] : []), closed(code, 0, random)]);
      assert.equal(state.phase, phase);
      assert.equal(nextTickMs(state), waitMs);
    });
  }

  test("a refusal at the door, the bye is heeded before any welcome", () => {
    const { state } = play([{ type: "start" }, { type: "opened" }, bye(4102, 7), closed(4102, 0, 0)]);
    assert.equal(nextTickMs(state), 7000);
  });

  test("a bye of the connection before is forgotten", () => {
    const { state } = play([{ type: "start" }, { type: "opened" }, bye(4102, 7), closed(4102), { type: "start", nowMs: 9000 }, closed(1006, 9000, 0)]);
    assert.equal(nextTickMs(state), 9000);
  });

  test("the windows double to 30 s", () => {
    assert.deepEqual([0, 1, 2, 5, 6, 50].map(windowMs), [500, 1000, 2000, 16_000, 30_000, 30_000]);
  });

  test("each failure in a row the window doubles; a connection that served starts anew", () => {
    const fail = (nowMs) => [{ type: "start", nowMs }, closed(1006, nowMs, 1)];
    const failed = play([{ type: "start" }, closed(1006, 0, 1), ...fail(1000), ...fail(2000)]).state;
    assert.equal(failed.dueMs, 2000 + windowMs(2));
    const servedUntil = (ms) => play([{ type: "start", nowMs: 5000 }, { type: "opened", nowMs: 5000 }, welcome(5000), closed(1006, ms, 1)], failed).state;
    assert.equal(servedUntil(5000 + STEADY_MS - 1).dueMs, 5000 + STEADY_MS - 1 + windowMs(3));
    assert.equal(servedUntil(5000 + STEADY_MS).dueMs, 5000 + STEADY_MS + windowMs(0));
  });

  test("a token that does not hold it comes back with another one", () => {
    const ended = play([...AT_10, bye(4002), closed(4002)]).state;
    assert.deepEqual(play([tick(1e9)], ended).effects, []);
    assert.deepEqual(play([{ type: "token", token: "t2" }], ended).effects, [{ do: "open" }]);
  });

  test("any code, a network that comes up shortens the wait, but not one that the server asked for", () => {
    const waits = (code, goodbye) => {
      const waiting = play([...AT_10, ...goodbye, closed(code, 0, 1)]).state;
      return play([{ type: "online", nowMs: 10, random: 0 }], { ...waiting, dueMs: 30_000 }).state.dueMs;
    };
    assert.equal(waits(1006, []), 10);
    assert.equal(waits(4102, [bye(4102, 20)]), 20_010);
  });

  test("the codes speak their verdicts", () => {
    assert.deepEqual([1006, 3999, 4000, 4099, 4100, 4199, 4200, 4299].map(verdict), ["now", "now", "never", "never", "later", "later", "now", "now"]);
  });
});

// -- the whole, at random: whatever is cut, lost or repeated, a client that is in step shows what the server has

describe("against a server that changes, loses answers and cuts connections", () => {
  const STEP_MS = 500;
  for (let seed = 1; seed <= 100; seed += 1) {
    test(`the client is right whenever it is in step, and in step in the end (seed ${seed})`, () => {
      const random = mulberry32(seed);
      const server = new Server(random);
      let state = play([{ type: "watch", lot: "L" }, { type: "start" }]).state;
      const take = (event, isLossy = true) => {
        const played = play([event], state);
        state = played.state;
        for (const { subscriptions, ...wish } of played.sent) {
          for (const each of subscriptions ?? [wish]) {
            if (!isLossy || random() > 0.1) take({ ...server.answerTo(each), nowMs: event.nowMs }, isLossy);
          }
        }
      };
      const advance = (nowMs, happened, isLossy) => {
        const isConnecting = state.phase === "connecting";
        for (const event of isConnecting ? [{ type: "opened" }, welcome(nowMs)] : happened) take({ ...event, nowMs }, isLossy);
        take({ type: "tick", nowMs }, isLossy);
        const lot = state.lots.get("L");
        if (lot.inStep && lot.epoch === server.epoch && lot.rev === server.rev) assert.deepEqual(shown(lot), server.shown());
      };
      for (let nowMs = 0; nowMs < 120_000; nowMs += STEP_MS) {
        server.change();
        advance(nowMs, server.says(state.phase === "live"), true);
      }
      for (let nowMs = 120_000; nowMs < 180_000; nowMs += STEP_MS) {
        advance(nowMs, nowMs % 5000 === 0 ? [beat({ L: server.rev }, nowMs)] : [], false);
      }
      const lot = state.lots.get("L");
      assert.deepEqual([lot.epoch, lot.rev, lot.inStep, shown(lot)], [server.epoch, server.rev, true, server.shown()]);
    });
  }
});

/** One lot as the server has it: bays with the position of their last change, and the layout's. */
class Server {
  #epochs = 1;
  #bays = new Map([..."ABCDEFGH"].map((bay) => [bay, { rev: 1, state: "free" }]));
  #layoutRev = 1;
  #sentRev = 1;
  rev = 1;

  constructor(random) {
    this.random = random;
  }

  get epoch() {
    return `e${this.#epochs}`;
  }

  shown() {
    return this.#since(0);
  }

  /** Mostly a bay; now and then a bay is taken away, or a new history begins. */
  change() {
    const dice = this.random();
    if (dice > 0.6) return;
    this.rev += 1 + Math.floor(this.random() * 3);
    const codes = [...this.#bays.keys()];
    if (dice < 0.01) {
      this.#epochs += 1;
      this.#layoutRev = this.rev;
    } else if (dice < 0.02 && codes.length > 2) {
      this.#bays.delete(codes[0]);
      this.#layoutRev = this.rev;
    } else {
      const code = codes[Math.floor(this.random() * codes.length)];
      this.#bays.set(code, { rev: this.rev, state: this.random() < 0.5 ? "free" : "occupied" });
    }
  }

  /** What happens to the client next: a cut, a delta, a delta that gets lost, a beat, or nothing. */
  says(isLive) {
    const dice = this.random();
    if (dice < 0.03) return isLive ? [closed(1006, 0, this.random())] : [];
    if (dice < 0.9 && this.rev > this.#sentRev) {
      const from = this.#sentRev;
      this.#sentRev = this.rev;
      return dice < 0.8 ? [this.#changes(from)] : [];
    }
    return dice < 0.95 ? [beat({ L: this.rev }, 0)] : [];
  }

  answerTo({ epoch, rev }) {
    this.#sentRev = this.rev;
    return epoch === this.epoch && rev <= this.rev ? this.#changes(rev) : this.#all();
  }

  #changes(from) {
    return this.#layoutRev > from ? this.#all() : delta(from, this.rev, this.#since(from), { epoch: this.epoch });
  }

  #all() {
    return snapshot(this.rev, this.#since(0), { epoch: this.epoch });
  }

  #since(rev) {
    return Object.fromEntries([...this.#bays].filter(([, bay]) => bay.rev > rev).map(([code, { state }]) => [code, state]));
  }
}

/** A small seeded generator (T. Ettinger's mulberry32, public domain). */
function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
