// What a telephone needs of audio: mu-law at 8 kHz, a WAV file in it, and whether somebody speaks.
import { readFileSync } from "node:fs";

const THRESHOLD = 200; // Root mean square: -38 dBm0. Speech is above -30, a quiet room below -50.
const BEGINS_AFTER = 480; // Bytes, 8 a millisecond: a click is shorter.
const ENDS_AFTER = 3_200; // A pause between words is shorter.

export const millisecondsOf = (bytes) => Math.floor(bytes / 8);

/** Whether somebody is speaking, by loudness alone: enough for a line without noise. */
export class SpeechDetector {
  speaking = false;
  #contrary = 0; // Bytes that said otherwise, one after the other.

  /** "began" or "ended" where this audio made the difference. */
  hear(audio) {
    this.#contrary = isLoud(audio) === this.speaking ? 0 : this.#contrary + audio.length;
    if (this.#contrary < (this.speaking ? ENDS_AFTER : BEGINS_AFTER)) return undefined;
    this.#contrary = 0;
    this.speaking = !this.speaking;
    return this.speaking ? "began" : "ended";
  }
}

function isLoud(audio) {
  const power = audio.reduce((sum, byte) => sum + POWER[byte], 0);
  return power > THRESHOLD ** 2 * audio.length;
}

/** The audio of a WAV file as mu-law. */
export function readGreeting(path) {
  const file = readFileSync(path);
  const chunks = new Map();
  for (let at = 12; at + 8 <= file.length; ) {
    const size = file.readUInt32LE(at + 4);
    chunks.set(file.toString("latin1", at, at + 4), file.subarray(at + 8, at + 8 + size));
    at += 8 + size + (size % 2);
  }
  const [format, data] = [chunks.get("fmt "), chunks.get("data")];
  if (!data || !format || format.length < 16) throw new Error(`${path} is no WAV file`);
  const [law, channels] = [format.readUInt16LE(0), format.readUInt16LE(2)];
  const [rate, bits] = [format.readUInt32LE(4), format.readUInt16LE(14)];
  if (rate === 8_000 && channels === 1 && law === 7) return data;
  if (rate === 8_000 && channels === 1 && law === 1 && bits === 16) return encode(data);
  throw new Error(`${path} has to be 8 kHz, mono, PCM16 or mu-law; sox -r 8000 -c 1 makes it so`);
}

function encode(pcm16) {
  const audio = Buffer.alloc(pcm16.length >> 1);
  return audio.map((_, index) => encodeSample(pcm16.readInt16LE(2 * index)));
}

// ITU-T G.711: a sign, three bits of exponent, four of mantissa, all inverted.
function encodeSample(sample) {
  const magnitude = Math.min(Math.abs(sample), 32_635) + 132;
  const exponent = 24 - Math.clz32(magnitude);
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff;
}

function decodedMagnitude(byte) {
  return ((((~byte & 15) << 3) + 132) << ((~byte >> 4) & 7)) - 132;
}

const POWER = Array.from({ length: 256 }, (_, byte) => decodedMagnitude(byte) ** 2);
