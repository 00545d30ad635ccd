// The state that the tuned hubs keep in memory, and the text that shows it.

// Order per bay, as the contract has it for sensors that number their readings: older ones and repeats are dropped.
export class Newest {
  #seqs = new Map();

  accepts(key, seq) {
    const last = this.#seqs.get(key);
    if (last !== undefined && last >= seq) return false;
    this.#seqs.set(key, seq);
    return true;
  }
}

// A view as JSON text, joined by hand: 0.05 us against 0.8 for JSON.stringify on a fresh object. The only string that comes
// from outside is `at`, and INSTANT has been held against it.
export function viewText(occupied, at) {
  return occupied
    ? `{"state":"occupied","occupied":true,"since":"${at}","at":"${at}"}`
    : `{"state":"free","occupied":false,"since":"${at}","at":"${at}"}`;
}

const INSTANT = /^[0-9T:.Z+-]{20,35}$/;

// A reading, or null where the payload is none.
export function readingOf(payload) {
  try {
    const { occupied, at, seq } = JSON.parse(payload.latin1Slice(0, payload.length));
    return typeof occupied === "boolean" && Number.isSafeInteger(seq) && INSTANT.test(at) ? { occupied, at, seq } : null;
  } catch {
    return null;
  }
}

// Everything that is shown: lot -> bay -> view text; and what changed since the last frames.
export class Lots {
  #shown = new Map();
  #changed = new Map();

  show(lot, bay, text) {
    inner(this.#shown, lot).set(bay, text);
    inner(this.#changed, lot).set(bay, text);
  }

  snapshot(lot) {
    return `{"type":"snapshot","lot":"${lot}","bays":${baysText(this.#shown.get(lot) ?? new Map())}}`;
  }

  // One delta per lot that changed, each bay at most once.
  takeDeltas() {
    const deltas = [];
    for (const [lot, bays] of this.#changed) deltas.push([lot, `{"type":"delta","lot":"${lot}","bays":${baysText(bays)}}`]);
    this.#changed.clear();
    return deltas;
  }
}

function inner(map, key) {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = new Map()));
  return found;
}

function baysText(bays) {
  let text = "";
  for (const [bay, view] of bays) text += text ? `,"${bay}":${view}` : `"${bay}":${view}`;
  return `{${text}}`;
}
