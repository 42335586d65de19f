"""What went over the loopback interface and when, by the kernel's clock: the far end's own ears."""

import socket
import struct
import threading

import peers

ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
SILENCE = {0xff, 0x7f}
RTP_HEADER = 12


class Wire:
    """Listens from now on, for messages of a WebSocket's server and RTP to a range of ports."""

    def __init__(self, case, said, rtp_ports):
        peers.need_raw_sockets()
        self._said, self._ports = said, rtp_ports
        self.said_at = []  # Seconds.
        self.loud_at = []  # Packets of RTP that are not silent.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("lo", 0))
        self._socket.settimeout(0.1)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        case.addCleanup(self.end)

    def end(self):
        if self._ends.is_set():
            return
        self._ends.set()
        self._thread.join()
        self._socket.close()

    def _listen(self):
        while not self._ends.is_set():
            try:
                packet, told, _, _ = self._socket.recvmsg(65536, 256)
            except TimeoutError:
                continue
            seconds, nanoseconds = struct.unpack("qq", told[0][2][:16])
            self._take(packet[14:], seconds + nanoseconds / 1e9)

    def _take(self, packet, at):
        if len(packet) < 20 or packet[0] >> 4 != 4:
            return
        protocol, rest = packet[9], packet[4 * (packet[0] & 15):]
        if protocol == socket.IPPROTO_TCP and self._said in rest:
            self.said_at.append(at)
        elif protocol == socket.IPPROTO_UDP and len(rest) > 8 + RTP_HEADER:
            port = int.from_bytes(rest[2:4], "big")
            if port in self._ports and not set(rest[8 + RTP_HEADER:]) <= SILENCE:
                self.loud_at.append(at)

    def silent_after(self, within=1.0):
        """Seconds from each thing said until the last that was loud within a second of it."""
        return [max([loud - said for loud in self.loud_at if 0 <= loud - said < within],
                    default=0.0) for said in self.said_at]
