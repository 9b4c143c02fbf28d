"""weeks.py CALLS: a capture on standard output of so many calls, one every 20 seconds of its clock: 90,720
of them are three weeks.  Each has a Call-ID and an address of its own, and a header name that nobody had
before; of ten calls one is never answered, one never ends, and one loses its header on the way."""

import socket
import struct
import sys

CALLS = int(sys.argv[1])
STEP = 20
START = 1_600_000_000
PROXY_IN, PROXY_OUT, CALLEE = "192.0.2.1", "192.0.2.2", "192.0.2.3"
out = sys.stdout.buffer


def frame(data, src, dst):
    udp = struct.pack("!HHHH", 5060, 5060, 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    return b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x08\0" + head + udp


def write(seconds, micro, data, src, dst):
    f = frame(data.encode(), src, dst)
    out.write(struct.pack("=IIII", seconds, micro, len(f), len(f)) + f)


def message(start, vias, n, cseq, extra=""):
    stack = "".join(f"Via: SIP/2.0/UDP {v};branch=z9hG4bK{n}{cseq[0]}{v}\r\n" for v in vias)
    to_tag = "" if start.startswith("INVITE") else ";tag=2"
    return (f"{start}\r\n{stack}From: <sip:a{n}@example.com>;tag={n}\r\nTo: <sip:b@example.com>{to_tag}\r\n"
            f"Call-ID: call-{n}\r\nCSeq: {cseq}\r\n{extra}Content-Length: 0\r\n\r\n")


def pair(at, n, start, cseq, caller, header, lost=False):
    """A request by way of the proxy, with its answer."""
    write(at, 1000, message(start, [caller], n, cseq, header), caller, PROXY_IN)
    write(at, 2000, message(start, [PROXY_OUT, caller], n, cseq, "" if lost else header), PROXY_OUT, CALLEE)


def answer(at, n, cseq, caller):
    write(at, 3000, message("SIP/2.0 200 OK", [PROXY_OUT, caller], n, cseq), CALLEE, PROXY_OUT)
    write(at, 4000, message("SIP/2.0 200 OK", [caller], n, cseq), PROXY_IN, caller)


out.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
for n in range(CALLS):
    at = START + n * STEP
    caller = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
    header = f"X-H{n}: {n}\r\n"
    pair(at, n, "INVITE sip:b@example.com SIP/2.0", "1 INVITE", caller, header)
    if n % 10 == 7:
        continue
    answer(at + 1, n, "1 INVITE", caller)
    if n % 10 == 8:
        continue
    pair(at + 8, n, "BYE sip:b@example.com SIP/2.0", "2 BYE", caller, header, n % 10 == 9)
    answer(at + 8, n, "2 BYE", caller)
