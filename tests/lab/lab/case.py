"""A case: cases/NAME/case.toml and its kamailio snippets, and the trunk and values in captures/NAME."""
import copy
import json
import pathlib
import random
import tomllib

LAB = pathlib.Path(__file__).resolve().parent.parent
CAPTURES = LAB.parent.parent / "captures"

DEFAULTS = {
    "ipv6": False,        # all addresses of the call
    "calls": 1,           # calls in the recording
    "rate": 10,           # calls begun each second
    "caller": ["+14155550100"],
    "callee": ["+15105550100"],
    "outbound": False,    # LiveKit calls out
    "cseq": 1,            # CSeq of the INVITE
    "play": [{}],         # the calls played one after the other, each with what differs from the case
    "failing": [],        # ends whose sipp is meant to end with an error
    "sipp": {},           # end -> additional options of sipp
    "points": {},         # host -> name of the point, where they differ
    "links": {},          # link1|link2|link3 -> options of lab/link.py, in place of a veth pair
    "mirror": {},         # link -> interface of the switch that gets its frames, with VLAN tag 100 + N
    "transport": {},      # link -> tcp, tls, ws or wss
    "tls": {},            # method, ciphers (TLS 1.2), suites (1.3)
    "keep": [],           # files of the lab that go with the recording: keys.log, key.pem
    "relay": {},          # end -> options of lab/relay.py, where sipp needs it
    "hep": {},            # proxy -> capture id of the HEP that it sends, captured the way "hep"
    "mtu": {},            # link -> its MTU
    "direct": False,      # whether livekit and kam2 have a link of their own, round kam1
    "hosts": {},          # host -> command line of a program in place of kamailio
    "beside": {},         # host -> command line of a program beside what plays it
    "addresses": {},      # host -> additional addresses
    "advertise": {},      # host -> {own address: advertised address}
    "vantage": {},        # host -> namespace where its capture is taken, when that is not the host
    "shift": {},          # host -> seconds that its clock is ahead
    "edit": {},           # host -> edits of its capture: lab/edit.py
    "secrets": {},        # host -> file of secrets to put into its pcapng
    "file": {},           # host -> suffix of its file, default .pcap
    "tcpdump": {},        # host -> additional options
    "expect": [],
}


class Case:
    def __init__(self, name):
        self.name = name
        self.folder = LAB / "cases" / name
        self.out = CAPTURES / name
        self.__dict__.update(DEFAULTS)
        self.__dict__.update(tomllib.loads((self.folder / "case.toml").read_text()))
        self.random = random.Random(name)

    def plays(self):
        """One case per entry of `play`; they share the dice."""
        for entry in self.play:
            part = copy.copy(self)
            part.__dict__.update(entry)
            yield part

    def point(self, host):
        return self.points.get(host, host)

    def capture_file(self, host):
        return self.point(host) + self.file.get(host, ".pcap")

    def trunks(self):
        """The trunks of trunk*.json, whatever their shape, with snake_case keys."""
        files = sorted(self.out.glob("trunk*.json"), key=lambda f: len(f.name))
        return [t for f in files for t in unwrap(json.loads(f.read_text()))]

    def values(self):
        path = self.out / "values.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def mapped(self, trunk=0):
        """What LiveKit writes for attributes_to_headers: lines in no particular order."""
        values = {"sip.callID": "[field0]", **self.values()}
        mapping = self.trunks()[trunk].get("attributes_to_headers", {})
        lines = [f"{header}: {values[a]}" for a, header in mapping.items() if a in values]
        self.random.shuffle(lines)
        return lines

    def fixed(self, trunk=0):
        return [f"{k}: {v}" for k, v in self.trunks()[trunk].get("headers", {}).items()]


def snake(key):
    return "".join("_" + c.lower() if c.isupper() else c for c in key)


def unwrap(tree):
    if "items" in tree:
        return [t for item in tree["items"] for t in unwrap(item)]
    if "trunk" in tree:
        return unwrap(tree["trunk"])
    return [{snake(k): v for k, v in tree.items()}]


def names():
    return sorted(p.parent.name for p in (LAB / "cases").glob("*/case.toml"))


def load(name):
    return Case(name)
