// A stand-in of OpenAI's Realtime model: it greets when asked for a response, notices who speaks by
// loudness, and says the caller's words back. What is asked of it apart from audio is written out, one
// JSON object a line; what it heard is a WAV file for each session.
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { WebSocketServer } from "ws";
import { SpeechDetector, millisecondsOf, readGreeting } from "../../../examples/agents/node/speech.mjs";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    greeting: { type: "string" },
    record: { type: "string", default: "." },
    between: { type: "string", default: "20" }, // Milliseconds from one delta to the next.
  },
});
const DELTA = 2_000; // Bytes: a quarter of a second.
const KEPT_BEFORE = 2_400;
const greeting = readGreeting(options.greeting);
let sessions = 0;

class Session {
  number = ++sessions;
  heard = Buffer.alloc(0);
  detector = new SpeechDetector();
  sentenceAt = 0; // In what was heard.
  items = 0;
  responses = 0;
  active; // The response that is being spoken.
  settings = { type: "realtime", object: "realtime.session" };

  constructor(socket) {
    this.socket = socket;
    this.send("session.created", { session: this.settings });
  }

  send(type, fields) {
    const event = { type, event_id: `event_${Math.random().toString(36).slice(2)}`, ...fields };
    this.socket.send(JSON.stringify(event));
  }

  receive(event) {
    const { audio, ...rest } = event;
    if (event.type !== "input_audio_buffer.append") {
      console.log(JSON.stringify({ session: this.number, heard_ms: this.heardMs, ...rest }));
    }
    switch (event.type) {
      case "session.update":
        this.settings = { ...this.settings, ...event.session };
        if (this.turns) this.turns.interrupt_response ??= true;
        for (const way of Object.keys(event.session.audio ?? {})) {
          const format = event.session.audio[way].format?.type;
          if (format !== "audio/pcmu") this.refuse(`audio.${way}.format is ${format}`);
        }
        return this.send("session.updated", { session: this.settings });
      case "input_audio_buffer.append":
        return this.listen(Buffer.from(audio, "base64"));
      case "conversation.item.create": {
        const item = { id: this.newItem(), status: "completed", ...event.item };
        this.send("conversation.item.added", { item });
        return this.send("conversation.item.done", { item });
      }
      case "response.create":
        return this.say(greeting);
      case "response.cancel":
        return this.cancel("client_cancelled");
      case "conversation.item.truncate": {
        const { item_id, content_index, audio_end_ms } = event;
        return this.send("conversation.item.truncated", { item_id, content_index, audio_end_ms });
      }
      case "conversation.item.retrieve":
        return this.send("conversation.item.retrieved", { item: this.message(event.item_id) });
      default:
        return this.refuse(`no ${event.type} here`);
    }
  }

  refuse(message) {
    this.send("error", { error: { message } });
  }

  get turns() {
    return this.settings.audio?.input?.turn_detection;
  }

  get heardMs() {
    return millisecondsOf(this.heard.length);
  }

  newItem() {
    return `item_${this.number}_${++this.items}`;
  }

  message(id) {
    return { id, type: "message", role: "assistant", status: "completed", content: [] };
  }

  listen(audio) {
    const change = this.detector.hear(audio);
    this.heard = Buffer.concat([this.heard, audio]);
    if (change === "began") {
      this.sentenceAt = Math.max(0, this.heard.length - KEPT_BEFORE);
      this.item = this.newItem();
      const began = { item_id: this.item, audio_start_ms: millisecondsOf(this.sentenceAt) };
      this.send("input_audio_buffer.speech_started", began);
      if (this.turns?.interrupt_response) this.cancel("turn_detected");
    } else if (change === "ended") {
      const ended = { item_id: this.item, audio_end_ms: this.heardMs };
      this.send("input_audio_buffer.speech_stopped", ended);
      this.send("input_audio_buffer.committed", { item_id: this.item });
      this.say(this.heard.subarray(this.sentenceAt));
    }
  }

  async say(audio) {
    const response = { id: `resp_${this.number}_${++this.responses}`, object: "realtime.response" };
    const at = { response_id: response.id, output_index: 0 };
    const part = { ...at, item_id: this.newItem(), content_index: 0 };
    this.active = response;
    this.send("response.created", { response: { ...response, status: "in_progress", output: [] } });
    const item = { ...this.message(part.item_id), status: "in_progress" };
    this.send("response.output_item.added", { ...at, item });
    for (let sent = 0; sent < audio.length; sent += DELTA) {
      const delta = audio.subarray(sent, sent + DELTA).toString("base64");
      this.send("response.output_audio.delta", { ...part, delta });
      await pause(Number(options.between));
      if (this.active !== response) return;
    }
    this.send("response.output_audio.done", part);
    this.send("response.output_item.done", { ...at, item: this.message(part.item_id) });
    this.done("completed");
  }

  cancel(reason) {
    if (this.active) this.done("cancelled", { status_details: { type: "cancelled", reason } });
  }

  done(status, more = {}) {
    this.send("response.done", { response: { ...this.active, status, output: [], ...more } });
    this.active = undefined;
  }

  /** What was heard, as it came: mu-law, format 7 of a WAV file. */
  record() {
    const head = Buffer.alloc(44);
    head.write("RIFF", 0, "latin1");
    head.writeUInt32LE(36 + this.heard.length, 4);
    head.write("WAVEfmt ", 8, "latin1");
    head.writeUInt32LE(16, 16);
    head.writeUInt16LE(7, 20);
    head.writeUInt16LE(1, 22);
    head.writeUInt32LE(8_000, 24);
    head.writeUInt32LE(8_000, 28);
    head.writeUInt16LE(1, 32);
    head.writeUInt16LE(8, 34);
    head.write("data", 36, "latin1");
    head.writeUInt32LE(this.heard.length, 40);
    writeFileSync(`${options.record}/heard-${this.number}.wav`, Buffer.concat([head, this.heard]));
    console.log(JSON.stringify({ session: this.number, heard_ms: this.heardMs, type: "closed" }));
  }
}

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(options.port) });
server.on("connection", (socket) => {
  const session = new Session(socket);
  socket.on("message", (data) => session.receive(JSON.parse(data)));
  socket.on("close", () => session.record());
});
server.on("listening", () => console.log(`listening on ws://127.0.0.1:${server.address().port}`));
