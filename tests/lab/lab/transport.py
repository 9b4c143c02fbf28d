"""How SIP goes over a link: UDP unless the case says otherwise."""
import subprocess
import sys

from . import net
from .case import LAB

PORT = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
LISTEN = {"ws": "tcp", "wss": "tls"}  # what WebSocket is to kamailio when it listens
LINK = {"livekit": "link1", "five9": "link3"}
WEB_HOST = "df7jal23ls0d.invalid"  # a browser does not know its own name: RFC 7118, section 5


def of(case, link):
    return case.transport.get(link, "udp")


def secure(case):
    return any(t in ("tls", "wss") for t in case.transport.values())


def parameter(kind):
    """The URI parameter; RFC 7118 has one for both kinds of WebSocket."""
    return "" if kind == "udp" else ";transport=" + ("ws" if kind in LISTEN else kind)


def uri(case, link, end):
    """The SIP URI of one end of a link."""
    kind = of(case, link)
    return f"sip:{net.uri_host(net.address(link, end, case.ipv6))}:{PORT[kind]}{parameter(kind)}"


def listen(case, host, link, address):
    """What kamailio's -l wants for its end of a link."""
    kind = of(case, link)
    advertised = case.advertise.get(host, {}).get(address)
    return f"{LISTEN.get(kind, kind)}:{address}:{PORT[kind]}" + (f"/{advertised}" if advertised else "")


def relayed(case, host):
    """Whether sipp needs lab/relay.py at this end."""
    return of(case, LINK[host]) not in ("udp", "tcp")


def rewrite(case, host, text):
    """One message of an end, with its transport in Via and Contact."""
    kind = of(case, LINK[host])
    here = WEB_HOST if kind in LISTEN else "[local_ip]:[local_port]"
    text = text.replace("SIP/2.0/UDP [local_ip]:[local_port]", f"SIP/2.0/{kind.upper()} {here}")
    text = text.replace("[local_ip]:[local_port]>", f"{here}{parameter(kind)}>")
    return addressed(case, host, text) if relayed(case, host) else text


def addressed(case, host, text):
    """With the addresses of the host, where sipp knows those of the loopback only."""
    link, end = LINK[host], 0 if host == "livekit" else 1
    port = str(PORT[of(case, link)])
    for key, value in {"local_ip": net.address(link, end), "remote_ip": net.address(link, 1 - end),
                       "local_port": port, "remote_port": port, "local_ip_type": "4"}.items():
        text = text.replace(f"[{key}]", value)
    return text


def relay(case, host):
    """The command line of an end's relay, its own options from the case."""
    link = LINK[host]
    kind, end = of(case, link), 0 if host == "livekit" else 1
    ends = [f"{net.address(link, e)}:{PORT[kind]}" for e in (end, 1 - end)]
    tls = ["--cert", "cert.pem", "--key", "key.pem", "--keylog", "keys.log"] if kind != "ws" else []
    if "ciphers" in case.tls:
        tls += ["--ciphers", case.tls["ciphers"]]
    if case.tls.get("method") == "TLSv1.2":
        tls += ["--tls12"]
    return [sys.executable, str(LAB / "lab" / "relay.py"), *tls, *case.relay.get(host, "").split(), kind, *ends]


def prepare(case, folder):
    """A certificate, the library that writes kamailio's secrets down, and a file for the suites of TLS 1.3."""
    if not secure(case):
        return
    certificate = ("openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=lab.invalid"
                   " -keyout key.pem -out cert.pem")
    library = ["gcc", "-shared", "-fPIC", "-O", "-o", "keylog.so", str(LAB / "lab" / "keylog.c"), "-lssl"]
    for command in (certificate.split(), library):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    suites = f"Ciphersuites = {case.tls['suites']}\n" if "suites" in case.tls else ""
    (folder / "openssl.cnf").write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n" + suites)


def environment(case, folder):
    if not secure(case):
        return {}
    return {"OPENSSL_CONF": str(folder / "openssl.cnf"), "SSLKEYLOGFILE": str(folder / "keys.log")}


def defines(case, links, folder):
    """Kamailio's -A options, for the two links that the proxy is on."""
    found = ["WITH_STREAMS"] if case.transport else []
    found += ["WITH_WEB"] if any(of(case, link) in LISTEN for link in links) else []
    if secure(case):
        found += ["WITH_TLS", f'KEY="{folder}/key.pem"', f'CERT="{folder}/cert.pem"',
                  f'METHOD="{case.tls.get("method", "TLSv1.2+")}"']
    if "ciphers" in case.tls:
        found.append(f'CIPHERS="{case.tls["ciphers"]}"')
    return found
