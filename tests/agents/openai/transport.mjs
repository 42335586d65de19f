// An agent as OpenAI's documentation builds it: TwilioRealtimeTransportLayer takes the telephone's
// WebSocket and talks to a model, here whichever --model says. What the platform sends apart from
// media is written out, one JSON object a line.
import { parseArgs } from "node:util";
import { RealtimeAgent, RealtimeSession } from "@openai/agents/realtime";
import { TwilioRealtimeTransportLayer } from "@openai/agents-extensions";
import { WebSocketServer } from "ws";

const { values: options } = parseArgs({
  options: { port: { type: "string", default: "0" }, model: { type: "string" } },
});
const tell = (what) => console.log(JSON.stringify(what));

async function answer(twilioWebSocket) {
  const transport = new TwilioRealtimeTransportLayer({ twilioWebSocket });
  transport.on("*", ({ type, message }) => {
    if (type === "twilio_message" && message.event !== "media") tell(message);
  });
  const agent = new RealtimeAgent({ name: "Reception", instructions: "Greet whoever calls." });
  // Without a word about audio the session would ask for PCM at 24 kHz, and the telephone for noise.
  const config = { audio: { output: { voice: "marin" } } };
  const session = new RealtimeSession(agent, { transport, config });
  session.on("error", ({ error }) => console.error("session:", error));
  session.on("audio_interrupted", () => tell({ event: "interrupted" }));
  await session.connect({ apiKey: "nobody asks for it", url: options.model });
  session.sendMessage("Somebody is calling.");
}

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(options.port) });
server.on("connection", (socket) => answer(socket).catch((error) => console.error("answer:", error)));
server.on("listening", () => console.log(`listening on ws://127.0.0.1:${server.address().port}`));
