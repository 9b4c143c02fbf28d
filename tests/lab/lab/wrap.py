"""Recordings as they look from a node, a cloud's traffic mirror or a switch: the packets within other packets.

    node VNI                 a node's `-i any` (SLL2): each packet of its pod on the veth, then in VXLAN on the network
    flannel VNI              VXLAN between two nodes, on port 8472
    mirror VNI               VXLAN to a collector on port 4789, whichever way the packet went
    gre [KEY]                IP in GRE
    erspan SESSION           Ethernet in ERSPAN II, both ways to a collector
    ipip                     IP in IP between two nodes
"""
import struct

from . import pcap

NODES, HOST, COLLECTOR = ("192.168.7.11", "192.168.7.12"), "192.168.9.1", "192.168.9.9"
IPIP, GRE = 4, 47
VXLAN, FLANNEL = 4789, 8472
ERSPAN, IPV4 = 0x88BE, 0x0800
ETH0, VETH = 2, 7  # interfaces of a node
RECEIVED, SENT = 0, 4  # SLL2's packet types


def octets(address):
    return bytes(int(part) for part in address.split("."))


def mac(address):
    """Of the host with this address."""
    return b"\x02\x00" + address


def ethernet(source, target):
    return mac(target) + mac(source) + struct.pack("!H", IPV4)


def ip(source, target, protocol, payload, number):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, number & 0xFFFF, 0, 64, protocol, 0, source, target)
    return pcap.with_length(head, payload)


def udp(port, payload):
    """Source port from the inner flow, no checksum: RFC 7348, section 5."""
    entropy = 49152 + sum(payload[34:50]) % 16384
    return struct.pack("!HHHH", entropy, port, 8 + len(payload), 0) + payload


def vxlan(vni, frame):
    return struct.pack("!BxxxI", 8, int(vni) << 8) + frame


def way(packet):
    """The two nodes in the order in which they send this packet."""
    ends = [octets(node) for node in NODES]
    return ends if packet.ip[15] > packet.ip[19] or packet.ip[14] > packet.ip[18] else ends[::-1]


def framed(packet):
    return ethernet(*packet.ends()) + packet.ip


def outer(packets, wrapped):
    """One Ethernet frame for each packet, of what is said of it: both ends, protocol and payload of the outer packet."""
    return pcap.ETHERNET, [
        pcap.Packet(p.time, ethernet(*ends), ip(*ends, protocol, payload, n))
        for n, (p, (ends, protocol, payload)) in enumerate(zip(packets, wrapped), 1)]


def flannel(_, packets, vni):
    return outer(packets, [(way(p), pcap.UDP, udp(FLANNEL, vxlan(vni, framed(p)))) for p in packets])


def collected():
    return octets(HOST), octets(COLLECTOR)


def mirror(kind, packets, vni):
    """What is mirrored are the host's own frames, made up where it was not captured on Ethernet."""
    frames = [p.link + p.ip if kind == pcap.ETHERNET else framed(p) for p in packets]
    return outer(packets, [(collected(), pcap.UDP, udp(VXLAN, vxlan(vni, frame))) for frame in frames])


def gre(_, packets, key=None):
    head = struct.pack("!HHI", 0x2000, IPV4, int(key)) if key else struct.pack("!HH", 0, IPV4)
    return outer(packets, [(way(p), GRE, head + p.ip) for p in packets])


def erspan(_, packets, session):
    """GRE with a sequence number, then 8 bytes: version 1, VLAN, session, index."""
    heads = [struct.pack("!HHI", 0x1000, ERSPAN, n) + struct.pack("!HHI", 0x1000, 3 << 11 | int(session), 0)
             for n in range(len(packets))]
    return outer(packets, [(collected(), GRE, head + framed(p)) for head, p in zip(heads, packets)])


def ipip(_, packets):
    return outer(packets, [(way(p), IPIP, p.ip) for p in packets])


def sll2(interface, kind, address):
    return struct.pack("!HHIHBB", IPV4, 0, interface, 1, kind, 6) + mac(address) + bytes(2)


def node(_, packets, vni):
    """The pod is the end with the greater address; what it sends is received on the veth and sent on eth0."""
    out = []
    for n, p in enumerate(packets, 1):
        ends, own = way(p), octets(NODES[0])
        leaves = ends[0] == own
        veth = pcap.Packet(p.time, sll2(VETH, RECEIVED if leaves else SENT, p.ends()[0]), p.ip)
        wire = pcap.Packet(p.time, sll2(ETH0, SENT if leaves else RECEIVED, ends[0]),
                           ip(*ends, pcap.UDP, udp(FLANNEL, vxlan(vni, framed(p))), n))
        out += [veth, wire] if leaves else [wire, veth]
    return pcap.SLL2, out


EDITS = {"node": node, "flannel": flannel, "mirror": mirror, "gre": gre, "erspan": erspan, "ipip": ipip}
