"""Edits of a recording, for what a real network does seldom and a case needs for sure.

Each takes the link type and the packets, and the words after its name; it gives both back.

    from N TEXT [K]          starts with the Nth packet whose data begin with TEXT, or K packets of its flow later
    drop ADDRESS TEXT K      leaves out the Kth packet of the flow after the one from ADDRESS whose data begin with TEXT
    split SIZE               cuts the data of each stream into segments of at most SIZE bytes
    join                     puts together what one end sends without being answered, as far as 1400 bytes go
    shuffle SEED             splits at random, changes the order, sends parts twice with other bounds
    fragment SIZE            cuts packets into IP fragments with at most SIZE bytes of payload, as a router would
    node, mirror, flannel, gre, erspan, ipip: see lab/wrap.py
"""
import random
import socket
import struct

from . import pcap, wrap


def starts(packet, text):
    return packet.protocol() in (pcap.TCP, pcap.UDP) and packet.data().startswith(text.encode())


def start_from(kind, packets, number, text, later="0"):
    at = [i for i, p in enumerate(packets) if starts(p, text)][int(number) - 1]
    flow, left = packets[at].flow(), int(later)
    while left:
        at += 1
        left -= packets[at].flow() == flow and len(packets[at].data()) > 0
    return kind, packets[at:]


def drop(kind, packets, source, text, later):
    first = next(i for i, p in enumerate(packets) if starts(p, text) and p.ends()[0] == socket.inet_aton(source))
    same = [i for i in range(first, len(packets)) if packets[i].flow() == packets[first].flow() and packets[i].data()]
    lost = same[int(later)]
    return kind, packets[:lost] + packets[lost + 1:]


def is_data(packet):
    return packet.protocol() == pcap.TCP and packet.data() and not packet.ip[33] & pcap.SYN


def split(kind, packets, size):
    return kind, [piece for p in packets for piece in (pieces(p, int(size)) if is_data(p) else [p])]


def pieces(packet, size):
    data = packet.data()
    for at in range(0, len(data), size):
        yield packet.segment(packet.time + at // size, packet.sequence() + at, data[at:at + size])


def join(kind, packets):
    """Data waits until the other end sends some, or 1400 bytes are full; acknowledgements in between go."""
    out, held = [], None
    for p in packets:
        if held and is_data(p) and p.flow() == held.flow() and len(held.data()) + len(p.data()) <= 1400:
            held = held.segment(p.time, held.sequence(), held.data() + p.data())
        elif is_data(p):
            out += [held] if held else []
            held = p
        elif not held or p.ip[33] & (pcap.SYN | pcap.FIN):
            out += [held, p] if held else [p]
            held = None
    return kind, out + ([held] if held else [])


def shuffle(kind, packets, seed):
    dice, out = random.Random(seed), []
    for p in packets:
        out += shuffled(p, dice) if is_data(p) else [p]
    return kind, out


def shuffled(packet, dice):
    """Five parts or so, in any order but the last one first, each with some of what stands before and after it."""
    data, size = packet.data(), len(packet.data()) // 5 + 1
    starts = list(range(0, len(data), size))
    dice.shuffle(starts)
    if dice.random() < 0.3:
        starts.append(dice.choice(starts))
    for n, start in enumerate(starts):
        low, high = max(0, start - dice.randrange(30)), start + size + dice.randrange(30)
        yield packet.segment(packet.time + n, packet.sequence() + low, data[low:high])


def fragment(kind, packets, size):
    return kind, [piece for n, p in enumerate(packets, 1) for piece in fragments(p, n, int(size) // 8 * 8)]


def fragments(packet, identification, size):
    """RFC 791, section 2.3."""
    payload = packet.ip[20:]
    for at in range(0, len(payload), size):
        more = 0x2000 if at + size < len(payload) else 0
        head = packet.ip[:4] + struct.pack("!HH", identification, more | at // 8) + packet.ip[8:20]
        yield pcap.Packet(packet.time + at // size, packet.link, pcap.with_length(head, payload[at:at + size]))


EDITS = {"from": start_from, "drop": drop, "split": split, "join": join, "shuffle": shuffle, "fragment": fragment,
         **wrap.EDITS}


def apply(path, edits):
    kind, packets = pcap.read(path)
    for text in edits:
        name, *words = text.split()
        kind, packets = EDITS[name](kind, packets, *words)
    pcap.write(path, kind, packets)
