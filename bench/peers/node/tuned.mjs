// The hub as a good Node.js team writes it: batches of 10 ms, one bulk write of the bays that changed, one frame per lot.
//
// It acknowledges to the broker at once, before anything is stored: a crash loses what the batch held. Screens are told
// after the write, so that nothing is shown that a crash could take back; SHOW=first turns that around.

import { connectDatabase, httpPort, mqttPort } from "./settings.mjs";
import { Lots, Newest, readingOf, viewText } from "./lots.mjs";
import { Rooms } from "./rooms.mjs";
import { Session } from "./session.mjs";

const BATCH_MS = 10;
const BATCH_MS_MAX = 250;
const SHOW_PAUSE_FACTOR = 1; // with thousands of screens it stretches, so that showing takes half of the time at most
const showFirst = process.env.SHOW === "first";

const database = await connectDatabase({ ignoreUndefined: true });
await database.createCollection("bays");
const newest = new Newest();
const lots = new Lots();
let unsaved = new Map(); // "lot/bay" -> update; a bay that changes twice in a batch is written once

const session = new Session(mqttPort, "hub", "autospot/v1/+/+/reading", (messages) => {
  session.acknowledge(messages);
  for (const message of messages) take(message);
});
const rooms = new Rooms(httpPort, lots, () => session.ready);

function take({ topic, payload }) {
  const [, , lot, bay] = topic.split("/");
  const reading = readingOf(payload);
  const key = `${lot}/${bay}`;
  if (reading !== null && newest.accepts(key, reading.seq)) unsaved.set(key, { lot, bay, ...reading });
}

// The update command itself instead of collection.bulkWrite(): 7 us an update, with the driver's builder 15.
// One write at a time; what arrives meanwhile is the next batch, which is how it holds out under load.
async function flush() {
  const batch = unsaved;
  unsaved = new Map();
  let showing = showFirst ? show(batch) : 0;
  const updates = [];
  for (const [key, reading] of batch) updates.push({ q: { _id: key }, u: reading, upsert: true });
  if (updates.length) await database.command({ update: "bays", updates, ordered: false }, { writeConcern: { w: "majority" } });
  if (!showFirst) showing = show(batch);
  setTimeout(flush, Math.min(BATCH_MS_MAX, Math.max(BATCH_MS, SHOW_PAUSE_FACTOR * showing)));
}

// Returns the milliseconds it took.
function show(batch) {
  const began = performance.now();
  for (const { lot, bay, occupied, at } of batch.values()) lots.show(lot, bay, viewText(occupied, at));
  for (const [lot, text] of lots.takeDeltas()) rooms.send(lot, text);
  return performance.now() - began;
}

flush();
