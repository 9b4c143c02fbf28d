"""Walks the screens as a person would, and leaves them in each way."""

import os
import subprocess
import time

from tmux import SECONDS, SIPXRAY, Terminal, run


def walk():
    """From the list to the byte in three keys, through every screen, and out."""
    with Terminal() as t:
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


def small():
    """40x12 shows the same."""
    with Terminal(40, 12) as t:
        t.start()
        t.keys("Enter", "m", "Enter")
        t.wait("X-Five9-AccountId: AC-0042917")
        t.quit()


def resize():
    """At any moment, to any size."""
    with Terminal() as t:
        t.start()
        t.keys("Enter")
        t.wait("BYE -7 X-")
        for columns, rows in ((40, 12), (10, 3), (200, 50), (1, 1), (80, 24)):
            t.resize(columns, rows)
            time.sleep(0.2)
        t.wait("BYE -7 X-", "five9", "livekit")
        t.quit()


def escape():
    """Esc is a key at once, also in a prompt."""
    with Terminal() as t:
        t.start()
        t.keys("Enter")
        t.wait("BYE -7 X-")
        t.acts_at_once("Escape", "Calls 1", ("Enter", "BYE -7 X-"))
        t.keys("/")
        t.wait("Calls with:")
        t.keys("z", "z", "z", "Enter")
        t.wait("no call in which this text stands")
        t.keys("F5")
        t.wait("FAIL 7")
        t.keys("/", "x", "Escape")
        t.wait("FAIL 7", gone=("Calls with:",))
        t.quit()


def signals():
    """SIGTERM and SIGHUP end it, and so does Ctrl-C."""
    for number, key in (("TERM", None), ("HUP", None), (None, "C-c")):
        with Terminal() as t:
            t.start()
            if key:
                t.keys(key)
            else:
                subprocess.run(["kill", "-" + number, t.program()], check=True)
            t.left_sane()


def unknown():
    """TERM that is not known, and none at all."""
    for env in ("TERM=never-heard-of", "env -u TERM"):
        with Terminal() as t:
            t.start(env=env)
            t.wait("taken for")
            t.keys("Enter")
            t.wait("BYE -7 X-")
            t.quit()


def no_colour():
    """NO_COLOR: no colours, and the marks stay."""
    with Terminal() as t:
        t.start(env="NO_COLOR=1")
        t.keys("Enter", "m")
        t.wait("gone")
        looks = t.looks()
        assert not any(f"\x1b[3{c}m" in looks for c in range(1, 8)), looks
        t.quit()


def ascii_only():
    """Without UTF-8 nothing but ASCII is drawn."""
    with Terminal() as t:
        t.start(env="LC_ALL=C")
        t.keys("Enter")
        seen = t.wait("BYE -7 X-")
        assert seen.isascii(), seen
        t.quit()


def pipe():
    """Captures from standard input, keys from the terminal."""
    with Terminal() as t:
        t.type(f"cat five9.pcap | {SIPXRAY} five9=-; echo status=$?")
        t.wait("F1 Help", "Calls 1")
        t.keys("Enter")
        t.wait("five9")
        t.quit()


def copy():
    """A message goes out by OSC 52."""
    with Terminal() as t:
        t.tmux("set-option", "-g", "set-clipboard", "on")
        t.start()
        t.keys("Enter", "m", "Enter")
        t.wait("BYE at kam1:in")
        t.keys("c")
        t.wait("copied out")
        t.quit()
        assert "X-Five9-Queue: Billing" in t.tmux("show-buffer"), t.tmux("show-buffer")


def save():
    """Text, JSON and a page; no file is written over."""
    with Terminal() as t:
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
        t.wait("Save to", path, "File exists")
        t.keys("C-h", "C-h", "C-h", "C-h", "C-h")
        t.tmux("send-keys", "-l", ".json")
        t.keys("Enter")
        t.wait("File exists")
        t.keys("Escape")
        t.quit()


def save_without_room():
    """Nothing is left of what could not be written whole, so that the name is free."""
    with Terminal() as t:
        t.start(env="trap '' XFSZ; ulimit -f 1;")
        path = os.path.join(t.folder, "call.html")
        for _ in range(2):
            t.keys("s")
            t.wait("Save to")
            t.tmux("send-keys", "-l", path)
            t.keys("Enter")
            t.wait("File too large")
            assert not os.path.exists(path)
            t.keys("Escape")
            t.wait("Calls 1", gone=("Save to",))
        t.quit()


def columns():
    """A header of BYE as a column, to filter by."""
    with Terminal() as t:
        t.start("--columns caller,BYE:X-Five9-Queue,points")
        t.wait("BYE:X-Five9-Queue", "Billing", "livekit kam1")
        t.keys("/")
        t.tmux("send-keys", "-l", "billing")
        t.keys("Enter")
        t.wait("with: billing", "Billing")
        t.keys(">", ">")
        t.wait("^From")
        t.quit()
        t.type(f"{SIPXRAY} --columns tlak five9.pcap; echo status=$?")
        t.wait("did you mean talk?", "status=2")


def filters():
    """The form, the expression with what is wrong in it, its history, and all calls again."""
    with Terminal() as t:
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
        t.quit()


def hang_up():
    """The terminal goes away, and so does the program."""
    with Terminal() as t:
        t.start()
        child = t.program()
    end = time.monotonic() + SECONDS
    while os.path.exists(f"/proc/{child}") and time.monotonic() < end:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{child}"), "still running"


TESTS = (walk, small, resize, escape, signals, unknown, no_colour, ascii_only, pipe, copy, save, save_without_room,
         columns, filters, hang_up)

if __name__ == "__main__":
    run(TESTS)
