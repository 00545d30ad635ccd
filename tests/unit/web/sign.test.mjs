// What an entrance display shows for a lot, case by case.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { planOf, tallies, tally } from "../../../web/display/sign.js";
import { WORDS } from "../../../web/display/words.js";
import { languageOf, localeOf, pastTimeWriter, timeWriter } from "../../../web/shared/language.js";

// -- builders

const level = (code, ordinal, more = {}) => ({ level: code, ordinal, ...more });
const bay = (code, at, kind = "general") => ({ bay: code, level: at, kind });
const aGarage = (more = {}) => ({
  lot: "L",
  name: "Harbour",
  time_zone: "Europe/Berlin",
  levels: [level("P0", 0, { name: "Ground" }), level("P1", 1), level("P2", 2)],
  bays: [bay("A", "P0"), bay("B", "P0", "disabled"), bay("C", "P1"), bay("D", "P2")],
  nodes: [{ node: "gate", level: "P1" }],
  entrances: [{ entrance: "hill", node: "gate" }],
  signs: [{ sign: "hill", name: "Hill Street", entrance: "hill" }, { sign: "ramp", levels: ["P2"] }, { sign: "two", levels: ["P0", "P2"] }],
  ...more,
});
const aStreet = (more = {}) => ({ lot: "S", name: "Street", levels: [level("street", 0)], bays: [bay("A", "street"), bay("B", "street")], ...more });
const known = (states, counts) => ({ bays: new Map(Object.entries(states).map(([code, state]) => [code, { state }])), counts: counts ?? { total: countsOf(Object.values(states)) } });
const countsOf = (states) => states.reduce((counts, state) => ({ ...counts, [state]: (counts[state] ?? 0) + 1 }), {});

describe("the rows of a sign", () => {
  test("for a lot of several levels: from the top down, with the ways from its entrance", () => {
    const plan = planOf(aGarage(), "hill");
    assert.deepEqual(plan.levels.map(({ key, arrow }) => [key, arrow]), [["P2", "up"], ["P1", "ahead"], ["P0", "down"]]);
    assert.deepEqual([plan.lotName, plan.name, plan.kinds, plan.detail], ["Harbour", "Hill Street", ["general", "disabled"], "bays"]);
  });

  test("without an entrance there is no telling the way", () => {
    assert.deepEqual(planOf(aGarage(), null).levels.map(({ arrow }) => arrow), [null, null, null]);
  });

  test("a sign that names levels shows those, in its order", () => {
    assert.deepEqual(planOf(aGarage(), "two").levels.map(({ key }) => key), ["P0", "P2"]);
  });

  test("a sign for one level needs no level rows, and is called after it if it has no name", () => {
    const plan = planOf(aGarage(), "ramp");
    assert.deepEqual([plan.levels, plan.name, plan.bays.map((each) => each.bay)], [[], "P2", ["D"]]);
  });

  test("a lot of one level and one kind is one number, and needs counts alone", () => {
    const plan = planOf(aStreet(), null);
    assert.deepEqual([plan.levels, plan.kinds, plan.detail], [[], [], "counts"]);
  });

  test("more levels than rows: the last row stands for the rest", () => {
    const levels = Array.from({ length: 9 }, (_, number) => level(`P${number}`, number));
    const plan = planOf(aGarage({ levels, nodes: [], entrances: [] }), null);
    assert.deepEqual(plan.levels.map(({ key, levels: all }) => [key, all.length]), [["P8", 1], ["P7", 1], ["P6", 1], ["P5", 1], ["P4", 1], ["more", 4]]);
  });

  test("one clearance everywhere is said once, different ones level by level", () => {
    const clearances = (...metres) => planOf(aGarage({ levels: metres.map((each, number) => level(`P${number}`, number, { max_height_metres: each })) }), null);
    const same = clearances(2.1, 2.1, 2.1);
    assert.deepEqual([same.heightMetres, same.levels.map((row) => row.heightMetres)], [2.1, [null, null, null]]);
    const different = clearances(2.5, 2.1, undefined);
    assert.deepEqual([different.heightMetres, different.levels.map((row) => row.heightMetres)], [null, [null, 2.1, 2.5]]);
  });

  test("a sign at a closed entrance says so", () => {
    const closed = aGarage({ entrances: [{ entrance: "hill", node: "gate", closed: true }] });
    assert.deepEqual([planOf(closed, "hill").isClosed, planOf(closed, null).isClosed], [true, false]);
  });

  test("a sign that the lot does not have is no sign", () => assert.equal(planOf(aGarage(), "nowhere"), null));
});

describe("the numbers of a sign", () => {
  test("are the free bays of its levels and kinds", () => {
    const { total, levels, kinds } = tallies(planOf(aGarage(), "hill"), known({ A: "free", B: "free", C: "occupied", D: "free" }));
    assert.deepEqual([total.free, levels.map((row) => row.free), kinds.map((row) => row.free)], [3, [1, 0, 2], [2, 1]]);
  });

  test("count a bay that nobody spoke of as not known", () => {
    const { total } = tallies(planOf(aGarage(), null), known({ A: "free", B: "free" }));
    assert.deepEqual([total.free, total.silent, total.all], [2, 2, 4]);
  });

  test("of a lot of one level come from its counts, where a kind that does not occur is left out", () => {
    const plan = planOf(aStreet({ bays: [bay("A", "street"), bay("B", "street", "ev")] }), null);
    const { total, kinds } = tallies(plan, known({}, { total: { free: 1, occupied: 1, reserved: 0, assigned: 0, unknown: 0, out_of_service: 0 }, general: { free: 1 }, ev: { occupied: 1 } }));
    assert.deepEqual([total.free, kinds.map((row) => row.shows)], [1, ["number", "full"]]);
  });

  test("never promise more than the lot's capacity leaves", () => {
    const plan = planOf(aGarage({ capacity: 3 }), null);
    const twoOfThree = tallies(plan, known({ A: "occupied", B: "reserved", C: "free", D: "free" }));
    assert.deepEqual([twoOfThree.total.free, twoOfThree.levels.map((row) => row.free)], [1, [1, 1, 0]]);
    const three = tallies(plan, known({ A: "occupied", B: "occupied", C: "assigned", D: "free" }));
    assert.deepEqual([three.total.shows, three.levels[0].shows], ["full", "full"]);
  });
});

describe("a row shows", () => {
  const cases = [
    // counts, places left, shows, free, few
    [{ free: 12, occupied: 8 }, 12, "number", 12, false],
    [{ free: 1, occupied: 19 }, 1, "number", 1, true],
    [{ free: 2, occupied: 38 }, 2, "number", 2, true],
    [{ free: 3, occupied: 37 }, 3, "number", 3, false],
    [{ occupied: 20 }, 0, "full", 0, true],
    [{ reserved: 5, assigned: 5 }, 0, "full", 0, true],
    [{ free: 5, occupied: 15 }, 0, "full", 0, true],
    [{ occupied: 18, unknown: 2 }, 2, "full", 0, true],
    [{ occupied: 17, unknown: 3 }, 3, "unknown", 0, true],
    [{ free: 1, occupied: 9, unknown: 10 }, 0, "full", 0, true],
    [{ unknown: 20 }, 20, "unknown", 0, true],
    [{ free: 1, unknown: 19 }, 20, "number", 1, true],
    [{ occupied: 9, unknown: 1, out_of_service: 90 }, 1, "full", 0, true],
    [{ out_of_service: 20 }, 20, "closed", 0, true],
    [{}, 50, "unknown", 0, true],
  ];
  for (const [counts, left, shows, free, isFew] of cases) {
    test(`${shows} ${free} for ${JSON.stringify(counts)} with ${left} places left`, () => {
      const row = tally(counts, left);
      assert.deepEqual([row.shows, row.free, row.isFew], [shows, free, isFew]);
    });
  }
});

describe("words", () => {
  test("exist in every language", () => {
    const shape = (value) => (typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shape(each)])) : typeof value);
    for (const language of Object.keys(WORDS)) assert.deepEqual(shape(WORDS[language]), shape(WORDS.en), language);
  });

  test("are in the language asked for, else the country's, else English", () => {
    const cases = [["de", "IE", "de"], [null, "AT", "de"], [null, "IE", "en"], [null, null, "en"], ["xx", "DE", "de"]];
    for (const [asked, country, language] of cases) assert.equal(languageOf(asked, country), language);
  });

  test("times are the lot's, written as its country does", () => {
    const ms = Date.UTC(2026, 10, 22, 13, 5);
    assert.equal(timeWriter(localeOf("en", "IE"), "Europe/Dublin")(ms), "13:05");
    assert.equal(timeWriter(localeOf("de", null), "Europe/Berlin")(ms), "14:05");
    assert.match(timeWriter(localeOf("en", "US"), "America/New_York")(ms), /^0?8:05\sAM$/);
  });

  test("a time long ago is given with its date", () => {
    const ms = Date.UTC(2026, 10, 22, 13, 5);
    const past = pastTimeWriter("en-IE", "Europe/Dublin");
    assert.equal(past(ms, ms + 3600_000), "13:05");
    assert.match(past(ms, ms + 24 * 3600_000), /22 Nov/);
  });
});
