// The layout of a lot, kept up to date: fetched when the page opens and whenever the live connection speaks of another.

import { signal } from "@preact/signals";

import { windowMs } from "./live-rules.js";

const ANSWER_MS = 10_000;

/** A signal of `{is: "wanted"}` until there is an answer, `{is: "absent"}`, or `{is: "known", layout}`. It is tried again,
 * with growing pauses, until it is known; what is known stays while a newer one is fetched. */
export function layoutOf(lot, live) {
  const found = signal({ is: "wanted" });
  let isBusy = false;
  let attempts = 0;

  const isWanted = () => {
    const spokenOf = live.state.lots.get(lot)?.layout ?? null;
    return found.value.is !== "known" || (spokenOf !== null && spokenOf !== (found.value.layout.version ?? 0));
  };
  const look = async () => {
    if (isBusy || !isWanted()) return;
    isBusy = true;
    found.value = (await fetched(lot)) ?? found.value;
    attempts = isWanted() ? attempts + 1 : 0;
    setTimeout(() => {
      isBusy = false;
      look();
    }, attempts && (0.5 + Math.random() / 2) * windowMs(attempts));
  };
  live.listen(look);
  look();
  return found;
}

/** What the server answers, or null while it does not. */
async function fetched(lot) {
  try {
    const options = { cache: "no-cache", signal: AbortSignal.timeout(ANSWER_MS) };
    const answer = await fetch(`/v1/lots/${encodeURIComponent(lot)}/layout`, options);
    if (answer.status === 404) return { is: "absent" };
    return answer.ok ? { is: "known", layout: await answer.json() } : null;
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException || error instanceof SyntaxError) return null;
    throw error;
  }
}
