"""Reads and writes pcap files, for the edits that a case makes to what tcpdump wrote."""
import dataclasses
import struct

ETHERNET, RAW, SLL, SLL2 = 1, 101, 113, 276
HEADER = {ETHERNET: 14, RAW: 0, SLL: 16, SLL2: 20}
TCP, UDP = 6, 17
FIN, SYN, RST, PUSH, ACK = 1, 2, 4, 8, 16


@dataclasses.dataclass(frozen=True)
class Packet:
    """A frame with an IPv4 packet: its time in microseconds, link header and packet."""

    time: int
    link: bytes
    ip: bytes

    def protocol(self):
        return self.ip[9]

    def ends(self):
        return self.ip[12:16], self.ip[16:20]

    def flow(self):
        return self.ip[12:20] + self.ip[20:24]

    def data_at(self):
        return 20 + (8 if self.protocol() == UDP else self.ip[32] >> 4 << 2)

    def data(self):
        return self.ip[self.data_at():]

    def sequence(self):
        return struct.unpack_from("!I", self.ip, 24)[0]

    def segment(self, time, sequence, data):
        """This TCP segment with other data."""
        head = bytearray(self.ip[20:self.data_at()])
        struct.pack_into("!I", head, 4, sequence & 0xFFFFFFFF)
        head[16:18] = bytes(2)
        pseudo = self.ip[12:20] + struct.pack("!HH", TCP, len(head) + len(data))
        struct.pack_into("!H", head, 16, checksum(pseudo + bytes(head) + data))
        return Packet(time, self.link, with_length(self.ip[:20], bytes(head) + data))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_length(head, payload):
    """An IPv4 packet of this header and payload, length and checksum made right."""
    head = bytearray(head)
    struct.pack_into("!H", head, 2, 20 + len(payload))
    head[10:12] = bytes(2)
    struct.pack_into("!H", head, 10, checksum(bytes(head)))
    return bytes(head) + payload


def read(path):
    """Its link type, and its packets."""
    data = path.read_bytes()
    kind, = struct.unpack_from("<I", data, 20)
    packets, at = [], 24
    while at < len(data):
        seconds, micros, size, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + size]
        link, ip = frame[:HEADER[kind]], frame[HEADER[kind]:]
        length, = struct.unpack_from("!H", ip, 2)
        packets.append(Packet(seconds * 1000000 + micros, link, ip[:length]))
        at += 16 + size
    return kind, packets


def write(path, kind, packets):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, kind)
    for p in packets:
        frame = p.link + p.ip
        out += struct.pack("<IIII", p.time // 1000000, p.time % 1000000, len(frame), len(frame)) + frame
    path.write_bytes(out)
