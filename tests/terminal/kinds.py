"""Kinds of terminals, and what is kept from one run to the next: settings, columns, keys, names."""

import os
import re
import time

from tmux import SIPXRAY, Terminal, run


CONFIG = ".config/sipxray/config"


def settings_kept():
    """What is changed on the screen holds at once, is saved when asked for, and is there again."""
    with Terminal() as t:
        t.write(CONFIG, "# mine\nset wrap on\n")
        t.start(env="TERM=xterm-256color")
        t.wait("FAIL 7")
        assert "38;5;203" in t.looks(), t.looks()
        t.keys("o")
        t.wait("Settings", "theme")
        t.keys("Enter", "Enter")
        t.wait("light", "not saved")
        t.keys("s")
        t.wait("saved to")
        assert t.read(CONFIG) == "# mine\nset wrap on\nset theme light\n", t.read(CONFIG)
        t.keys("q")
        t.wait("FAIL 7")
        assert "38;5;160" in t.looks(), t.looks()
        t.quit()
        t.start(env="TERM=xterm-256color")
        t.wait("FAIL 7")
        assert "38;5;160" in t.looks(), t.looks()
        t.quit()
        t.start("--no-config", env="TERM=xterm-256color")
        t.wait("FAIL 7")
        assert "38;5;203" in t.looks(), t.looks()
        t.quit()


def bad_lines():
    """A bad line is told, with its place, and does not stop the start; the rest holds."""
    with Terminal() as t:
        t.write(CONFIG, "set theme light\nset themes dark\n")
        t.start()
        t.wait("config:2: there is no setting 'themes'; did you mean theme?")
        t.quit()
        t.type(f"{SIPXRAY} --config {t.folder}/none five9.pcap; echo status=$?")
        t.wait("there is no such file", "status=2")
        os.chmod(os.path.join(t.folder, CONFIG), 0o600)
        os.remove(os.path.join(t.folder, CONFIG))
        os.mkdir(os.path.join(t.folder, CONFIG))
        t.start()
        t.wait("not a file")
        t.keys("o", "Enter", "s")
        t.wait("not a file")
        t.quit()


def columns_kept():
    """A header is added as a column, its values are there, and both are kept."""
    with Terminal() as t:
        t.start()
        t.wait("FAIL 7")
        t.keys("F10")
        t.wait("Columns 10")
        t.keys("a")
        t.wait("Header (")
        t.tmux("send-keys", "-l", "BYE:X-Five9-Queue")
        t.keys("Enter", "Right", "Right", "z", "s")
        t.wait("saved to")
        t.keys("Enter")
        t.wait("^BYE:X-Five9", "Billing")
        t.quit()
        assert "verdict,BYE:X-Five9-Queue=" in t.read(CONFIG), t.read(CONFIG)
        t.start()
        t.wait("^BYE:X-Five9", "Billing")
        t.quit()


def sngreprc():
    """Names, keys and columns of a file of sngrep's."""
    with Terminal() as t:
        t.write(".sngreprc", "alias 10.0.3.20 carrier\nset cl.column5 src\nbind pause F12\n"
                              "set cl.column1.width 7\n")
        t.start()
        t.wait("Source", "carrier")
        t.keys("a")
        t.wait("addresses as they are", gone=("carrier",))
        t.quit()
        other = t.write("other", "set exitprompt on\n")
        t.start(env=f"SNGREPRC={other}")
        t.keys("q")
        t.wait("Leave sipxray?")
        t.keys("Escape")
        t.wait("FAIL 7", gone=("Leave",))
        t.keys("q", "Enter")
        t.left_sane()


def keys_bound():
    """A key of one's own, in the bar, the help and in use."""
    with Terminal() as t:
        t.write(CONFIG, "bind calls.matrix F11\nunbind calls.open Enter\n")
        t.start()
        t.wait("F11 Headers", "x Ladder")
        t.keys("Enter")
        t.keys("F1")
        t.wait("F11 m")
        t.keys("q", "F11")
        t.wait("stripped by kam1")
        t.quit()


def colours():
    """As many colours as the terminal has, and marks where it has none."""
    for term, seen, unseen in (
            ("xterm-256color", "38;5;203", None),
            ("xterm-16color", r"[;\[]91m", "38;5"),
            ("xterm", r"[;\[]31m", "38;5|[;[]9[0-9]m"),
            ("linux", r"[;\[]31m", "38;5"),
            ("vt100", r"[;\[]1m", r"[;\[][39][0-7]m|38;5"),
            ("vt220", r"[;\[]1m", r"[;\[][39][0-7]m|38;5"),
            ("tmux-256color", "38;5;203", None),
            ("screen", r"[;\[]31m", "38;5"),
    ):
        with Terminal() as t:
            if term == "xterm-16color":  # few systems have it
                source = t.write("terminfo", "xterm-16color|x,colors#16,pairs#256,use=xterm-256color,\n")
                t.type(f"tic -x -o {t.folder}/.terminfo {source}")
            env = f"TERM={term}"
            if term == "linux":  # ncurses then loads libgpm, which keeps a string of its own
                env += " ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0"
            t.start("--no-config", env=env)
            t.wait("FAIL 7")
            looks = t.looks()
            assert re.search(seen, looks), (term, looks)
            assert not unseen or not re.search(unseen, looks), (term, looks)
            t.keys("Enter")
            t.wait("BYE -7 X-")
            t.quit()


def dumb():
    """A terminal that can nothing: one that can is taken, and it is said."""
    with Terminal() as t:
        t.start(env="TERM=dumb")
        t.wait("taken for", "FAIL 7")
        t.quit()


def under_screen():
    """GNU screen: it draws, Esc is a key at once, a new size is heeded, nothing is left behind."""
    with Terminal() as t:
        t.type("screen -c /dev/null -U env PS1='inner> ' sh")
        t.wait("inner>")
        t.start(env="LC_ALL=C.UTF-8")
        t.wait("FAIL 7")
        t.keys("Enter")
        t.wait("BYE -7 X-")
        t.acts_at_once("Escape", "Calls 1", ("Enter", "BYE -7 X-"))
        t.resize(60, 14)
        t.keys("Enter", "m")
        t.wait("stripped by kam1")
        t.resize(80, 24)
        t.keys("Q")
        t.wait("status=0")
        t.type("exit")
        t.wait("screen is terminating")


def clicks():
    """A click, two of them, one on a title, and the wheel."""
    def mouse(t, button, column, row, times=1):
        """As xterm tells it: press, and release."""
        codes = ((button, 3) if button < 64 else (button,)) * times
        t.tmux("send-keys", "-H", *(byte for code in codes for byte in (
            "1b", "5b", "4d", f"{32 + code:x}", f"{33 + column:x}", f"{33 + row:x}")))

    with Terminal() as t:
        t.start("--no-config", env="TERM=screen", source="--trunk ../two-trunks-twenty-calls/"
                "trunk.json ../two-trunks-twenty-calls/livekit.pcap")
        t.wait("Calls 20")
        mouse(t, 0, 10, 1)  # Verdict
        t.wait("^Verdict")
        mouse(t, 0, 10, 1, 2)  # no more than one, on a title
        t.wait("vVerdict")
        mouse(t, 65, 10, 6)
        mouse(t, 0, 10, 6)
        time.sleep(0.5)
        mouse(t, 0, 10, 6, 2)
        t.wait("Message", gone=("Calls 20",))
        t.quit()


def pause():
    """Reading stops and goes on."""
    with Terminal() as t:
        t.type(f"mkfifo {t.folder}/live; (cat five9.pcap; exec sleep 300) >{t.folder}/live &")
        t.type(f"{SIPXRAY} five9=- <{t.folder}/live; echo status=$?")
        t.wait("live", "Calls 1")
        t.keys("p")
        t.wait("paused")
        t.keys("Up")
        t.wait("PAUSED")
        t.keys("p")
        t.wait("reading on")
        t.quit()


def fingers():
    """The command line of sngrep, and its keys in the list and the flow."""
    with Terminal() as t:
        t.type(f"{SIPXRAY} -rI five9.pcap --trunk trunk.json; echo status=$?")
        t.wait("F1 Help", "Calls 1")
        for key, seen, out in (("F8", "Settings", "q"), ("O", "Settings", "q"),
                               ("F10", "Columns", "Escape"), ("T", "Columns", "q"),
                               ("i", "Statistics", "q"), ("h", "Keys of this screen", "q"),
                               ("F6", "INVITE at", "q"), ("R", "INVITE at", "q"),
                               ("F4", "Enter Message", "q"), ("x", "Enter Message", "q"),
                               ("F2", "Save to", "Escape"), ("S", "Save to", "Escape")):
            t.keys(key)
            t.wait(seen)
            t.keys(out)
            t.wait("Calls 1", gone=("Save to",))
        t.keys("F9")
        t.wait("Calls 0", "hidden")
        t.keys("F5")
        t.wait("Calls 1")
        t.keys("Enter")
        for key, seen in (("c", "each Call-ID"), ("c", "each CSeq"), ("c", "by their kind"),
                          ("w", "+0."), ("w", "+0."), ("x", "all legs"), ("F3", "Media"), ("q", "BYE"),
                          ("C", "without colours"), ("C", "have colours"), ("Space", "marked")):
            t.keys(key)
            t.wait(seen)
        t.keys("Down", "Space")
        t.wait("is  ^ moved")
        t.quit()
        t.start("-cI five9.pcap --trunk trunk.json '[B]YE' udp", source="")
        t.wait("Calls 1")
        t.quit()
        t.start("-viI five9.pcap bye", source="")
        t.wait("no call")
        t.quit()
        t.type(f"{SIPXRAY} -O out.pcap -d eth0; echo status=$?")
        t.wait("sipxray record --output out.pcap iface:eth0", "status=2")


def sizes_anywhere():
    """A new size in a prompt, in the settings and among the columns."""
    with Terminal() as t:
        t.start("--no-config")
        for keys, seen in ((("/", "a"), "with:"), (("Escape", "o"), "theme"), (("q", "t"), "Column"),
                           (("a",), "Header")):
            t.keys(*keys)
            t.wait(seen)
            for columns, rows in ((20, 5), (3, 2), (120, 40), (40, 12)):
                t.resize(columns, rows)
                time.sleep(0.1)
            t.wait(seen)
        t.keys("Escape", "q")
        t.resize(80, 24)
        t.wait("FAIL 7")
        t.quit()


TESTS = (settings_kept, bad_lines, columns_kept, sngreprc, keys_bound, colours, dumb, under_screen,
         clicks, pause, fingers, sizes_anywhere)

if __name__ == "__main__":
    run(TESTS)
