"""HEP as kamailio's siptrace sends it, versions 2 and 3: what the proxies themselves saw."""
import socket
import struct

PORT = 9060


def read(packet):
    """(capture id, source address, SIP message)"""
    return version3(packet) if packet[:4] == b"HEP3" else version2(packet)


def version3(packet):
    chunks, at = {}, 6
    while at < len(packet):
        _, kind, length = struct.unpack("!HHH", packet[at:at + 6])
        chunks[kind] = packet[at + 6:at + length]
        at += length
    source = socket.inet_ntop(socket.AF_INET, chunks[3]) if 3 in chunks else socket.inet_ntop(socket.AF_INET6, chunks[5])
    return int.from_bytes(chunks[12], "big"), source, chunks[15]


def version2(packet):
    """A time in the sender's byte order, and padding, follow the addresses."""
    size = 4 if packet[2] == socket.AF_INET else 16
    at = 8 + 2 * size
    source = socket.inet_ntop(packet[2], packet[8:8 + size])
    return int.from_bytes(packet[at + 8:at + 10], "little"), source, packet[at + 12:]
