"""The two ends, played by sipp. A case writes each end's part as a ladder:

    livekit = "<INVITE >100 >180 >200 <ACK talk >BYE <200"

`<X` waits for X (`<X?` takes it if it comes), `>X` sends sipp/HOST/X.sip, or the case's own HOST-X.sip, `talk`, `linger` and `wait:MS` pause,
`unless:NUMBER ... fi` is left out on calls to that number, `>BYE:1` uses the trunk with that index,
`to:ADDRESS` sends what follows to that address and not to the proxy beside.
"""
import string

from . import net, relay, transport
from .case import LAB

LETTERS = string.ascii_letters + string.digits
BRANCHES = 6
PAUSES = {"talk": 300, "linger": 800}  # ms
KEEP = '<ereg regexp=".*" search_in="hdr" header="%s:" assign_to="%s"/>'
KEEP_VIAS = '<ereg regexp="Via: [[:print:]]*([[:cntrl:]]+Via: [[:print:]]*)*" search_in="msg" assign_to="via"/>'
REACH = '<ereg regexp="%s" search_in="hdr" header="To:" assign_to="is%s"/>'


def rand(dice, count, letters=LETTERS):
    return "".join(dice.choice(letters) for _ in range(count))


class Script:
    """Turns the ladder of one end into a sipp scenario."""

    def __init__(self, case, host):
        self.case, self.host = case, host
        self.steps = getattr(case, host).split()
        self.numbers = sorted({s[7:] for s in self.steps if s.startswith("unless:")})
        self.caller = (host == "livekit") == case.outbound
        self.established = ">ACK" not in self.steps
        self.cseq = case.cseq - 1 if self.caller else case.cseq if host == "livekit" else 0
        self.requests = 0
        self.invite_branch = ""
        self.labels = 0

    def scenario(self):
        body = "\n".join(self.step(s) for s in self.steps)
        return f'<?xml version="1.0"?>\n<scenario name="{self.case.name}">\n{body}\n</scenario>\n'

    def step(self, text):
        if text[0] == "<":
            return self.receive(text[1:].rstrip("?"), text.endswith("?"))
        if text[0] == ">":
            return self.send(*text[1:].partition(":")[::2])
        if text == "fi":
            return f'<label id="{self.labels}"/>'
        if text.startswith("unless:"):
            self.labels += 1
            self.base = self.cseq = getattr(self, "base", self.cseq)
            return f'<nop test="is{text[7:]}" next="{self.labels}"/>'
        if text.startswith("to:"):
            return f'<nop><action><setdest host="{text[3:]}" port="5060" protocol="udp"/></action></nop>'
        return f'<pause milliseconds="{PAUSES.get(text) or text[5:]}"/>'

    def receive(self, what, optional):
        kind = "response" if what.isdigit() else "request"
        attributes = f'{kind}="{what}"' + (' optional="true"' if optional else "")
        if what in ("401", "407"):
            attributes += ' auth="true"'
        if what == "INVITE":
            return self.keep(attributes, "To", "From")
        if what == "200" and self.caller and not self.established:
            self.established = True
            return self.keep(attributes, "From", "To")
        return f"<recv {attributes}/>"

    def keep(self, attributes, mine, peers):
        """Remembers route set, own and far end, and which of the numbers was called."""
        actions = [KEEP % (mine, "me"), KEEP % (peers, "peer"), KEEP_VIAS, KEEP % ("CSeq", "cseq"),
                   *[REACH % (n, n) for n in self.numbers]]
        variables = ",".join(["me", "peer", "via", "cseq", *["is" + n for n in self.numbers]])
        return f'<recv {attributes} rrs="true"><action>{"".join(actions)}</action></recv>\n<Reference variables="{variables}"/>'

    def send(self, name, trunk):
        own = self.case.folder / f"{self.host}-{name}.sip"
        text = (own if own.exists() else LAB / "sipp" / self.host / f"{name}.sip").read_text()
        text = transport.rewrite(self.case, self.host, text)
        text = self.fill(name, text, int(trunk or 0))
        first = text.split()[0]
        again = ' retrans="500"' if first not in ("ACK", "SIP/2.0") or name.startswith("200-sdp") else ""
        return f"<send{again}>\n<![CDATA[\n{text}]]>\n</send>"

    def fill(self, name, text, trunk):
        if "{branch}" in text:
            self.requests += 1
            if not text.startswith(("ACK", "CANCEL")):
                self.cseq += 1
        branch = f"[field{2 + self.requests}]"
        if name.startswith("INVITE"):
            self.invite_branch = branch
        for key, value in {"branch": branch, "invite-branch": self.invite_branch, "cseq": str(self.cseq)}.items():
            text = text.replace("{" + key + "}", value)
        for key, lines in {"mapped": self.case.mapped, "headers": self.case.fixed}.items():
            if "{" + key + "}\n" in text:
                text = text.replace("{" + key + "}\n", "".join(x + "\n" for x in lines(trunk)))
        return text


def identities(case, host):
    """One line per call: own tag, caller, callee, branches."""
    dice = case.random
    for i in range(case.calls):
        tag = "SCL_" + rand(dice, 12) if host == "livekit" else rand(dice, 10, "0123456789abcdef")
        prefix = "z9hG4bK.%s" if host == "livekit" else "z9hG4bK-%s"
        branches = [prefix % rand(dice, 16) for _ in range(BRANCHES)]
        yield ";".join([tag, case.caller[i % len(case.caller)], case.callee[i % len(case.callee)], *branches])


def call_id(case, host):
    """LiveKit's are 27 or 28 letters and digits; %u is sipp's number of the call."""
    if host == "livekit":
        return rand(case.random, 26) + "%u"
    return rand(case.random, 14, "0123456789abcdef") + "%u@" + net.uri_host(own_address(case, host))


def own_address(case, host):
    return net.address_of(host, "link1" if host == "livekit" else "link3", case.ipv6)


def addresses(case, host):
    """The peer, and with -i one's own; on the loopback where a relay does the rest."""
    if transport.relayed(case, host):
        return ["%s:%d" % relay.RELAY, "-i", relay.SIPP[0]]
    link, peer = ("link1", "kam1") if host == "livekit" else ("link3", "kam2")
    way = ["-t", "t1"] if transport.of(case, link) == "tcp" else []
    return [net.uri_host(net.address_of(peer, link, case.ipv6)) + ":5060", "-i", own_address(case, host), *way]


def command(case, host, folder, name):
    scenario, data = folder / f"{name}.xml", folder / f"{name}.csv"
    scenario.write_text(Script(case, host).scenario())
    data.write_text("SEQUENTIAL\n" + "\n".join(identities(case, host)) + "\n")
    return ["sipp", *addresses(case, host), "-p", "5060", "-sf", str(scenario), "-inf", str(data),
            "-m", str(case.calls), "-r", str(case.rate), "-nostdin", "-timeout", "90s", "-deadcall_wait", "0",
            "-default_behaviors", "none", "-trace_err", "-error_file", str(folder / f"{name}.err"),
            "-cid_str", call_id(case, host), *case.sipp.get(host, "").split()]
