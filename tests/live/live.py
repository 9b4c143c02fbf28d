"""Live sources by the whole program: commands, pipes, and (within a network namespace) interfaces.

live.py PROGRAM pipes|network: prints a line for each test, "ok NAME", "not ok NAME: why" or
"skip NAME: why".
"""

import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

PROGRAM = os.path.abspath(sys.argv[1])
CAPTURE = "captures/kam1-strips-bye/kam1.pcapng"
OTHER_CAPTURE = "captures/kam1-strips-bye/kam2.pcap"  # of another format and link type
NOBODY = 65534
PATIENCE = 20  # seconds for what should take none
# A process that has become another user can't be looked into by the leak checker.
NO_LEAKS = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def read_line(pipe):
    signal.alarm(PATIENCE)
    line = pipe.readline().decode()
    signal.alarm(0)
    assert line, "it has ended"
    return line


class Run:
    """sipxray, started; its output is read line by line."""

    started = []

    def __init__(self, *args, stdin=subprocess.DEVNULL, before=(), leaks=False, env=None):
        self.process = subprocess.Popen(
            [*before, PROGRAM, *args], stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0, env=env or (os.environ if leaks else NO_LEAKS))
        self.lines = []
        Run.started.append(self.process)

    @staticmethod
    def kill_all():
        """Those that a test which failed has left."""
        for process in Run.started:
            if process.poll() is None:
                process.kill()
        Run.started.clear()

    def line(self):
        """The next line, which must come without anything being ended."""
        line = read_line(self.process.stdout)
        self.lines.append(line)
        return line

    def error(self):
        """The next line on standard error, likewise."""
        return read_line(self.process.stderr)

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, number=None):
        """(status, the rest of stdout, stderr)"""
        if number:
            self.signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out.decode(), err.decode()

    def status(self):
        """What /proc tells of it, once it has given up its rights."""
        return wait_until(self.rights, "rights given up")

    def rights(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            fields = dict(line.split(":", 1) for line in f)
        found = {name: fields[name].split() for name in
                 ("Uid", "Gid", "Groups", "CapEff", "CapPrm", "CapBnd", "NoNewPrivs",
                  "Seccomp")}
        return found if found["NoNewPrivs"] == ["1"] and found["Seccomp"] == ["2"] else None


def wait_until(ask, what):
    for _ in range(PATIENCE * 50):
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {what}")


def same(actual, expected):
    assert actual == expected, f"{repr(actual)[:2000]} instead of {repr(expected)[:2000]}"


def has(text, part):
    assert part in text, f"{part!r} is not in {repr(text)[:2000]}"


def is_gone(pid):
    """No process of this number, nor a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def children_of(pid):
    """Zombies are some, too."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


def numbers_in(path, count):
    """Once there are so many."""
    if not os.path.exists(path):
        return None
    with open(path, encoding="ascii") as f:
        words = f.read().split()
    return [int(word) for word in words] if len(words) >= count else None


def temporary():
    return tempfile.TemporaryDirectory(prefix="sipxray-live.")


# ---- messages ------------------------------------------------------------------------------------


def message(start, vias, call_id, headers=""):
    stack = "".join(f"Via: SIP/2.0/UDP {v};branch=z9hG4bK{call_id}{v}\r\n" for v in vias)
    return (f"{start}\r\n{stack}From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=2\r\n"
            f"Call-ID: {call_id}\r\nCSeq: 1 {start.split()[0]}\r\n{headers}"
            "Content-Length: 0\r\n\r\n").encode()


def options(call_id, headers=""):
    return message("OPTIONS sip:b@example.com SIP/2.0", ["192.0.2.1"], call_id, headers)


def send(data, src="127.0.0.1", dst="127.0.0.1"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((src, 5060))
        s.sendto(data, (dst, 5060))


def frame_of(data, src, dst):
    """Ethernet, IPv4 and UDP around it."""
    udp = struct.pack("!HHHH", 5060, 5060, 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + head[12:]
    return b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x08\0" + head + udp


def send_frame(interface, data, src="192.0.2.1", dst="192.0.2.2"):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((interface, 0))
        s.send(frame_of(data, src, dst))


def listening(run, count=1):
    """Until its devices are open and its rights are gone: then nothing is missed."""
    run.status()
    with open("/proc/net/packet", encoding="ascii") as f:
        assert len(f.readlines()) > count
    return run


# ---- commands and pipes --------------------------------------------------------------------------


def messages_of(*args, **more):
    return Run("messages", "--format", "ndjson", *args, **more)


def expected_messages(capture=CAPTURE):
    status, out, _ = messages_of(f"x={capture}").end()
    same(status, 0)
    assert out.count("\n") > 10
    return out


def test_command():
    expected = expected_messages()
    same(messages_of(f"x=cmd:cat {CAPTURE}").end(), (0, expected, ""))
    same(messages_of(f"x=cmd:gzip -c {CAPTURE}").end(), (0, expected, ""))


def test_command_is_freed():
    with temporary() as folder:
        run = messages_of("--format", "text:" + folder + "/text", f"x=cmd:cat {CAPTURE}",
                          "y=cmd:sleep 100", leaks=True)
        same(len(run.line()) > 0, True)
        same(run.end(signal.SIGINT)[0], 0)
        assert os.path.getsize(folder + "/text") > 100


def test_byte_by_byte():
    slowly = f"""python3 -c 'import sys, time
for b in open("{CAPTURE}", "rb").read(3000):
    sys.stdout.buffer.write(bytes([b])); sys.stdout.buffer.flush()'"""
    status, out, err = messages_of(f"x=cmd:{slowly}").end()
    same(status, 0)
    assert out and expected_messages().startswith(out)
    has(err, "truncated in block")


def test_at_the_same_time():
    with temporary() as folder:
        there = " && ".join(f"[ -e {folder}/{name} ]" for name in "abc")
        commands = [f"{name}=cmd:touch {folder}/{name}; until {there}; do sleep 0.05; done; cat {CAPTURE}"
                    for name in "abc"]
        status, out, _ = messages_of(*commands).end()
        same(status, 0)
        same(sorted({json.loads(line)["point"] for line in out.splitlines()}), ["a", "b", "c"])


def test_shown_at_once():
    run = messages_of(f"x=cmd:cat {CAPTURE}; sleep 100")
    has(run.line(), '"point":"x"')
    status, out, err = run.end(signal.SIGINT)
    same((status, run.lines[0] + out, err), (0, expected_messages(), ""))


def test_check_by_signal():
    folder = "captures/kam1-strips-bye"
    with open(folder + "/command", encoding="utf-8") as f:
        words = f.read().split()
    words = [f"{folder}/{w}" if w.endswith(".json") else w for w in words]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with temporary() as read:
            sources = [re.sub(r"^(\w+)=(.*)", rf"\1=cmd:cat {folder}/\2; touch {read}/\1; exec sleep 100", w)
                       for w in words]
            run = Run("check", "--format", "text", "--verbose", *sources)
            wait_until(lambda folder=read: len(os.listdir(folder)) == len(POINTS), "all is written")
            status, out, _ = run.end(number)
            same(status, 1)
            has(out, "strips 7 of 7 headers from BYE")


STRIPS = "captures/kam1-strips-bye"
POINTS = {"livekit": "livekit.pcap", "kam1": "kam1.pcapng", "kam2": "kam2.pcap",
          "five9": "five9.pcap"}


def watch(*args, late=None, written=None, **more):
    """check --live of the four points, which go on; one of them comes late.  Once one is all written,
    the folder `written` has a file of its name."""
    sources = [f"{name}=cmd:{'sleep 1.5; ' if name == late else ''}cat {STRIPS}/{file}; "
               f"{f'touch {written}/{name}; ' if written else ''}exec sleep 100" for name, file in POINTS.items()]
    return Run("check", "--live", "--trunk", f"{STRIPS}/trunk.json", *args, *sources, **more)


def test_live_at_once():
    """The strip is told within a second of its being there, and counts in the end."""
    with temporary() as written:
        run = watch(written=written, leaks=True)
        has(run.line(), "(UTC)")
        has(run.line(), "FAIL #1 +14155550100 -> +15105550100: kam1 (10.0.1.1 in, 10.0.2.1 out) strips "
                        "7 of 7 headers from BYE: ")
        late = time.time() - max(os.stat(f"{written}/{name}").st_mtime for name in POINTS)
        assert late < 1, f"told after {late:.3f} s"
        status, out, err = run.end(signal.SIGINT)
        same((status, out, err), (1, "1 call: 0 passed, 1 failed\n", ""))


def test_live_corrected():
    """What comes late changes what was said, by a line of the same number; it is one call."""
    run = watch("--format", "ndjson", late="kam1")
    seen = []
    while len([e for e in seen if e["event"] == "finding" and e["severity"] == "error"]) < 14:
        seen.append(json.loads(run.line()))
    calls = [e for e in seen if e["event"] == "call"]
    same([e["call"] for e in calls], [1, 1])
    same([e.get("corrects") for e in calls], [None, "fail"])
    same({e["node"] for e in seen if e["event"] == "finding" and e["severity"] == "error"},
         {None, "kam1"})
    status, out, _ = run.end(signal.SIGINT)
    same((status, json.loads(out.splitlines()[-1])["summary"]),
         (1, {"calls": 1, "passed": 0, "failed": 1, "inconclusive": 0}))


def test_live_calls():
    status, out, _ = watch("--calls", "1").end()  # by itself
    same(status, 1)
    has(out, "1 call: 0 passed, 1 failed")
    status, out, err = Run("check", "--calls", "1", f"{STRIPS}/five9.pcap").end()
    same((status, err), (2, "sipxray: --calls counts the calls of --live, which is missing\n"))


def test_live_for():
    began = time.monotonic()
    same(messages_of("--for", "1s", f"x=cmd:cat {CAPTURE}; exec sleep 100").end(),
         (0, expected_messages(), ""))
    assert 0.9 < time.monotonic() - began < PATIENCE
    for words, said in ((["--for", "1x", CAPTURE], "--for 1x: a time such as 90s, 10m or 1h30m"),
                        (["--for", "1s", CAPTURE], "--for: no source is live; files are read to "
                                                   "their end")):
        same(messages_of(*words).end(), (2, "", f"sipxray: {said}\n"))


def test_live_file_grows():
    """As tail -f; from the middle of a record on, too."""
    with temporary() as folder:
        with open(f"{STRIPS}/five9.pcap", "rb") as f:
            capture = f.read()
        with open(folder + "/five9.pcap", "wb", buffering=0) as f:
            run = Run("calls", "--live", "--format", "ndjson", folder + "/five9.pcap")
            for part in (capture[:10], capture[10:1000], capture[1000:]):
                time.sleep(0.2)
                f.write(part)
            same(json.loads(run.line())["outcome"], "ended")
            f.truncate(100)
            status, _, err = run.end()
        same(status, 2)
        has(err, "the file has become shorter")


def test_exec():
    """Each failed call once, told by environment and standard input; nothing of it is a command."""
    with temporary() as folder:
        run = watch("--exec", f"env > {folder}/env; cat > {folder}/events; exit 3", late="kam1")
        wait_until(lambda: os.path.exists(folder + "/events") and
                   os.path.getsize(folder + "/events"), "the command")
        has(run.error(), "--exec: the command ended with status 3")
        os.unlink(folder + "/env")
        while "corrected (was FAIL)" not in run.line():
            pass
        same(run.end(signal.SIGINT)[0], 1)
        same(os.listdir(folder), ["events"])
        with open(folder + "/events", encoding="utf-8") as f:
            events = [json.loads(line) for line in f]
        same((events[0]["event"], events[0]["verdict"], events[0]["call"]), ("call", "fail", 1))
        same(len([e for e in events if e["event"] == "finding" and e["severity"] == "error"]), 7)


def crafted(call_id, header):
    """A call whose BYE loses a header between two points, as raw frames of each."""
    def at(src, dst, vias, start, extra=""):
        return frame_of(message(start, vias, call_id, extra), src, dst)
    answer = (b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK" + call_id.encode() +
              b"192.0.2.1\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=2\r\n"
              b"Call-ID: " + call_id.encode() + b"\r\nCSeq: 1 BYE\r\n\r\n")
    bye = "BYE sip:b@example.com SIP/2.0"
    return (
        [at("192.0.2.1", "192.0.2.2", ["192.0.2.1"], bye, header + "\r\n"),
         frame_of(answer, "192.0.2.2", "192.0.2.1")],
        [at("192.0.2.2", "192.0.2.3", ["192.0.2.2", "192.0.2.1"], bye),
         frame_of(answer, "192.0.2.3", "192.0.2.2")])


def pcap_of(frames, seconds=1_700_000_000):
    head = struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    return head + b"".join(struct.pack("=IIII", seconds, 1000 * i, len(f), len(f)) + f
                           for i, f in enumerate(frames))


def test_exec_hostile():
    """What a shell would run, were it ever shown to one; the environment has it as it is shown."""
    with temporary() as folder:
        evil = f"a;touch${{IFS}}{folder}/owned`touch${{IFS}}{folder}/owned`$(touch {folder}/owned)"
        for name, frames in zip("ab", crafted(evil, "X-Q: $(reboot)\x1b[31m")):
            with open(f"{folder}/{name}.pcap", "wb") as f:
                f.write(pcap_of(frames))
        run = Run("check", "--live", "--calls", "1", "--exec",
                  f'printf "%s\\n" "$SIPXRAY_CALL_ID" $SIPXRAY_HEADERS > {folder}/told',
                  folder + "/a.pcap", folder + "/b.pcap")
        same(run.end()[0], 1)
        with open(folder + "/told", encoding="utf-8") as f:
            same(f.read(), f"{evil}\nX-Q\n")
        same(sorted(os.listdir(folder)), ["a.pcap", "b.pcap", "told"])


def test_exec_many():
    """So many at a time, and none is left; one that takes too long is not waited for by the rest."""
    with temporary() as folder:
        frames = ([], [])
        for i in range(40):
            for where, more in zip(frames, crafted(f"c{i}", "X-Q: 1")):
                where.extend(more)
        for name, list_of in zip("ab", frames):
            with open(f"{folder}/{name}.pcap", "wb") as f:
                f.write(pcap_of(list_of))
        status, out, err = Run("check", "--live", "--for", "2s", "--exec",
                               f"echo $$ > {folder}/$SIPXRAY_CALL; sleep 0.05",
                               folder + "/a.pcap", folder + "/b.pcap").end()
        same((status, err), (1, ""))
        same(len([n for n in os.listdir(folder) if n.isdigit()]), 40)
        has(out, "40 calls: 0 passed, 40 failed")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask_http(port, request, patience=5):
    with socket.create_connection(("127.0.0.1", port), patience) as s:
        s.sendall(request)
        got = b""
        while more := s.recv(65536):
            got += more
        return got.decode()


SAMPLE = re.compile(r'(sipxray_\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? (\d+)$')


def samples_of(page):
    """As Prometheus reads it: each sample after the type of its family, none twice."""
    found, family = {}, None
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            family = line.split()[2]
        elif not line.startswith("# HELP "):
            match = SAMPLE.match(line)
            assert match and match.group(1) == family, line
            assert (family, match.group(2)) not in found, line
            found[family, match.group(2)] = int(match.group(3))
    return found


def test_metrics():
    port = free_port()
    with temporary() as folder:
        run = watch("--metrics", str(port), "--metrics-file", folder + "/m.prom")
        while "#1" not in run.line():
            pass

        def told():
            answer = ask_http(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            return 'sipxray_calls_total{verdict="fail"} 1\n' in answer and answer
        answer = wait_until(told, "the call in the counters")
        head, page = answer.split("\r\n\r\n", 1)
        has(head, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4")
        has(head, f"Content-Length: {len(page)}")
        found = samples_of(page)
        same(found["sipxray_calls_total", 'verdict="fail"'], 1)
        same(found["sipxray_failures_total", 'finding="header-stripped",method="BYE",'
                   'header="X-Five9-Queue",node="kam1"'], 1)
        same(found["sipxray_messages_total", 'point="kam1"'], 16)
        same(run.end(signal.SIGINT)[0], 1)
        same(os.listdir(folder), ["m.prom"])
        with open(folder + "/m.prom", encoding="utf-8") as f:
            has(samples_of(f.read()).items(), (("sipxray_calls_total", 'verdict="fail"'), 1))
    for where, said in (("x", "--metrics x: it is [ADDR:]PORT, as in 9107 or 10.0.0.1:9107"),
                        ("192.0.2.1:99", "--metrics 192.0.2.1:99: Cannot assign requested address")):
        same(watch("--metrics", where).end(), (2, "", f"sipxray: {said}\n"))


def test_metrics_hostile():
    """Clients that say too much, too little or nonsense harm nobody else."""
    port = free_port()
    run = watch("--metrics", str(port))
    while "#1" not in run.line():
        pass
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    idle[-1].sendall(b"GET /metr")
    for request, status in ((b"GET /metrics HTTP/1.1\n\n", "200 OK"),
                            (b"GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
                            (b"GET /metrics/../x HTTP/1.0\r\n\r\n", "404 Not Found"),
                            (b"POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
                            (b"\xff\x00\r\n\r\n", "400 Bad Request"),
                            (b"GET /" + b"a" * 8187, "431 Request Header Fields Too Large")):
        has(ask_http(port, request), f"HTTP/1.1 {status}\r\n")
    began = time.monotonic()
    idle[-1].settimeout(20)
    same(idle[-1].recv(10), b"")
    assert time.monotonic() - began < PATIENCE
    for s in idle:
        s.close()
    same(run.end(signal.SIGINT)[0], 1)


def test_metrics_disk_full():
    """It is told once, and the run goes on."""
    run = watch("--metrics-file", "/dev/full/m")
    while "#1" not in run.line():
        pass
    status, _, err = run.end(signal.SIGINT)
    same((status, err), (1, "sipxray: /dev/full/m: cannot write: Not a directory; tried again every "
                            "10 seconds\n"))


def test_report_disk_full():
    """A report that can't be written is told of at once; the others go on to their end."""
    run = watch("--format", "ndjson:/dev/full", "--format", "text")
    while "#1" not in run.line():
        pass
    said = "sipxray: /dev/full: cannot write: No space left on device"
    same(run.error(), said + "; the run goes on without it\n")
    same(run.end(signal.SIGINT), (2, "1 call: 0 passed, 1 failed\n", said + "\n"))


def test_weeks():
    """Days in seconds: what is held stays as it is, the counters are right."""
    port, calls, held = free_port(), 10000, []
    run = Run("check", "--live", "--metrics", str(port), "--node", "proxy=192.0.2.1,192.0.2.2",
              f"x=cmd:python3 tests/live/weeks.py {calls}; exec sleep 100")

    def sample():
        found = samples_of(ask_http(port, b"GET /metrics HTTP/1.1\r\n\r\n").split("\r\n\r\n", 1)[1])
        failed = found["sipxray_calls_total", 'verdict="fail"']
        if failed:  # the counters follow each second
            held.append((found["sipxray_open_call_ids", None], found["sipxray_call_bytes", None]))
        return failed == calls // 10

    line = ""
    while f"[call-{calls - 1}]" not in line:
        line = run.line()
        if re.search(r"#\d+[05]00 ", line):
            sample()
    wait_until(sample, "all calls that fail are counted")
    later = held[len(held) // 2:]
    assert max(h[0] for h in later) < 130, held  # six hours of calls that never end
    assert max(h[1] for h in later) < 1_000_000, held
    status, out, err = run.end(signal.SIGINT)
    same(status, 1)
    has(out, f"{calls} calls: {calls * 9 // 10} passed, {calls // 10} failed")
    has(err, "Call-IDs taken for over after six hours of silence")


def test_flood():
    """Unique Call-IDs that nobody answers: what there is no room for is counted, the rest is right."""
    with temporary() as folder:
        frames = [frame_of(message("INVITE sip:b@example.com SIP/2.0", ["192.0.2.9"], f"flood{i}",
                                   "X-Q: 1\r\n"), "192.0.2.9", "192.0.2.2") for i in range(4000)]
        one = crafted("good", "X-Q: 1")
        for name, list_of in (("a", one[0][:1] + frames + one[0][1:]), ("b", one[1])):
            with open(f"{folder}/{name}.pcap", "wb") as f:
                f.write(pcap_of(list_of))
        run = Run("check", "--live", "--memory", "1", f"a={folder}/a.pcap", f"b={folder}/b.pcap")
        seen = ""
        while "[good]" not in seen:
            seen += run.line()
        status, out, err = run.end(signal.SIGINT)
        same(status, 1)
        has(out, "1 call: 0 passed, 1 failed")  # nobody knows what would have become of the others
        has(err, "calls that had just begun, without an answer, when the run ended: ")
        lost = re.search(r"LOST Call-IDs given up at the limit of memory: (\d+)", seen + out)
        assert lost and int(lost.group(1)) > 1000, seen[-2000:] + out[-2000:]
        has(err, "Call-IDs given up without a report at the limit of memory (--memory): ")


def test_slow_reader():
    """Nothing waits for who does not read: what was captured is counted, what was left out told."""
    with temporary() as folder:
        frames = [frame_of(message("OPTIONS sip:b@example.com SIP/2.0", ["192.0.2.9"], f"c{i}",
                                   f"X-Q: {'x' * 1000}\r\n"), "192.0.2.9", "192.0.2.2")
                  for i in range(16000)]
        with open(folder + "/a.pcap", "wb") as f:
            f.write(pcap_of(frames))
        run = messages_of(f"a=cmd:cat {folder}/a.pcap; echo > {folder}/read; exec sleep 100")
        wait_until(lambda: os.path.exists(folder + "/read"), "the end of the capture")
        same(run.error(), "sipxray: standard output is too slow: lines are left out\n")
        out, err = run.process.stdout, run.process.stderr
        run.signal(signal.SIGINT)
        time.sleep(0.5)
        lines = out.read().decode().splitlines()
        same(run.process.wait(PATIENCE), 0)
        left = int(re.search(r"standard output did not take them: (\d+)", err.read().decode()).group(1))
        same((len(lines) + left, lines[-1][-1:]), (16000, "}"))
        same([json.loads(line)["call_id"] for line in lines], [f"c{i}" for i in range(len(lines))])
        out.close()
        err.close()


def test_stopped_terminal():
    """Ctrl-S on the terminal, then Ctrl-C: it ends all the same, soon."""
    master, slave = pty.openpty()
    with temporary() as folder, \
            subprocess.Popen([PROGRAM, "messages", "--verbose",
                              f"x=cmd:cat {CAPTURE}; cat {CAPTURE}; touch {folder}/read; exec sleep 100"],
                             stdout=slave, stderr=subprocess.PIPE, env=NO_LEAKS) as process:
        os.close(slave)
        wait_until(lambda: os.path.exists(folder + "/read"), "all is written")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        same(process.wait(PATIENCE), 0)
        assert time.monotonic() - began < PATIENCE
        has(process.stderr.read(), b"standard output did not take them")
    os.close(master)


def test_failing():
    status, out, err = messages_of("x=cmd:echo why >&2; exit 7").end()
    same((status, out), (2, ""))
    same(err, "sipxray: cmd:echo why >&2; exit 7: no capture: the command ended with status 7: why\n")


def test_one_of_two_fails():
    status, _, err = messages_of(f"x={CAPTURE}", "y=cmd:false").end()
    same(status, 2)
    has(err, "sipxray: cmd:false: no capture")


def test_ends_badly_after_data():
    status, out, err = messages_of(f"x=cmd:cat {CAPTURE}; echo oops >&2; exit 7").end()
    same((status, out), (0, expected_messages()))
    has(err, "exit 7: the command ended with status 7: oops")


def test_retry():
    """One run after the other, of other link types and formats, and each pause longer."""
    with temporary() as folder:
        run = messages_of("--retry", f"x=cmd:echo >> {folder}/runs; n=$(wc -l < {folder}/runs); "
                          f"case $n in 1) cat {CAPTURE};; 2) echo not there >&2; exit 7;; "
                          f"3) head -c 40 {CAPTURE}; echo rubbish;; 4) cat {OTHER_CAPTURE};; "
                          "*) sleep 1000;; esac", "y=cmd:sleep 1000")
        expected = expected_messages().count("\n") + expected_messages(OTHER_CAPTURE).count("\n")
        began = time.monotonic()
        for _ in range(expected):
            same(json.loads(run.line())["point"], "x")
        took = time.monotonic() - began
        assert 7 < took < 12, took  # 1, 2 and 4 seconds
        wait_until(lambda: len(children_of(run.process.pid)) == 2, "no zombies, and two keepers")
        same(run.end(signal.SIGINT)[0], 0)
        with open(folder + "/runs", encoding="ascii") as f:
            same(f.read(), "\n" * 4)


def test_retry_is_told():
    run = messages_of("--retry=2", "x=cmd:echo why >&2; exit 7")
    for pause in (2, 4):
        has(run.error(), f"exit 7: the command ended with status 7: why; it is run again in {pause} s\n")
    same(run.end(signal.SIGINT)[:2], (0, ""))
    status, _, err = messages_of("--retry=0", f"x={CAPTURE}").end()
    same((status, err), (2, "sipxray: --retry=0: a number of seconds from 1 to 3600\n"))


def test_retry_killed():
    """Between two runs, and in the second."""
    for number in (1, 2):
        with temporary() as folder:
            run = messages_of("--retry", f"x=cmd:echo $$ >> {folder}/pids; cat {CAPTURE}; "
                              f"[ $(wc -l < {folder}/pids) = {number} ] && exec sleep 1000")
            run.line()
            pids = wait_until(lambda n=number: numbers_in(folder + "/pids", n), "the run")
            wait_until(lambda n=number: len(children_of(run.process.pid)) == 1, "the keeper")
            run.signal(signal.SIGKILL)
            run.process.wait(PATIENCE)
            wait_until(lambda: all(is_gone(pid) for pid in pids), "the end of the command")
            run.end()


def test_keeper_is_killed():
    """Nobody should, but then it is said, and the others go on."""
    with temporary() as folder:
        run = messages_of("--retry", f"x=cmd:echo $$ > {folder}/pid; cat {CAPTURE}; exec sleep 1000")
        run.line()
        os.kill(children_of(run.process.pid)[0], signal.SIGKILL)
        status, _, err = run.end()
        same(status, 0)
        has(err, "the process that kept the command was killed")
        wait_until(lambda: is_gone(numbers_in(folder + "/pid", 1)[0]), "the end of the command")


def test_stubborn_child():
    with temporary() as folder:
        pid = folder + "/pid"
        run = messages_of(f"x=cmd:trap '' TERM INT; echo $$ > {pid}; cat {CAPTURE}; "
                          "while :; do sleep 1; done")
        run.line()
        began = time.monotonic()
        same(run.end(signal.SIGINT)[0], 0)
        assert 0.9 < time.monotonic() - began < PATIENCE
        with open(pid, encoding="ascii") as f:
            assert is_gone(int(f.read()))


def test_asked_to_end():
    """As tcpdump does, which keeps packets back until then: what it writes is still read."""
    run = messages_of(f"x=cmd:trap 'tail -c +4001 {CAPTURE}; exit 0' TERM; head -c 4000 {CAPTURE}; "
                      "while :; do sleep 0.1; done")
    run.line()
    status, out, err = run.end(signal.SIGINT)
    same((status, run.lines[0] + out, err), (0, expected_messages(), ""))


def test_progress_line():
    """A signal leaves no half line on the terminal."""
    with open(CAPTURE, "rb") as f:
        capture = f.read()
    master, slave = pty.openpty()
    with temporary() as folder:
        with open(folder + "/big", "wb") as f:
            for _ in range(20000):  # a section after the other
                f.write(capture)
        with subprocess.Popen([PROGRAM, "calls", *[f"p{i}={folder}/big" for i in range(8)]],
                              stdout=subprocess.DEVNULL, stderr=slave) as process:
            os.close(slave)
            seen = b""
            while b"% of" not in seen:
                seen += os.read(master, 1000)
            process.send_signal(signal.SIGINT)
            same(process.wait(PATIENCE), -signal.SIGINT)
    try:
        while more := os.read(master, 1000):
            seen += more
    except OSError:
        pass  # the other side is closed
    os.close(master)
    assert seen.endswith(b"\r\x1b[K"), seen[-100:]


def test_grandchildren():
    with temporary() as folder:
        pid = folder + "/pid"
        run = messages_of(f"x=cmd:sleep 1000 & echo $! > {pid}; cat {CAPTURE}; wait")
        run.line()
        same(run.end(signal.SIGINT)[0], 0)
        with open(pid, encoding="ascii") as f:
            assert is_gone(int(f.read()))


def test_killed():
    """Nothing is left of the command, even where nobody is there to end it."""
    for number in (signal.SIGKILL, signal.SIGSEGV):
        with temporary() as folder:
            pid = folder + "/pid"
            run = messages_of(f"x=cmd:echo $$ > {pid}; cat {CAPTURE}; exec sleep 1000")
            run.line()
            run.signal(number)
            run.process.wait(PATIENCE)
            with open(pid, encoding="ascii") as f:
                number = int(f.read())
            wait_until(lambda: is_gone(number), "the end of the command")
            run.end()


def test_second_signal():
    run = messages_of(f"x=cmd:trap '' TERM INT; cat {CAPTURE}; while :; do sleep 1; done")
    run.line()
    run.signal(signal.SIGINT)
    time.sleep(0.3)
    same(run.end(signal.SIGINT)[0], -signal.SIGINT)  # the first alone ends it well, after a second or two


def test_closed_pipe():
    with temporary() as folder:
        pid = folder + "/pid"
        run = messages_of(f"x=cmd:echo $$ > {pid}; cat {CAPTURE}; sleep 1; cat {CAPTURE}; exec sleep 1000")
        run.line()
        run.process.stdout.close()
        same(run.process.wait(PATIENCE), -signal.SIGPIPE)
        same(run.process.stderr.read(), b"")
        with open(pid, encoding="ascii") as f:
            number = int(f.read())
        wait_until(lambda: is_gone(number), "the end of the command")
        run.process.stderr.close()


def test_slow_standard_input():
    with open(CAPTURE, "rb") as f:
        capture = f.read()
    run = messages_of("x=-", f"y=cmd:cat {CAPTURE}; exec sleep 100", stdin=subprocess.PIPE)
    has(run.line(), '"point":"y"')  # standard input is not waited for
    run.process.stdin.write(capture[:-1])
    run.process.stdin.flush()
    while '"point":"x"' not in run.line():
        pass
    status, _, err = run.end(signal.SIGINT)  # the rest of its record is not waited for
    same((status, err), (0, ""))


def test_standard_input_ends():
    with open(CAPTURE, "rb") as f:
        same(messages_of("x=-", stdin=f).end(), (0, expected_messages(), ""))
    with subprocess.Popen(["cat", CAPTURE], stdout=subprocess.PIPE) as cat:
        same(messages_of("x=-", stdin=cat.stdout).end(), (0, expected_messages(), ""))
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as cat:
        same(messages_of("x=-", stdin=cat.stdout).end(),
             (2, "", "sipxray: standard input: 0 bytes: empty file\n"))


def test_files_are_killed():
    """A run over files ends by the signal, with no half report and no temporary file."""
    with temporary() as folder:
        os.mkfifo(folder + "/out")
        reader = os.open(folder + "/out", os.O_RDONLY | os.O_NONBLOCK)
        run = messages_of("--format", "text:" + folder + "/text", "--format", "ndjson:" + folder + "/out",
                          *[f"p{i}={CAPTURE}" for i in range(10)])
        wait_until(lambda: len(os.listdir(folder)) > 1, "the temporary file")
        time.sleep(0.5)
        same(run.end(signal.SIGINT)[0], -signal.SIGINT)
        same(os.listdir(folder), ["out"])
        os.close(reader)


# ---- interfaces ----------------------------------------------------------------------------------


def test_loopback():
    run = listening(messages_of("iface:lo"))
    for i in range(3):
        send(options(f"c{i}"))
        got = json.loads(run.line())
        same((got["point"], got["call_id"], got["src"]), ("lo", f"c{i}", "127.0.0.1:5060"))
        assert re.fullmatch(r".*\.\d{9}Z", got["time"]), got["time"]
        assert abs(time.time() - time.mktime(time.strptime(got["time"][:19], "%Y-%m-%dT%H:%M:%S"))
                   + time.timezone) < 5
    status, out, err = run.end(signal.SIGINT)
    same((status, out), (0, ""))
    assert re.search(r"^sipxray: lo: [3-6] packets received, 0 dropped by the kernel$", err, re.M), err


def test_until_the_signal():
    """What was captured before the signal is in the report."""
    run = listening(Run("calls", "--format", "ndjson", "iface:lo"))
    for i in range(500):
        send(options(f"c{i}"))
    _, out, _ = run.end(signal.SIGINT)
    same(out.count("\n"), 500)


def test_check():
    def call(drop):
        run = listening(Run("check", "iface:lo"))
        for vias, src, dst in ((["127.0.0.1"], "127.0.0.1", "127.0.0.2"),
                               (["127.0.0.2", "127.0.0.1"], "127.0.0.2", "127.0.0.3")):
            headers = "" if drop and len(vias) > 1 else "X-Test: 1\r\n"
            send(message("BYE sip:b@example.com SIP/2.0", vias, "c", headers), src, dst)
        return run.end(signal.SIGINT)

    status, out, _ = call(True)
    same(status, 1)
    has(out, "X-Test")
    status, out, _ = call(False)
    same(status, 0)


def test_rights():
    run = listening(messages_of("iface:lo"))
    found = run.status()
    same(found["Uid"], [str(NOBODY)] * 4)
    same(found["Groups"], [])
    for name in ("CapEff", "CapPrm", "CapBnd"):
        same(int(found[name][0], 16), 0)
    same(run.end(signal.SIGINT)[0], 0)


def test_rights_with_a_file():
    with temporary() as folder:
        run = listening(messages_of("--format", f"text:{folder}/text", "iface:lo", leaks=True))
        found = run.status()
        same(found["Uid"], ["0"] * 4)
        for name in ("CapEff", "CapPrm", "CapBnd"):
            same(int(found[name][0], 16), 0)
        send(options("c"))
        run.line()
        same(run.end(signal.SIGINT)[0], 0)
        with open(folder + "/text", encoding="utf-8") as f:
            has(f.read(), "OPTIONS")


def test_command_beside():
    """It is ended although it has more rights than who ends it."""
    with temporary() as folder:
        pid = folder + "/pid"
        run = listening(messages_of("iface:lo", f"x=cmd:echo $$ > {pid}; cat {CAPTURE}; sleep 1000"))
        run.line()
        same(run.end(signal.SIGINT)[0], 0)
        with open(pid, encoding="ascii") as f:
            assert is_gone(int(f.read()))


def test_no_permission():
    status, out, err = messages_of(
        "iface:lo", before=["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
                            "--clear-groups", "--bounding-set", "-all"]).end()
    same((status, out), (2, ""))
    same(err, "sipxray: iface:lo: no permission to capture, for which CAP_NET_RAW is needed: run as "
              f"root, or once: setcap cap_net_raw+ep {os.path.realpath(PROGRAM)}\n")


def test_no_such_interface():
    status, _, err = messages_of("iface:nope0").end()
    same(status, 2)
    same(err, "sipxray: iface:nope0: no such interface; there are: lo, v1, v0, any\n")


def test_interface_down():
    subprocess.run(["ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1"], check=True)
    status, _, err = messages_of("iface:d0").end()
    same((status, err), (2, "sipxray: iface:d0: the interface is down (ip link set d0 up)\n"))
    subprocess.run(["ip", "link", "del", "d0"], check=True)


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def veth():
    """An interface d0, and d1 that what is sent to comes from it."""
    ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
    ip("link", "set", "d0", "up")
    ip("link", "set", "d1", "up")


def told(run, said):
    """Of d0, after what it may have been in between: the kernel takes its time with a link."""
    passing = ("the interface is down; it is waited for", "the interface has no carrier; it is waited for",
               "the interface is gone; it is waited for")
    line = None
    while line != f"sipxray: iface:d0: {said}\n":
        assert line is None or line in [f"sipxray: iface:d0: {p}\n" for p in passing], line
        line = run.error()


def test_interface_goes():
    """What is removed is waited for, the others go on; the filter and the rest are as they were."""
    veth()
    run = listening(messages_of("--promiscuous", "--bpf", "udp", "iface:lo", "iface:d0"), 2)
    send_frame("d1", options("c1"))
    same(json.loads(run.line())["point"], "d0")
    for again in range(3):
        ip("link", "del", "d0")
        told(run, "the interface is gone; it is waited for")
        send(options(f"lo{again}"))
        same(json.loads(run.line())["call_id"], f"lo{again}")
        veth()
        told(run, "the interface is up again")
        has(ip("-d", "link", "show", "d0"), "promiscuity 1 ")
        send_frame("d1", options(f"d{again}"))
        line = json.loads(run.line())
        same((line["point"], line["call_id"]), ("d0", f"d{again}"))
    ip("link", "del", "d0")
    told(run, "the interface is gone; it is waited for")
    status, _, err = run.end(signal.SIGINT)
    same(status, 0)
    has(err, "sipxray: d0: 4 packets received, 0 dropped by the kernel\n")


def test_interface_replaced():
    """By one that is there before anybody looked; by one of another kind."""
    veth()
    run = listening(messages_of("iface:d0"))
    ip("link", "del", "d0")
    veth()
    told(run, "the interface is up again")
    send_frame("d1", options("c1"))
    same(json.loads(run.line())["call_id"], "c1")
    ip("link", "del", "d0")
    ip("tuntap", "add", "d0", "mode", "tun")
    ip("link", "set", "d0", "up")
    status, _, err = run.end()
    same(status, 0)
    has(err, "sipxray: iface:d0: there is an interface of its name again, but of another kind\n")
    ip("link", "del", "d0")


def test_interface_down_and_up():
    veth()
    run = listening(messages_of("iface:d0"))
    send_frame("d1", options("c1"))
    same(json.loads(run.line())["call_id"], "c1")
    for words, said in ((("d0", "down"), "the interface is down; it is waited for"),
                        (("d0", "up"), "the interface is up again"),
                        (("d1", "down"), "the interface has no carrier; it is waited for"),
                        (("d1", "up"), "the interface is up again")):
        ip("link", "set", *words)
        told(run, said)
    send_frame("d1", options("c2"))
    same(json.loads(run.line())["call_id"], "c2")
    same(run.end(signal.SIGINT)[0], 0)
    ip("link", "del", "d0")


def test_promiscuous():
    for words, promiscuity in ((["--promiscuous"], 1), ([], 0)):
        run = listening(messages_of("iface:v0", *words))
        has(ip("-d", "link", "show", "v0"), f"promiscuity {promiscuity} ")
        same(run.end(signal.SIGINT)[0], 0)
    same(messages_of("--buffer", "0", "iface:v0").end(),
         (2, "", "sipxray: --buffer 0: a number of MB from 1 to 2047\n"))


def test_later_address():
    """An address that the host gets while we capture is its own as well."""
    with temporary() as folder:
        run = listening(Run("check", "--format", f"json:{folder}/json", "here=iface:v0"))
        ip("addr", "add", "198.51.100.77/24", "dev", "v0")
        time.sleep(3)  # it looks each second
        send_frame("v1", options("c", "X-Test: 1\r\n"), dst="198.51.100.77")
        time.sleep(0.2)
        run.end(signal.SIGINT)
        ip("addr", "del", "198.51.100.77/24", "dev", "v0")
        with open(folder + "/json", encoding="utf-8") as f:
            nodes = json.load(f)["nodes"]
        has([n for n in nodes if n["name"] == "here"][0]["addresses"], "198.51.100.77")


def test_two_interfaces():
    run = listening(messages_of("iface:lo", "left=iface:v0"), 2)
    send_frame("v1", options("c1"))
    got = json.loads(run.line())
    same((got["point"], got["call_id"], got["dst"]), ("left", "c1", "192.0.2.2:5060"))
    send(options("c2"))
    got = json.loads(run.line())
    same((got["point"], got["call_id"]), ("lo", "c2"))
    status, _, err = run.end(signal.SIGINT)
    same(status, 0)
    has(err, "sipxray: left: 1 packets received, 0 dropped")


def test_any():
    run = listening(messages_of("iface:any"))
    send(options("c1"))
    same(json.loads(run.line())["call_id"], "c1")
    send_frame("v1", options("c2"))
    same(json.loads(run.line())["call_id"], "c2")
    same(run.end(signal.SIGINT)[0], 0)


def test_own_addresses():
    """The node that has the interface's address is called as the point."""
    with temporary() as folder:
        run = listening(Run("check", "--format", f"json:{folder}/json", "here=iface:v0"))
        send_frame("v1", options("c", "X-Test: 1\r\n"), dst="198.51.100.2")
        run.end(signal.SIGINT)
        with open(folder + "/json", encoding="utf-8") as f:
            nodes = json.load(f)["nodes"]
        has([n for n in nodes if n["name"] == "here"][0]["addresses"], "198.51.100.2")


def test_file_beside():
    run = listening(messages_of("iface:lo", f"x={CAPTURE}"))
    for _ in range(expected_messages().count("\n")):
        same(json.loads(run.line())["point"], "x")
    send(options("c"))
    same(json.loads(run.line())["point"], "lo")
    same(run.end(signal.SIGINT)[0], 0)


def test_filter():
    subprocess.run(["ip", "link", "set", "lo", "mtu", "1500"], check=True)
    run = listening(messages_of("--verbose", "--bpf", "port 5060", "iface:lo"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(options("not"), ("127.0.0.1", 5062))
    send(options("c", "".join(f"X-{i}: {'x' * 1000}\r\n" for i in range(5))))
    got = json.loads(run.line())
    subprocess.run(["ip", "link", "set", "lo", "mtu", "65536"], check=True)
    same((got["call_id"], got["state"], got["malformed"]), ("c", "whole", []))
    assert len(got["frames"]) > 3
    status, out, err = run.end(signal.SIGINT)
    same((status, out), (0, ""))
    has(err, "sipxray: capture filter widened to IP fragments: "
             "(port 5060) or ip[6:2] & 0x1fff != 0 or ip6[6] = 44\n")


def test_ignored_signal():
    """A shell's background job has SIGINT ignored."""
    run = listening(messages_of("iface:lo", before=["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]))
    same(run.end(signal.SIGINT)[0], 0)


PIPES = [test_live_at_once, test_live_corrected, test_live_calls, test_live_for,
         test_live_file_grows, test_exec, test_exec_hostile, test_exec_many, test_metrics,
         test_metrics_hostile, test_metrics_disk_full, test_report_disk_full, test_weeks, test_flood,
         test_slow_reader, test_stopped_terminal,
         test_command, test_command_is_freed, test_byte_by_byte, test_at_the_same_time,
         test_shown_at_once, test_check_by_signal, test_failing, test_one_of_two_fails,
         test_ends_badly_after_data, test_retry, test_retry_is_told,
         test_retry_killed, test_keeper_is_killed, test_asked_to_end, test_progress_line, test_stubborn_child,
         test_grandchildren, test_killed,
         test_second_signal, test_closed_pipe, test_slow_standard_input,
         test_standard_input_ends, test_files_are_killed]
NETWORK = [test_loopback, test_until_the_signal, test_check, test_rights, test_rights_with_a_file,
           test_command_beside, test_no_permission, test_no_such_interface, test_interface_down,
           test_interface_goes, test_interface_replaced, test_interface_down_and_up, test_promiscuous,
           test_later_address, test_two_interfaces, test_any, test_own_addresses,
           test_file_beside, test_filter, test_ignored_signal]


def prepare_network():
    for words in (["link", "set", "lo", "up"],
                  ["link", "add", "v0", "type", "veth", "peer", "name", "v1"],
                  ["addr", "add", "198.51.100.2/24", "dev", "v0"],
                  ["link", "set", "v0", "up"], ["link", "set", "v1", "up"]):
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            return f"ip {' '.join(words)}: {done.stderr.strip()}"
    return None


def too_late(*_):
    raise AssertionError("waited in vain for a line")


def run_tests(tests, only, why=None):
    """A line for each; those that `only` names, where it names any.  `why`: none of them can be run."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)  # who runs us in the background ignores them
    signal.signal(signal.SIGALRM, too_late)
    for test in tests:
        name = test.__name__.removeprefix("test_")
        if only and name not in only:
            continue
        if why:
            print(f"skip {name}: {why}", flush=True)
            continue
        try:
            test()
            print(f"ok {name}", flush=True)
        except Exception as e:  # pylint: disable=broad-except
            signal.alarm(0)
            line = e.__traceback__.tb_next.tb_lineno
            print(f"not ok {name}: line {line}: {type(e).__name__}: {e}", flush=True)
        Run.kill_all()


if __name__ == "__main__":
    if sys.argv[2] == "network":
        run_tests(NETWORK, sys.argv[3:], prepare_network())
    else:
        run_tests(PIPES, sys.argv[3:])
