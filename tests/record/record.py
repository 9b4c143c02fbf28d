"""record, by the whole program: what it writes is read by tcpdump and tshark and by check again; it
is killed, its disk is full, its files are rotated.

record.py SIPXRAY STAGE: prints "ok NAME", "skip NAME: WHY" or "not NAME: WHAT" in lines.
"""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAM = sys.argv[1]
HERE = os.getcwd()
NO_RECORD = {"--allow-untested": 0, "--baseline": 1, "--format": 1}
VALUED = {"--trunk", "--trunk-id", "--livekit", "--values", "--node", "--rules", "--require",
          "--forbid", "--pack", "--follow", "--outside", "--sayna", "--bpf", "--keylog", "--tls-key",
          "--filter"}


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


def run(arguments, folder=None, timeout=60, **more):
    return subprocess.run([PROGRAM, *arguments], cwd=folder, timeout=timeout, text=True,
                          capture_output=True, check=False, **more)


def record(arguments, folder=None, status=0, **more):
    done = run(["record", *arguments], folder, **more)
    expect(done.returncode == status, f"status {done.returncode}: {done.stderr}")
    return done


def tool(*arguments):
    done = subprocess.run(arguments, timeout=60, text=True, capture_output=True, check=False)
    expect(done.returncode == 0, f"{arguments[0]}: {done.stderr}")
    return done.stdout


def packets(path):
    return len(tool("tcpdump", "-nn", "-r", path).splitlines())


def split(command):
    """The options of a command of captures/, and its sources."""
    options, sources, words = [], [], shlex.split(command)
    while words:
        word = words.pop(0)
        name = word.split("=")[0]
        if not word.startswith("--"):
            sources.append(word)
            continue
        values = [words.pop(0)] if name in VALUED and "=" not in word else []
        options.append([word, *values])
    return options, sources


def flat(options, for_record):
    return [w for o in options if not (for_record and o[0].split("=")[0] in NO_RECORD) for w in o]


def judged(report):
    """What check says, but for what names files and frames."""
    calls = []
    for call in report["calls"]:
        findings = sorted((f["id"], f["severity"], f["message"]) for f in call["findings"])
        requests = [(r["method"], r.get("status"), r["sent_by"],
                     [(h["name"], h["verdict"], h["values"]) for h in r["headers"]])
                    for r in call["requests"]]
        calls.append((sorted(call["call_ids"]), call["verdict"], findings, requests))
    return sorted(calls, key=repr), sorted((n["name"], sorted(n["addresses"]))
                                           for n in report["nodes"])


# ---- round trips ---------------------------------------------------------------------------------


def check(options, sources, folder):
    done = run(["check", "--format", "json", *flat(options, False), *sources], folder)
    expect(done.returncode in (0, 1, 3), f"check: {done.stderr}")
    return done.returncode, json.loads(done.stdout)


def round_trip(name, scratch):
    folder = os.path.join(HERE, "captures", name)
    with open(os.path.join(folder, "command"), encoding="utf-8") as f:
        options, sources = split(f.read())
    out = os.path.join(scratch, name + ".pcapng")
    record(["--output", out, *flat(options, True), *sources], folder)
    before = check(options, sources, folder)
    after = check([o for o in options if o[0] not in ("--keylog", "--tls-key", "--bpf")], [out], folder)
    expect(before[0] == after[0], f"status {before[0]}, then {after[0]}")
    expect(judged(before[1]) == judged(after[1]),
           f"{judged(before[1])}\nthen {judged(after[1])}")
    tool("tshark", "-r", out, "-c", "1")
    # the same calls are those that the trigger records
    failed = record(["--trigger", "check", "--output", os.path.join(scratch, name + "-t.pcapng"),
                     *flat(options, True), *sources], folder).stderr
    wanted = sum(c["verdict"] == "fail" for c in before[1]["calls"])
    expect(f"calls recorded: {wanted}\n" in failed, f"{wanted} calls fail, but: {failed}")


def stage_trips(scratch):
    for name in sorted(os.listdir("captures")):
        if os.path.exists(os.path.join("captures", name, "command")):
            yield f"round trip: {name}", lambda name=name: round_trip(name, scratch)


STAGES = {"trips": stage_trips}


def main():
    scratch = tempfile.mkdtemp(prefix="sipxray-record-")
    try:
        for stage in sys.argv[2:]:
            for name, test in STAGES[stage](scratch):
                try:
                    test()
                    print("ok", name)
                except (Failed, subprocess.TimeoutExpired, KeyError, OSError) as e:
                    print("not", name + ":", str(e).replace("\n", "\n    "))
                sys.stdout.flush()
    finally:
        shutil.rmtree(scratch)


main()
