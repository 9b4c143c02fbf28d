"""One capture per host: starts tcpdump or dumpcap there, and makes the wanted file of what it wrote."""
import gzip
import re
import shutil
import subprocess

from . import edit, hep, net, pcapng

FILTER = "port 5060 or tcp port 5061 or tcp port 80 or tcp port 443 or (ip[6:2] & 0x1fff != 0) or (ip6[6] = 44)"
BUFFER = "65536"  # KiB; on `any` each packet takes 256 of them
KINDS = {  # how to capture -> (tcpdump's options, what tshark calls its link type)
    "ethernet": (["-i", "eth0"], "Ethernet"),
    "raw": (["-i", "eth0"], "Raw IP"),
    "sll2": (["-i", "any"], "Linux cooked-mode capture v2"),
    "sll": (["-i", "any", "-y", "LINUX_SLL"], "Linux cooked-mode capture v1"),
    "in": (["-i", "in"], "Ethernet"),
    "out": (["-i", "out"], "Ethernet"),
    "hep": (["-i", "any"], "Linux cooked-mode capture v2"),  # the HEP that comes in, and nothing else
    "both": (None, "Ethernet"),           # both interfaces, as two interfaces of one pcapng
    "both-mixed": (None, "Per packet"),   # the same, one of them a tun device
    "in-raw": (["-i", "in"], "Raw IP"),
    "out-raw": (["-i", "out"], "Raw IP"),
}


def start_one(case, host, path, start):
    options = KINDS[case.capture[host]][0]
    where = net.inside(case.vantage.get(host, host))
    extra = case.tcpdump.get(host, "").split()
    wanted = f"udp dst port {hep.PORT}" if case.capture[host] == "hep" else FILTER
    if options is None:
        command = ["dumpcap", "-q", "-f", FILTER, "-i", "in", "-i", "out", "-w", path]
        ready = "File:"
    else:
        command = ["tcpdump", "-n", "-U", "--immediate-mode", "-B", BUFFER, "-Z", "root", *options, *extra, "-w", path, wanted]
        ready = "listening on"
    return start(f"capture-{host}", where + command, ready=ready)


def start(case, folder, start_process):
    return [start_one(case, host, str(folder / f"{host}.raw"), start_process) for host in case.capture]


def lost(case, folder):
    """One line for each capture that is not complete."""
    for host in case.capture:
        log = (folder / f"capture-{host}.log").read_text()
        found = re.search(r"(\d+) packets dropped by kernel|dropped on interface '\w+': \d+/([1-9]\d*)", log)
        if found and found.group(1) != "0":
            yield f"{host}: the capture lost packets"


def editcap(source, target, *options):
    subprocess.run(["editcap", *options, str(source), str(target)], check=True)


def finish_one(case, host, folder):
    """Edits, shifts the clock, converts the format, compresses."""
    raw, name = folder / f"{host}.raw", case.capture_file(host)
    if host in case.edit:
        edit.apply(raw, case.edit[host])
    plain = folder / name.removesuffix(".gz")
    kind = "pcapng" if ".pcapng" in name else "pcap"
    shift = ["-t", str(case.shift[host])] if host in case.shift else []
    if shift or kind == "pcapng" and not case.capture[host].startswith("both"):
        editcap(raw, plain, "-F", kind, *shift)
    else:
        raw.rename(plain)
    if host in case.secrets:
        editcap(plain, folder / "secret", "-F", kind, "--inject-secrets", f"tls,{folder / case.secrets[host]}")
        (folder / "secret").rename(plain)
    if kind == "pcapng":
        pcapng.clean(plain)
    if name.endswith(".gz"):
        with open(plain, "rb") as f, gzip.GzipFile(folder / name, "wb", mtime=0) as out:
            shutil.copyfileobj(f, out)
    return folder / name


def finish(case, folder):
    for old in case.out.glob("*.pcap*"):
        old.unlink()
    for host in case.capture:
        made = finish_one(case, host, folder)
        shutil.copyfile(made, case.out / made.name)
    for name in case.keep:
        shutil.copyfile(folder / name, case.out / name)
