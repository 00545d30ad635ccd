// What a sign shows: which rows, and for each a number or a word. Pure.

const KINDS = ["general", "disabled", "ev", "family", "motorcycle", "oversize", "car_share"];

/** More level rows than this do not stay readable: the last row then stands for the rest. */
export const LEVEL_ROWS = 6;

/** With no place known to be free, and up to this share not reporting, the lot is full to a driver: sending cars in
 * to look at a few silent bays helps nobody. With more, nobody knows. */
const SILENT_SHARE_OF_FULL = 0.1;

/** At or below this share of free places the sign says that few are left. */
const FEW_SHARE = 0.05;

/** Values older than this say nothing about now and are taken off the sign. */
export const OLD_SHOWN_MS = 5 * 60_000;

/** The rows of a sign, from the lot's layout; null if the lot has no sign of that code. `signCode` null is a sign for
 * the whole lot that stands nowhere in particular. */
export function planOf(layout, signCode) {
  const sign = signCode === null ? {} : (layout.signs ?? []).find((each) => each.sign === signCode);
  if (!sign) return null;
  const levels = levelsOf(layout, sign);
  const codes = new Set(levels.map((each) => each.level));
  const bays = layout.bays.filter((bay) => codes.has(bay.level));
  const kinds = KINDS.filter((kind) => bays.some((bay) => kindOf(bay) === kind));
  const heights = new Set(levels.map((each) => each.max_height_metres ?? null));
  const entrance = (layout.entrances ?? []).find((each) => each.entrance === sign.entrance);
  const showsLevels = levels.length > 1;
  return {
    lot: layout.lot,
    lotName: layout.name || layout.lot,
    name: titleOf(layout, sign, levels),
    isClosed: entrance?.closed === true,
    places: layout.capacity ?? layout.bays.length,
    detail: codes.size === layout.levels.length && !showsLevels ? "counts" : "bays",
    heightMetres: heights.size === 1 ? [...heights][0] : null,
    kinds: kinds.length > 1 || (kinds.length === 1 && kinds[0] !== "general") ? kinds : [],
    levels: showsLevels ? levelRows(layout, sign, levels, heights.size > 1) : [],
    bays: bays.map((bay) => ({ bay: bay.bay, level: bay.level, kind: kindOf(bay) })),
    digits: {
      total: digitsOf(bays.length),
      level: digitsOf(largestGroup(bays, (bay) => bay.level)),
      kind: digitsOf(largestGroup(bays, kindOf)),
    },
  };
}

/** How much room a number may ever need: type is sized for that, so that nothing changes its size with the number. */
function digitsOf(largest) {
  return Math.max(2, String(largest).length);
}

function largestGroup(bays, groupOf) {
  const sizes = counted(bays.map(groupOf));
  return Math.max(0, ...Object.values(sizes));
}

function kindOf(bay) {
  return bay.kind ?? "general";
}

/** The levels a sign shows: in its own order where it names them, else from the top down, as one sees a building. */
function levelsOf(layout, sign) {
  if (sign.levels?.length) return sign.levels.map((code) => layout.levels.find((each) => each.level === code));
  return [...layout.levels].sort((one, other) => ordinalOf(other) - ordinalOf(one));
}

function ordinalOf(level) {
  return level.ordinal ?? 0;
}

function titleOf(layout, sign, levels) {
  if (sign.name) return sign.name;
  return levels.length === 1 && layout.levels.length > 1 ? levels[0].name || levels[0].level : "";
}

function levelRows(layout, sign, levels, heightsDiffer) {
  const from = ordinalOfEntrance(layout, sign);
  const rows = levels.map((each) => ({
    key: each.level,
    levels: [each.level],
    name: each.name ?? "",
    arrow: arrowTo(each, from),
    heightMetres: heightsDiffer ? (each.max_height_metres ?? null) : null,
  }));
  if (rows.length <= LEVEL_ROWS) return rows;
  const rest = rows.slice(LEVEL_ROWS - 1).flatMap((row) => row.levels);
  return [...rows.slice(0, LEVEL_ROWS - 1), { key: "more", levels: rest, name: "", arrow: null, heightMetres: null }];
}

function ordinalOfEntrance(layout, sign) {
  const entrance = (layout.entrances ?? []).find((each) => each.entrance === sign.entrance);
  const node = entrance && (layout.nodes ?? []).find((each) => each.node === entrance.node);
  const level = node && layout.levels.find((each) => each.level === node.level);
  return level ? ordinalOf(level) : null;
}

/** Where a level lies as seen from the sign's entrance; null where the sign does not say where it stands. */
function arrowTo(level, from) {
  if (from === null) return null;
  if (ordinalOf(level) === from) return "ahead";
  return ordinalOf(level) > from ? "up" : "down";
}

/** What stands in the rows of `plan`, by what is known of the lot (a lot of `live-rules.js`): a tally in all, for each
 * level row and for each kind. No row promises more than the lot's capacity leaves. */
export function tallies(plan, { bays, counts }) {
  const left = placesLeft(counts.total, plan.places);
  if (plan.detail === "counts") {
    return {
      total: tally(counts.total, left),
      levels: [],
      kinds: plan.kinds.map((kind) => tally(counts[kind] ?? {}, left)),
    };
  }
  const stateOf = ({ bay }) => bays.get(bay)?.state ?? "unknown";
  const countIf = (chosen) => tally(counted(plan.bays.filter(chosen).map(stateOf)), left);
  return {
    total: countIf(() => true),
    levels: plan.levels.map((row) => countIf((bay) => row.levels.includes(bay.level))),
    kinds: plan.kinds.map((kind) => countIf((bay) => bay.kind === kind)),
  };
}

/** How many more vehicles the lot takes: its places less those that are taken for certain. */
function placesLeft({ occupied = 0, reserved = 0, assigned = 0 }, places) {
  return Math.max(0, places - occupied - reserved - assigned);
}

function counted(names) {
  const counts = Object.create(null); // a level may be called "constructor"
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** One row in numbers. `shows` is what stands in it: "number", "full", "closed", or "unknown" for a question mark. */
export function tally({ free = 0, occupied = 0, reserved = 0, assigned = 0, unknown = 0, out_of_service: closed = 0 }, left) {
  const all = free + occupied + reserved + assigned + unknown + closed;
  const numbers = { free: Math.min(free, left), silent: unknown, all };
  return { ...numbers, isFew: numbers.free <= Math.ceil(all * FEW_SHARE), shows: shownBy(numbers, all - closed, left) };
}

function shownBy({ free, silent, all }, open, left) {
  if (all === 0) return "unknown";
  if (open === 0) return "closed";
  if (free > 0) return "number";
  return left === 0 || silent <= open * SILENT_SHARE_OF_FULL ? "full" : "unknown";
}
