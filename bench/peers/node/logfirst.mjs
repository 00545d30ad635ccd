// AutoSpot's own design in Node.js: the log comes first.
//
// One feed document per batch, written with majority and journal; the broker is acknowledged after that; screens are fed
// by the change stream alone; `bays` documents are written behind, a hundred at a time, with four times the pause.

import { connectDatabase, httpPort, mqttPort } from "./settings.mjs";
import { Lots, Newest, readingOf, viewText } from "./lots.mjs";
import { Rooms } from "./rooms.mjs";
import { Session } from "./session.mjs";

const GATHER_MS = 5;
const TICK_MS = 20;
const TICK_MS_MAX = 250;
const SHOW_PAUSE_FACTOR = 1; // with thousands of screens it stretches, so that showing takes half of the time at most
const PROJECT_AT_ONCE = 100;
const PROJECT_PAUSE_FACTOR = 4;
const PROJECT_POLL_MS = 50;

const database = await connectDatabase({ ignoreUndefined: true });
await Promise.all([database.createCollection("feed"), database.createCollection("bays")]);
const feed = database.collection("feed", { writeConcern: { w: "majority", journal: true } });
const newest = new Newest();
const lots = new Lots();
const unprojected = new Map();
let arrived = [];
let appending = false;

const stream = feed.watch([{ $match: { operationType: "insert" } }], { maxAwaitTimeMS: 1000 });
stream.on("change", (event) => follow(event.fullDocument));
stream.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
await new Promise((resolve) => stream.once("resumeTokenChanged", resolve)); // the stream is open

const session = new Session(mqttPort, "hub", "autospot/v1/+/+/reading", (messages) => {
  const idle = arrived.length === 0 && !appending;
  arrived = arrived.length ? arrived.concat(messages) : messages;
  if (idle) setTimeout(append, GATHER_MS);
});
const rooms = new Rooms(httpPort, lots, () => session.ready);

// Natural batching: the next batch gathers while this one is being written.
async function append() {
  appending = true;
  while (arrived.length) {
    const batch = arrived;
    arrived = [];
    const changes = changesOf(batch);
    if (changes.lots.length) await feed.insertOne(changes);
    session.acknowledge(batch);
  }
  appending = false;
}

// Columns instead of one sub-document per change, and each column one text, since BSON arrays spell out every index:
// there and back a change costs 0.3 us, as a sub-document 4.
function changesOf(messages) {
  const names = [];
  const bays = [];
  const ats = [];
  let words = "";
  for (const { topic, payload } of messages) {
    const [, , lot, bay] = topic.split("/");
    const reading = readingOf(payload);
    if (reading === null || !newest.accepts(`${lot}/${bay}`, reading.seq)) continue;
    names.push(lot);
    bays.push(bay);
    ats.push(reading.at);
    words += reading.occupied ? "1" : "0";
  }
  return { lots: names.join(), bays: bays.join(), at: ats.join(), occupied: words };
}

function follow(changes) {
  const bays = changes.bays.split(",");
  const ats = changes.at.split(",");
  changes.lots.split(",").forEach((lot, i) => {
    const occupied = changes.occupied[i] === "1";
    lots.show(lot, bays[i], viewText(occupied, ats[i]));
    unprojected.set(`${lot}/${bays[i]}`, { lot, bay: bays[i], occupied, at: ats[i] });
  });
}

function show() {
  const began = performance.now();
  for (const [lot, text] of lots.takeDeltas()) rooms.send(lot, text);
  const pause = SHOW_PAUSE_FACTOR * (performance.now() - began);
  setTimeout(show, Math.min(TICK_MS_MAX, Math.max(TICK_MS, pause)));
}

async function project() {
  const updates = [];
  for (const [key, bay] of unprojected) {
    unprojected.delete(key);
    updates.push({ q: { _id: key }, u: bay, upsert: true });
    if (updates.length === PROJECT_AT_ONCE) break;
  }
  const began = performance.now();
  if (updates.length) await database.command({ update: "bays", updates, ordered: false });
  setTimeout(project, Math.max(PROJECT_POLL_MS, PROJECT_PAUSE_FACTOR * (performance.now() - began)));
}

show();
project();
