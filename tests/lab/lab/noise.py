#!/usr/bin/env python3
"""What else comes to a SIP port: keep-alives, STUN, OPTIONS, RTP, a text that looks like SIP.  noise.py FROM TO"""
import os
import socket
import struct
import sys
import time

OPTIONS = """OPTIONS sip:{to} SIP/2.0
Via: SIP/2.0/UDP {own}:5060;branch=z9hG4bK-ping{n}
Max-Forwards: 70
From: <sip:ping@{own}>;tag=ping{n}
To: <sip:{to}>
Call-ID: ping{n}@{own}
CSeq: {n} OPTIONS
X-Five9-Queue: ping
X-Five9-Domain: Example Support
Content-Length: 0

"""


def packets(own, to):
    n = 0
    while True:
        n += 1
        yield b"\r\n\r\n"
        yield struct.pack("!HHI12s", 1, 0, 0x2112A442, os.urandom(12))
        yield OPTIONS.format(own=own, to=to, n=n).replace("\n", "\r\n").encode()
        yield struct.pack("!BBHII", 0x80, 0, n, 160 * n, 0x5EED) + b"\xd5" * 160
        yield b"\x00\x01\x02BYE sip:nobody SIP/2.0\r\n\xff\xfe\x00"


def main():
    own, to = sys.argv[1:]
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind((own, 5060))
    print("listening", flush=True)
    for packet in packets(own, to):
        wire.sendto(packet, (to, 5060))
        time.sleep(0.1)


if __name__ == "__main__":
    main()
