"""The network: one namespace per host, three links between them.

    livekit --link1-- kam1 --link2-- kam2 --link3-- five9

The address of a host on link N is 10.0.N.x, and fd00:N::x.
"""
import subprocess
import sys

from .case import LAB

PREFIX = "sxlab-"
HOSTS = ("livekit", "kam1", "kam2", "five9", "switch")  # the switch only for mirror ports
LINKS = {  # name: ((host, interface, last part of the address), (the other end))
    "link1": (("livekit", "eth0", "10"), ("kam1", "in", "1")),
    "link2": (("kam1", "out", "1"), ("kam2", "in", "2")),
    "link3": (("kam2", "out", "1"), ("five9", "eth0", "20")),
}


def address(link, end, ipv6=False):
    last = LINKS[link][end][2]
    return f"fd00:{link[-1]}::{last}" if ipv6 else f"10.0.{link[-1]}.{last}"


def uri_host(text):
    return f"[{text}]" if ":" in text else text


def ip(*args, check=True):
    return subprocess.run(["ip", *args], check=check, capture_output=not check)


def inside(host):
    return ["ip", "netns", "exec", PREFIX + host]


def address_of(host, link, ipv6):
    end = 0 if LINKS[link][0][0] == host else 1
    return address(link, end, ipv6)


def configure(link, end):
    host, interface, last = LINKS[link][end]
    number = link[-1]
    ns = ("-n", PREFIX + host)
    ip(*ns, "addr", "add", f"10.0.{number}.{last}/24", "dev", interface)
    ip(*ns, "-6", "addr", "add", f"fd00:{number}::{last}/64", "dev", interface, "nodad")
    ip(*ns, "link", "set", interface, "up")


def set_mtu(link, size):
    for host, interface, _ in LINKS[link]:
        ip("-n", PREFIX + host, "link", "set", interface, "mtu", str(size))


def make_veth(link):
    (left, a, _), (right, b, _) = LINKS[link]
    ip("link", "add", "name", a, "netns", PREFIX + left, "type", "veth",
       "peer", "name", b, "netns", PREFIX + right)


def start_pump(case, link, start):
    """A link made of two tun or tap devices with lab/link.py between them."""
    (left, a, _), (right, b, _) = LINKS[link]
    options = case.links.get(link, "").split()
    port = case.mirror.get(link)
    if port:
        options += ["--mirror", f"{PREFIX}switch,{port}", "--vlan", "10" + link[-1]]
    start(link, [sys.executable, str(LAB / "lab" / "link.py"), *options,
                 PREFIX + left, a, PREFIX + right, b], ready="pumping")
    if port:
        ip("-n", PREFIX + "switch", "link", "set", port, "up")


def up(case, start):
    for host in HOSTS:
        ip("netns", "add", PREFIX + host)
        ip("-n", PREFIX + host, "link", "set", "lo", "up")
    for link in LINKS:
        if link in case.links or link in case.mirror:
            start_pump(case, link, start)
        else:
            make_veth(link)
        configure(link, 0)
        configure(link, 1)
        if link in case.mtu:
            set_mtu(link, case.mtu[link])
    for host, extra in case.addresses.items():
        for text in extra:
            ip("-n", PREFIX + host, "addr", "add", *text.split())
    if case.direct:
        make_direct()


def make_direct():
    """A link from livekit to kam2 that carries only what one sends to the other's SIP address."""
    ip("link", "add", "name", "direct", "netns", PREFIX + "livekit", "type", "veth",
       "peer", "name", "direct", "netns", PREFIX + "kam2")
    for host, own, peer in (("livekit", "10.0.1.10", "10.0.2.2"), ("kam2", "10.0.2.2", "10.0.1.10")):
        ip("-n", PREFIX + host, "link", "set", "direct", "up")
        ip("-n", PREFIX + host, "route", "add", peer, "dev", "direct", "src", own)


def down():
    for line in ip("netns", "list", check=False).stdout.decode().splitlines():
        if line.startswith(PREFIX):
            ip("netns", "del", line.split()[0], check=False)
