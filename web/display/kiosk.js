// What a screen needs that hangs on a wall and has no visitor: no pointer, pixels that rest, and new versions by itself.

import { effect } from "@preact/signals";

const SHIFT_EVERY_MS = 60_000;
const RELOAD_EVERY_MS = 5 * 60_000;

/** Where the picture stands, in units of the sign's grid: a small round trip, so that no edge burns in. */
const SHIFTS = [[0, 0], [0.4, 0], [0.4, 0.4], [0, 0.4], [-0.4, 0.4], [-0.4, 0], [-0.4, -0.4], [0, -0.4], [0.4, -0.4]];

/** Makes the page a kiosk that shows `state`, a signal of the live connection's state. */
export function beKiosk(state) {
  document.documentElement.dataset.kiosk = "";
  shiftPixels();
  followVersions(state);
}

function shiftPixels() {
  let number = 0;
  setInterval(() => {
    const [x, y] = SHIFTS[(number += 1) % SHIFTS.length];
    const { style } = document.getElementById("sign");
    style.setProperty("--shift-x", x);
    style.setProperty("--shift-y", y);
  }, SHIFT_EVERY_MS);
}

/** A server of another version may have another page; one that refuses this page for good surely has. */
function followVersions(state) {
  let first = null;
  effect(() => {
    const { server } = state.value;
    first ??= server;
    if (server !== first) reloadOnceServed();
  });
  setInterval(() => state.peek().phase === "ended" && reloadOnceServed(), RELOAD_EVERY_MS);
}

/** Loads the page anew, but only if the server has it: a browser's error page would stay on the wall for good. */
async function reloadOnceServed() {
  const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
}
