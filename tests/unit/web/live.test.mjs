// The live connection around its rules: the real timer, a socket of the test's own.
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";

import { Live, growingClock, liveUrl } from "../../../web/shared/live.js";

/** Stands where the browser's WebSocket does; the test is the server. */
class TestSocket extends EventTarget {
  sent = [];
  closedWith = null;
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code) {
    this.closedWith = code;
  }
  opens() {
    this.dispatchEvent(new Event("open"));
  }
  says(message) {
    this.dispatchEvent(Object.assign(new Event("message"), { data: typeof message === "string" ? message : JSON.stringify(message) }));
  }
  closes(code) {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

const WELCOME = { type: "welcome", server: "autospot/1", now: "2026-11-22T12:00:00Z", epoch: "e1", heartbeat: 15, limits: {} };
const SNAPSHOT = { type: "snapshot", lot: "L", epoch: "e1", rev: 1, layout: 1, at: WELCOME.now, bays: { A: { state: "free" } }, counts: {} };

function aLive() {
  const sockets = [];
  let nowMs = 0;
  const open = (url, protocol) => {
    assert.deepEqual([url, protocol], ["ws://here/v1/live", "autospot.v1"]);
    sockets.push(new TestSocket());
    return sockets.at(-1);
  };
  const live = new Live({ url: "ws://here/v1/live", open, now: () => nowMs, random: () => 0.5, client: "test/1" });
  const pass = (ms) => {
    nowMs += ms;
    mock.timers.tick(ms);
  };
  return { live, sockets, pass };
}

describe("a live connection", () => {
  test("follows a lot, comes back by itself and goes on from where it was", (context) => {
    context.after(() => mock.timers.reset());
    mock.timers.enable({ apis: ["setTimeout"] });
    const { live, sockets, pass } = aLive();
    const seen = [];
    live.listen((state) => seen.push(state.lots.get("L")?.rev));
    live.watch("L");
    live.start();
    sockets[0].opens();
    sockets[0].says(WELCOME);
    sockets[0].says(SNAPSHOT);
    assert.equal(seen.at(-1), 1);
    assert.deepEqual(live.freshness("L"), { is: "live" });
    sockets[0].closes(1006);
    pass(250);
    assert.equal(sockets.length, 2);
    sockets[1].opens();
    assert.deepEqual(sockets[1].sent[0].subscriptions, [{ id: "L", lot: "L", detail: "bays", epoch: "e1", rev: 1 }]);
    live.stop();
  });

  test("does not listen to a socket that it has dropped", (context) => {
    context.after(() => mock.timers.reset());
    mock.timers.enable({ apis: ["setTimeout"] });
    const { live, sockets, pass } = aLive();
    live.watch("L");
    live.start();
    sockets[0].opens();
    sockets[0].says(WELCOME);
    pass(37_500);
    assert.equal(sockets[0].closedWith, 1000);
    pass(250);
    sockets[1].opens();
    sockets[1].says(WELCOME);
    sockets[0].says(SNAPSHOT);
    sockets[0].closes(1006);
    assert.deepEqual([live.state.lots.get("L").epoch, live.state.phase], [null, "live"]);
    live.stop();
  });

  for (const rubbish of ["", "{", "null", "[]", "7", '{"type": 7}']) {
    test(`gives up a peer that says ${JSON.stringify(rubbish)}`, () => {
      const { live, sockets } = aLive();
      live.start();
      sockets[0].opens();
      sockets[0].says(rubbish);
      assert.deepEqual([sockets[0].closedWith, live.state.phase], [1000, "waiting"]);
      live.stop();
    });
  }

  test("hands on what is for the person, and stops when told to", () => {
    const { live, sockets } = aLive();
    const heard = [];
    const unhear = live.hear((message) => heard.push(message.event));
    live.start();
    sockets[0].opens();
    sockets[0].says(WELCOME);
    sockets[0].says({ type: "me", event: "booking_moved" });
    unhear();
    sockets[0].says({ type: "me", event: "again" });
    assert.deepEqual(heard, ["booking_moved"]);
    live.stop();
  });
});

test("the endpoint is on the page's own server, encrypted where the page is", () => {
  assert.equal(liveUrl({ protocol: "http:", host: "garage:8080" }), "ws://garage:8080/v1/live");
  assert.equal(liveUrl({ protocol: "https:", host: "garage" }), "wss://garage/v1/live");
});

describe("the clock", () => {
  const cases = [
    // steps of [steady, wall], grown
    [[[1000, 1000], [1000, 1000]], 2000],
    [[[0, 3_600_000]], 3_600_000], // the device slept: the steady clock stood still
    [[[1000, -3_600_000]], 1000], // the wall clock was set back
    [[[1000, -500], [1000, 1000]], 2000],
  ];
  for (const [steps, grown] of cases) {
    test(`has grown by ${grown} ms after ${JSON.stringify(steps)}`, () => {
      let [steady, wall] = [5, 1e12];
      const now = growingClock(() => steady, () => wall);
      for (const [more, moreWall] of steps) {
        steady += more;
        wall += moreWall;
        now();
      }
      assert.equal(now(), grown);
    });
  }
});
