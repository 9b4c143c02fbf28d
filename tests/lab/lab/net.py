"""The network: one namespace per host, three links between them.

    livekit --link1-- kam1 --link2-- kam2 --link3-- five9
"""
import subprocess
import sys

from .case import LAB

PREFIX = "sxlab-"
HOSTS = ("livekit", "kam1", "kam2", "five9")
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


def make_veth(link):
    (left, a, _), (right, b, _) = LINKS[link]
    ip("link", "add", "name", a, "netns", PREFIX + left, "type", "veth",
       "peer", "name", b, "netns", PREFIX + right)


def start_pump(link, options, start):
    """A link made of two tun or tap devices with lab/link.py between them."""
    (left, a, _), (right, b, _) = LINKS[link]
    start(link, [sys.executable, str(LAB / "lab" / "link.py"), *options.split(),
                 PREFIX + left, a, PREFIX + right, b], ready="pumping")


def up(case, start):
    for host in HOSTS:
        ip("netns", "add", PREFIX + host)
        ip("-n", PREFIX + host, "link", "set", "lo", "up")
    for link in LINKS:
        if link in case.links:
            start_pump(link, case.links[link], start)
        else:
            make_veth(link)
        configure(link, 0)
        configure(link, 1)
    for host, extra in case.addresses.items():
        for text in extra:
            ip("-n", PREFIX + host, "addr", "add", *text.split())
    for host, extra in case.routes.items():
        for text in extra:
            ip("-n", PREFIX + host, "route", "add", *text.split())


def down():
    for line in ip("netns", "list", check=False).stdout.decode().splitlines():
        if line.startswith(PREFIX):
            ip("netns", "del", line.split()[0], check=False)
