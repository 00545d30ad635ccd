// The hub as a tutorial would write it: for each message one JSON.parse, one awaited update, one send per screen.

import { createServer } from "node:http";
import mqtt from "mqtt";
import { WebSocketServer } from "ws";
import { connectDatabase, httpPort, mqttPort, view } from "./settings.mjs";

const bays = (await connectDatabase()).collection("bays");
await bays.createIndex({ lot: 1 });
const rooms = new Map(); // lot -> set of websockets
let subscribed = false;

const server = createServer((request, response) => response.writeHead(subscribed ? 200 : 503).end());
const sockets = new WebSocketServer({ server, path: "/v1/live", handleProtocols: () => "autospot.v1" });
sockets.on("connection", (socket) => {
  socket.once("message", async (text) => {
    const [{ lot }] = JSON.parse(text).subscriptions;
    socket.send(JSON.stringify({ type: "welcome" }));
    const known = await bays.find({ lot }).toArray();
    const shown = Object.fromEntries(known.map((bay) => [bay.bay, view(bay)]));
    socket.send(JSON.stringify({ type: "snapshot", lot, bays: shown }));
    if (!rooms.has(lot)) rooms.set(lot, new Set());
    rooms.get(lot).add(socket);
    socket.on("close", () => rooms.get(lot).delete(socket));
  });
});

const broker = mqtt.connect({ host: "127.0.0.1", port: mqttPort, clientId: "hub", clean: false });
broker.on("connect", async () => {
  await broker.subscribeAsync("autospot/v1/+/+/reading", { qos: 1 });
  subscribed = true;
});
broker.on("message", async (topic, payload) => {
  const [, , lot, bay] = topic.split("/");
  const { occupied, at, seq } = JSON.parse(payload);
  await bays.updateOne({ _id: `${lot}/${bay}` }, { $set: { lot, bay, occupied, at, seq } }, { upsert: true });
  const text = JSON.stringify({ type: "delta", lot, bays: { [bay]: view({ occupied, at }) } });
  for (const socket of rooms.get(lot) ?? []) socket.send(text);
});

server.listen(httpPort, "127.0.0.1");
