// An entrance display: /display/{lot} or /display/{lot}/{sign}, with ?lang=de and ?kiosk where wanted.
//
// layout + live state → plan + tallies → sign. Values are shown as the present only while the live connection vouches
// for them; otherwise they are grey, say since when, and go after a while.

import { computed, effect, signal } from "@preact/signals";
import { html, render } from "htm/preact";

import { languageOf, localeOf, metresWriter, pastTimeWriter, timeWriter } from "../shared/language.js";
import { layoutOf } from "../shared/layout.js";
import { Live } from "../shared/live.js";

import { Board, Message, spokenOf } from "./board.js";
import { beKiosk } from "./kiosk.js";
import { OLD_SHOWN_MS, planOf, tallies } from "./sign.js";
import { WORDS } from "./words.js";

const SECOND_MS = 1000;
/** Whoever listens is told a new number this often at most; that it is full, or old, at once. */
const SPOKEN_EVERY_MS = 20_000;

const [, , lotCode, signCode = null] = location.pathname.split("/").map(decodeURIComponent);
const asked = new URLSearchParams(location.search);

const live = new Live({ client: "autospot-display/1" });
const state = signal(live.state);
live.listen((next) => (state.value = next));
const found = layoutOf(lotCode, live);

const timeMs = signal(Date.now());
setInterval(() => (timeMs.value = live.serverTimeMs() ?? Date.now()), SECOND_MS);

const layout = computed(() => (found.value.is === "known" ? found.value.layout : null));
const plan = computed(() => layout.value && planOf(layout.value, signCode));
const text = computed(() => textFor(layout.value));
const lot = computed(() => state.value.lots.get(lotCode));
const bays = computed(() => lot.value?.bays);
const counts = computed(() => lot.value?.counts);
const hasValues = computed(() => (lot.value?.epoch ?? null) !== null);
const clock = computed(() => text.value.time(timeMs.value));

const oldSinceMs = computed(() => {
  timeMs.value; // asked again every second
  state.value;
  const fresh = live.freshness(lotCode);
  return fresh.is === "old" ? fresh.sinceMs : null;
});
const isShown = computed(() => hasValues.value && (oldSinceMs.value === null || timeMs.value - oldSinceMs.value <= OLD_SHOWN_MS));
const shown = computed(() => (plan.value && isShown.value ? tallies(plan.value, { bays: bays.value, counts: counts.value }) : null));
const notice = computed(() => {
  if (oldSinceMs.value !== null) return text.value.words.noLiveData(text.value.past(oldSinceMs.value, timeMs.value));
  return hasValues.value ? "" : text.value.words.connecting;
});

function textFor(known) {
  const country = known?.country ?? null;
  const language = languageOf(asked.get("lang"), country);
  const locale = localeOf(language, country);
  return {
    language,
    words: WORDS[language],
    time: timeWriter(locale, known?.time_zone),
    past: pastTimeWriter(locale, known?.time_zone),
    metres: metresWriter(locale),
  };
}

function Sign() {
  const { words } = text.value;
  if (plan.value) {
    return html`<${Board} plan=${plan.value} tallies=${shown.value} text=${text.value} clock=${clock.value}
      notice=${notice.value} isOld=${oldSinceMs.value !== null} />`;
  }
  if (layout.value) return html`<${Message} words=${words.noSuchSign(signCode)} clock=${clock.value} />`;
  const what = found.value.is === "absent" ? words.noSuchLot(lotCode) : words.connecting;
  return html`<${Message} words=${what} clock=${clock.value} />`;
}

const spoken = signal("");
let spokenAtMs = -Infinity;
let spokenKind = "";

function speak() {
  const total = shown.value?.total;
  const kind = `${total?.shows} ${notice.value}`;
  if (kind === spokenKind && timeMs.value - spokenAtMs < SPOKEN_EVERY_MS) return;
  [spokenKind, spokenAtMs] = [kind, timeMs.value];
  spoken.value = `${spokenOf(total, text.value)}. ${notice.value}`;
}

effect(() => {
  document.documentElement.lang = text.value.language;
  document.title = plan.value ? [plan.value.lotName, plan.value.name].filter(Boolean).join(" · ") : text.value.words.page;
});
effect(() => plan.value && live.watch(lotCode, plan.value.detail));
effect(speak);
if (asked.has("kiosk")) beKiosk(state);

const root = document.getElementById("sign");
root.replaceChildren();
render(html`<${Sign} /><p class="spoken" role="status">${spoken}</p>`, root);
live.start();
