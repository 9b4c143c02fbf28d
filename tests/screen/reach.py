"""From the list of calls to the byte of the header that came to harm, in at most four keys, on each
recording in captures/: reach.py SCREEN FOLDER, which is where the cases are written to.

The keys are always the same: what fails is sorted to the top (> g) where the list does not begin with
it, its headers are opened (m), and the message at the cursor (Enter).  There the header's bytes are
marked; a header that was never sent is said not to be there."""
import glob
import json
import os
import subprocess
import sys

SIZES = (("24", "80"), ("12", "40"))


def harmed(call):
    """(message, header, verdict) of what is owed and did not arrive"""
    for request in call["requests"]:
        for header in request["headers"]:
            if header["expected"] and header["verdict"] not in ("ok", "unknown"):
                yield request["method"], header["name"], header["verdict"]


def work(screen, case, name, command, size, keys):
    with open(case, "w", encoding="utf-8") as f:
        f.write(f"in {name}\nwith {command}\nsize {' '.join(size)}\nkeys {keys}\n")
    out = subprocess.run([screen, case], capture_output=True, text=True, timeout=120, check=False)
    if out.returncode:
        return None, out.stderr
    rows = int(size[0])
    lines = out.stdout.split("\n")
    return lines[:rows], lines[rows + 1:2 * rows + 1]


def marked(lines, looks):
    """what stands in cells that are marked"""
    text = ""
    for line, look in zip(lines, looks):
        text += "".join(c for c, k in zip(line.ljust(len(look)), look) if k in "mM")
    return text


def first_fails(screen, case, name, command):
    lines, _ = work(screen, case, name, command, SIZES[0], "")
    return bool(lines) and "FAIL" in lines[2]


def check(screen, out, folder, size):
    name = os.path.basename(folder)
    with open(f"{folder}/expected.json", encoding="utf-8") as f:
        expected = json.load(f)
    with open(f"{folder}/command", encoding="utf-8") as f:
        command = f.read().strip()
    harms = [h for call in expected["calls"] for h in harmed(call)]
    if not harms:
        return None
    case = f"{out}/reach-{name}-{'x'.join(size)}"
    keys = "m Enter" if first_fails(screen, case, name, command) else "> g m Enter"
    lines, looks = work(screen, case, name, command, size, keys)
    if lines is None:
        return looks
    text = marked(lines, looks).strip()
    for method, header, verdict in harms:
        if lines[0].startswith(method + " "):
            if text.startswith(header):
                return ""
            unsent = verdict in ("never-sent", "missing")
            if unsent and any(f"no {header} here" in l for l in lines):
                return ""
    return "\n".join(lines)


def main():
    screen, out = sys.argv[1:3]
    for folder in sorted(glob.glob("captures/*/")):
        for size in SIZES:
            folder = folder.rstrip("/")
            what = f"{os.path.basename(folder)} at {size[1]} columns"
            fault = check(screen, out, folder, size)
            if fault is None:
                continue
            print(f"FAIL {what}\n{fault}" if fault else f"ok {what}")


main()
