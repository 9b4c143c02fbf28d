"""HEP that comes in, by the whole program, in a network namespace of its own.

hep.py PROGRAM: prints a line for each test, "ok NAME" or "not ok NAME: why".
"""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "live"))

# pylint: disable=wrong-import-position
from live import NO_LEAKS, Run, has, options, run_tests, same, temporary, wait_until  # noqa: E402
from sip_path import ADDRESSES, Path  # noqa: E402

PORT = 9060


# ---- HEP -----------------------------------------------------------------------------------------


def chunk(kind, value, vendor=0):
    return struct.pack("!HHH", vendor, kind, 6 + len(value)) + value


def hep3(payload, agent=2001, key=None, src="10.0.0.1", dst="10.0.0.2", before=b""):
    six = ":" in src
    family = socket.AF_INET6 if six else socket.AF_INET
    body = (chunk(1, bytes([10 if six else 2])) + chunk(2, b"\x11")
            + chunk(5 if six else 3, socket.inet_pton(family, src))
            + chunk(6 if six else 4, socket.inet_pton(family, dst))
            + chunk(7, b"\x13\xc4") + chunk(8, b"\x13\xc4")
            + chunk(9, struct.pack("!I", int(time.time()))) + chunk(10, struct.pack("!I", 5))
            + chunk(11, b"\x01") + chunk(12, struct.pack("!I", agent)) + before
            + (chunk(14, key) if key is not None else b"") + chunk(15, payload))
    return b"HEP3" + struct.pack("!H", 6 + len(body)) + body


def hep2(payload, agent, version=2):
    head = struct.pack("!BBBBHH", version, 28 if version == 2 else 16, 2, 17, 5060, 5060)
    head += socket.inet_aton("10.0.0.1") + socket.inet_aton("10.0.0.2")
    if version == 2:
        head += struct.pack("<IIHH", int(time.time()), 5, agent, 0)
    return head + payload


def send(data, address=("127.0.0.1", PORT)):
    with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, address)


def connect(address=("127.0.0.1", PORT)):
    return socket.create_connection(address, 5)


def listening(run, kind="udp", port=PORT, six=""):
    """Until it is bound."""
    wanted = re.compile(rf":{port:04X} [0:]+ (0A|07)")  # a TIME_WAIT has a peer

    def there():
        with open(f"/proc/{run.process.pid}/net/{kind}{six}", encoding="ascii") as f:
            return wanted.search(f.read())
    wait_until(there, "it listens")
    return run


def messages(*args, env=None, kind="udp", six=""):
    run = Run("messages", "--format", "ndjson", *args, env={**NO_LEAKS, **(env or {})})
    return listening(run, kind, six=six)


def got(run, *names):
    line = json.loads(run.line())
    return tuple(line[name] for name in names)


# ---- tests ---------------------------------------------------------------------------------------


def test_versions():
    run = messages(f"hep:udp:127.0.0.1:{PORT}")
    send(hep3(options("c3"), 2001))
    same(got(run, "point", "call_id", "src", "dst", "transport"), ("2001", "c3", "10.0.0.1:5060", "10.0.0.2:5060", "udp"))
    send(hep2(options("c2"), 2002))
    same(got(run, "point", "call_id"), ("2002", "c2"))
    send(hep2(options("c1"), 0, 1))
    same(got(run, "point", "call_id"), ("hep", "c1"))
    send(hep3(options("c6"), 2001, src="fd00::1", dst="fd00::2"))
    same(got(run, "point", "src"), ("2001", "[fd00::1]:5060"))
    status, out, err = run.end(signal.SIGINT)
    same((status, out), (0, ""))
    has(err, "sipxray: hep: 4 packets received, 0 dropped by the kernel\n")


def test_ipv6_and_names():
    run = messages(f"a=hep:udp:[::1]:{PORT}", f"b=hep:tcp:[::]:{PORT}", six="6")
    send(hep3(options("c1"), 7), ("::1", PORT))
    same(got(run, "point", "call_id"), ("7", "c1"))
    with connect() as s:  # IPv4 to a socket of IPv6; the same id is another point in another source
        s.sendall(hep3(options("c2"), 7))
        same(got(run, "point", "call_id"), ("b:7", "c2"))
    same(run.end(signal.SIGINT)[0], 0)


def test_key():
    with temporary() as folder:
        with open(folder + "/key", "w", encoding="ascii") as f:
            f.write("se cret\n")
        for args, env in ((["--hep-key-file", folder + "/key"], {}), ([], {"SIPXRAY_HEP_KEY": "se cret"})):
            run = messages(*args, f"hep:udp:127.0.0.1:{PORT}", env=env)
            for wrong in (hep3(options("no")), hep3(options("no"), key=b""), hep3(options("no"), key=b"se cre"),
                          hep3(options("no"), key=b"se crett"), hep2(options("no"), 1), hep2(options("no"), 1, 1),
                          hep3(options("no"), key=b"wrong", before=chunk(14, b"se cret", 5))):
                send(wrong)
            send(hep3(options("yes"), key=b"se cret"))
            same(got(run, "call_id"), ("yes",))
            status, out, err = run.end(signal.SIGINT)
            same((status, out), (0, ""))
            has(err, "note: hep: messages by HEP without the authentication key, or with a wrong one, not read: 7\n")
        status, _, err = Run("messages", "--hep-key-file", folder + "/none", f"hep:udp:127.0.0.1:{PORT}").end()
        same((status, err), (2, f"sipxray: --hep-key-file {folder}/none: No such file or directory\n"))


def test_mistakes():
    for what in ("hep:", "hep:udp:127.0.0.1", "hep:sctp:127.0.0.1:1", "hep:udp:127.0.0.1:0", "hep:udp:::1:9060"):
        status, _, err = Run("messages", what).end()
        same((status, err), (2, f"sipxray: {what}: it has to be hep:udp:ADDR:PORT or hep:tcp:ADDR:PORT, "
                                "an IPv6 address in brackets\n"))
    status, _, err = Run("messages", "hep:udp:192.0.2.77:9060").end()
    same((status, err), (2, "sipxray: hep:udp:192.0.2.77:9060: cannot listen: Cannot assign requested address\n"))
    status, _, err = Run("messages", "--bpf", "port 5060", f"hep:udp:127.0.0.1:{PORT}").end()
    same(status, 2)
    has(err, "cannot be filtered by --bpf")


def test_senders_over_tcp():
    """Each in its own pieces, mixed with the others'; a message a sender, in turn."""
    run = messages(f"hep:tcp:127.0.0.1:{PORT}", kind="tcp")
    senders = [connect() for _ in range(20)]
    sent = [b"".join(hep3(options(f"c{i}-{k}"), 3000 + i) for k in range(5)) for i in range(20)]
    for at in range(0, max(len(data) for data in sent), 97):
        for sender, data in zip(senders, sent):
            sender.sendall(data[at:at + 97])
    found = sorted(got(run, "call_id", "point") for _ in range(100))
    same(found, sorted((f"c{i}-{k}", str(3000 + i)) for i in range(20) for k in range(5)))
    for sender in senders:
        sender.close()
    status, _, err = run.end(signal.SIGINT)
    same((status, err.count("HEP")), (0, 0))


def test_hostile_over_tcp():
    run = messages(f"hep:tcp:127.0.0.1:{PORT}", kind="tcp")
    for rubbish in (b"GET / HTTP/1.0\r\n\r\n", b"HEP3\0\0", b"HEP3\0\5aaaa", b"HEQ", os.urandom(5000)[:4] + b"x" * 70000):
        with connect() as s:
            try:
                s.sendall(rubbish)
                same(s.recv(1), b"")  # it is closed
            except ConnectionError:
                pass
    with connect() as s:
        s.sendall(hep3(options("c"))[:-10])
    with connect() as s:  # the longest message there is
        s.sendall(hep3(options("long", "X-Long: " + "x" * 65000 + "\r\n")))
        same(got(run, "call_id"), ("long",))
    many = [connect() for _ in range(400)]
    many[-1].sendall(hep3(options("last")))
    same(got(run, "call_id"), ("last",))
    status, _, err = run.end(signal.SIGINT)
    same(status, 0)
    has(err, "datagrams or connections that were no HEP: 5\n")
    has(err, "connections that ended within a HEP message: 1\n")
    assert 100 < int(re.search(r"there were too many: (\d+)", err)[1]) < 160, err
    for s in many:
        s.close()


def test_hostile_datagrams():
    run = messages(f"hep:udp:127.0.0.1:{PORT}")
    with open("captures/kam1-strips-bye/kam1.pcapng", "rb") as f:
        capture = f.read()
    good = hep3(options("c"))
    wrong = [b"", b"H", b"HEP3", b"HEP3\xff\xff", capture[:1400], options("raw"), b"\1\xff\2", b"\2" * 60]
    wrong += [good[:i] for i in range(6, len(good), 7)] + [b"HEP3\0\x10" + b"\xff" * 10]
    wrong += [good[:i] + bytes([good[i] ^ 0xff]) + good[i + 1:] for i in range(0, 140)]
    for data in wrong:
        send(data)
    send(hep3(options("yes"), 77))
    while got(run, "call_id") != ("yes",):
        pass
    status, _, err = run.end(signal.SIGINT)
    same(status, 0)
    has(err, "datagrams or connections that were no HEP: ")
    assert "raw" not in "".join(run.lines)


def test_burst():
    run = messages(f"hep:udp:127.0.0.1:{PORT}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(2000):
            s.sendto(hep3(options(f"c{i}")), ("127.0.0.1", PORT))
    time.sleep(1)
    _, out, err = run.end(signal.SIGINT)
    received, dropped = re.search(r"hep: (\d+) packets received, (\d+) dropped", err).groups()
    same(int(received) + int(dropped), 2000)
    same(out.count("\n"), int(received))


def check_call(path, kind, *args, version=3):
    """A call over both, of which the first strips a header off the BYE."""
    run = listening(Run("check", "--format", "text", *args, f"hep:{kind}:10.0.9.9:{PORT}"), kind)
    try:
        path.call()
    finally:
        time.sleep(0.5)
        status, out, err = run.end(signal.SIGINT)
    same(status, 1)
    has(out, "strips 1 of 1 header from BYE")
    has(out, "X-Test")
    line = [line for line in out.splitlines() if "strips 1 of 1" in line][0]
    has(line, "2001 (10.0.1.1 in")
    return err


def test_two_kamailios():
    with temporary() as folder, Path(folder, collector=f"10.0.9.9:{PORT}") as path:
        check_call(path, "udp")


def test_two_kamailios_by_version_2():
    with temporary() as folder, Path(folder, collector=f"10.0.9.9:{PORT}", version=2) as path:
        check_call(path, "udp")


def test_two_kamailios_tls_and_key():
    """What went between them was encrypted; what comes from them is not, and has the key."""
    with temporary() as folder:
        with open(folder + "/key", "w", encoding="ascii") as f:
            f.write("Kah4aish")
        with Path(folder, collector=f"10.0.9.9:{PORT}", key="Kah4aish", tls=True) as path:
            run = messages("--hep-key-file", folder + "/key", f"hep:udp:10.0.9.9:{PORT}")
            path.call("plain")
            time.sleep(0.5)
            _, out, _ = run.end(signal.SIGINT)
            found = {(line["point"], line["transport"]) for line in map(json.loads, out.splitlines())}
            same(found, {(point, transport) for point in ("2001", "2002") for transport in ("udp", "tls")})
            err = check_call(path, "udp", "--hep-key-file", folder + "/key")
            assert "authentication key" not in err, err
            with open(folder + "/key", "w", encoding="ascii") as f:
                f.write("another")
            run = messages("--hep-key-file", folder + "/key", f"hep:udp:10.0.9.9:{PORT}")
            path.call("refused")
            _, out, err = run.end(signal.SIGINT)
            same(out, "")
            assert re.search(r"with a wrong one, not read: 2\d\n", err), err


def chunks_of(message):
    """What the specification says that is there."""
    same((message[:4], int.from_bytes(message[4:6], "big")), (b"HEP3", len(message)))
    found, at = {}, 6
    while at < len(message):
        vendor, kind, n = struct.unpack("!HHH", message[at:at + 6])
        same(vendor, 0)
        found[kind] = message[at + 6:at + n]
        at += n
    return found


def test_round_trip():
    """What record sends is what it saw: to who reads it by the specification, and to us."""
    capture = "captures/kam1-strips-bye/kam1.pcapng"
    status, out, _ = Run("messages", "--format", "ndjson", f"kam1={capture}").end()
    same(status, 0)
    sent = [json.loads(line) for line in out.splitlines()]
    secret = {**NO_LEAKS, "SIPXRAY_HEP_KEY": "Kah4aish"}

    def record(where):
        status, _, err = Run("record", "--hep", where, f"kam1={capture}", env=secret).end()
        same(status, 0)
        has(err, f"HEP: messages sent: {len(sent)}\n")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", PORT))
        record(f"udp:127.0.0.1:{PORT}")
        for m in sent:
            c = chunks_of(s.recv(65536))
            same((socket.inet_ntoa(c[3]), socket.inet_ntoa(c[4])), (m["src"].split(":")[0], m["dst"].split(":")[0]))
            same((c[12], c[14], c[17]), (b"\0\0\0\1", b"Kah4aish", m["call_id"].encode()))
            same(c[15].split(b"\r\n\r\n")[0].count(b"\r\n"), len(m["headers"]))
    for kind in ("udp", "tcp"):
        run = messages(f"hep:{kind}:127.0.0.1:{PORT}", env=secret, kind=kind)
        record(f"{kind}:127.0.0.1:{PORT}")
        for m in sent:
            back = json.loads(run.line())
            for name in ("src", "dst", "transport", "headers", "method", "status", "call_id", "body_length"):
                same(back[name], m[name])
            same((back["time"][:26], back["point"]), (m["time"][:26], "1"))  # HEP has microseconds
        status, out, err = run.end(signal.SIGINT)
        same((status, out), (0, ""))


TESTS = [test_versions, test_ipv6_and_names, test_key, test_mistakes, test_senders_over_tcp, test_hostile_over_tcp,
         test_hostile_datagrams, test_burst, test_two_kamailios, test_two_kamailios_by_version_2,
         test_two_kamailios_tls_and_key, test_round_trip]


def prepare():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in [*sum(ADDRESSES.values(), []), "10.0.9.9"]:
        subprocess.run(["ip", "addr", "add", address + "/32", "dev", "lo"], check=True)


if __name__ == "__main__":
    prepare()
    run_tests(TESTS, sys.argv[2:])
