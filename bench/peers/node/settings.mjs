// Where the parts are, as the benchmark says it; the same four for every peer.

import { MongoClient } from "mongodb";

export const mqttPort = Number(process.env.BENCH_MQTT_PORT);
export const httpPort = Number(process.env.BENCH_HTTP_PORT);

export async function connectDatabase(options = {}) {
  const client = await MongoClient.connect(process.env.BENCH_MONGO_URL, options);
  return client.db(process.env.BENCH_MONGO_DB);
}

export function view(reading) {
  return { state: reading.occupied ? "occupied" : "free", occupied: reading.occupied, since: reading.at, at: reading.at };
}

process.on("SIGTERM", () => process.exit(0));
