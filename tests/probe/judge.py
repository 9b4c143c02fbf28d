"""What the probe says of real kamailios, by the whole program, in a network namespace of its own.

judge.py PROGRAM [WORD... | I/N]: prints a line for each test (whose name has one of the words; of the
I-th of N parts), "ok NAME" or "not ok NAME: why".
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

PROGRAM = os.path.abspath(sys.argv[1])
HERE = pathlib.Path(__file__).parent
WORK = pathlib.Path(tempfile.mkdtemp(prefix="sipxray-probe-"))
PROXY, CALLEE = "127.0.0.1:5060", "127.0.0.1:5080"
PATIENCE = 120
TRUNK = "captures/kam1-strips-bye/trunk.json"
ENDS = ["--via", PROXY, "--to", "sip:+15105550100@127.0.0.1", "--listen", CALLEE, "--pause", "0"]


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what}")


def is_open(port, address="127.0.0.1"):
    with socket.socket() as s:
        return s.connect_ex((address, port)) == 0


class Kamailio:
    """With what a case does to requests and to replies."""

    def __init__(self, edit="", reply="", define=(), target="sip:" + CALLEE, folder=None, before=(),
                 address="127.0.0.1", more=""):
        self.address = address
        if not folder:
            folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
            shutil.copy(HERE / "kamailio.cfg", folder)
        (folder / "edit.cfg").write_text(
            f"route[EDIT] {{\n{edit}\nreturn;\n}}\nonreply_route[EDIT_REPLY] {{\n{reply}\nreturn;\n}}\n{more}\n")
        self.log = open(folder / "log", "wb")
        words = []
        for d in (f'TARGET="{target}"', *define):
            words += ["-A", d]
        self.process = subprocess.Popen(
            [*before, "kamailio", "-f", folder / "kamailio.cfg", "-w", folder, "-Y", folder, "-DD", "-E", "-m", "32", "-M", "8", *words],
            cwd=folder, stdout=self.log, stderr=self.log, start_new_session=True)

    def __enter__(self):
        wait_until(lambda: is_open(5060, self.address) or self.process.poll() is not None, "kamailio")
        assert self.process.poll() is None, pathlib.Path(self.log.name).read_text()[-2000:]
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()


def run(*args, env=None):
    """(status, stdout, stderr)"""
    done = subprocess.run([PROGRAM, "probe", *map(str, args)], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=PATIENCE, env={**os.environ, **(env or {})})
    assert done.returncode < 99, done.stderr.decode()
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def judge(*args, **more):
    """(status, report)"""
    status, out, err = run(*args, "--format", "json", **more)
    try:
        return status, json.loads(out)
    except ValueError:
        raise AssertionError(f"status {status}, no report: {err}") from None


def fates(report, by=("message", "from")):
    """What became of the headers of each message: {("BYE", "caller"): {"stripped"}}."""
    found = {}
    for row in report["headers"]:
        found.setdefault(tuple(row[k] for k in by), set()).add(row["outcome"])
    return found


def same(actual, expected):
    assert actual == expected, f"{actual} instead of {expected}"


def all_but(report, *others):
    """All arrived but these messages: (message, from)."""
    return {k: v for k, v in fates(report).items() if v != {"arrived"}} if others is None else {
        k: v for k, v in fates(report).items() if k not in others and v != {"arrived"}}


# ---- the suite -----------------------------------------------------------------------------------

def passes_all():
    """What kamailio itself does not take is found, and nothing else is said to be wrong."""
    with Kamailio():
        status, report = judge("run", "--suite", *ENDS)
    documented(report)
    bad = {(r["case"], r["outcome"]) for r in report["headers"] if r["outcome"] != "arrived"}
    same(bad, {("name-marks", "not-forwarded"), ("name-marks", "unknown")})
    same(len({r["case"] for r in report["headers"]}), 37)
    same(len({(r["message"], r["from"]) for r in report["headers"]}), 12)
    same(status, 1)


def documented(report):
    """The manual has each member, and no other."""
    page = pathlib.Path("man/sipxray-probe-json.5").read_text(encoding="utf-8").split(".Ss ")
    names = [{n.strip() for line in re.findall(r"^\.It Va (.*)$", part, re.M) for n in line.split(",")}
             for part in page]
    same(set(report), names[0])
    members = {k for row in report["headers"] for k in row} | {"case", "trunk"} - set(report["headers"][0])
    same(members | {"case"}, names[1] | {"trunk"})
    same({k for step in report["steps"] for k in step}, names[2])


def says_nothing_of_a_clean_path():
    with Kamailio():
        status, report = judge("run", "--case", "[!]*", "--case", "l*", "--case", "t*", *ENDS)
    same(all_but(report), {})
    same((status, report["verdict"], report["notes"]), (0, "pass", []))


STRIPS = [
    # name, edit, reply, the messages that lose their headers
    ("bye", 'if (is_method("BYE")) remove_hf_re("^X-");', "", {("BYE", "caller"), ("BYE", "callee")}),
    ("info-down", 'if (is_method("INFO") && $sp != 5080) remove_hf_re("^X-");', "", {("INFO", "caller")}),
    ("refer-up", 'if (is_method("REFER") && $sp == 5080) remove_hf_re("^X-");', "", {("REFER", "callee")}),
    ("invite", 'if (is_method("INVITE") && !has_totag()) remove_hf("X-Probe");', "", {("INVITE", "caller")}),
    ("reinvite", 'if (is_method("INVITE") && has_totag()) remove_hf("X-Probe");', "",
     {("re-INVITE", "caller"), ("re-INVITE", "callee")}),
    ("replies", "", 'remove_hf_re("^X-");',
     {("200 to INVITE", "callee"), ("200 to re-INVITE", "callee"), ("200 to re-INVITE", "caller")}),
]


def strips(edit, reply, where):
    with Kamailio(edit, reply):
        status, report = judge("run", *ENDS, "kam1=iface:lo")
        same(status, 1)
        same({k for k, v in fates(report).items() if v == {"stripped"}}, where)
        same(all_but(report, *where), {})
        for row in report["headers"]:
            if row["outcome"] == "stripped":
                same(row["guilty"]["node"], "kam1")
                same(row["received"], [])
        _, report = judge("run", *ENDS)  # without a capture on the way
        for row in report["headers"]:
            if row["outcome"] == "stripped":
                same((row["guilty"]["node"], row["guilty"]["candidates"]), (None, [PROXY]))


ALTERS = [
    ("cut", "subst('/^(X-Probe: .{12}).*$/\\1/')", "plain", "truncated"),
    ("emptied", "subst('/^X-Probe: .*$/X-Probe:/')", "plain", "emptied"),
    ("doubled", 'append_hf("X-Probe: $hdr(X-Probe)\\r\\n")', "plain", "duplicated"),
    ("encoded", "subst('/^(X-Probe: .*) (.*)$/\\1%20\\2/')", "quote-open", "encoded"),
    ("other", "subst('/^X-Probe: sipxray/X-Probe: SIPXRAY/')", "plain", "altered"),
]


def alters(edit, case, how):
    with Kamailio(f'if (is_method("BYE")) {{ {edit}; }}'):
        status, report = judge("run", "--case", case, *ENDS, "kam1=iface:lo")
    same(status, 1)
    rows = [r for r in report["headers"] if r["message"] == "BYE"]
    same({(r["outcome"], r["alteration"], r["guilty"]["node"]) for r in rows}, {("altered", how, "kam1")})
    same(all_but(report, ("BYE", "caller"), ("BYE", "callee")), {})


def rejects():
    with Kamailio('if (is_method("INFO")) { sl_send_reply("403", "No"); exit; }'):
        status, report = judge("run", *ENDS, "kam1=iface:lo")
    same(status, 1)
    rows = [r for r in report["headers"] if r["message"] == "INFO"]
    same({(r["outcome"], r["status"], r["seen_last"]) for r in rows}, {("rejected", 403, "kam1:in")})
    same(all_but(report, ("INFO", "caller"), ("INFO", "callee")), {})


def swallows():
    """Answered on the way, and never sent on."""
    with Kamailio('if (is_method("REFER")) { sl_send_reply("202", "Yes"); exit; }'):
        status, report = judge("run", *ENDS)
    same(status, 1)
    same({k for k, v in fates(report).items() if v == {"not-forwarded"}},
         {("REFER", "caller"), ("REFER", "callee")})


def drops():
    """Neither answered nor sent on; what comes after it is tried all the same."""
    with Kamailio('if (is_method("INFO")) exit;'):
        status, report = judge("run", "--step-time", "1s", *ENDS)
    same(status, 1)
    same(fates(report)[("INFO", "caller")], {"not-forwarded"})
    same(fates(report)[("BYE", "caller")], {"arrived"})


LOST_200 = 'reply_route { if (status == "200" && $rm == "INVITE" && $cs %s) drop; }'


def loses_answers():
    """What an end has answered is lost, also where the other end hears of something else at last."""
    with Kamailio(more=LOST_200 % "== 1"):
        status, report = judge("run", *ENDS, "kam1=iface:lo")
    same(status, 1)
    lost = [r for r in report["headers"] if r["outcome"] == "not-forwarded"]
    same([(r["message"], r["how"], r["seen_last"]) for r in lost],
         [("200 to INVITE", "the other end got 408 instead", "kam1:in")])
    assert any(n.startswith("answers to INVITE that got no ACK") for n in report["notes"]), report["notes"]


def loses_answers_within():
    with Kamailio(more=LOST_200 % "> 1"):
        status, report = judge("run", *ENDS, "kam1=iface:lo")
    same(status, 1)
    same(fates(report)[("200 to re-INVITE", "callee")], {"not-forwarded"})
    same(all_but(report, ("200 to re-INVITE", "callee"), ("200 to re-INVITE", "caller")), {})


def drops_reinvites():
    """What comes after it is tried all the same."""
    with Kamailio('if (is_method("INVITE") && has_totag()) exit;'):
        status, report = judge("run", "--step-time", "1s", *ENDS)
    same(status, 1)
    same({k: v for k, v in fates(report).items() if v != {"arrived"}},
         {("re-INVITE", "caller"): {"not-forwarded"}, ("re-INVITE", "callee"): {"not-forwarded"},
          ("200 to re-INVITE", "caller"): {"unknown"}, ("200 to re-INVITE", "callee"): {"unknown"}})


def drops_acks():
    with Kamailio('if (is_method("ACK")) exit;'):
        status, report = judge("run", *ENDS)
    same((status, all_but(report), report["notes"]), (0, {}, ["answers to INVITE that got no ACK: 4"]))


def refuses(edit, target, words):
    """No call comes about: who says so, and how far the INVITE came."""
    with Kamailio(edit, target=target):
        status, out, err = run("run", *ENDS, "kam1=iface:lo")
    same(status, 2)
    assert f"no call came about: INVITE: {words}" in err, err
    assert words in " ".join(out.split()), out


def joins_lines():
    """What looks different and is the same is no harm."""
    edit = ('if (is_method("BYE")) { $var(v) = $(hdr(X-Probe)[0]) + ", " + $(hdr(X-Probe)[1]); '
            'remove_hf("X-Probe"); append_hf("x-probe: $var(v)\\r\\n"); }')
    with Kamailio(edit):
        status, report = judge("run", "--case", "twice-unlike", *ENDS)
    same((status, report["verdict"]), (0, "pass"))
    same({r["how"] for r in report["headers"] if r["message"] == "BYE"}, {"its name is written x-probe"})


# ---- paths ---------------------------------------------------------------------------------------

def hides_topology():
    with Kamailio('if (is_method("BYE")) remove_hf_re("^X-");', define=["WITH_TOPOH"]):
        status, report = judge("run", *ENDS, "kam1=iface:lo")
    same(status, 1)
    same({k for k, v in fates(report).items() if v == {"stripped"}}, {("BYE", "caller"), ("BYE", "callee")})
    same(all_but(report, ("BYE", "caller"), ("BYE", "callee")), {})
    same({r["guilty"]["node"] for r in report["headers"] if r["outcome"] == "stripped"}, {"kam1"})


AUTH = ('if (is_method("INVITE") && !has_totag() && '
        '!pv_proxy_authenticate("probe", "secret", "0")) { proxy_challenge("probe", "0"); exit; } '
        'consume_credentials();')


def asks_for_credentials():
    with Kamailio(AUTH, define=["WITH_AUTH"]):
        status, report = judge("run", *ENDS, env={"SIPXRAY_CREDENTIALS": "anybody:secret"})
        same((status, all_but(report)), (0, {}))
        status, out, err = run("run", *ENDS, env={"SIPXRAY_CREDENTIALS": "anybody:wrong"})
        same(status, 2)
        assert "407" in err, err
        assert "wrong" not in out + err, "the password is printed"
        status, out, err = run("run", *ENDS)
        same(status, 2)
        assert "407" in err, err


MOVED = ('if (is_method("INVITE") && !has_totag() && $rU != "moved") {'
         ' append_to_reply("Contact: <sip:no@127.0.0.1:9>;q=0.1, <sip:moved@127.0.0.1:5060;x=1>;q=0.9\\r\\n");'
         ' sl_send_reply("302", "Moved"); exit; }'
         'if (is_method("BYE")) remove_hf_re("^X-");')


def follows_a_redirect():
    """The call that arrives in the end is the one that is judged."""
    with Kamailio(MOVED):
        status, report = judge("run", *ENDS, "kam1=iface:lo")
    same(status, 1)
    same({k for k, v in fates(report).items() if v == {"stripped"}}, {("BYE", "caller"), ("BYE", "callee")})
    same(all_but(report, ("BYE", "caller"), ("BYE", "callee")), {})
    same({r["guilty"]["node"] for r in report["headers"] if r["outcome"] == "stripped"}, {"kam1"})


def over_tcp():
    with Kamailio('if (is_method("BYE")) remove_hf_re("^X-");', target=f"sip:{CALLEE};transport=tcp"):
        status, report = judge("run", "--transport", "tcp", *ENDS, "kam1=iface:lo")
    same(status, 1)
    same({k for k, v in fates(report).items() if v == {"stripped"}}, {("BYE", "caller"), ("BYE", "callee")})
    same({r["guilty"]["node"] for r in report["headers"] if r["outcome"] == "stripped"}, {"kam1"})


def certificate(name):
    """A CA and a certificate that it has signed."""
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=WORK, check=True, capture_output=True)
    if not (WORK / "ca.pem").exists():
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                "-subj", "/CN=probe CA", "-days", "2")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={name}")
    (WORK / "ext").write_text(f"subjectAltName=DNS:{name},IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.pem", "-days", "2", "-extfile", "ext")


def tls(*define):
    """What the configuration takes, and the probe's options."""
    certificate("proxy.example")
    via = ["--transport", "tls", *ENDS]
    via[via.index(PROXY)] = "127.0.0.1:5061"
    return [f'KEY="{WORK}/proxy.example.key"', f'CERT="{WORK}/proxy.example.pem"', f'CA="{WORK}/ca.pem"',
            "WITH_TLS", *define], via


def over_tls():
    define, via = tls()
    with Kamailio('if (is_method("BYE")) remove_hf_re("^X-");', define=define,
                  target=f"sip:{CALLEE};transport=udp"):
        status, report = judge("run", "--ca", WORK / "ca.pem", "--server-name", "proxy.example", *via)
        assert status == 1, [step["words"] for step in report["steps"]]
        same({k for k, v in fates(report).items() if v == {"stripped"}},
             {("BYE", "caller"), ("BYE", "callee")})
        same(all_but(report, ("BYE", "caller"), ("BYE", "callee")), {})
        status, _, err = run("run", *via)  # nobody vouches for the certificate
        same(status, 2)
        assert "certificate" in err or "TLS" in err, err


def shows_a_certificate():
    """The proxy wants one of the probe."""
    define, via = tls("ASK_CLIENT")
    certificate("probe.example")
    ca = ["--ca", WORK / "ca.pem", "--server-name", "proxy.example"]
    with Kamailio(define=define, target=f"sip:{CALLEE};transport=udp"):
        status, report = judge("run", *ca, "--cert", WORK / "probe.example.pem",
                               "--cert-key", WORK / "probe.example.key", *via)
        same((status, all_but(report)), (0, {}))
        status, _, err = run("run", *ca, *via)
        same(status, 2)
        assert "there is no TLS connection: TLS: tlsv13 alert certificate required" in err, err


def loses_packets():
    """Every third datagram is lost between the probe and the proxy: retransmissions make up for it."""
    caller, over = [], threading.Event()

    def work():
        count = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
            relay.bind(("127.0.0.1", 5070))
            relay.settimeout(0.1)
            while not over.is_set():
                try:
                    data, peer = relay.recvfrom(65536)
                except TimeoutError:
                    continue
                count += 1
                if peer[1] != 5060:
                    caller[:] = [peer]
                if count % 3:
                    relay.sendto(data, ("127.0.0.1", 5060) if peer[1] != 5060 else caller[0])
    thread = threading.Thread(target=work)
    thread.start()
    ends = [w if w != PROXY else "127.0.0.1:5070" for w in ENDS]
    with Kamailio('if (is_method("BYE")) remove_hf_re("^X-");'):
        try:
            status, report = judge("run", "--step-time", "10s", *ends)
        finally:
            over.set()
            thread.join()
    same(status, 1)
    same({k for k, v in fates(report).items() if v != {"arrived"}}, {("BYE", "caller"), ("BYE", "callee")})


NOBODY = [
    ("nobody there", ["--via", "127.0.0.1:5999"], "Connection refused"),
    ("nobody there, TCP", ["--via", "127.0.0.1:5999", "--transport", "tcp"], "refused"),
    ("no route", ["--via", "192.0.2.1"], "unreachable"),
]


def nobody_answers(where, words):
    ends = ENDS[2:]
    status, out, err = run("run", "--suite", "--step-time", "1s", *where, *ends)
    same(status, 2)
    assert words in err, err
    assert out.count("plain") > 0, out


def answers_503():
    with Kamailio('sl_send_reply("503", "Later"); exit;'):
        status, _, err = run("run", "--suite", *ENDS)
    same(status, 2)
    assert "503" in err, err


def over_ipv6():
    """Without a proxy: both ends talk to each other."""
    status, report = judge("run", "--via", "[::1]:5080", "--to", "sip:1@[::1]", "--listen", "[::1]:5080")
    same((status, all_but(report)), (0, {}))


def masks_call_ids():
    """The callee's side has another Call-ID."""
    with Kamailio('if (is_method("REFER")) remove_hf_re("^X-");', define=["WITH_TOPOH", "MASK_CALLID"]):
        status, report = judge("run", *ENDS, "kam1=iface:lo")
    same(status, 1)
    same({k for k, v in fates(report).items() if v != {"arrived"}}, {("REFER", "caller"), ("REFER", "callee")})
    same({r["guilty"]["node"] for r in report["headers"] if r["outcome"] == "stripped"}, {"kam1"})


def in_another_namespace():
    """The proxy is on a host of its own, and its capture a file that is read afterwards."""
    far = subprocess.Popen(["unshare", "--net", "sleep", "60"])
    pcap = WORK / "kam1.pcap"

    def sh(command):
        subprocess.run(command.split(), check=True)
    inside = ["nsenter", "-t", str(far.pid), "-n"]
    try:
        wait_until(lambda: os.readlink(f"/proc/{far.pid}/ns/net") != os.readlink("/proc/self/ns/net"), "namespace")
        sh(f"ip link add probe0 type veth peer name kam0 netns {far.pid}")
        sh("ip addr add 10.9.0.5/24 dev probe0")
        sh("ip link set probe0 up")
        for command in ("ip addr add 10.9.0.1/24 dev kam0", "ip link set kam0 up", "ip link set lo up"):
            sh(" ".join(inside) + " " + command)
        capture = subprocess.Popen([*inside, "tcpdump", "-q", "-U", "-i", "any", "-w", pcap],
                                   stderr=subprocess.DEVNULL)
        wait_until(lambda: pcap.exists() and pcap.stat().st_size, "capture")
        with Kamailio('if (is_method("BYE")) remove_hf_re("^X-");', target="sip:10.9.0.5:5080",
                      define=['ADDRESS="10.9.0.1"'], before=inside, address="10.9.0.1"):
            status, report = judge("run", "--via", "10.9.0.1", "--to", "sip:1@10.9.0.1", "--listen",
                                   "10.9.0.5:5080", "--local", "10.9.0.5:5070", "--transport", "tcp", pcap)
        capture.terminate()
        capture.wait()
    finally:
        far.kill()
        far.wait()
    same(status, 1)
    same({(r["message"], r["guilty"]["node"]) for r in report["headers"] if r["outcome"] == "stripped"},
         {("BYE", "kam1")})
    same(all_but(report, ("BYE", "caller"), ("BYE", "callee")), {})


def reads_as_tests():
    """The reports in their formats, by those who read them."""
    with Kamailio('if (is_method("BYE")) remove_hf_re("^X-");'):
        formats = [f"--format={f}:{WORK}/report.{f}" for f in ("junit", "tap", "markdown", "json", "text")]
        status, out, _ = run("run", "--case", "quote*", "--case", "utf*", *ENDS, *formats)
    same((status, out), (1, ""))
    done = subprocess.run(["xmllint", "--noout", "--schema", "tests/reports/junit.xsd", WORK / "report.junit"],
                          capture_output=True)
    same((done.returncode, done.stderr.decode().count("validates")), (0, 1))
    report = json.loads((WORK / "report.json").read_text())
    bad = sum(r["outcome"] != "arrived" for r in report["headers"])
    done = subprocess.run(["prove", "-v", "-e", "cat", WORK / "report.tap"], capture_output=True)
    assert f"Failed {bad}/{len(report['headers'])} subtests" in done.stdout.decode(), done.stdout.decode()[-500:]
    assert (WORK / "report.junit").read_text().count("<failure ") == bad
    assert (WORK / "report.markdown").read_text().count("**gone**") == 6


def missing_file():
    """It is told at the end, and so is what the calls showed."""
    with Kamailio():
        status, out, err = run("run", *ENDS, "/nowhere/kam1.pcap")
    same(status, 2)
    assert "/nowhere/kam1.pcap: No such file" in err and "PASS" in out, (out, err)


# ---- peers that mean no good ----------------------------------------------------------------------

def hostile_udp(answer, args=("run", *ENDS), seconds=25):
    """Whatever comes is answered so; the probe ends in time, with a status."""
    asked, over = [], threading.Event()

    def work():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 5060))
            s.settimeout(0.1)
            while not over.is_set():
                try:
                    data, peer = s.recvfrom(65536)
                except TimeoutError:
                    continue
                asked.append(data)
                for reply in answer(data):
                    s.sendto(reply, peer)
    thread = threading.Thread(target=work)
    thread.start()
    begin = time.monotonic()
    try:
        status, out, err = run(*args, "--step-time", "1s")
    finally:
        over.set()
        thread.join()
    took = time.monotonic() - begin
    assert asked and took < seconds, f"it took {took:.1f} s"
    return status, out, err


def response(request, status, extra=b"", tag=b"x"):
    head = [line for line in request.split(b"\r\n\r\n")[0].split(b"\r\n")
            if line.split(b":")[0] in (b"Via", b"From", b"To", b"Call-ID", b"CSeq")]
    head = [line + b";tag=" + tag if line.startswith(b"To:") and b"tag=" not in line else line for line in head]
    return b"\r\n".join([b"SIP/2.0 " + status, *head, extra + b"Content-Length: 0", b"", b""])


HOSTILE = [
    ("garbage", lambda d: [os.urandom(1400)] * 20),
    ("nothing but its own request", lambda d: [d]),
    ("huge", lambda d: [response(d, b"200 OK", b"X-Probe: " + b"a" * 60000 + b"\r\n")]),
    ("never-ending 1xx", lambda d: [response(d, b"183 Wait")] * 50),
    ("a hundred forks", lambda d: [response(d, b"200 OK", b"Contact: <sip:a@127.0.0.1>\r\n", b"%d" % i)
                                   for i in range(100)]),
    ("a redirect to itself", lambda d: [response(d, b"302 Moved", b"Contact: <sip:1@127.0.0.1:5060>\r\n")]),
    ("control bytes", lambda d: [response(d, b"499 \x1b[2J\x00\xff\r")]),
]


def hostile(answer):
    status, _, err = hostile_udp(answer)
    assert status in (1, 2), f"status {status}"
    assert not set(err) & set("\x1b\x00"), repr(err)


def far_ends():
    """Where the other end is not ours nobody says that it did not get what it rings for, or refuses."""
    call = ["call", "--to", "sip:1@127.0.0.1:5060", "--pause", "0", "--format", "json"]
    for answer, outcome in ((b"180 Ringing", "unknown"), (b"486 Busy Here", "rejected")):
        status, out, err = hostile_udp(lambda d, a=answer: [] if d.startswith(b"ACK") else [response(d, a)], call)
        rows = [r for r in json.loads(out)["headers"] if r["message"] == "INVITE"]
        same((status, {r["outcome"] for r in rows}), (2, {outcome}))
        assert answer.decode() in err, err
    _, out, _ = hostile_udp(lambda d: [] if d.startswith(b"ACK") else [response(d, b"603 No")], call[:-2])
    assert "not forwarded" not in out and "603 No" in out, out


# ---- trunks --------------------------------------------------------------------------------------

def by_a_trunk():
    values = WORK / "values.json"
    values.write_text('{"five9.queue": "Sales", "five9.language": null}')
    with Kamailio('if (is_method("BYE")) remove_hf("X-Five9-Queue");'):
        status, report = judge("run", "--trunk", TRUNK, "--values", values, *ENDS, "kam1=iface:lo")
    same(status, 1)
    bad = [(r["message"], r["from"], r["header"], r["sent"], r["outcome"], r["guilty"]["node"])
           for r in report["headers"] if r["outcome"] != "arrived"]
    same(bad, [("BYE", "livekit", "X-Five9-Queue", ["Sales"], "stripped", "kam1")])
    assert "X-Five9-Language" not in {r["header"] for r in report["headers"]}, "it is unset"
    same({r["message"] for r in report["headers"]}, {"INVITE", "200 to INVITE", "REFER", "BYE"})


def by_an_outbound_trunk():
    """LiveKit calls: its fixed headers on INVITE, its attributes on BYE and REFER."""
    trunk = WORK / "out.json"
    trunk.write_text('{"name":"Out","address":"sip.x","headers":{"X-Fixed":"f"},'
                     '"headers_to_attributes":{"X-From":"from"},"attributes_to_headers":{"a":"X-A"}}')
    with Kamailio('if (is_method("INVITE")) remove_hf("X-Fixed");'):
        status, report = judge("run", "--trunk", trunk, *ENDS)
    same(status, 1)
    same({(r["message"], r["from"], r["header"], r["outcome"]) for r in report["headers"]},
         {("INVITE", "livekit", "X-Fixed", "stripped"), ("200 to INVITE", "carrier", "X-From", "arrived"),
          ("BYE", "livekit", "X-A", "arrived"), ("REFER", "livekit", "X-A", "arrived")})


def shows_no_secret():
    trunk = WORK / "secret.json"
    trunk.write_text('{"name":"T","numbers":["+15105550100"],"attributes_to_headers":{"k":"X-API-Key","a":"X-A"}}')
    (WORK / "v.json").write_text('{"k":"sesame","a":"plain"}')
    args = ["run", "--trunk", trunk, "--values", WORK / "v.json", *ENDS]
    status, out, _ = run(*args, "--dry-run")
    assert status == 0 and "sesame" not in out and "X-A: plain" in out, out
    with Kamailio('if (is_method("BYE")) { remove_hf("X-API-Key"); remove_hf("X-A"); }'):
        for name in ("text", "json", "junit", "tap", "markdown", "ndjson"):
            status, out, err = run(*args, "--format", name)
            same(status, 1)
            assert "sesame" not in out + err and out, name


def is_stopped():
    """By its limit of time: what was not tried does not pass."""
    with Kamailio():
        status, report = judge("run", "--suite", *ENDS[:-1], "300ms", "--for", "1s")
    same((status, report["verdict"], all_but(report)), (3, "inconclusive", {}))
    assert any(re.fullmatch(r"calls that were not made any more: \d+", n) for n in report["notes"]), report["notes"]


def begins_late():
    """Calls are made when the command captures, and what it has seen is waited for."""
    with Kamailio('if (is_method("BYE")) remove_hf_re("^X-");'):
        status, report = judge("run", *ENDS, "kam1=cmd:sleep 1; tcpdump -q -U -i lo -w -")
    same((status, {r["guilty"]["node"] for r in report["headers"] if r["outcome"] == "stripped"}), (1, {"kam1"}))


def amid_others():
    """Others talk at the same point: the proxy of the calls has its name nevertheless."""
    sipp = [subprocess.Popen(["sipp", "-sn", role, "-i", "127.0.0.1", "-nostdin", *more], cwd=WORK, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for role, more in (("uas", ["-p", "6080"]), ("uac", ["-p", "6090", "-r", "20", "127.0.0.1:6080"]))]
    try:
        capture = WORK / "others.pcap"
        subprocess.run(["tcpdump", "-q", "-i", "lo", "-c", "20", "-w", capture, "udp port 6080"], check=True,
                       stderr=subprocess.DEVNULL, timeout=PATIENCE)  # they talk by now
        with Kamailio('if (is_method("BYE")) remove_hf_re("^X-");'):
            status, report = judge("run", *ENDS[:-1], "1s", "kam1=iface:lo")
    finally:
        for process in sipp:
            process.kill()
            process.wait()
    same((status, {r["guilty"]["node"] for r in report["headers"] if r["outcome"] == "stripped"}), (1, {"kam1"}))


def in_a_chain():
    """Two proxies at one point: it is neither's name."""
    with Kamailio(target="sip:127.0.0.2:5060"), Kamailio('if (is_method("BYE")) remove_hf_re("^X-");',
                                                         define=['ADDRESS="127.0.0.2"'], address="127.0.0.2"):
        status, report = judge("run", *ENDS, "kams=iface:lo")
    same((status, {r["guilty"]["node"] for r in report["headers"] if r["outcome"] == "stripped"}), (1, {"127.0.0.2"}))


class B2bua(threading.Thread):
    """At 5060 towards the caller and at 5061 towards the callee: another Call-ID, other tags, Via and
    CSeq on either side, and no X- headers on BYE."""

    def __enter__(self):
        self.over, self.count, self.transactions, self.caller = threading.Event(), 0, {}, None
        self.sides = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for side, port in zip(self.sides, (5060, 5061)):
            side.bind(("127.0.0.1", port))
            side.settimeout(0.01)
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        for side in self.sides:
            side.close()

    def run(self):
        while not self.over.is_set():
            for side in (0, 1):
                try:
                    self.pass_on(side, *self.sides[side].recvfrom(65536))
                except TimeoutError:
                    pass

    def pass_on(self, side, data, peer):
        head, body = data.split(b"\r\n\r\n", 1)
        via = b"\r\n".join(re.findall(rb"(?m)^Via: .*(?=\r)", head))
        branch = re.search(rb"branch=([^;\r]+)", via)[1]
        response = head.startswith(b"SIP/2.0")
        if response:
            via, peer = self.transactions[branch]
        else:
            self.caller = peer if side == 0 else self.caller
            own = b"z9hG4bKown" + branch[7:]
            self.transactions[own] = (via, peer)
            via = b"Via: SIP/2.0/UDP 127.0.0.1:%d;branch=%s" % (5061 - side, own)
            peer = ("127.0.0.1", 5080) if side == 0 else self.caller
            head = re.sub(rb"^(\w+) \S+", rb"\1 sip:1@%s:%d" % (peer[0].encode(), peer[1]), head)
        if head.startswith(b"BYE"):
            head = re.sub(rb"\r\nX-[^\r]*", b"", head)
        add = -1000 if response else 1000
        head = re.sub(rb"(?m)^CSeq: (\d+)", lambda m: b"CSeq: %d" % (int(m[1]) + add), head)
        head = re.sub(rb"(?m)(^Call-ID: |;tag=)(\w+)", lambda m: m[1] + m[2][::-1], head)
        head = re.sub(rb"(?m)^Contact: [^\r]*", b"Contact: <sip:b2bua@127.0.0.1:%d>" % (5061 - side), head)
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Via:")]
        self.sides[1 - side].sendto(b"\r\n".join([lines[0], via, *lines[1:], b"", body]), peer)


def over_a_b2bua():
    """It never sent them on, but did not begin what our caller sent: the culprit is one of the way."""
    with B2bua():
        for more in ([], ["b2b=iface:lo"]):
            status, report = judge("run", *ENDS, *more)
            same(status, 1)
            same(all_but(report, ("BYE", "caller"), ("BYE", "callee")), {})
            for row in report["headers"]:
                if row["outcome"] == "arrived":
                    continue
                same((row["outcome"], row["received"]), ("stripped", []))
                guilty = row["guilty"]
                same({g.split(":")[0] for g in [guilty["node"] or guilty["candidates"][0]]} <= {"127.0.0.1", "b2b"}, True)
        _, out, _ = run("run", *ENDS)
        assert "never-sent" not in out and "stripped" in out, out


def breaks_off():
    """A source that ends with an error while calls are made takes nothing of the report away."""
    with Kamailio('if (is_method("BYE")) remove_hf_re("^X-");'):
        status, out, err = run("run", *ENDS[:-1], "1s", "kam1=cmd:sleep 0.5; echo this is no capture")
    same(status, 2)
    assert "not a pcap" in err and "12 headers judged" in out, (out, err)


def ends_apart():
    """Two processes, as on two hosts; the Subject that tells the calls apart is taken away."""
    with Kamailio('remove_hf("Subject"); if (is_method("INFO")) remove_hf_re("^X-");'):
        answer = subprocess.Popen([PROGRAM, "probe", "answer", "--case", "plain", "--listen", CALLEE, "--calls",
                                   "2", "--for", "30s", "--format", "json", "--format", f"ndjson:{WORK}/got"],
                                  stdout=subprocess.PIPE)
        wait_until(lambda: is_open(5080), "answering end")
        status, report = judge("call", "--case", "plain", "--via", PROXY, "--to", "sip:1@127.0.0.1")
        far = json.loads(answer.communicate(timeout=PATIENCE)[0])
    same((status, answer.returncode), (1, 1))
    same({k: v for k, v in fates(report).items() if v != {"arrived"}}, {("INFO", "callee"): {"stripped"}})
    same({k: v for k, v in fates(far).items() if v != {"arrived"}}, {("INFO", "caller"): {"stripped"}})
    got = [json.loads(line) for line in open(WORK / "got", encoding="utf-8")]
    same([m["method"] for m in got if m["kind"] == "request" and m["cseq"] == 1][0], "INVITE")
    assert {"BYE", "INFO", "REFER"} <= {m["method"] for m in got if m["kind"] == "request"}, got


def trunk_ends_apart():
    """LiveKit's end calls and the carrier's answers: the latter knows a transfer from a hang-up."""
    trunk = WORK / "apart.json"
    trunk.write_text('{"name":"Out","address":"sip.x","headers":{"X-Fixed":"f"},"attributes_to_headers":{"a":"X-A"}}')
    with Kamailio('if (is_method("REFER")) remove_hf("X-A");'):
        answer = subprocess.Popen([PROGRAM, "probe", "answer", "--trunk", trunk, "--as", "carrier", "--listen", CALLEE,
                                   "--calls", "2", "--for", "30s", "--format", "json"], stdout=subprocess.PIPE)
        wait_until(lambda: is_open(5080), "answering end")
        status, report = judge("call", "--trunk", trunk, "--as", "livekit", "--via", PROXY, "--to", "sip:1@127.0.0.1")
        far = json.loads(answer.communicate(timeout=PATIENCE)[0])
    same((status, report["steps"]), (3, []))  # nothing is to come back
    same(answer.returncode, 1)
    same(sorted((r["message"], r["header"], r["outcome"]) for r in far["headers"]),
         [("BYE", "X-A", "arrived"), ("INVITE", "X-Fixed", "arrived"), ("INVITE", "X-Fixed", "arrived"),
          ("REFER", "X-A", "stripped")])


def as_the_readme_says():
    """Its request_route, its line, and what it says comes out."""
    text = pathlib.Path("README.md").read_text(encoding="utf-8")
    section = text[text.index("## Test your Kamailio in one line"):].split("\n## ")[0]
    blocks = re.findall(r"(?:^(?:    .*)?\n)+", section, re.M)
    route = next(b for b in blocks if "request_route" in b)
    said = textwrap.dedent(next(b for b in blocks if "$ sipxray" in b)).strip()
    command, said = said.split("\n", 1)
    folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
    base = (HERE / "kamailio.cfg").read_text(encoding="utf-8").split("include_file")[0]
    (folder / "kamailio.cfg").write_text(base + route)
    with Kamailio(folder=folder):
        done = subprocess.run(["sh", "-c", command[1:].strip().replace("sipxray", PROGRAM, 1) +
                               '; echo "exit status $?"'],
                              capture_output=True, timeout=PATIENCE, env={**os.environ, "COLUMNS": "80"})
    same(done.stdout.decode().split(), said.split())


# ---- other programs ------------------------------------------------------------------------------

def sipp_answers():
    """The far end is sipp, which sends nothing of the script: what cannot be judged is said."""
    uas = subprocess.Popen(["sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", "5080", "-m", "1", "-nostdin"],
                           cwd=WORK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Kamailio():
            status, report = judge("call", "--trunk", TRUNK, "--as", "carrier", "--step-time", "2s",
                                   *ENDS[:4])
    finally:
        uas.terminate()
        uas.wait()
    same(status, 3)
    same({r["outcome"] for r in report["headers"]}, {"unknown"})
    same({r["message"] for r in report["headers"]}, {"200 to INVITE", "BYE"})


def sipp_calls():
    """sipp as LiveKit's peer: it sends one of the headers that the trunk reads."""
    with Kamailio():
        answer = subprocess.Popen([PROGRAM, "probe", "answer", "--trunk", TRUNK, "--as", "livekit", "--listen",
                                   CALLEE, "--calls", "1", "--for", "20s", "--format", "json"],
                                  stdout=subprocess.PIPE)
        wait_until(lambda: is_open(5080), "answering end")
        subprocess.run(["sipp", "-sf", HERE / "uac.xml", "-i", "127.0.0.1", "-p", "5090", "-m", "1", "-nostdin",
                        PROXY], cwd=WORK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=PATIENCE, check=True)
        report = json.loads(answer.communicate(timeout=PATIENCE)[0])
    same(answer.returncode, 0)
    same([(r["message"], r["header"], r["outcome"], r["received"]) for r in report["headers"]],
         [("INVITE", "X-Five9-CallId", "arrived", ["4711"])])


def tshark_agrees():
    """What the probe says it sent is on the wire, byte for byte."""
    pcap = WORK / "sent.pcap"
    capture = subprocess.Popen(["tcpdump", "-q", "-U", "-B", "16384", "-i", "lo", "-w", pcap], stderr=subprocess.DEVNULL)
    wait_until(lambda: pcap.exists() and pcap.stat().st_size, "capture")
    time.sleep(0.5)
    with Kamailio():
        _, report = judge("run", "--case", "fold*", "--case", "c*", "--case", "utf*", "--case", "e*", "--case", "m*", *ENDS)
    time.sleep(1.5)
    capture.send_signal(signal.SIGINT)
    capture.wait()
    out = subprocess.run(["tshark", "-r", pcap, "-Y", "sip", "-T", "fields", "-e", "udp.dstport", "-e",
                          "udp.payload"], capture_output=True, check=True).stdout.decode()
    sent = [bytes.fromhex(payload) for port, payload in
            (line.split("\t") for line in out.splitlines()) if port == "5060"]
    lines = {
        "fold": b"\r\nX-Probe: sipxray.fold.BYE.caller\r\n second line\r\n",
        "fold-first": b"\r\nX-Probe:\r\n sipxray.fold-first.BYE.caller\r\n",
        "fold-tab": b"\r\nX-Probe: sipxray.fold-tab.INFO.callee\r\n\tsecond line\r\n    third line\r\n",
        "case-mixed": b"\r\nx-pRoBE-nAmE: sipxray.case-mixed.REFER.caller\r\n",
        "colon-space": b"\r\nX-Probe : sipxray.colon-space.re-INVITE.callee\r\n",
        "colon-tab": b"\r\nX-Probe\t: sipxray.colon-tab.INVITE-200.callee\r\n",
        "colon-tight": b"\r\nX-Probe:sipxray.colon-tight.INVITE.caller\r\n",
        "utf-8": " Zürich".encode(),
        "empty": b"\r\nX-Probe-Empty:\r\n",
    }
    for name, line in lines.items():
        assert any(line in message for message in sent), f"{name}: {line} is not on the wire"
    long = [m for m in sent if b"sipxray.message-1300" in m]
    assert len(long) == 12 and all(1300 < len(m) < 1600 for m in long), [len(m) for m in long]
    long = [m for m in sent if b"sipxray.message-mtu" in m]
    assert len(long) == 12 and all(1500 < len(m) < 1800 for m in long), [len(m) for m in long]
    same(len(sent) > 0 and report["summary"]["messages_sent"] <= len(sent), True)


TESTS = [
    ("a path that keeps all but what kamailio refuses", passes_all),
    ("a clean path", says_nothing_of_a_clean_path),
    *((f"strips: {n}", lambda e=e, r=r, w=w: strips(e, r, w)) for n, e, r, w in STRIPS),
    *((f"alters: {n}", lambda e=e, c=c, h=h: alters(e, c, h)) for n, e, c, h in ALTERS),
    ("rejects", rejects),
    ("swallows", swallows),
    ("drops", drops),
    ("loses answers", loses_answers),
    ("loses answers within calls", loses_answers_within),
    ("drops re-INVITEs", drops_reinvites),
    ("drops ACKs", drops_acks),
    ("refuses", lambda: refuses('sl_send_reply("404", "Not Here"); exit;', "sip:127.0.0.1:9", "404 Not Here: its Server "
                                "is kamailio")),
    ("nobody behind it", lambda: refuses("", "sip:127.0.0.9:5999", "408 Request Timeout: its Server is kamailio (5.6.3 "
                                         "(x86_64/linux)); last seen at kam1:out")),
    ("joins lines", joins_lines),
    ("topoh", hides_topology),
    ("407", asks_for_credentials),
    ("302", follows_a_redirect),
    ("TCP", over_tcp),
    ("TLS", over_tls),
    ("TLS, certificates of both", shows_a_certificate),
    ("lost packets", loses_packets),
    *((n, lambda w=w, t=t: nobody_answers(w, t)) for n, w, t in NOBODY),
    ("503", answers_503),
    ("IPv6", over_ipv6),
    ("masked Call-IDs", masks_call_ids),
    ("namespaces", in_another_namespace),
    ("formats", reads_as_tests),
    ("a file that is missing", missing_file),
    *((f"hostile: {n}", lambda a=a: hostile(a)) for n, a in HOSTILE),
    ("far ends", far_ends),
    ("trunk", by_a_trunk),
    ("outbound trunk", by_an_outbound_trunk),
    ("secrets", shows_no_secret),
    ("stopped", is_stopped),
    ("a source that breaks off", breaks_off),
    ("a source that begins late", begins_late),
    ("amid other calls", amid_others),
    ("a chain", in_a_chain),
    ("a B2BUA", over_a_b2bua),
    ("ends apart", ends_apart),
    ("a trunk's ends apart", trunk_ends_apart),
    ("README", as_the_readme_says),
    ("sipp answers", sipp_answers),
    ("sipp calls", sipp_calls),
    ("tshark", tshark_agrees),
]


def choose(words):
    """"2/4" is the second of four parts; else the tests whose name has one of the words."""
    if len(words) == 1 and re.fullmatch(r"\d/\d", words[0]):
        part, parts = map(int, words[0].split("/"))
        return TESTS[part - 1::parts]
    return [t for t in TESTS if not words or any(w in t[0] for w in words)]


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name, test in choose(sys.argv[2:]):
        begin = time.monotonic()
        try:
            test()
            print(f"ok {name} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception as e:  # whatever it is, the others go on
            print(f"not ok {name}: {type(e).__name__}: {e}", flush=True)
    if not os.environ.get("PROBE_KEEP"):
        shutil.rmtree(WORK, ignore_errors=True)


main()
