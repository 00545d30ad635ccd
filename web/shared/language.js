// Which language a page speaks, and how it writes times and numbers.

export const LANGUAGES = ["en", "de"];
const GERMAN_SPEAKING = new Set(["DE", "AT", "CH", "LI"]);

/** The language that was asked for (`?lang=`), else that of the lot's country, else English. */
export function languageOf(asked, country) {
  if (LANGUAGES.includes(asked)) return asked;
  return GERMAN_SPEAKING.has(country) ? "de" : "en";
}

const USUAL_COUNTRY = { en: "GB", de: "DE" };

/** How `language` is written in `country`: the browser knows the rest (12 or 24 hours, decimal sign). */
export function localeOf(language, country) {
  return `${language}-${country ?? USUAL_COUNTRY[language]}`;
}

const DAY_MS = 24 * 3600 * 1000;

/** Writes an instant as hours and minutes in a time zone: `timeWriter("de-DE", "Europe/Berlin")(ms)`. */
export function timeWriter(locale, timeZone) {
  const format = new Intl.DateTimeFormat(locale, { timeZone, hour: "2-digit", minute: "2-digit" });
  return (ms) => format.format(ms);
}

/** The same, with the date where the instant is so far back that the time alone would mislead. */
export function pastTimeWriter(locale, timeZone) {
  const time = timeWriter(locale, timeZone);
  const dated = new Intl.DateTimeFormat(locale, {
    timeZone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
  });
  return (ms, nowMs) => (nowMs - ms < DAY_MS / 2 ? time(ms) : dated.format(ms));
}

/** Metres with one decimal at least: clearances are read as "2.10" or "2.1", never as "2". */
export function metresWriter(locale) {
  const format = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 2 });
  return (metres) => `${format.format(metres)} m`;
}
