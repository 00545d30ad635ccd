// The sign as one sees it: plan and tallies in, elements out. Nothing here knows of sockets or time.

import { html } from "htm/preact";

import { Icon } from "../shared/icons.js";

/** The whole sign. `text` has its words and writers; `tallies` is null until values came, or once they are too old. */
export function Board({ plan, tallies, text, clock, notice, isOld }) {
  const classes = ["board", plan.levels.length ? "has-levels" : "", plan.kinds.length ? "has-kinds" : "", isOld ? "is-old" : ""];
  return html`<div class=${classes.join(" ")}>
    <${Header} plan=${plan} clock=${clock} />
    <${Total} plan=${plan} tally=${tallies?.total} text=${text} />
    ${plan.levels.length > 0 && html`<${Levels} plan=${plan} tallies=${tallies?.levels} text=${text} />`}
    ${plan.kinds.length > 0 && html`<${Kinds} plan=${plan} tallies=${tallies?.kinds} text=${text} />`}
    <${Footer} plan=${plan} total=${tallies?.total} text=${text} notice=${notice} />
  </div>`;
}

function Header({ plan, clock }) {
  return html`<header>
    <span class="plate"><${Icon} name="general" /></span>
    <div class="names">
      <h1 style=${{ "--letters": plan.lotName.length }}>${plan.lotName}</h1>
      ${plan.name && html`<p>${plan.name}</p>`}
    </div>
    <time class="clock">${clock}</time>
  </header>`;
}

function Total({ plan, tally, text }) {
  const shown = plan.isClosed ? { ...tally, shows: "closed" } : tally;
  return html`<div class="total">
    <${Figure} tally=${shown} text=${text} digits=${plan.digits.total} />
    <p class="unit" hidden=${shown?.shows !== "number"} aria-hidden="true">${text.words.free}</p>
    <span class="spoken">${spokenOf(shown, text)}</span>
  </div>`;
}

function Levels({ plan, tallies, text }) {
  return html`<ul class="levels" aria-label=${text.words.levels}>
    ${plan.levels.map((row, number) => html`<${LevelRow} key=${row.key} row=${row} tally=${tallies?.[number]} digits=${plan.digits.level} text=${text} />`)}
  </ul>`;
}

function LevelRow({ row, tally, digits, text }) {
  const isRest = row.key === "more";
  return html`<li class="level">
    <span class="arrow">${row.arrow && html`<${Icon} name=${row.arrow} label=${text.words.arrows[row.arrow]} />`}</span>
    <span class="code">${isRest ? "…" : row.key}</span>
    <span class="label">
      <span class="name">${isRest ? text.words.moreLevels(row.levels.length) : row.name}</span>
      ${row.heightMetres && html`<span class="limit"><${Icon} name="height" label=${text.words.height} /> ${text.metres(row.heightMetres)}</span>`}
    </span>
    <${Figure} tally=${tally} text=${text} digits=${digits} />
    <span class="spoken">${spokenOf(tally, text)}</span>
  </li>`;
}

function Kinds({ plan, tallies, text }) {
  const count = plan.kinds.length;
  const columns = count <= 4 ? count : Math.ceil(count / 2); // of a portrait screen
  return html`<ul class="kinds" aria-label=${text.words.kindsTitle} style=${{ "--columns": columns }}>
    ${plan.kinds.map((kind, number) => html`<li key=${kind} class="kind">
      <${Icon} name=${kind} label=${text.words.kinds[kind]} />
      <${Figure} tally=${tallies?.[number]} text=${text} digits=${plan.digits.kind} />
      <span class="spoken">${spokenOf(tallies?.[number], text)}</span>
    </li>`)}
  </ul>`;
}

/** A number, or the word in its place. Always there, always as large: nothing moves when it changes. */
function Figure({ tally, text, digits }) {
  const shows = tally?.shows ?? "none";
  const shown = { number: tally?.free, full: text.words.full, closed: text.words.closed, unknown: "?", none: "–" }[shows];
  const letters = shows === "full" || shows === "closed" ? shown.length : digits;
  const classes = `figure shows-${shows}${shows === "number" && tally.isFew ? " is-few" : ""}`;
  return html`<span class=${classes} style=${{ "--letters": letters }} aria-hidden="true"><span>${shown}</span></span>`;
}

function Footer({ plan, total, text, notice }) {
  return html`<footer>
    ${plan.heightMetres && html`<p class="limit"><${Icon} name="height" label=${text.words.height} /> ${text.metres(plan.heightMetres)}</p>`}
    ${notice
      ? html`<p class="notice"><${Icon} name="warning" /> ${notice}</p>`
      : total?.silent > 0 && html`<p class="silent"><b>?</b> ${text.words.silent(total.silent)}</p>`}
  </footer>`;
}

/** A sign without a lot: what is wrong, in words, and the clock. */
export function Message({ words, clock }) {
  return html`<div class="board is-message">
    <header><span class="plate"><${Icon} name="general" /></span><div class="names"></div><time class="clock">${clock}</time></header>
    <h1>${words}</h1>
  </div>`;
}

/** A row in words, for those who listen. */
export function spokenOf(tally, text) {
  if (!tally) return text.words.spoken.unknown;
  const said = text.words.spoken[tally.shows];
  return typeof said === "function" ? said(tally.free) : said;
}
