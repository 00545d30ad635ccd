// The rules by which a page follows lots over the websocket (realtime contract, version 1, section 3).
//
// Pure: `step(state, event)` returns the next state and what is to be done about it. There is no socket, timer, clock
// or random number in here; events carry them. `live.js` does what these rules say.
//
// Events   {type, nowMs, random} and, by type:
//   start, stop, opened, tick, online            online: the device found a network
//   frame {message}                              one message of the server
//   garbled                                      a frame that is not JSON
//   closed {code}                                the socket has ended, with its close code
//   watch {lot, detail}, unwatch {lot}           detail: "bays" or "counts"
//   token {token}                                null signs out at the next connection
// `nowMs` only ever grows and knows no date; `random` is in [0, 1).
//
// Effects  {do: "open"} a socket · {do: "send", message} · {do: "drop"} the socket · {do: "tell", message} the page
//
// What is guaranteed of a lot in the state: `bays` and `counts` are what the server said at position `rev` of `epoch`,
// never a mixture; `trueMs` is the last time at which they were known to be the present.

/** A silence this much longer than promised makes values old. */
export const GRACE_MS = 10_000;
/** So many heartbeats without a word: the connection is dead, whatever the network says. */
export const DEAD_AFTER_HEARTBEATS = 2.5;
/** A position that stays behind the server's for this long is asked for again, and again. */
export const BEHIND_MS = 2_000;
/** A connection that is not open, or not welcomed, after this long is given up. */
export const CONNECT_MS = 10_000;
/** Full jitter: a wait is anywhere between 0 and a window that doubles from the first to the last of these. */
export const FIRST_WINDOW_MS = 500;
export const LAST_WINDOW_MS = 30_000;
/** "Come back later" without a time means at least this. */
export const LATER_MS = 5_000;
/** A connection that served for this long was a good one: the next failure starts with the first window. */
export const STEADY_MS = 5_000;

/** Until the first `welcome` says otherwise. */
const HEARTBEAT_MS = 15_000;

const NO_BAYS = new Map();
const IN_STEP = { inStep: true, askedMs: null, askAtMs: null, refusal: null };

/** The state before anything happened. `client` is told to the server: name/version. */
export function beginning({ client = "autospot-web/1", token = null } = {}) {
  return {
    phase: "idle",
    client,
    token,
    lots: new Map(), // code → what is known of the lot, see `unknownLot`
    server: null, // name/version, once welcomed
    heartbeatMs: HEARTBEAT_MS,
    dueMs: null, // connecting, greeting: given up then; waiting: tried again then
    liveSinceMs: null,
    heardMs: null, // the last frame of this connection
    clockAheadMs: null, // the server's clock (ms since 1970) minus `nowMs`
    behindSinceMs: null, // the server itself hears nothing since then (its clock): all values are old
    attempts: 0, // failed connections in a row
    farewell: null, // {code, message, afterMs}: why the last connection ended
  };
}

function unknownLot(detail) {
  return {
    detail,
    epoch: null, // null until the first snapshot
    rev: null,
    layout: null, // version of the layout that `bays` belong to
    bays: NO_BAYS, // code → view, a new Map for every change
    counts: {},
    inStep: false, // this connection has answered for the lot and no later position is known
    trueMs: null,
    wantedRev: 0, // the newest position a beat spoke of
    askedMs: null, // when it was last asked for on this connection
    askAtMs: null, // when to ask (again)
    refusal: null, // {code, message}: the server will not show it
  };
}

// -- the machine: what an event means in each phase. An event that a phase does not name changes nothing.

const STEPS = {
  idle: { start: connect },
  connecting: { opened: greet, closed: retreat, tick: giveUp, stop: leave },
  greeting: { ...speaking(), frame: greeted, tick: giveUp },
  live: { ...speaking(), frame: hear, tick: lookAfter },
  waiting: { tick: returnWhenDue, online: returnSoon, start: connect, stop: leave },
  ended: { start: connect, token: connect, stop: leave },
};

/** Once hello was said, more may be. */
function speaking() {
  return { watch: ask, unwatch: sayUnwatched, token: sayToken, garbled: hangUp, closed: retreat, stop: leave };
}

// Wishes are kept in every phase; the next hello carries them.
const WISHES = { watch: keepWatch, unwatch: keepUnwatch, token: keepToken };

/** The state after `event`, and the effects it asks for, in order: `[state, effects]`. */
export function step(state, event) {
  const wish = WISHES[event.type];
  const wished = wish ? wish(state, event) : state;
  const next = STEPS[wished.phase][event.type];
  return next ? next(wished, event) : [wished, []];
}

/** When a `tick` is needed at the latest, on the scale of `nowMs`; null when nothing waits for time to pass. */
export function nextTickMs(state) {
  if (state.phase !== "live") return state.dueMs;
  let next = state.heardMs + DEAD_AFTER_HEARTBEATS * state.heartbeatMs;
  for (const lot of state.lots.values()) {
    if (lot.askAtMs !== null && lot.askAtMs < next) next = lot.askAtMs;
  }
  return next;
}

/** Whether the values of a lot may be shown as the present: `{is: "unknown"}` while there are none, `{is: "live"}`, or
 * `{is: "old", sinceMs}` with the last time, by the server's clock, at which they were known to be true. */
export function freshness(state, code, nowMs) {
  const lot = state.lots.get(code);
  if (!lot || lot.epoch === null) return { is: "unknown" };
  const promisedMs = state.phase === "live" && lot.inStep ? state.heartbeatMs : 0;
  const trueAtMs = lot.trueMs + state.clockAheadMs;
  if (nowMs - lot.trueMs > promisedMs + GRACE_MS) {
    return { is: "old", sinceMs: Math.min(trueAtMs, state.behindSinceMs ?? trueAtMs) };
  }
  return state.behindSinceMs === null ? { is: "live" } : { is: "old", sinceMs: state.behindSinceMs };
}

/** The present by the server's clock, ms since 1970; null before the first connection. */
export function serverTimeMs(state, nowMs) {
  return state.clockAheadMs === null ? null : nowMs + state.clockAheadMs;
}

/** What a close code tells the client to do: "never" come back unchanged, "later", or "now". */
export function verdict(code) {
  if (code >= 4000 && code < 4100) return "never";
  return code >= 4100 && code < 4200 ? "later" : "now";
}

// -- wishes

function keepWatch(state, { lot, detail = "bays" }) {
  const known = state.lots.get(lot);
  return known?.detail === detail ? state : withLot(state, lot, unknownLot(detail));
}

function keepUnwatch(state, { lot }) {
  const lots = new Map(state.lots);
  lots.delete(lot);
  return { ...state, lots };
}

function keepToken(state, { token }) {
  return { ...state, token };
}

// -- coming

function connect(state, { nowMs }) {
  return [{ ...state, phase: "connecting", dueMs: nowMs + CONNECT_MS, farewell: null }, [{ do: "open" }]];
}

function greet(state, { nowMs }) {
  const subscriptions = [...state.lots].map(([code, lot]) => wishFor(code, lot));
  const hello = { type: "hello", client: state.client, subscriptions };
  if (state.token !== null) hello.token = state.token;
  return [{ ...state, phase: "greeting", dueMs: nowMs + CONNECT_MS }, [{ do: "send", message: hello }]];
}

function greeted(state, event) {
  const { message, nowMs } = event;
  if (message.type === "bye") return hear(state, event);
  if (message.type !== "welcome") return [state, []];
  return [
    {
      ...timed(state, message, nowMs),
      phase: "live",
      dueMs: null,
      server: message.server,
      heartbeatMs: message.heartbeat * 1000,
      liveSinceMs: nowMs,
      heardMs: nowMs,
    },
    [],
  ];
}

/** A subscription to the lot, from where it is known. */
function wishFor(code, lot) {
  const wish = { id: code, lot: code, detail: lot.detail };
  return lot.epoch === null ? wish : { ...wish, epoch: lot.epoch, rev: lot.rev };
}

// -- listening

const HEARD = { snapshot: takeSnapshot, delta: takeDelta, beat: takeBeat, error: takeError, bye: takeBye, me: tell };

function hear(state, event) {
  const take = HEARD[event.message.type] ?? same; // types of a later version are not ours to judge
  const [heard, effects] = take(state, event);
  const lots = mapped(heard.lots, (lot) => (lot.inStep ? { ...lot, trueMs: event.nowMs } : lot));
  return [{ ...heard, lots, heardMs: event.nowMs }, effects];
}

function takeSnapshot(state, { message }) {
  const lot = state.lots.get(message.lot);
  if (!lot) return same(state);
  const { epoch, rev, layout, counts } = message;
  const bays = new Map(Object.entries(message.bays));
  return [withLot(state, message.lot, { ...lot, epoch, rev, layout, bays, counts, ...IN_STEP, wantedRev: 0 }), []];
}

function takeDelta(state, event) {
  const { message, nowMs } = event;
  const lot = state.lots.get(message.lot);
  if (!lot) return same(state);
  if (lot.epoch !== message.epoch || message.from > lot.rev) return askSoonest(state, message.lot, nowMs);
  if (message.rev < lot.rev) return same(state); // all of it is known, some of it by newer values
  const changed = Object.entries(message.bays);
  const bays = changed.length === 0 ? lot.bays : new Map(lot.bays);
  for (const [bay, view] of changed) bays.set(bay, view);
  const next = { ...lot, bays, counts: message.counts, rev: message.rev };
  return [withLot(state, message.lot, message.rev < lot.wantedRev ? next : { ...next, ...IN_STEP }), []];
}

function takeBeat(state, { message, nowMs }) {
  const lots = mapped(state.lots, (lot, code) => {
    const rev = message.lots[code];
    if (rev === undefined || (lot.inStep && rev <= lot.rev)) return lot;
    return { ...lot, inStep: false, wantedRev: Math.max(rev, lot.wantedRev), askAtMs: lot.askAtMs ?? nowMs + BEHIND_MS };
  });
  const behindSinceMs = message.behind_since ? Date.parse(message.behind_since) : null;
  return [{ ...timed(state, message, nowMs), lots, behindSinceMs }, []];
}

function takeError(state, event) {
  const { id, code, message, retry, after } = event.message;
  const lot = state.lots.get(id);
  if (!lot) return tell(state, event);
  const askAtMs = retry ? event.nowMs + Math.max(BEHIND_MS, milliseconds(after)) : null;
  return [withLot(state, id, { ...lot, inStep: false, askAtMs, refusal: { code, message } }), []];
}

function takeBye(state, { message: { code, message, after } }) {
  return [{ ...state, farewell: { code, message, afterMs: milliseconds(after) } }, []];
}

function tell(state, { message }) {
  return [state, [{ do: "tell", message }]];
}

function timed(state, message, nowMs) {
  return { ...state, clockAheadMs: Date.parse(message.now) - nowMs };
}

// -- asking

function ask(state, { lot: code, nowMs }) {
  const lot = state.lots.get(code);
  const asked = { ...lot, askedMs: nowMs, askAtMs: nowMs + BEHIND_MS };
  return [withLot(state, code, asked), [{ do: "send", message: { type: "subscribe", ...wishFor(code, lot) } }]];
}

/** Asks at once, but not for every delta that arrives before the answer. */
function askSoonest(state, code, nowMs) {
  const lot = state.lots.get(code);
  if (lot.askedMs !== null && nowMs - lot.askedMs < BEHIND_MS) return same(state);
  return ask(withLot(state, code, { ...lot, inStep: false }), { lot: code, nowMs });
}

function sayUnwatched(state, { lot }) {
  return [state, [{ do: "send", message: { type: "unsubscribe", id: lot, lot } }]];
}

function sayToken(state, { token }) {
  return [state, token === null ? [] : [{ do: "send", message: { type: "auth", id: "token", token } }]];
}

function lookAfter(state, event) {
  const { nowMs } = event;
  if (nowMs - state.heardMs >= DEAD_AFTER_HEARTBEATS * state.heartbeatMs) return hangUp(state, event);
  const effects = [];
  let next = state;
  for (const [code, lot] of state.lots) {
    if (lot.askAtMs === null || lot.askAtMs > nowMs) continue;
    const [asked, sends] = ask(next, { lot: code, nowMs });
    next = asked;
    effects.push(...sends);
  }
  return [next, effects];
}

// -- going, and coming back

function leave(state, event) {
  const hasSocket = state.phase !== "waiting" && state.phase !== "ended";
  const left = { ...outOfStep(state, event), phase: "idle", dueMs: null, liveSinceMs: null, attempts: 0 };
  return [left, hasSocket ? [{ do: "drop" }] : []];
}

function giveUp(state, event) {
  return event.nowMs < state.dueMs ? same(state) : hangUp(state, event);
}

/** Our end of a connection that is of no use: dead, garbled, or never welcomed. */
function hangUp(state, event) {
  const [next, effects] = retreat(state, { ...event, code: 1006 });
  return [next, [{ do: "drop" }, ...effects]];
}

function retreat(state, event) {
  const { nowMs, random } = event;
  const code = event.code >= 4000 ? event.code : (state.farewell?.code ?? event.code); // a cut loses the close, not the bye
  const farewell = { message: "", afterMs: 0, ...state.farewell, code };
  const after = { ...outOfStep(state, event), liveSinceMs: null, farewell };
  if (verdict(code) === "never") return [{ ...after, phase: "ended", dueMs: null }, []];
  const wasSteady = state.liveSinceMs !== null && nowMs - state.liveSinceMs >= STEADY_MS;
  const attempts = wasSteady ? 0 : state.attempts;
  const dueMs = nowMs + leastWaitMs(farewell) + random * windowMs(attempts);
  return [{ ...after, phase: "waiting", dueMs, attempts: attempts + 1 }, []];
}

function leastWaitMs({ code, afterMs }) {
  return verdict(code) === "later" ? Math.max(LATER_MS, afterMs) : afterMs;
}

/** How long the `attempts`-th failure in a row may make us wait. */
export function windowMs(attempts) {
  return Math.min(LAST_WINDOW_MS, FIRST_WINDOW_MS * 2 ** attempts);
}

/** No lot is vouched for any more. Where the connection had kept its promise to speak until now, values were true
 * until now; after a silence that was too long, only until it began. */
function outOfStep(state, { nowMs }) {
  const wasHeard = state.phase === "live" && nowMs - state.heardMs <= state.heartbeatMs;
  const lots = mapped(state.lots, (lot) => ({
    ...lot,
    inStep: false,
    trueMs: lot.inStep && wasHeard ? nowMs : lot.trueMs,
    wantedRev: 0,
    askedMs: null,
    askAtMs: null,
  }));
  return { ...state, lots, heardMs: null };
}

function returnWhenDue(state, event) {
  return event.nowMs < state.dueMs ? same(state) : connect(state, event);
}

function returnSoon(state, { nowMs, random }) {
  const soonestMs = nowMs + leastWaitMs(state.farewell) + random * FIRST_WINDOW_MS;
  return [{ ...state, dueMs: Math.min(state.dueMs, soonestMs) }, []];
}

// -- values

function same(state) {
  return [state, []];
}

function milliseconds(seconds) {
  return seconds > 0 ? seconds * 1000 : 0;
}

function withLot(state, code, lot) {
  return { ...state, lots: new Map(state.lots).set(code, lot) };
}

function mapped(lots, change) {
  return new Map([...lots].map(([code, lot]) => [code, change(lot, code)]));
}
