"""What a telephone needs of audio: mu-law at 8 kHz, a WAV file in it, whether somebody speaks."""

import pathlib
import struct

THRESHOLD = 200  # Root mean square: -38 dBm0. Speech is above -30, a quiet room below -50.
BEGINS_AFTER = 480  # Bytes, 8 a millisecond: a click is shorter.
ENDS_AFTER = 3_200  # A pause between words is shorter.


class SpeechDetector:
    """Whether somebody is speaking, by loudness alone: enough for a line without noise."""

    def __init__(self):
        self.speaking = False
        self._contrary = 0  # Bytes that said otherwise, one after the other.

    def hear(self, audio):
        """"began" or "ended" where this audio made the difference, None otherwise."""
        self._contrary = 0 if is_loud(audio) == self.speaking else self._contrary + len(audio)
        if self._contrary < (ENDS_AFTER if self.speaking else BEGINS_AFTER):
            return None
        self._contrary = 0
        self.speaking = not self.speaking
        return "began" if self.speaking else "ended"


def is_loud(audio):
    return sum(map(POWER.__getitem__, audio)) > THRESHOLD**2 * len(audio)


def read_greeting(path):
    """The audio of a WAV file as mu-law. The standard library's wave knows PCM alone."""
    file = pathlib.Path(path).read_bytes()
    chunks, at = {}, 12
    while at + 8 <= len(file):
        name, size = struct.unpack_from("<4sI", file, at)
        chunks[name] = file[at + 8:at + 8 + size]
        at += 8 + size + size % 2
    if b"data" not in chunks or len(chunks.get(b"fmt ", b"")) < 16:
        raise ValueError(f"{path} is no WAV file")
    law, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    match law, channels, rate, bits:
        case 7, 1, 8_000, _:
            return chunks[b"data"]
        case 1, 1, 8_000, 16:
            return encode(chunks[b"data"])
    raise ValueError(f"{path} has to be 8 kHz, mono, PCM16 or mu-law; sox -r 8000 -c 1 makes it so")


def encode(pcm16):
    whole = pcm16[:len(pcm16) & ~1]
    return bytes(encode_sample(sample) for sample, in struct.iter_unpack("<h", whole))


def encode_sample(sample):
    """ITU-T G.711: a sign, three bits of exponent, four of mantissa, all inverted."""
    magnitude = min(abs(sample), 32_635) + 132
    exponent = magnitude.bit_length() - 8
    return ~((sample < 0) << 7 | exponent << 4 | magnitude >> exponent + 3 & 15) & 0xFF


def decoded_magnitude(byte):
    return (((~byte & 15) << 3) + 132 << (~byte >> 4 & 7)) - 132


POWER = [decoded_magnitude(byte) ** 2 for byte in range(256)]
