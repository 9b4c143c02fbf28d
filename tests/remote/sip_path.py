"""A call through two real kamailios, with sipp at both ends: a carrier's call to LiveKit, whose BYE loses a header.

    livekit 10.0.1.10 -- 10.0.1.1 kam1 10.0.2.1 -- 10.0.2.2 kam2 10.0.3.1 -- 10.0.3.20 carrier

All in one network namespace, or each in one of its own: `hosts` says how a command is run on a host.
"""

import os
import signal
import socket
import subprocess
import time

from live import PATIENCE, wait_until

ADDRESSES = {"livekit": ["10.0.1.10"], "kam1": ["10.0.1.1", "10.0.2.1"],
             "kam2": ["10.0.2.2", "10.0.3.1"], "carrier": ["10.0.3.20"]}

CONFIG = """
debug=0
log_stderror=yes
children=1
fork_delay=0
auto_aliases=no
{tcp}
listen={listen_left}
listen={listen_right}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("rr", "enable_full_lr", 1)
{more}
request_route {{
	if (is_method("ACK") && !loose_route()) exit;
	if (!has_totag()) {{
		if (is_method("INVITE")) record_route();
		if ($Ri == "{left}") {{
			$fs = "{listen_right}";
			$du = "{to_right}";
		}} else {{
			$fs = "{listen_left}";
			$du = "{to_left}";
		}}
	}} else if (!is_method("ACK")) {{
		loose_route();
	}}
	{edit}
	t_relay();
}}
"""

TRACE = """
loadmodule "siptrace.so"
modparam("siptrace", "trace_on", 1)
modparam("siptrace", "trace_mode", 1)
modparam("siptrace", "trace_to_database", 0)
modparam("siptrace", "duplicate_uri", "sip:{collector}")
modparam("siptrace", "hep_mode_on", 1)
modparam("siptrace", "hep_version", {version})
modparam("siptrace", "hep_capture_id", {agent})
{key}
"""

TLS = """
enable_tls=yes
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "private_key", "{folder}/key.pem")
modparam("tls", "certificate", "{folder}/cert.pem")
modparam("tls", "verify_certificate", 0)
"""

STRIP = 'if (is_method("BYE")) remove_hf("X-Test");'

SDP = """v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 40000 RTP/AVP 0
"""


def message(start, headers, body=""):
    kind = "Content-Type: application/sdp\n" if body else ""
    return f"<send><![CDATA[\n{start}\n{headers}{kind}Content-Length: [len]\n\n{body}\n]]></send>\n"


def caller():
    """The carrier calls, and LiveKit hangs up."""
    who = ("Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nFrom: <sip:+14155550100@[local_ip]>;tag=c1\n"
           "To: <sip:+15105550100@[remote_ip]>[peer_tag_param]\n"
           "Call-ID: [call_id]\nMax-Forwards: 70\nContact: <sip:c@[local_ip]:[local_port]>\n")
    keep = ("Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n[last_Via:]\n[last_From:]\n[last_To:]\n"
            "[last_Call-ID:]\n[last_CSeq:]\n").split("\n", 1)[1]
    return ('<?xml version="1.0"?><scenario name="caller">\n'
            + message("INVITE sip:+15105550100@[remote_ip]:[remote_port] SIP/2.0",
                      who + "CSeq: 1 INVITE\nX-Test: yes\n", SDP)
            + '<recv response="100" optional="true"/><recv response="180" optional="true"/>\n'
              '<recv response="200" rrs="true"/>\n'
            + message("ACK [next_url] SIP/2.0", who.replace("[branch]", "[branch]a") + "[routes]\nCSeq: 1 ACK\n")
            + '<recv request="BYE"/>\n' + message("SIP/2.0 200 OK", keep) + "</scenario>\n")


def callee():
    """LiveKit: takes the call, and says goodbye with a header of its trunk."""
    back = "[last_Via:]\n[last_From:]\n[last_To:];tag=SCL_abcdefghijkl\n[last_Call-ID:]\n[last_CSeq:]\n[last_Record-Route:]\n"
    here = "Contact: <sip:l@[local_ip]:[local_port]>\n"
    bye = ("Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nFrom: [$1];tag=SCL_abcdefghijkl\nTo: [$2]\n"
           "[last_Call-ID:]\nCSeq: 7 BYE\nMax-Forwards: 70\nX-Test: yes\n[routes]\n")
    keep = ('<action><ereg regexp=".*" search_in="hdr" header="To:" assign_to="1"/>'
            '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="2"/></action>')
    return ('<?xml version="1.0"?><scenario name="callee">\n'
            f'<recv request="INVITE" rrs="true">{keep}</recv>\n'
            + message("SIP/2.0 180 Ringing", back + here)
            + message("SIP/2.0 200 OK", back + here, SDP)
            + '<recv request="ACK"/>\n<pause milliseconds="200"/>\n'
            + message("BYE [next_url] SIP/2.0", bye) + '<recv response="200"/>\n</scenario>\n')


class Path:
    """The proxies, started; calls are made one after the other."""

    def __init__(self, folder, hosts=None, collector=None, version=3, key=None, tls=False, strips=("kam1",)):
        self.folder, self.hosts, self.processes = folder, hosts or {}, []
        self.collector, self.version, self.key = collector, version, key
        self.inner = "tls" if tls else "udp"
        if tls:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days",
                            "2", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
                           check=True, capture_output=True)
        for name in ("kam1", "kam2"):
            self.start_proxy(name, STRIP if name in strips else "")

    def on(self, host):
        return self.hosts.get(host, [])

    def config(self, name, edit):
        first = name == "kam1"
        left, right = ADDRESSES[name]
        inner = f"{self.inner}:%s:{5061 if self.inner == 'tls' else 5060}"
        uri = "sip:%s:" + ("5061;transport=tls" if self.inner == "tls" else "5060")
        more = TLS.format(folder=self.folder) if self.inner == "tls" else ""
        if self.collector:
            more += TRACE.format(collector=self.collector, version=self.version, agent=2001 if first else 2002,
                                 key=f'modparam("siptrace", "auth_key", "{self.key}")' if self.key else "")
        return CONFIG.format(
            tcp="tcp_children=1" if self.inner == "tls" else "disable_tcp=yes", left=left, more=more, edit=edit,
            listen_left=f"udp:{left}:5060" if first else inner % left,
            listen_right=inner % right if first else f"udp:{right}:5060",
            to_right=uri % "10.0.2.2" if first else "sip:10.0.3.20:5060",
            to_left="sip:10.0.1.10:5060" if first else uri % "10.0.2.1")

    def start(self, name, command):
        log = open(f"{self.folder}/{name}.log", "wb")
        with log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                       start_new_session=True)
        self.processes.append(process)
        return process

    def start_proxy(self, name, edit=""):
        config = f"{self.folder}/{name}.cfg"
        with open(config, "w", encoding="ascii") as f:
            f.write(self.config(name, edit))
        process = self.start(name, [*self.on(name), "kamailio", "-f", config, "-DD", "-E", "-m", "16", "-M", "4",
                                    "-P", f"{self.folder}/{name}.pid", "-Y", str(self.folder)])
        outer = ADDRESSES[name][0 if name == "kam1" else 1]
        wait_until(lambda: is_bound(process, outer), f"{name} listens: {self.log(name)}")
        time.sleep(0.3)
        return process

    def log(self, name):
        with open(f"{self.folder}/{name}.log", encoding="utf-8", errors="replace") as f:
            return f.read()[-1000:]

    def call(self, call_id="call-1@carrier"):
        """One call, from its INVITE to the 200 to its BYE."""
        for name, text in (("caller", caller()), ("callee", callee())):
            with open(f"{self.folder}/{name}.xml", "w", encoding="ascii") as f:
                f.write(text)
        common = ["-m", "1", "-nostdin", "-timeout", "20", "-p", "5060"]
        livekit = self.start("livekit", [*self.on("livekit"), "sipp", "-sf", "callee.xml", "-i", "10.0.1.10", *common])
        wait_until(lambda: is_bound(livekit, "10.0.1.10"), "sipp listens")
        carrier = self.start("carrier", [*self.on("carrier"), "sipp", "-sf", "caller.xml", "-i", "10.0.3.20", *common,
                                         "-cid_str", call_id,
                                         "10.0.3.1:5060"])
        for process, name in ((carrier, "carrier"), (livekit, "livekit")):
            assert process.wait(PATIENCE) == 0, f"{name}: {self.log(name)}"

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def is_bound(process, address):
    """Port 5060 of UDP, as /proc writes it."""
    wanted = "%08X:13C4" % int.from_bytes(socket.inet_aton(address), "little")
    assert process.poll() is None, f"it ended with {process.returncode}"
    with open(f"/proc/{process.pid}/net/udp", encoding="ascii") as f:
        return wanted in f.read()
