// What a sign says, in each of its languages.

const en = {
  page: "Parking display",
  free: "free",
  full: "FULL",
  closed: "CLOSED",
  kinds: {
    general: "Standard",
    disabled: "Accessible",
    ev: "Charging",
    family: "Family",
    motorcycle: "Motorcycle",
    oversize: "Van",
    car_share: "Car share",
  },
  arrows: { ahead: "straight on", up: "ramp up", down: "ramp down" },
  levels: "Free places by level",
  kindsTitle: "Free places by kind",
  moreLevels: (count) => `${count} more levels`,
  height: "Maximum height",
  silent: (count) => (count === 1 ? "1 place not reporting" : `${count} places not reporting`),
  noLiveData: (time) => `No live data since ${time}`,
  connecting: "Connecting …",
  noSuchLot: (lot) => `There is no car park “${lot}” here`,
  noSuchSign: (sign) => `This car park has no display “${sign}”`,
  spoken: { number: (free) => `${free} free`, full: "full", closed: "closed", unknown: "not known" },
};

const de = {
  page: "Parkanzeige",
  free: "frei",
  full: "BESETZT",
  closed: "GESCHLOSSEN",
  kinds: {
    general: "Standard",
    disabled: "Barrierefrei",
    ev: "Laden",
    family: "Familie",
    motorcycle: "Motorrad",
    oversize: "Transporter",
    car_share: "Carsharing",
  },
  arrows: { ahead: "geradeaus", up: "Rampe hinauf", down: "Rampe hinab" },
  levels: "Freie Plätze je Ebene",
  kindsTitle: "Freie Plätze je Art",
  moreLevels: (count) => `${count} weitere Ebenen`,
  height: "Höchste Einfahrtshöhe",
  silent: (count) => (count === 1 ? "1 Platz ohne Meldung" : `${count} Plätze ohne Meldung`),
  noLiveData: (time) => `Keine Live-Daten seit ${time}`,
  connecting: "Verbindung wird aufgebaut …",
  noSuchLot: (lot) => `Hier gibt es kein Parkhaus „${lot}“`,
  noSuchSign: (sign) => `Dieses Parkhaus hat keine Anzeige „${sign}“`,
  spoken: { number: (free) => `${free} frei`, full: "besetzt", closed: "geschlossen", unknown: "nicht bekannt" },
};

export const WORDS = { en, de };
