"""record, by the whole program: what it writes is read by tcpdump and tshark and by check again; it
is killed, its disk is full, its files are rotated.

record.py SIPXRAY STAGE: prints "ok NAME", "skip NAME: WHY" or "not NAME: WHAT" in lines.
"""

import concurrent.futures
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

PROGRAM = sys.argv[1]
HERE = os.getcwd()
NO_RECORD = {"--allow-untested": 0, "--baseline": 1, "--format": 1}
VALUED = {"--trunk", "--trunk-id", "--livekit", "--values", "--node", "--rules", "--require",
          "--forbid", "--pack", "--follow", "--outside", "--sayna", "--bpf", "--keylog", "--tls-key",
          "--filter"}


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


def run(arguments, folder=None, timeout=60, **more):
    return subprocess.run([PROGRAM, *arguments], cwd=folder, timeout=timeout, text=True,
                          capture_output=True, check=False, **more)


def record(arguments, folder=None, status=0, **more):
    done = run(["record", *arguments], folder, **more)
    expect(done.returncode == status, f"status {done.returncode}: {done.stderr}")
    return done


def tool(*arguments):
    done = subprocess.run(arguments, timeout=60, text=True, capture_output=True, check=False)
    expect(done.returncode == 0, f"{arguments[0]}: {done.stderr}")
    return done.stdout


def packets(path, several=False):
    """As tcpdump counts, which wants one interface only; else as capinfos does."""
    if several:
        return int(tool("capinfos", "-c", "-M", path).split()[-1])
    return len(tool("tcpdump", "-nn", "-r", path).splitlines())


def split(command):
    """The options of a command of captures/, and its sources."""
    options, sources, words = [], [], shlex.split(command)
    while words:
        word = words.pop(0)
        name = word.split("=")[0]
        if not word.startswith("--"):
            sources.append(word)
            continue
        values = [words.pop(0)] if name in VALUED and "=" not in word else []
        options.append([word, *values])
    return options, sources


def flat(options, for_record):
    return [w for o in options if not (for_record and o[0].split("=")[0] in NO_RECORD) for w in o]


def judged(report):
    """What check says, but for what names files and frames."""
    calls = []
    for call in report["calls"]:
        findings = sorted((f["id"], f["severity"], f["message"]) for f in call["findings"])
        requests = [(r["method"], r.get("status"), r["sent_by"],
                     [(h["name"], h["verdict"], h["values"]) for h in r["headers"]])
                    for r in call["requests"]]
        calls.append((sorted(call["call_ids"]), call["verdict"], findings, requests))
    return sorted(calls, key=repr), sorted((n["name"], sorted(n["addresses"]))
                                           for n in report["nodes"])


# ---- round trips ---------------------------------------------------------------------------------


def check(options, sources, folder):
    done = run(["check", "--format", "json", *flat(options, False), *sources], folder)
    expect(done.returncode in (0, 1, 3), f"check: {done.stderr}")
    return done.returncode, json.loads(done.stdout)


def round_trip(name, scratch):
    folder = os.path.join(HERE, "captures", name)
    with open(os.path.join(folder, "command"), encoding="utf-8") as f:
        options, sources = split(f.read())
    out = os.path.join(scratch, name + ".pcapng")
    record(["--output", out, *flat(options, True), *sources], folder)
    with open(os.path.join(folder, "expected.status"), encoding="utf-8") as f:
        status = int(f.read())
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as f:
        before = status, json.load(f)
    after = check([o for o in options if o[0] not in ("--keylog", "--tls-key", "--bpf")], [out], folder)
    expect(before[0] == after[0], f"status {before[0]}, then {after[0]}")
    expect(judged(before[1]) == judged(after[1]),
           f"{judged(before[1])}\nthen {judged(after[1])}")
    # the same calls are those that the trigger records
    failed = record(["--trigger", "check", "--output", os.path.join(scratch, name + "-t.pcapng"),
                     *flat(options, True), *sources], folder).stderr
    wanted = sum(c["verdict"] == "fail" for c in before[1]["calls"])
    expect(f"calls recorded: {wanted}\n" in failed, f"{wanted} calls fail, but: {failed}")


def stage_trips(scratch):
    for name in sorted(os.listdir("captures")):
        if os.path.exists(os.path.join("captures", name, "command")):
            yield f"round trip: {name}", lambda name=name: round_trip(name, scratch)


# ---- captures made here --------------------------------------------------------------------------

SDP = "v=0\r\nc=IN IP4 %s\r\nm=audio %d RTP/AVP 0\r\n"
FILE_HEAD = struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 101)
START = 1700000000


def udp(src, dst, payload):
    (a, sport), (b, dport) = src, dst
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 1, 0, 64, 17, 0,
                     socket.inet_aton(a), socket.inet_aton(b))
    return ip + struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def packet(ms, frame):
    return struct.pack("=IIII", START + ms // 1000, ms % 1000 * 1000000, len(frame),
                       len(frame)) + frame


def sip(start, call, cseq, body="", more=""):
    return (f"{start}\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK{call}{cseq.replace(' ', '')}\r\n"
            f"From: <sip:1@a>;tag=a{call}\r\nTo: <sip:2@b>{'' if start.startswith('INV') else ';tag=b'}"
            f"\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\n{more}"
            + ("Content-Type: application/sdp\r\n" if body else "")
            + f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


A, B = ("10.0.0.1", 5060), ("10.0.0.2", 5060)


def options(n, ms=0):
    return packet(ms, udp(A, B, sip("OPTIONS sip:2@b SIP/2.0", f"o{n}", "1 OPTIONS",
                                    more=f"X-Filling: {'x' * 400}\r\n")))


def rtp(seq, port):
    return udp(("10.0.0.1", 4000), ("10.0.0.2", port),
               struct.pack("!BBHII", 0x80, 0, seq, seq * 160, 7) + b"d" * 160)


def call(name, ms, port, media=10):
    """Ten seconds with media in both directions of time; 6 packets of SIP."""
    out = packet(ms, udp(A, B, sip("INVITE sip:2@b SIP/2.0", name, "1 INVITE", SDP % ("10.0.0.1", 4000))))
    out += packet(ms + 1, udp(B, A, sip("SIP/2.0 200 OK", name, "1 INVITE", SDP % ("10.0.0.2", port))))
    out += packet(ms + 2, udp(A, B, sip("ACK sip:2@b SIP/2.0", name, "1 ACK")))
    for i in range(media):
        out += packet(ms + 10 + 20 * i, rtp(i, port))
        out += packet(ms + 11 + 20 * i, rtp(i, 60000))  # nobody's, for the sender is not told
    out += packet(ms + 9000, udp(A, B, sip("BYE sip:2@b SIP/2.0", name, "2 BYE")))
    return out + packet(ms + 9001, udp(B, A, sip("SIP/2.0 200 OK", name, "2 BYE")))


def write(path, content):
    with open(path, "wb") as f:
        f.write(FILE_HEAD + content)
    return path


class Live:
    """record, fed by a pipe."""

    def __init__(self, *arguments, **more):
        self.process = subprocess.Popen([PROGRAM, "record", *arguments, "wire=-"],
                                        stdin=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.feed(FILE_HEAD)

    def feed(self, content):
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def end(self, number=None, status=0):
        if number is None:
            self.process.stdin.close()
        else:
            self.process.send_signal(number)
        said = self.process.stderr.read().decode()
        got = self.process.wait(30)
        expect(got == status, f"status {got}: {said}")
        return said


def wait_for(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < end, f"in vain: {what}")
        time.sleep(0.05)


def listed(folder, end=".pcapng"):
    return sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(end))


def is_in(content, path):
    with open(path, "rb") as f:
        return content in f.read()


def fresh(scratch, name):
    folder = os.path.join(scratch, name)
    os.mkdir(folder)
    return folder


# ---- what is written -----------------------------------------------------------------------------


def comments_and_names(scratch):
    folder = os.path.join(HERE, "captures", "kam1-strips-bye")
    out = os.path.join(scratch, "comments.pcapng")
    sources = ["livekit=livekit.pcap", "kam1=kam1.pcapng", "kam2=kam2.pcap", "five9=five9.pcap"]
    record(["--output", out, "--trunk", "trunk.json", *sources], folder)
    expect(packets(out, True) == 48, f"{packets(out, True)} packets")
    rows = tool("tshark", "-r", out, "-Y", "frame.comment && sip.Method == BYE", "-T", "fields",
                "-e", "frame.interface_name", "-e", "frame.comment").splitlines()
    expect(len(rows) == 2 and all(r.startswith("kam1\t") for r in rows), str(rows))
    expect(all("error header-stripped: X-Five9-Queue on BYE was stripped by kam1" in r
               for r in rows), str(rows))
    names = set(tool("tshark", "-r", out, "-T", "fields", "-e", "frame.interface_name").split())
    expect(names == {"livekit", "kam1", "kam2", "five9"}, str(names))
    done = record(["--output", out, sources[0]], folder, 2)
    expect("is there already" in done.stderr, done.stderr)


def pcap(scratch):
    folder = os.path.join(HERE, "captures", "kam1-strips-bye")
    out = os.path.join(scratch, "one.pcap")
    record(["--output", out, "kam2=kam2.pcap"], folder)
    expect(packets(out) == 16, f"{packets(out)} packets")
    expect("nanosecond" in tool("capinfos", "-t", out), tool("capinfos", "-t", out))


def tls(scratch):
    """tshark decrypts what was recorded, by the secrets in it; no other secret is there."""
    folder = os.path.join(HERE, "captures", "tls13")
    out = os.path.join(scratch, "tls.pcapng")
    with open(os.path.join(folder, "command"), encoding="utf-8") as f:
        opts, sources = split(f.read())
    one = [s for s in sources if s.startswith("kam1=")]
    record(["--output", out, *flat(opts, True), *one], folder)
    rows = tool("tshark", "-r", out, "-Y", "sip.Method == BYE && tls", "-T", "fields", "-e",
                "frame.number").split()
    expect(rows, "no BYE in TLS is decrypted")


def media(scratch):
    """Media of all calls, of none, of those that match."""
    path = write(os.path.join(scratch, "media-in.pcap"), call("one", 0, 6000) + call("two", 60000, 6002)
                 + packet(99999, udp(A, B, b"\r\n\r\n")))
    for i, (arguments, wanted, of_media) in enumerate((
            ([], 10, 0), (["--rtp"], 50, 40), (["--filter", 'call_id == "two"'], 5, 0),
            (["--rtp", "--filter", 'call_id == "two"'], 25, 20),
            (["--rtp", "--filter", 'call_id == "none"'], 0, 0), (["--trigger", "check"], 0, 0))):
        out = os.path.join(scratch, f"media-{i}.pcapng")
        said = record(["--output", out, *arguments, path]).stderr
        expect(packets(out) == wanted, f"{arguments}: {packets(out)} packets")
        expect(f"packets recorded: {wanted} ({of_media} of media)" in said, said)


def to_stdout(scratch):
    path = write(os.path.join(scratch, "out-in.pcap"), call("one", 0, 6000))
    with subprocess.Popen([PROGRAM, "record", "--output", "-", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as p:
        calls = subprocess.run([PROGRAM, "calls", "--format", "ndjson", "-"], stdin=p.stdout,
                               capture_output=True, timeout=30, check=False)
    expect(b'"call_ids":["one"]' in calls.stdout, str(calls))
    many = write(os.path.join(scratch, "many.pcap"), b"".join(options(i) for i in range(2000)))
    with subprocess.Popen([PROGRAM, "record", "--output", "-", many], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        p.stdout.close()
        said = p.stderr.read().decode()
        expect(p.wait(30) == 2 and "Broken pipe" in said, said)


def hep(scratch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(10)
        path = write(os.path.join(scratch, "hep-in.pcap"), call("one", 0, 6000) + call("two", 60000, 6002))
        where = f"udp:127.0.0.1:{s.getsockname()[1]}"
        expect("HEP: messages sent: 10\n" in record(["--hep", where, path]).stderr, "ten are sent")
        got = [s.recv(65536) for _ in range(10)]
        expect(all(m.startswith(b"HEP3") for m in got) and b"INVITE sip:2@b" in got[0], str(got[:1]))
        record(["--hep", where, "--filter", 'call_id == "two"', path])
        got = [s.recv(65536) for _ in range(5)]
        expect(all(b"Call-ID: two" in m for m in got), str(got))
    expect(not [f for f in os.listdir(".") if f.startswith("sipxray-2")], "no file is made")


def mistakes(scratch):
    path = write(os.path.join(scratch, "mistakes.pcap"), options(1))
    for arguments, words in ((["--rotate-size", "0"], "a size such as"),
                             (["--rotate-size", "1X"], "a size such as"),
                             (["--rotate-time", "x"], "a time such as"),
                             (["--rotate-count", "-1"], "a number from 1 on"),
                             (["--keep", "3"], "of those that --rotate-size"),
                             (["--trigger", "x"], "the only trigger is check"),
                             (["--filter", "("], "--filter: column"),
                             (["--output", "-", "--rotate-count", "1"], "is not rotated"),
                             (["--output", "/no/such/folder/x"], "No such file"),
                             (["--hep", "x"], "udp:")):
        done = record([*arguments, path], scratch, 2)
        expect(words in done.stderr, f"{arguments}: {done.stderr}")
        expect(not listed(scratch, ".part"), f"{arguments}: {listed(scratch, '.part')}")


def stage_files(scratch):
    for test in (comments_and_names, pcap, tls, media, to_stdout, hep, mistakes):
        yield test.__name__.replace("_", " "), lambda test=test: test(scratch)


# ---- what goes on ---------------------------------------------------------------------------------


def killed(scratch):
    """Whatever was there half a second before is in a file that can be read."""
    folder = fresh(scratch, "killed")
    live = Live("--output", os.path.join(folder, "k.pcapng"), "--rotate-count", "100")
    for i in range(250):
        live.feed(options(i, i))
    wait_for(lambda: listed(folder, ".part") and len(listed(folder)) == 2
             and os.path.getsize(listed(folder, ".part")[0]) > 50 * 500, "all is in the files")
    live.feed(b"x" * 7)
    live.end(signal.SIGKILL, -9)
    counts = [packets(f) for f in listed(folder)]
    expect(counts == [100, 100], str(counts))
    part = listed(folder, ".part")[0]
    expect(packets(part) == 50, f"{packets(part)} in the last one")
    done = run(["messages", *listed(folder, ".part")])
    expect(done.returncode == 0 and done.stdout.count("OPTIONS") == 50, done.stderr)


def left_over(scratch):
    """The .part of a recording that was killed is not written over."""
    folder = fresh(scratch, "left")
    path = os.path.join(folder, "l.pcapng")
    live = Live("--output", path)
    wait_for(lambda: os.path.exists(path + ".part"), "it is begun")
    live.end(signal.SIGKILL, -9)
    done = run(["record", "--output", path, write(os.path.join(folder, "in.pcap"), options(1))])
    expect(done.returncode == 2 and "rename it" in done.stderr, done.stderr)


def rotated(scratch):
    """Files under load: all packets, each once, in files of the size that was asked for."""
    path = write(os.path.join(scratch, "load.pcap"), b"".join(options(i, i) for i in range(30000)))
    folder = fresh(scratch, "size")
    said = record(["--output", os.path.join(folder, "s.pcapng"), "--rotate-size", "1M", path]).stderr
    sizes = [os.path.getsize(f) for f in listed(folder)]
    expect(len(sizes) > 15 and all(1 << 20 <= s < (1 << 20) + 2000 for s in sizes[:-1]), str(sizes))
    expect("packets recorded: 30000 " in said, said)
    seen = []
    for f in listed(folder):
        seen += [json.loads(l)["call_id"] for l in
                 run(["messages", "--format", "ndjson", f]).stdout.splitlines()]
    expect(seen == [f"o{i}" for i in range(30000)], f"{len(seen)} messages")
    folder = fresh(scratch, "keep")
    said = record(["--output", os.path.join(folder, "k.pcapng"), "--rotate-count", "7000", "--keep",
                   "2", path]).stderr
    expect([packets(f) for f in listed(folder)] == [7000, 2000], str(listed(folder)))
    expect("files deleted by --keep: 3" in said, said)


def by_time_and_signal(scratch):
    folder = fresh(scratch, "time")
    live = Live("--output", os.path.join(folder, "t.pcapng"), "--rotate-time", "1s")
    live.feed(options(1))
    wait_for(lambda: len(listed(folder)) == 1, "the first file is finished")
    live.feed(options(2))
    wait_for(lambda: listed(folder, ".part") and is_in(b"o2", listed(folder, ".part")[0]), "it is in the second")
    live.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(listed(folder)) == 2, "SIGHUP begins the next")
    live.feed(options(3))
    live.end(signal.SIGTERM)
    expect([packets(f) for f in listed(folder)] == [1, 1, 1], str(listed(folder)))
    expect(not listed(folder, ".part"), "nothing is left over")


def ended(scratch):
    """Each of these signals ends a recording, of a pipe or of a file, well."""
    many = write(os.path.join(scratch, "long.pcap"), b"".join(options(i, i) for i in range(100)))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        path = os.path.join(scratch, f"ended-{number}.pcapng")
        live = Live("--output", path, "also=" + many)
        live.feed(options(1))
        wait_for(lambda path=path: os.path.exists(path + ".part")
                 and os.path.getsize(path + ".part") > 50000, "it is recorded")
        said = live.end(number)
        expect(packets(path, True) == 101 and "packets recorded: 101" in said, said)


def stalled(_scratch):
    """Who does not read is waited for; the first signal ends it all the same, and says what is not there."""
    live = Live("--output", "-", stdout=subprocess.PIPE)
    count, size = 0, len(options(100))
    while count * size < 170000:  # more than fits in the pipe to nobody, and less than in all on the way
        live.feed(options(100 + count))
        count += 1
    held = bytearray(4)

    def full():
        fcntl.ioctl(live.process.stdout, termios.FIONREAD, held)
        return int.from_bytes(held, sys.byteorder) > 60000  # of 65536, by pages
    wait_for(full, "nothing more fits")
    live.process.send_signal(signal.SIGINT)
    expect(live.process.wait(30) == 2, "it ends")
    said = live.process.stderr.read().decode()
    lost = re.search(r"standard output: what was recorded is not read; packets that were not recorded: (\d+)", said)
    expect(lost and 0 < int(lost[1]) < count, said)
    live.process.stdout.close()


def full_disk(scratch):
    """Told once; goes on when there is room; what is there is whole; the status says that it is not
    all."""
    folder = fresh(scratch, "full")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        ballast = os.path.join(folder, "ballast")
        with open(ballast, "wb") as f:
            f.write(b"x" * 500000)
        path = os.path.join(folder, "f.pcapng")
        live = Live("--output", path)
        for i in range(1500):
            live.feed(options(i, i))
        wait_for(lambda: os.statvfs(folder).f_bavail == 0, "the disk is full")
        count = packets(path + ".part")
        expect(500 < count < 1500, f"{count} packets in a full disk")
        os.unlink(ballast)
        wait_for(lambda: packets(path + ".part") == 1500, "there is room for all again")
        for i in range(1500, 6000):
            live.feed(options(i, i))
        said = live.end(status=2)
        expect(said.count("No space left on device; what comes is not recorded") == 2, said)
        expect(said.count("recording goes on") == 1, said)
        expect("packets that were not recorded: " in said, said)
        lost = int(said.split("packets that were not recorded: ")[-1].split()[0])
        expect(packets(path) == 6000 - lost and lost > 1000, f"{packets(path)} and {lost} of 6000")
    finally:
        subprocess.run(["umount", folder], check=True)
    folder = fresh(scratch, "full-file")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], check=True)
    try:
        path = write(os.path.join(scratch, "full.pcap"), b"".join(options(i, i) for i in range(5000)))
        done = record(["--output", os.path.join(folder, "f.pcapng"), "--rotate-size", "100k", path],
                      status=2)
        expect("No space left on device" in done.stderr, done.stderr)
        expect(all(packets(f) > 0 for f in listed(folder)) and len(listed(folder)) >= 2,
               str(listed(folder)))
    finally:
        subprocess.run(["umount", folder], check=True)


def interface(scratch):
    """On an interface of a namespace of its own; SIP in, the rest out."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    path = os.path.join(scratch, "iface.pcapng")
    with subprocess.Popen([PROGRAM, "record", "--output", path, "--for", "3s", "host=iface:lo"],
                          stderr=subprocess.PIPE) as p:
        wait_for(lambda: os.path.exists(path + ".part"), "it is begun")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for i in range(50):
                s.sendto(sip("OPTIONS sip:2@b SIP/2.0", f"i{i}", "1 OPTIONS"), ("127.0.0.1", 5060))
                s.sendto(b"\x80" + b"x" * 171, ("127.0.0.1", 4000))
        said = p.stderr.read().decode()
        expect(p.wait(20) == 0, said)
    expect(packets(path) == 50, f"{packets(path)} packets: {said}")
    expect("0 dropped by the kernel" in said, said)
    expect(run(["messages", path]).stdout.count("OPTIONS") == 50, "they are read again")


def stage_live(scratch):
    for test in (killed, left_over, rotated, by_time_and_signal, ended, stalled):
        yield test.__name__.replace("_", " "), lambda test=test: test(scratch)


def stage_root(scratch):
    for test in (full_disk, interface):
        yield test.__name__.replace("_", " "), lambda test=test: test(scratch)


STAGES = {"trips": stage_trips, "files": stage_files, "live": stage_live, "root": stage_root}


def judge(name, test):
    try:
        test()
        return f"ok {name}"
    except (Failed, subprocess.SubprocessError, KeyError, OSError, ValueError) as e:
        return f"not {name}: " + str(e).replace("\n", "\n    ")


def main():
    scratch = tempfile.mkdtemp(prefix="sipxray-record-")
    try:
        tests = [t for stage in sys.argv[2:] for t in STAGES[stage](scratch)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for line in pool.map(lambda t: judge(*t), tests):
                print(line, flush=True)
    finally:
        shutil.rmtree(scratch)


main()
