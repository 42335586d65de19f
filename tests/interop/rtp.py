"""RTP as bytes: captures read and written, packets on the wire, tones in recordings."""

import dataclasses
import math
import select
import socket
import struct
import threading
import time
import wave


@dataclasses.dataclass(frozen=True)
class Packet:
    at: float
    source: tuple
    to: tuple
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(at, source, to, data):
    """The RTP packet in a UDP payload, or None: RTCP shares its first two bits."""
    if len(data) < 12 or data[0] >> 6 != 2 or 72 <= data[1] & 0x7F <= 80:
        return None
    first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        start += 4 + 4 * struct.unpack_from("!H", data, start + 2)[0]
    end = len(data) - (data[-1] if first & 0x20 else 0)
    return Packet(
        at, source, to, second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc,
        data[start:end],
    )


def udp_in_ip(data):
    """(source, destination, payload) of a whole UDP datagram in an IPv4 packet, or None."""
    if len(data) < 28 or data[0] >> 4 != 4 or data[9] != 17:
        return None
    if struct.unpack_from("!H", data, 6)[0] & 0x3FFF:
        return None
    header = 4 * (data[0] & 0x0F)
    source_port, to_port, length = struct.unpack_from("!HHH", data, header)
    payload = data[header + 8:header + length]
    return (
        (socket.inet_ntoa(data[12:16]), source_port),
        (socket.inet_ntoa(data[16:20]), to_port),
        payload,
    )


def read_capture(path):
    """The RTP packets of a pcap file of Ethernet frames, in its order."""
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    at = 24
    found = []
    while at + 16 <= len(data):
        seconds, fraction, kept, _ = struct.unpack_from(order + "IIII", data, at)
        frame = data[at + 16:at + 16 + kept]
        at += 16 + kept
        if frame[12:14] != b"\x08\x00":
            continue
        datagram = udp_in_ip(frame[14:])
        packet = datagram and parse(seconds + fraction / 1e6, *datagram)
        if packet:
            found.append(packet)
    return found


def mu_law(sample):
    """ITU-T G.711, the textbook way: a check of ours, not a copy."""
    sign, size = (0x80, -sample) if sample < 0 else (0, sample)
    size = min(size, 32635) + 132
    exponent = size.bit_length() - 8
    return ~(sign | exponent << 4 | size >> (exponent + 3) & 0x0F) & 0xFF


def sine(hz, seconds, dbm0=-10):
    """Packets of 20 ms PCMU. A sine of 3.14 dBm0 reaches the end of the range."""
    peak = 32124 * 10 ** ((dbm0 - 3.14) / 20)
    found = []
    for number in range(int(seconds * 50)):
        samples = range(160 * number, 160 * number + 160)
        payload = bytes(
            mu_law(round(peak * math.sin(2 * math.pi * hz * n / 8000))) for n in samples
        )
        found.append(Packet(0, (), (), 0, number == 0, number, 160 * number, 0x5EED, payload))
    return found


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def write_capture(path, packets):
    """A pcap file that SIPp can play: the packets as they are, at the times of their timestamps."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for one in packets:
        at = 1 + ((one.timestamp - packets[0].timestamp) & 0xFFFFFFFF) / 8000
        rtp = struct.pack(
            "!BBHII", 0x80, one.payload_type | (0x80 if one.marker else 0), one.sequence,
            one.timestamp, one.ssrc,
        ) + one.payload
        udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
        address = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2")
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + address
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        frame = b"\0" * 12 + b"\x08\x00" + head + udp
        out.append(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(frame), len(frame)))
        out.append(frame)
    path.write_bytes(b"".join(out))
    return path


def spurts(packets):
    """Talk spurts: runs of packets between which nothing is left out."""
    found = [[packets[0]]]
    for before, one in zip(packets, packets[1:]):
        if (before.timestamp + len(before.payload)) & 0xFFFFFFFF != one.timestamp:
            found.append([])
        found[-1].append(one)
    return found


class Sniffer:
    """Collects UDP datagrams of the loopback device to and from some ports, from now on."""

    def __init__(self, ports, device="lo"):
        self._ports = set(ports)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.bind((device, 0))
        self._stop = False
        self.datagrams = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop:
            if not select.select([self._socket], [], [], 0.1)[0]:
                continue
            frame, where = self._socket.recvfrom(65535)
            if where[2] == socket.PACKET_OUTGOING:  # Loopback shows each packet twice.
                continue
            datagram = udp_in_ip(frame[14:])
            if datagram and (datagram[0][1] in self._ports or datagram[1][1] in self._ports):
                self.datagrams.append((time.monotonic(), *datagram))

    def rtp_to(self, port):
        found = [parse(*one) for one in list(self.datagrams) if one[2][1] == port]
        return [one for one in found if one]

    def end(self):
        self._stop = True
        self._thread.join(2)
        self._socket.close()


def level_at(hz, samples, rate):
    """The share of a signal's power that is one sine (Goertzel): 1 for a pure tone."""
    power = sum(one * one for one in samples) / max(len(samples), 1)
    if power == 0:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hz / rate)
    before = last = 0.0
    for one in samples:
        before, last = last, one + turn * last - before
    magnitude = last * last + before * before - turn * last * before
    return 2 * magnitude / (len(samples) * len(samples) * power)


def read_wav(path):
    """The first channel of a 16-bit WAV and its rate; nothing while its writer has it open."""
    try:
        with wave.open(str(path)) as file:
            rate, channels = file.getframerate(), file.getnchannels()
            data = file.readframes(file.getnframes())
            if file.getsampwidth() != 2:
                raise AssertionError(f"{path} is not 16 bits")
    except (wave.Error, EOFError):
        return [], 8000
    return [one[0] for one in struct.iter_unpack(f"<{channels}h", data)], rate
