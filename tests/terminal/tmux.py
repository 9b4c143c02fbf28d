"""A terminal that tests type into and look at: a shell in tmux.  Each test prints "ok NAME", or "FAIL NAME"
and the screen."""

import os
import subprocess
import sys
import tempfile
import time

SIPXRAY = sys.argv[1]
CAPTURE = os.path.abspath("captures/kam1-strips-bye")
COMMAND = "--trunk trunk.json livekit.pcap kam1.pcapng kam2.pcap five9.pcap"
SECONDS = 20  # until something has to be on the screen


class Terminal:
    """A shell in tmux, of its own server."""

    def __init__(self, columns=80, rows=24):
        self.folder = tempfile.mkdtemp()
        self.socket = os.path.join(self.folder, "tmux")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                  f"cd {CAPTURE}; env PS1='ready> ' LC_ALL=C.UTF-8 HOME={self.folder} "
                  f"XDG_CONFIG_HOME={self.folder}/.config sh")
        self.tmux("set-option", "-g", "window-size", "manual")
        self.resize(columns, rows)
        self.wait("ready>")

    def tmux(self, *args):
        done = subprocess.run(["tmux", "-S", self.socket, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
        return done.stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def looks(self):
        return self.tmux("capture-pane", "-p", "-e")

    def acts_at_once(self, key, seen, again):
        """Within a second, which is what a terminal library waits for the rest of a key; one time of
        five is enough on a machine that is busy.  `again` undoes it, and shows what was there."""
        for _ in range(5):
            began = time.monotonic()
            self.keys(key)
            self.wait(seen)
            if time.monotonic() - began < 1:
                return
            self.keys(again[0])
            self.wait(again[1])
        raise AssertionError(f"{key} lags")

    def keys(self, *keys):
        for key in keys:
            self.tmux("send-keys", key)

    def type(self, line):
        self.tmux("send-keys", "-l", line)
        self.tmux("send-keys", "Enter")

    def wait(self, *words, gone=()):
        """Until all the words are there, and none of `gone` is."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            seen = self.screen()
            if all(w in seen for w in words) and not any(w in seen for w in gone):
                return seen
            time.sleep(0.05)
        raise AssertionError(f"not there: {words}, or still there: {gone}\n{self.screen()}")

    def start(self, options="", env="", source=COMMAND):
        self.type(f"{env} {SIPXRAY} {options} {source}; echo status=$?")
        return self.wait("F1")

    def left_sane(self, status="status=0"):
        """The shell is back, echoes, and is not in the alternate screen."""
        self.wait(status)
        self.type("stty -a | tr ' ' '\\n' | grep -x -e -echo -e -icanon; echo sane-$((1 + 1))")
        seen = self.wait("sane-2")
        assert "\n-echo" not in seen and "\n-icanon" not in seen, seen
        return seen

    def quit(self):
        self.keys("Q")
        self.left_sane()

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def program(self):
        """The process id of sipxray."""
        pane = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", pane], stdout=subprocess.PIPE,
                             text=True, check=True).stdout
        return [line.split()[0] for line in out.splitlines() if "sipxray" in line][0]

    def path(self, name):
        """Of a file in the user's home; its folders are made."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")


def run(tests):
    """Each prints its line."""
    for test in tests:
        try:
            test()
            print("ok", test.__name__, flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError, IndexError) as why:
            print("FAIL", test.__name__)
            print(why, flush=True)
