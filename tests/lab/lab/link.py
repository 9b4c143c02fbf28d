#!/usr/bin/env python3
"""A link between two hosts that can lose packets and meddle with SIP: two tun or tap devices and a pump.

    link.py [OPTION...] NAMESPACE INTERFACE NAMESPACE INTERFACE
"""
import argparse
import contextlib
import ctypes
import fcntl
import os
import random
import re
import select
import struct
import time

from pcap import checksum

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_TAP, IFF_NO_PI = 1, 2, 0x1000


def enter(namespace):
    with open(f"/run/netns/{namespace}", "rb") as f:
        if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")


def open_device(namespace, name, kind):
    enter(namespace)
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), kind | IFF_NO_PI))
    return fd


def rebuild(packet, payload):
    """The IPv4 UDP packet with another payload, its lengths and checksums made right."""
    head = bytearray(packet[:20])
    udp = bytearray(packet[20:28])
    udp[4:8] = struct.pack("!HH", 8 + len(payload), 0)
    pseudo = bytes(head[12:20]) + b"\0\x11" + bytes(udp[4:6])
    udp[6:8] = struct.pack("!H", checksum(pseudo + bytes(udp) + payload))
    head[2:4] = struct.pack("!H", 28 + len(payload))
    head[10:12] = b"\0\0"
    head[10:12] = struct.pack("!H", checksum(bytes(head)))
    return bytes(head + udp) + payload


def strip(packet, header):
    """Takes one header out of BYE requests, as a firewall that knows SIP would."""
    if packet[0] != 0x45 or packet[9] != 17 or not packet[28:].startswith(b"BYE "):
        return packet
    pattern = rb"\r\n" + re.escape(header.encode()) + rb"[ \t]*:[^\r]*"
    return rebuild(packet, re.sub(pattern, b"", packet[28:], flags=re.I))


def is_sip(packet):
    return b"SIP/2.0" in packet


def tagged(frame, vlan):
    return frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:]


def write(fd, frame):
    with contextlib.suppress(OSError):  # the interface is not up yet
        os.write(fd, frame)


def due(queue):
    """Seconds until the first frame of the queue has to go, None when it is empty."""
    return max(0, queue[0][0] - time.monotonic()) if queue else None


def pump(left, right, mirror, options):
    link_header = 0 if options.tun else 14
    dice, queue = random.Random(options.seed), []
    while True:
        for fd in select.select([left, right], [], [], due(queue))[0]:
            frame = os.read(fd, 65536)
            if is_sip(frame) and dice.random() * 100 < options.loss:
                continue
            if options.strip:
                frame = frame[:link_header] + strip(frame[link_header:], options.strip)
            queue.append((time.monotonic() + options.delay / 1000, right if fd == left else left, frame))
        while queue and due(queue) == 0:
            _, fd, frame = queue.pop(0)
            write(fd, frame)
            for _ in range(options.copies if mirror else 0):
                write(mirror, tagged(frame, options.vlan))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tun", action="store_true", help="without Ethernet: the host captures raw IP")
    parser.add_argument("--loss", type=float, default=0, help="per cent of the SIP packets to lose")
    parser.add_argument("--seed", type=int, default=1, help="of the dice for --loss")
    parser.add_argument("--strip", help="header to take from BYE")
    parser.add_argument("--delay", type=float, default=0, help="milliseconds that a frame takes")
    parser.add_argument("--mirror", help="namespace,interface of a mirror port that gets each frame")
    parser.add_argument("--vlan", type=int, default=1, help="tag of the frames at the mirror port")
    parser.add_argument("--copies", type=int, default=1, help="of each frame at the mirror port")
    parser.add_argument("ends", nargs=4)
    return parser.parse_args()


def main():
    options = arguments()
    kind = IFF_TUN if options.tun else IFF_TAP
    left = open_device(*options.ends[:2], kind)
    right = open_device(*options.ends[2:], kind)
    mirror = open_device(*options.mirror.split(","), IFF_TAP) if options.mirror else None
    print("pumping", flush=True)
    pump(left, right, mirror, options)


if __name__ == "__main__":
    main()
