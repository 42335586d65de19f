"""baresip without a sound card: says a tone or a file, records what it hears, obeys by TCP."""

import json
import pathlib
import shutil
import socket
import tempfile

import peers
import rtp

def free_tcp_port(netns):
    def bound():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]
    return peers.in_netns(netns, bound)


def module_path():
    for path in ("/usr/lib/baresip/modules", "/usr/lib64/baresip/modules"):
        if pathlib.Path(path).exists():
            return path
    peers.need(False, "folder of baresip's modules")
    return None


CONFIG = """\
poll_method             epoll
sip_listen              {at}:{port}
call_local_timeout      120
call_max_calls          8
audio_player            aubridge,heard
audio_source            {source}
audio_alert             aubridge,alert
ausrc_srate             {rate}
auplay_srate            8000
ausrc_channels          {channels}
auplay_channels         1
ausrc_format            s16
auplay_format           s16
rtp_ports               {rtp_first}-{rtp_last}
jitter_buffer_type      fixed
jitter_buffer_delay     2-5
module_path             {modules}
module                  g711.so
module                  ausine.so
module                  aufile.so
module                  aubridge.so
module                  sndfile.so
module_tmp              uuid.so
module_tmp              account.so
module_app              ctrl_tcp.so
module_app              menu.so
ctrl_tcp_listen         127.0.0.1:{control}
snd_path                {folder}
net_interface           {at}
"""


class Softphone:
    def __init__(self, case, at="127.0.0.1", hz=440, codecs="PCMU,PCMA", auth="",
                 netns=None, says=None, transport="", config=""):
        """`says` is a WAV file, 8 kHz mono, instead of the tone; the call has to end before it."""
        peers.need_program("baresip")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"baresip-{hz}-", dir=case.work))
        self.at, self.hz = at, hz
        self.port = case.port(10)  # It takes the next one for TLS.
        # Its names of files have room for 127 bytes, which the folders of a checkout may well take.
        self.recordings = pathlib.Path(tempfile.mkdtemp(prefix="heard"))
        case.addCleanup(self._keep_recordings)
        if says:
            (self.recordings / "said.wav").symlink_to(pathlib.Path(says).resolve())
            says = self.recordings / "said.wav"
        control = free_tcp_port(netns)
        rtp_first = case.port(40)
        self.rtp_ports = range(rtp_first, rtp_first + 40)
        (self.folder / "config").write_text(CONFIG.format(
            at=at, port=self.port, source=f"aufile,{says}" if says else f"ausine,{hz}",
            rate=8000 if says else 48000, channels=1 if says else 2,
            rtp_first=rtp_first, rtp_last=rtp_first + 39,
            modules=module_path(), control=control, folder=self.recordings,
        ) + config)
        (self.folder / "accounts").write_text(
            f"<sip:caller@{at}:{self.port}{transport}>;regint=0;answermode=auto;audio_codecs={codecs};ptime=20"
            f"{auth}\n"
        )
        self.process = case.process(
            ["baresip", "-f", self.folder], "baresip", cwd=self.folder, netns=netns
        )
        self._events = b""
        self._control = self._connect(control, netns)
        case.addCleanup(self._control.close)

    def _connect(self, port, netns):
        def connected():
            try:
                made = socket.create_connection(("127.0.0.1", port), 1)
                made.settimeout(0.05)
                return made
            except OSError:
                assert self.process.alive(), "baresip has ended"
                return None
        return peers.wait_until(
            lambda: peers.in_netns(netns, connected), 10, "baresip's control port"
        )

    def command(self, name, parameters=""):
        text = json.dumps({"command": name, "params": parameters, "token": "t"}).encode()
        self._control.sendall(str(len(text)).encode() + b":" + text + b",")

    def events(self):
        try:
            while True:
                got = self._control.recv(65536)
                if not got:
                    break
                self._events += got
        except TimeoutError:
            pass
        found, rest = [], self._events
        while b":" in rest:
            length, _, rest = rest.partition(b":")
            if len(rest) < int(length):
                break
            found.append(json.loads(rest[:int(length)]))
            rest = rest[int(length) + 1:]
        return found

    def wait_for(self, kind, seconds=10):
        def happened():
            told = [one for one in self.events() if one.get("event")]
            if kind == "CALL_ESTABLISHED":
                closed = [one for one in told if one.get("type") == "CALL_CLOSED"]
                assert not closed, f"the call was not established: {closed[0].get('param')}"
            return [one for one in told if one.get("type") == kind]
        try:
            return peers.wait_until(happened, seconds, f"{kind} of baresip")[0]
        except AssertionError as failed:
            raise AssertionError(f"{failed}; it told: {self.events()}") from None

    def dial(self, uri):
        self.command("dial", uri)

    def hang_up(self):
        self.command("hangup")

    def _keep_recordings(self):
        for one in self.recordings.iterdir():
            shutil.move(one, self.folder)
        self.recordings.rmdir()

    def recording(self):
        """(samples, rate) of all that it heard, when the call has ended."""
        def whole():
            # Closed when the call ends, and only then does its header say how long it is.
            for one in self.recordings.glob("*dec.wav"):
                samples, rate = rtp.read_wav(one)
                if samples:
                    return samples, rate
            return None
        return peers.wait_until(whole, 5, "baresip's recording")

    def heard(self):
        """Seconds that it recorded, and the shares of some tones in the middle of that."""
        samples, rate = self.recording()
        middle = samples[len(samples) // 4:len(samples) * 3 // 4]
        shares = {hz: rtp.level_at(hz, middle, rate) for hz in (440, 660, 1000)}
        return len(samples) / rate, shares
