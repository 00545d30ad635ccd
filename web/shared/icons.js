// Pictograms, drawn for this project on a grid of 24 by 24. They take the colour of the text around them.

import { html } from "htm/preact";

const stroked = { fill: "none", stroke: "currentColor", "stroke-width": 2.4, "stroke-linecap": "round", "stroke-linejoin": "round" };
const filled = { fill: "currentColor" };

const DRAWINGS = {
  general: () => html`<path ...${filled} fill-rule="evenodd" d="M4 1.5h16A2.5 2.5 0 0 1 22.5 4v16a2.5 2.5 0 0 1-2.5 2.5H4A2.5 2.5 0 0 1 1.5 20V4A2.5 2.5 0 0 1 4 1.5zM7.6 5v14h3.3v-4.6h2.3c3.2 0 5.2-1.8 5.2-4.7S16.4 5 13.2 5zm3.3 2.7h1.9c1.5 0 2.3.7 2.3 2s-.8 2.1-2.3 2.1h-1.9z"/>`,
  disabled: () => html`<circle ...${filled} cx="9.8" cy="3.3" r="2.3"/>
    <path ...${stroked} d="M9.8 7.6v6.2h5.4l2.6 6.4 2-.8M9.8 10.2h4.6"/>
    <path ...${stroked} d="M6.9 11.3a5.5 5.5 0 1 0 7.5 7"/>`,
  ev: () => html`<path ...${stroked} d="M8.5 2v4.6M15.5 2v4.6M12 17.4V22"/>
    <path ...${filled} fill-rule="evenodd" d="M4.8 6.4h14.4v4.3a7.2 7.2 0 0 1-14.4 0zm7.9 1.3-3.9 4.9h2.7l-.6 3.2 4.2-5h-2.9z"/>`,
  family: () => html`<circle ...${filled} cx="8" cy="3.6" r="2.6"/>
    <path ...${filled} d="M8 7.3c-2.5 0-4 1.5-4 3.9v4.6h1.7V23h4.6v-7.2H12v-.9l2 1.3v3.4h1V23h3.8v-3.4H20v-3.2c0-1.8-1.2-2.9-3.1-2.9-1.2 0-2 .4-2.5 1L12 12.8v-1.6c0-2.4-1.5-3.9-4-3.9z"/>
    <circle ...${filled} cx="16.9" cy="10.6" r="2"/>`,
  motorcycle: () => html`<g ...${stroked}><circle cx="5" cy="17" r="3.6"/><circle cx="19" cy="17" r="3.6"/>
    <path d="M19 17 15.3 6.5H12.5M5 17l4.2-4.7h7.9M9.2 12.3 12.3 17H8.6M4 10.5h5.5"/></g>`,
  oversize: () => html`<path ...${filled} fill-rule="evenodd" d="M1.5 4.5h13v13.6h-4.1a3 3 0 0 0-5.8 0H1.5zM16 8.5h3.3l3.2 4.4v5.2h-1.1a3 3 0 0 0-5.4-1.3zm1.5 1.6v3h3.2l-2.2-3z"/>
    <circle ...${filled} cx="7.5" cy="18.9" r="2"/><circle ...${filled} cx="18.6" cy="18.9" r="2"/>`,
  car_share: () => html`<path ...${filled} fill-rule="evenodd" d="m4.3 11.8 1.4-3.5C6.1 7.4 6.7 7 7.7 7h8.6c1 0 1.6.4 2 1.3l1.4 3.5c1.2.5 1.8 1.3 1.8 2.6v5.9a1 1 0 0 1-1 1h-1.7a1 1 0 0 1-1-1v-1.4H6.2v1.4a1 1 0 0 1-1 1H3.5a1 1 0 0 1-1-1v-5.9c0-1.3.6-2.1 1.8-2.6zm2.3-.3h10.8l-1-2.5H7.6zm-.4 4.9a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6zm11.6 0a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6z"/>
    <path ...${stroked} stroke-width="1.8" d="M6.5 3h11m0 0-2-2m2 2-2 2"/>`,
  ahead: () => html`<path ...${stroked} stroke-width="3.2" d="M12 21.5V4M5 10.5 12 3.5l7 7"/>`,
  up: () => html`<path ...${stroked} stroke-width="3.2" d="M4.5 19.5 19 5M8 4.5h11.5V16"/>`,
  down: () => html`<path ...${stroked} stroke-width="3.2" d="M4.5 4.5 19 19M8 19.5h11.5V8"/>`,
  height: () => html`<path ...${stroked} d="M3 2h18M3 22h18M12 6v12M8.5 9 12 5.5 15.5 9M8.5 15l3.5 3.5 3.5-3.5"/>`,
  warning: () => html`<path ...${filled} fill-rule="evenodd" d="M10.3 2.7a2 2 0 0 1 3.4 0l9.5 16.6a2 2 0 0 1-1.7 3h-19a2 2 0 0 1-1.7-3zM10.6 8l.4 7h2l.4-7zM12 16.7a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3z"/>`,
};

/** A pictogram by name. With a `label` it speaks for itself; without one it repeats what text says and stays silent. */
export function Icon({ name, label }) {
  const spoken = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return html`<svg class="icon" viewBox="0 0 24 24" focusable="false" ...${spoken}>${DRAWINGS[name]()}</svg>`;
}
