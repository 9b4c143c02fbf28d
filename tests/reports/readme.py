"""readme.py README SIPXRAY FOLDER OUT: the jobs for CI in the README are YAML of the form that their
servers take, and what they run of sipxray works: the command of each, on the capture in FOLDER, makes the
files that the job then publishes.  Prints what is wrong."""
import os
import re
import shlex
import subprocess
import sys

import yaml

readme, sipxray, folder, out = sys.argv[1:]
wrong = []


def expect(condition, what):
    if not condition:
        wrong.append(what)


with open(readme, encoding="utf-8") as f:
    blocks = [yaml.safe_load(b) for b in re.findall(r"^```yaml\n(.*?)^```", f.read(), re.S | re.M)]


def run(script):
    """The files that the one command of sipxray in a script wrote."""
    joined = script.replace("\\\n", " ")
    commands = [line for line in joined.split("\n") if line.startswith("sipxray ")]
    expect(len(commands) == 1, "no command, or several: %s" % script)
    words = shlex.split(commands[0])
    words[words.index("trunk.json")] = os.path.join(folder, "trunk.json")
    words[-1] = "kam1=" + os.path.join(folder, "kam1.pcap")
    os.makedirs(out, exist_ok=True)
    for name in os.listdir(out):
        os.unlink(os.path.join(out, name))
    done = subprocess.run([sipxray] + words[1:], cwd=out, capture_output=True, text=True)
    expect(done.returncode in (0, 3), "%s: %d: %s" % (commands[0], done.returncode, done.stderr))
    return set(os.listdir(out))


def github(job):
    expect(True in job or "on" in job, "github: when it runs")  # YAML 1.1 takes the key `on` for true
    (headers,) = job["jobs"].values()
    expect("runs-on" in headers, "github: runs-on")
    steps = headers["steps"]
    for s in steps:
        expect(("run" in s) != ("uses" in s), "github: a step runs or uses: %s" % s)
    written = run(next(s["run"] for s in steps if "sipxray" in s.get("run", "")))
    published = [s["with"] for s in steps if "with" in s]
    expect({p["report_paths"] for p in published if "report_paths" in p} <= written, "github: JUnit")
    summary = next(s["run"] for s in steps if "GITHUB_STEP_SUMMARY" in s.get("run", ""))
    expect(shlex.split(summary)[1] in written, "github: %s" % summary)
    expect(any("tcpdump" in s.get("run", "") for s in steps), "github: no recording")


def gitlab(job):
    (headers,) = job.values()
    scripts = headers["script"]
    expect(all(isinstance(s, str) for s in scripts), "gitlab: a script that is no string")
    written = run(next(s for s in scripts if "sipxray" in s))
    expect(headers["artifacts"]["reports"]["junit"] in written, "gitlab: JUnit")
    expect(any("tcpdump" in s for s in scripts), "gitlab: no recording")


# What else stands there as YAML, rules for one, is no job.
jobs = {"github": [b for b in blocks if "jobs" in b], "gitlab": [b for b in blocks if "sip-headers" in b]}
expect([len(j) for j in jobs.values()] == [1, 1], "two jobs in the README")
github(*jobs["github"])
gitlab(*jobs["gitlab"])
print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(bool(wrong))
