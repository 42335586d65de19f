"""SIPp: scenarios made of few words, and processes that end with the test."""

import os
import pathlib
import shutil
import socket
import subprocess

SECONDS = 30
HEADERS = {
    "request": "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n"
               "From: <sip:+1999@[local_ip]>;tag=[pid]s[call_number]\n"
               "To: <sip:[service]@[remote_ip]>{peer_tag}\n"
               "Call-ID: [call_id]\nCSeq: {cseq}\nContact: <sip:sipp@[local_ip]:[local_port]>\n"
               "Max-Forwards: 70\n",
    "response": "[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]s[call_number]\n[last_Call-ID:]\n"
                "[last_CSeq:]\nContact: <sip:sipp@[local_ip]:[local_port]>\n",
}
MEDIA = ("Content-Type: application/sdp\nContent-Length: [len]\n\n"
         "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\n"
         "m=audio [media_port] RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\n"
         "a=rtpmap:101 telephone-event/8000\n")
NOTHING = "Content-Length: 0\n\n"


def request(method, sequence=1, peer_tag=True, body=NOTHING):
    head = HEADERS["request"].format(peer_tag="[peer_tag_param]" if peer_tag else "",
                                     cseq=f"{sequence} {method}")
    again = "" if method == "ACK" else ' retrans="500"'
    return f"<send{again}><![CDATA[\n{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n" \
           f"{head}{body}]]></send>\n"


def response(status, more="", body=NOTHING):
    again = ' retrans="500"' if status >= 200 and body is MEDIA else ""
    return f"<send{again}><![CDATA[\nSIP/2.0 {status} Sure\n{HEADERS['response']}{more}{body}" \
           f"]]></send>\n"


def expect(what, action="", optional=False):
    kind = "request" if str(what).isalpha() else "response"
    option = ' optional="true"' if optional else ""
    return f'<recv {kind}="{what}"{option}>{action}</recv>\n'


def has_header(name):
    return f'<action><ereg regexp="." search_in="hdr" header="{name}:" check_it="true" ' \
           f'assign_to="found"/></action>'


def pause(milliseconds):
    return f'<pause milliseconds="{milliseconds}"/>\n'


INVITE = (request("INVITE", peer_tag=False, body=MEDIA) + expect(100, optional=True) +
          expect(180, optional=True) + expect(183, optional=True))
ANSWERED = INVITE + expect(200) + request("ACK")
HANG_UP = request("BYE", 2) + expect(200)
BE_HUNG_UP = expect("BYE") + response(200)


def refused(status, action=""):
    return INVITE + expect(status, action) + request("ACK")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sipp:
    """One run of a scenario; the block ends when the scenario does, and fails when that failed."""

    def __init__(self, scratch, steps, *arguments, port=None):
        self.port = port or free_port()
        file = pathlib.Path(scratch) / f"sipp{self.port}.xml"
        reference = '<Reference variables="found"/>' if "found" in steps else ""
        file.write_text(f'<?xml version="1.0" encoding="us-ascii"?>\n<scenario name="test">\n'
                        f"{steps}{reference}</scenario>\n")
        command = ["sipp", "-sf", file, "-i", "127.0.0.1", "-p", self.port, "-mp",
                   free_port() & ~1, "-nostdin", "-timeout", f"{SECONDS}s", "-timeout_error",
                   *arguments]
        self.process = subprocess.Popen([str(word) for word in command], cwd=scratch,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True,
                                        env={**os.environ, "TERM": "dumb"})

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        if failed:
            self.process.kill()
        told, _ = self.process.communicate(timeout=2 * SECONDS)
        if not failed and self.process.returncode != 0:
            raise AssertionError(f"SIPp ended with {self.process.returncode}:\n{told[-3000:]}")


def call(scratch, switch_port, number, steps, *arguments):
    return Sipp(scratch, steps, f"127.0.0.1:{switch_port}", "-s", number, "-m", "1", *arguments)


def installed():
    return shutil.which("sipp") is not None
