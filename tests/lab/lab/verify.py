"""Says whether a recording shows what its case claims, as tshark reads it.

A claim gives one sign per place on the path, in the order
    livekit   kam1 towards livekit   kam1 towards kam2   kam2 towards kam1   kam2 towards five9   five9
with + the header is there, - it is not, ~ it is there with another value than at the sender, . the message was not
seen there, c it was cut before the header, ? whatever. All messages of that kind seen at a place have to agree.
"""
import fnmatch
import re
import subprocess
import xml.etree.ElementTree

from . import capture, hep, wrap

VERBOSE = False
LIMIT = 300_000
PLACES = [("livekit", "link1"), ("kam1", "link1"), ("kam1", "link2"), ("kam2", "link2"), ("kam2", "link3"), ("five9", "link3")]
TSHARK = ["-o", "tcp.reassemble_out_of_order:TRUE", "-d", f"udp.port=={wrap.FLANNEL},vxlan"]
NETWORKS = {"ip": "ip.src", "ipv6": "ipv6.src"}


class Message:
    def __init__(self, source, payload):
        text, end, _ = payload.decode(errors="surrogateescape").lstrip("\r\n").partition("\r\n\r\n")
        self.cut = not end
        head = text.split("\r\n")[:-1 if self.cut else None] or [""]
        self.source, self.first = source, head[0]
        self.headers = [(n.strip(), v.strip()) for n, _, v in (line.partition(":") for line in head[1:])]

    def values(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name):
        return next(iter(self.values(name)), "")

    def kind(self):
        """BYE for a request, `200 BYE` for its response."""
        if self.first.startswith("SIP/2.0 "):
            return self.first.split()[1] + " " + (self.get("CSeq").split() or ["?"])[-1]
        return self.first.split()[0] if self.first else ""


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def secrets(case):
    """What tshark needs to read TLS."""
    keys, key = case.out / "keys.log", case.out / "key.pem"
    options = ["-o", f"tls.keylog_file:{keys}"] if keys.exists() else []
    return options + (["-o", f'uat:rsa_keys:"{key}",""'] if key.exists() else [])


def messages(case, path):
    """tshark puts datagrams, streams and tunnels together; PDML has the bytes of each message in order."""
    tree = run("tshark", "-n", "-r", str(path), *TSHARK, *secrets(case), "-Y", "sip or udp.port == 5060", "-T", "pdml")
    for packet in xml.etree.ElementTree.fromstring(tree):
        payloads = []
        for layer in packet:
            name = layer.get("name")
            if name in NETWORKS:
                source = layer.find(f"field[@name='{NETWORKS[name]}']").get("show")
            elif name == "udp":
                payloads = [octets(layer.find("field[@name='udp.payload']"))]
                datagram = True
            elif name == "tcp":
                datagram = False
            elif name == "sip" and not datagram:
                payloads.append(b"\r\n".join(octets(field) for field in layer[:2]))
        for payload in payloads:
            yield Message(source, payload)


def by_hep(path):
    """The messages of each capture id."""
    read = {}
    for line in run("tshark", "-n", "-r", str(path), "-T", "fields", "-e", "udp.payload").split():
        agent, source, payload = hep.read(bytes.fromhex(line))
        read.setdefault(agent, []).append(Message(source, payload))
    return read


def octets(field):
    return bytes.fromhex(field.get("value")) if field is not None else b""


def network(address):
    """The link that an address of the lab is on."""
    part = address.split("::")[0].split(":")[1] if ":" in address else address.split(".")[2]
    return "link" + part


def sightings(case, read):
    """One list of messages per place."""
    return [[m for m in read.get(host, []) if network(m.source) == link] for host, link in PLACES]


def chosen(claim, message):
    ends = message.get("To") + message.get("From")
    return (message.kind() == claim["message"] and claim.get("number", "") in ends
            and claim.get("cseq", "") in message.get("CSeq")
            and claim.get("from", "") in message.get("From") and claim.get("to", "") in message.get("To"))


def sign(name, found, original):
    """What the messages at one place say about one header."""
    if not found:
        return "."
    all_values = {tuple(m.values(name)) for m in found}
    if len(all_values) > 1 and len(found) > 1 and () not in all_values:
        return "+"  # several calls, each with its own value
    if len(all_values) > 1:
        return "!"
    values = all_values.pop()
    if not values and any(m.cut for m in found):
        return "c"
    spelled = {n for m in found for n, _ in m.headers if n.lower() == name.lower()}
    return "-" if not values else "+" if original in (None, (values, spelled)) else "~"


def original_of(name, places, sender):
    order = places if sender == "livekit" else places[::-1]
    first = next((p for p in order if p), [])
    spelled = {n for m in first for n, _ in m.headers if n.lower() == name.lower()}
    return (tuple(first[0].values(name)), spelled) if first and first[0].values(name) else None


def promised(case):
    return {h for t in case.trunks() for h in [*t.get("attributes_to_headers", {}).values(), *t.get("headers", {})]}


def names_of(pattern, case, claim):
    if "*" not in pattern:
        return [pattern]
    explicit = {n for n in claim["headers"] if "*" not in n}
    return [n for n in sorted(promised(case)) if fnmatch.fnmatch(n, pattern) and n not in explicit]


def check_claim(case, claim, places):
    here = [[m for m in place if chosen(claim, m)] for place in places]
    if not any(here) and any("+" in w or "-" in w for w in claim["headers"].values()):
        yield f"no {claim['message']} was seen"
    for pattern, wanted in claim["headers"].items():
        for name in names_of(pattern, case, claim):
            original = original_of(name, here, claim.get("sender", "livekit"))
            signs = "".join(sign(name, place, original) for place in here)
            if VERBOSE:
                print(f"    {claim['message']:12} {name:24} {signs}  " + " ".join(str(len(p)) for p in here))
            if any(w not in ("?", s) for w, s in zip(wanted, signs)):
                yield f"{claim['message']} {name}: {signs}, claimed {wanted}"


def check_file(case, host, path):
    if not path.exists():
        return [f"{path.name} is missing"]
    wanted, found = capture.KINDS[case.capture[host]][1], run("capinfos", "-E", str(path))
    errors = [] if host in case.edit or re.search(rf"encapsulation: +{wanted}$", found, re.M) else [f"{path.name}: not {wanted}: {found}"]
    if path.stat().st_size > LIMIT:
        errors.append(f"{path.name} has {path.stat().st_size} bytes")
    return errors


def check_count(case, host, read):
    least = getattr(case, "least", 6 * case.calls)
    if not least <= len(read) <= 60 * case.calls:
        return [f"{host}: {len(read)} messages"]
    return []


def check(case):
    errors, read = [], {}
    for host in case.capture:
        path = case.out / case.capture_file(host)
        errors += check_file(case, host, path)
        if not path.exists():
            continue
        if case.capture[host] == "hep":
            agents = by_hep(path)
            found = {proxy: agents.get(agent, []) for proxy, agent in case.hep.items()}
        else:
            found = {host: list(messages(case, path))}
        read.update(found)
        for seen, those in found.items():
            errors += check_count(case, seen, those)
    errors += [f"{f} is missing" for f in ("README.md", "command") if not (case.out / f).exists()]
    places = sightings(case, read)
    for claim in case.expect:
        errors += check_claim(case, claim, places)
    return errors
