#!/usr/bin/env node
// A bot with manners: it greets, falls silent when the caller speaks, and says the words back.
// The telephone is a WebSocket that speaks Twilio's Media Streams; it calls, and this side answers.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { WebSocketServer } from "ws";
import { Conversation } from "./conversation.mjs";
import { readGreeting } from "./speech.mjs";

const GREETING = new URL("../../assets/greeting.wav", import.meta.url);

/** What is no JSON object becomes an empty one: nothing that a peer sends may end a call. */
function parse(data, isBinary) {
  try {
    return isBinary ? {} : Object(JSON.parse(data));
  } catch {
    return {};
  }
}

function serve({ host, port, greeting }) {
  const audio = readGreeting(greeting);
  const server = new WebSocketServer({ host, port: Number(port), maxPayload: 65_536 });
  server.on("connection", (socket) => {
    let conversation;
    socket.on("error", () => {}); // ws closes the socket; without a listener it would end us all.
    socket.on("message", (data, isBinary) => {
      const message = parse(data, isBinary);
      if (conversation) conversation.receive(message);
      else if (message.event === "start" && message.start) {
        conversation = new Conversation(socket, message.start, audio);
      }
    });
  });
  server.on("error", ({ message }) => fail(`cannot listen: ${message}; another --port?`));
  server.on("listening", () => console.log(`listening on ws://${host}:${server.address().port}`));
}

function fail(sentence) {
  console.error(`bot: ${sentence}`);
  process.exit(1);
}

const help = `bot.mjs [--host 127.0.0.1] [--port 8765] [--greeting FILE]

Answers the telephone for softswitch: agent = "ws://127.0.0.1:8765". The port may also come from the
environment as PORT, and the greeting is a WAV file: 8 kHz, mono, PCM16 or mu-law.`;

try {
  const { values } = parseArgs({
    options: {
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: process.env.PORT ?? "8765" },
      greeting: { type: "string", default: fileURLToPath(GREETING) },
      help: { type: "boolean" },
    },
  });
  if (values.help) console.log(help);
  else serve(values);
} catch (error) {
  fail(error.message);
}
