// One call in Twilio's Media Streams: what is heard and said, and in whose turn.
import { SpeechDetector, millisecondsOf } from "./speech.mjs";

const KEPT_BEFORE = 2_400; // Bytes, 8 a millisecond: words begin before a detector is sure of them.
const LONGEST = 480_000; // Of somebody who goes on and on, a minute is said back.

export class Conversation {
  #socket;
  #streamSid;
  #callSid;
  #detector = new SpeechDetector();
  #sentence = Buffer.alloc(0); // The caller's, with what led up to it.
  #heard = 0; // Bytes so far: the caller's clock, and the only one there is.
  #turns = 0;
  #saying; // Until its mark comes back: whatever is in the caller's ear.

  constructor(socket, { streamSid, callSid }, greeting) {
    this.#socket = socket;
    this.#streamSid = streamSid;
    this.#callSid = callSid;
    this.#say("greeted", greeting);
  }

  receive({ event, media, mark }) {
    if (event === "media" && typeof media?.payload === "string") {
      this.#listen(Buffer.from(media.payload, "base64"));
    } else if (event === "mark" && this.#saying && mark?.name === this.#saying.name) {
      this.#log(`${this.#saying.deed} ${this.#saying.length} ms, mark came back`);
      this.#saying = undefined;
    }
  }

  #listen(audio) {
    this.#heard += audio.length;
    this.#sentence = Buffer.concat([this.#sentence, audio]).subarray(0, LONGEST);
    const change = this.#detector.hear(audio);
    if (change === "began") {
      this.#fallSilent();
    } else if (change === "ended") {
      this.#say("repeated", this.#sentence);
      this.#sentence = Buffer.alloc(0);
    } else if (!this.#detector.speaking) {
      this.#sentence = this.#sentence.subarray(-KEPT_BEFORE);
    }
  }

  #fallSilent() {
    if (!this.#saying) return;
    this.#send({ event: "clear" });
    this.#log(`interrupted after ${millisecondsOf(this.#heard - this.#saying.since)} ms`);
    this.#saying = undefined; // The mark comes back even so, and nobody waits for it any more.
  }

  #say(deed, audio) {
    const name = `turn-${++this.#turns}`;
    this.#saying = { deed, name, length: millisecondsOf(audio.length), since: this.#heard };
    this.#send({ event: "media", media: { payload: audio.toString("base64") } });
    this.#send({ event: "mark", mark: { name } });
  }

  #send(message) {
    this.#socket.send(JSON.stringify({ ...message, streamSid: this.#streamSid }));
  }

  #log(line) {
    console.log(`${this.#callSid}: ${line}`);
  }
}
