"""Drives sipxray in tmux as a person would, and looks at what is on the screen.

Prints "ok NAME" or "FAIL NAME" and the screen, for each test."""

import base64
import os
import subprocess
import sys
import tempfile
import time

SIPXRAY = sys.argv[1]
CAPTURE = os.path.abspath("captures/kam1-strips-bye")
COMMAND = "--trunk trunk.json livekit.pcap kam1.pcapng kam2.pcap five9.pcap"
SECONDS = 20  # until something has to be on the screen
SHELL = "sh"


class Terminal:
    """A shell in tmux, of its own server."""

    def __init__(self, columns=80, rows=24, env="", term=None):
        self.folder = tempfile.mkdtemp()
        self.socket = os.path.join(self.folder, "tmux")
        options = ["-f", "/dev/null"]
        self.tmux(*options, "new-session", "-d", "-x", str(columns), "-y", str(rows),
                  f"cd {CAPTURE}; env PS1='ready> ' LC_ALL=C.UTF-8 HOME={self.folder} "
                  f"XDG_CONFIG_HOME={self.folder}/.config {SHELL}")
        self.tmux("set-option", "-g", "window-size", "manual")
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        self.wait("ready>")

    def tmux(self, *args):
        done = subprocess.run(["tmux", "-S", self.socket, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
        return done.stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def looks(self):
        return self.tmux("capture-pane", "-p", "-e")

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
        return self.wait("F1 Help")

    def left_sane(self, status="status=0"):
        """The shell is back, echoes, and is not in the alternate screen."""
        self.wait(status)
        self.type("stty -a | tr ' ' '\\n' | grep -x -e -echo -e -icanon; echo sane-$((1 + 1))")
        seen = self.wait("sane-2")
        assert "\n-echo" not in seen and "\n-icanon" not in seen, seen
        return seen

    def close(self):
        self.tmux("kill-server")


def walk():
    """From the list to the byte in three keys, through every screen, and out."""
    t = Terminal()
    try:
        t.start()
        t.wait("FAIL 7", "+14155550100")
        t.keys("Enter")
        t.wait("livekit", "BYE -7 X-")
        t.keys("m")
        t.wait("X-Five9-Queue", "gone", "stripped by kam1")
        t.keys("Enter")
        t.wait("BYE at kam1:in", "X-Five9-AccountId: AC-0042917")
        assert "\x1b[1m\x1b[7m" in t.looks() or "7m" in t.looks(), "nothing is marked"
        t.keys("x")
        t.wait("41 43 2d 30 30")
        t.keys("x", "Right")
        t.wait("no X-Five9-AccountId here")
        t.keys("d")
        t.wait("- X-Five9-Queue: Billing")
        t.keys("q", "e")
        t.wait("Findings 14")
        t.keys("e")
        t.wait("Remedy")
        t.keys("q", "q", "q", "q", "q")
        t.wait("Calls 1")
        t.keys("i")
        t.wait("Statistics", "retransmissions")
        t.keys("q", "F1")
        t.wait("Keys of this screen")
        t.keys("q")
        t.wait("Calls 1")
        t.keys("q")
        t.left_sane()
    finally:
        t.close()


def small():
    """40x12 shows the same."""
    t = Terminal(40, 12)
    try:
        t.start()
        t.keys("Enter", "m", "Enter")
        t.wait("X-Five9-AccountId: AC-0042917")
        t.keys("Q")
        t.left_sane()
    finally:
        t.close()


def resize():
    """At any moment, to any size."""
    t = Terminal()
    try:
        t.start()
        t.keys("Enter")
        t.wait("BYE -7 X-")
        for columns, rows in ((40, 12), (10, 3), (200, 50), (1, 1), (80, 24)):
            t.tmux("resize-window", "-x", str(columns), "-y", str(rows))
            time.sleep(0.2)
        t.wait("BYE -7 X-", "five9", "livekit")
        t.keys("Q")
        t.left_sane()
    finally:
        t.close()


def escape():
    """Esc is a key at once, also in a prompt."""
    t = Terminal()
    try:
        t.start()
        t.keys("Enter")
        t.wait("BYE -7 X-")
        began = time.monotonic()
        t.keys("Escape")
        t.wait("Calls 1")
        assert time.monotonic() - began < 1, "Esc lags"
        t.keys("/")
        t.wait("Calls with:")
        t.keys("z", "z", "z", "Enter")
        t.wait("no call in which this text stands")
        t.keys("F5")
        t.wait("FAIL 7")
        t.keys("/", "x", "Escape")
        t.wait("FAIL 7", gone=("Calls with:",))
        t.keys("Q")
        t.left_sane()
    finally:
        t.close()


def signals():
    """SIGTERM and SIGHUP end it, and so does Ctrl-C."""
    for number, key in (("TERM", None), ("HUP", None), (None, "C-c")):
        t = Terminal()
        try:
            t.start()
            if key:
                t.keys(key)
            else:
                pane = t.tmux("display-message", "-p", "#{pane_pid}").strip()
                out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", pane],
                                     stdout=subprocess.PIPE, text=True, check=True).stdout
                child = [w.split()[0] for w in out.splitlines() if "sipxray" in w]
                subprocess.run(["kill", "-" + number, child[0]], check=True)
            t.left_sane()
        finally:
            t.close()


def unknown():
    """TERM that is not known, and none at all."""
    for env in ("TERM=never-heard-of", "env -u TERM"):
        t = Terminal()
        try:
            t.start(env=env)
            t.wait("taken for")
            t.keys("Enter")
            t.wait("BYE -7 X-")
            t.keys("Q")
            t.left_sane()
        finally:
            t.close()


def no_colour():
    """NO_COLOR: no colours, and the marks stay."""
    t = Terminal()
    try:
        t.start(env="NO_COLOR=1")
        t.keys("Enter", "m")
        t.wait("gone")
        looks = t.looks()
        assert not any(f"\x1b[3{c}m" in looks for c in range(1, 8)), looks
        t.keys("Q")
        t.left_sane()
    finally:
        t.close()


def ascii_only():
    """Without UTF-8 nothing but ASCII is drawn."""
    t = Terminal()
    try:
        t.start(env="LC_ALL=C")
        t.keys("Enter")
        seen = t.wait("BYE -7 X-")
        assert seen.isascii(), seen
        t.keys("Q")
        t.left_sane()
    finally:
        t.close()


def pipe():
    """Captures from standard input, keys from the terminal."""
    t = Terminal()
    try:
        t.type(f"cat five9.pcap | {SIPXRAY} five9=-; echo status=$?")
        t.wait("F1 Help", "Calls 1")
        t.keys("Enter")
        t.wait("five9")
        t.keys("Q")
        t.left_sane()
    finally:
        t.close()


def copy():
    """A message goes out by OSC 52."""
    t = Terminal()
    try:
        t.tmux("set-option", "-g", "set-clipboard", "on")
        t.start()
        t.keys("Enter", "m", "Enter")
        t.wait("BYE at kam1:in")
        t.keys("c")
        t.wait("copied out")
        t.keys("Q")
        t.left_sane()
        assert "X-Five9-Queue: Billing" in t.tmux("show-buffer"), t.tmux("show-buffer")
    finally:
        t.close()


def save():
    """Text, JSON and a page; no file is written over."""
    t = Terminal()
    try:
        t.start()
        for end, mark in (("txt", "X-Five9-Queue"), ("json", "sipxray-check/1"), ("html", "<html")):
            path = os.path.join(t.folder, "call." + end)
            t.keys("s")
            t.wait("Save to")
            t.tmux("send-keys", "-l", path)
            t.keys("Enter")
            t.wait("bytes written to")
            with open(path, encoding="utf-8") as file:
                assert mark in file.read(), path
        t.keys("s")
        t.wait("Save to")
        t.tmux("send-keys", "-l", path)
        t.keys("Enter")
        t.wait("File exists")
        t.keys("Q")
        t.left_sane()
    finally:
        t.close()


def columns():
    """A header of BYE as a column, to filter by."""
    t = Terminal()
    try:
        t.start("--columns caller,BYE:X-Five9-Queue,points")
        t.wait("BYE:X-Five9-Queue", "Billing", "livekit kam1")
        t.keys("/")
        t.tmux("send-keys", "-l", "billing")
        t.keys("Enter")
        t.wait("with: billing", "Billing")
        t.keys(">", ">")
        t.wait("^From")
        t.keys("Q")
        t.left_sane()
        t.type(f"{SIPXRAY} --columns tlak five9.pcap; echo status=$?")
        t.wait("did you mean talk?", "status=2")
    finally:
        t.close()


def filters():
    """The form, the expression with what is wrong in it, its history, and all calls again."""
    t = Terminal()
    try:
        t.start("--filter 'status == 699'")
        t.wait("Calls 0 of 1", "no call matches")
        t.keys("F7")
        t.wait("Filter: calls", "status == 699")
        t.keys("F5")
        t.tmux("send-keys", "-l", "0100")
        t.keys("Tab", "Tab")
        t.tmux("send-keys", "-l", "kam1")
        t.keys("Enter")
        t.wait("an address was expected")
        t.keys("C-u", "Tab", "Tab", "BTab", "Enter")
        t.wait("Calls 1 of 1", "from contains 0100")
        t.keys("&", "C-u")
        t.tmux("send-keys", "-l", "metod == BYE")
        t.keys("Enter")
        t.wait("Calls where: metod == BYE", "^^^^^", "did you mean method?")
        t.keys("Right", "Right", "Right")
        t.tmux("send-keys", "-l", "h")
        t.keys("Enter")
        t.wait("Calls 1 of 1  filter: method == BYE")
        t.keys("&", "Up", "Up", "Enter")
        t.wait("filter: any(request")
        t.keys("F5")
        t.wait("Calls 1, 1 fail", gone=("filter:",))
        t.keys("Q")
        t.left_sane()
    finally:
        t.close()


def hang_up():
    """The terminal goes away, and so does the program."""
    t = Terminal()
    try:
        t.start()
        pane = t.tmux("display-message", "-p", "#{pane_pid}").strip()
        out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", pane], stdout=subprocess.PIPE,
                             text=True, check=True).stdout
        child = [w.split()[0] for w in out.splitlines() if "sipxray" in w][0]
    finally:
        t.close()
    end = time.monotonic() + SECONDS
    while os.path.exists(f"/proc/{child}") and time.monotonic() < end:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{child}"), "still running"


TESTS = (walk, small, resize, escape, signals, unknown, no_colour, ascii_only, pipe, copy, save,
         columns, filters, hang_up)


def run(tests):
    """Each prints its line."""
    for test in tests:
        try:
            test()
            print("ok", test.__name__, flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError, IndexError) as why:
            print("FAIL", test.__name__)
            print(why, flush=True)


if __name__ == "__main__":
    run(TESTS)
