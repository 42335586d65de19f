"""The sentences of examples/assets, in mu-law by a hand that is not ours."""

import pathlib
import struct
import warnings
import wave

import peers

ASSETS = pathlib.Path(__file__).resolve().parents[2] / "examples/assets"


def mu_law():
    """Python's own G.711, which nobody here wrote; Python 3.13 has it no more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import audioop
        except ImportError:
            audioop = None
    peers.need(audioop, "audioop in this Python")
    return audioop


def linear(path):
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


def spoken(name):
    return mu_law().lin2ulaw(linear(ASSETS / name), 2)


def wav_chunk(path, wanted):
    """Of a WAV file in any law: Python's wave reads PCM alone."""
    file, at = path.read_bytes(), 12
    while at + 8 <= len(file):
        name, size = struct.unpack_from("<4sI", file, at)
        if name == wanted:
            return file[at + 8:at + 8 + size]
        at += 8 + size + size % 2
    raise AssertionError(f"{path} has no {wanted}")
