"""A live check of real proxies: the lab's hosts, each a network namespace with a real kamailio or sipp in
it, watched by one sipxray.

proxies.py PROGRAM: prints lines as live.py does.  As root; takes the lab's lock, so that no recording is
disturbed.
"""

import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lab"))
from lab import case as cases, net, run  # pylint: disable=wrong-import-position
from live import wait_until  # pylint: disable=wrong-import-position

PROGRAM = os.path.abspath(sys.argv[1])
HOSTS = ("livekit", "kam1", "kam2", "five9")
PATIENCE = 30
ENV = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


class Watcher:
    """sipxray on the four hosts; its lines come with the time of their coming."""

    def __init__(self, *words):
        sources = [f"{h}=cmd:" + " ".join(net.inside(h)) +
                   " tcpdump -i any -n -U --immediate-mode -Z root -w - udp port 5060" for h in HOSTS]
        self.process = subprocess.Popen([PROGRAM, *words, *sources], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=ENV)
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append((time.time(), json.loads(line)))

    def wait(self, choose):
        def found():
            return next((line for line in list(self.lines) if choose(line[1])), None)
        return wait_until(found, "an event of check")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        return self.process.returncode, self.process.stderr.read()


def below(pid):
    """The processes that it started, and those that they did."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *below(child)]
    return found


def is_tcpdump(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "tcpdump"
    except OSError:
        return False


def capturing(*watchers):
    """The tcpdump processes of these."""
    return [pid for w in watchers for pid in below(w.process.pid) if is_tcpdump(pid)]


def captures_of(host):
    """The packet sockets on it."""
    done = subprocess.run([*net.inside(host), "cat", "/proc/net/packet"], capture_output=True, text=True, check=True)
    return len(done.stdout.splitlines()) - 1


def strip_at_once(case, folder, processes):
    """The strip on the first proxy is told within a second of the BYE's last answer."""
    trunk = str(case.out / "trunk.json")
    check = Watcher("check", "--live", "--format", "ndjson", "--trunk", trunk)
    messages = Watcher("messages", "--format", "ndjson")
    wait_until(lambda: all(captures_of(h) >= 2 for h in HOSTS), "each host is captured twice")
    errors = run.play(next(iter(case.plays())), 0, folder, processes)
    assert not errors, errors
    came, call = check.wait(lambda e: e["event"] == "call")
    assert call["verdict"] == "fail", call
    _, finding = check.wait(lambda e: e["event"] == "finding" and e["severity"] == "error")
    assert (finding["id"], finding["node"]) == ("header-stripped", "kam1"), finding
    last = max(e["time"] for _, e in messages.lines if e["method"] == "BYE")
    late = came - datetime.fromisoformat(last[:26].rstrip("Z") + "+00:00").timestamp()
    assert late < 1, f"told {late:.3f} s after the BYE"
    messages.end()
    return check


def one_is_killed(check):
    """What captured on one host is killed; that is told, and the others go on."""
    ours = capturing(check)
    os.kill(ours[0], signal.SIGKILL)
    wait_until(lambda: len(capturing(check)) == len(HOSTS) - 1, "it is gone")
    status, err = check.end()
    assert status == 1, (status, err)
    assert "the command ended with status 137" in err, err
    assert not [pid for pid in ours if is_tcpdump(pid)], "some tcpdump is left"


def attempt(case, folder, processes):
    net.up(case, processes.start)
    run.start_proxies(case, folder, processes)
    check = strip_at_once(case, folder, processes)
    yield "strip_at_once"
    one_is_killed(check)
    yield "one_is_killed"


def main():
    with open("/run/lock/sipxray-lab", "w", encoding="ascii") as lock, \
            tempfile.TemporaryDirectory(prefix="sipxray-live.") as name:
        fcntl.flock(lock, fcntl.LOCK_EX)
        processes = run.Processes(pathlib.Path(name))
        net.down()
        try:
            for passed in attempt(cases.load("kam1-strips-bye"), processes.folder, processes):
                print(f"ok {passed}", flush=True)
        except Exception as e:  # pylint: disable=broad-except
            print(f"not ok proxies: {type(e).__name__}: {e}", flush=True)
        finally:
            processes.stop_all()
            net.down()


main()
