"""Records one case: network, proxies, captures, ends, call; then takes everything down again."""
import glob
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import capture, net, sipp, transport
from .case import LAB

SIPP = re.compile(":13C4 0")  # port 5060 as /proc/net/udp and tcp write it, and a peer
PROXY = re.compile(":(13C4|13C5|0050|01BB) 0")  # 5060, 5061, 80, 443


class Processes:
    """What was started for one case, each with its output in a file."""

    def __init__(self, folder):
        self.folder, self.all = folder, []

    def start(self, name, command, ready=None, env=None):
        log = self.folder / f"{name}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       cwd=self.folder, start_new_session=True, env={**os.environ, **(env or {})})
        self.all.append(process)
        if ready:
            wait_until(lambda: ready in log.read_text(errors="replace"), process, name)
        return process

    def stop(self, process, how=signal.SIGINT):
        if process.poll() is None:
            os.killpg(process.pid, how)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def stop_all(self):
        for process in reversed(self.all):
            self.stop(process, signal.SIGTERM)


def wait_until(condition, process, name):
    for _ in range(200):
        if condition():
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{name} does not start")


def bound(process, ports):
    files = [pathlib.Path(f"/proc/{process.pid}/net/{f}") for f in ("udp", "udp6", "tcp", "tcp6")]
    return any(ports.search(f.read_text()) for f in files if f.exists())


def module(name):
    """Where a module of kamailio is, or None."""
    return next(iter(glob.glob(f"/usr/lib/*/kamailio/modules/{name}.so")), None)


def copy_tables(folder):
    """The empty tables of topos for db_text; it needs NULL allowed in more columns than they come with."""
    folder.mkdir()
    for table in ("version", "topos_d", "topos_t"):
        text = pathlib.Path("/usr/share/kamailio/dbtext/kamailio", table).read_text()
        (folder / table).write_text(text.replace("(string)", "(string,null)") if table != "version" else text)


def kamailio(case, host, folder):
    own = folder / host
    own.mkdir()
    snippet = case.folder / f"{host}.cfg"
    (own / "case.cfg").symlink_to(snippet if snippet.exists() else LAB / "kamailio" / "plain.cfg")
    (own / "kamailio.cfg").symlink_to(LAB / "kamailio" / "kamailio.cfg")
    copy_tables(own / "db")
    left, right = ("link1", "link2") if host == "kam1" else ("link2", "link3")
    ends = {"LEFT": (left, 0), "OWN_LEFT": (left, 1), "OWN_RIGHT": (right, 0), "RIGHT": (right, 1)}
    side = {key: net.uri_host(net.address(*end, case.ipv6)) for key, end in ends.items()}
    side["DB_URL"] = f"text://{own}/db"
    side["TO_LEFT"], side["TO_RIGHT"] = (transport.uri(case, *ends[key]) for key in ("LEFT", "RIGHT"))
    texts = [f'{key}="{value}"' for key, value in side.items()] + transport.defines(case, (left, right), folder)
    defines = [x for text in texts for x in ("-A", text)]
    listen = [x for key in ("OWN_LEFT", "OWN_RIGHT") for x in ("-l", transport.listen(case, host, ends[key][0], side[key]))]
    return ["kamailio", "-DD", "-E", "-m", "32", "-M", "8", "-w", str(own), "-Y", str(own), "-L", os.path.dirname(module("tm")),
            "-f", str(own / "kamailio.cfg"), *listen, *defines]


def program(text):
    """The command line of one of the lab's own programs."""
    name, *arguments = shlex.split(text)
    return [sys.executable, str(LAB / name), *arguments]


def start_relays(case, processes, env):
    for host in transport.LINK:
        if transport.relayed(case, host):
            processes.start(f"{host}-relay", net.inside(host) + transport.relay(case, host), ready="listening", env=env)


def start_proxies(case, folder, processes):
    transport.prepare(case, folder)
    env = transport.environment(case, folder)
    preloaded = {**env, "LD_PRELOAD": str(folder / "keylog.so")} if env else {}
    for host, text in case.beside.items():
        processes.start(f"{host}-beside", net.inside(host) + program(text), ready="listening")
    for host in ("kam1", "kam2"):
        command = program(case.hosts[host]) if host in case.hosts else kamailio(case, host, folder)
        process = processes.start(host, net.inside(host) + command, env=preloaded)
        wait_until(lambda p=process: bound(p, PROXY), process, host)
    start_relays(case, processes, env)
    time.sleep(0.5)  # its workers


def play(case, number, folder, processes):
    """The callee first, then the caller. Returns what went wrong."""
    ends = ("five9", "livekit") if case.outbound else ("livekit", "five9")
    started = []
    for host in ends:
        name = f"{host}{number}"
        process = processes.start(name, net.inside(host) + sipp.command(case, host, folder, name))
        started.append((host, name, process))
        if host == ends[0]:
            wait_until(lambda p=process: bound(p, SIPP), process, host)
    return [error for end in reversed(started) for error in ended(case, folder, *end)]


def ended(case, folder, host, name, process):
    try:
        status = process.wait(100)
    except subprocess.TimeoutExpired:
        status = "time out"
    if (status != 0) != (host in case.failing):
        yield f"{host}: sipp ended with {status}: " + last_lines(folder / f"{name}.err")


def last_lines(path):
    return path.read_text(errors="replace")[-1500:] if path.exists() else "no error file"


def attempt(case, folder, processes):
    net.up(case, processes.start)
    start_proxies(case, folder, processes)
    captures = capture.start(case, folder, processes.start)
    time.sleep(0.2)
    errors = []
    for number, part in enumerate(case.plays()):
        errors += play(part, number, folder, processes)
    time.sleep(0.5)
    for process in captures:
        processes.stop(process)
    errors += capture.lost(case, folder)
    if not errors:
        capture.finish(case, folder)
    return errors


def keep(folder):
    if os.environ.get("LAB_KEEP"):
        shutil.copytree(folder, os.environ["LAB_KEEP"], dirs_exist_ok=True)


def record(case):
    """Returns a list of errors, empty when the recording was made."""
    with tempfile.TemporaryDirectory(prefix="sipxray-lab-") as name:
        processes = Processes(pathlib.Path(name))
        net.down()
        try:
            errors = attempt(case, processes.folder, processes)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as e:
            errors = [str(e)]
        finally:
            processes.stop_all()
            net.down()
            keep(name)
        return errors
