"""facts.py FOLDER [EXPECTED]: the reports that `run` left in FOLDER for one capture, each read by its
own reader and held against the JSON: the same verdicts, findings and causes in each.  EXPECTED is the
JSON of a run that made no other format.  Prints what differs."""
import html.parser
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

folder = sys.argv[1]
wrong = []


def text_of(name):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return f.read()


def expect(condition, what):
    if not condition:
        wrong.append(what)


report = json.loads(text_of("report.json"))
findings = [f for c in report["calls"] for f in c["findings"]]
errors = [f for f in findings if f["severity"] == "error"]
of_run = report["findings"]
causes = [k for c in report["calls"] for k in c["causes"]]


def shown(s):
    """The string as a terminal shows it: JSON keeps control characters, the other formats do not."""
    out = ""
    for c in s:
        if ord(c) < 0x20 or ord(c) == 0x7f:
            out += "^" + chr(ord(c) ^ 0x40)
        elif 0x80 <= ord(c) < 0xa0 or c in "\u200b\u202c\u202e\ufeff":
            out += "".join("\\x%02x" % b for b in c.encode())
        else:
            out += c
    return out


def junit():
    root = xml.etree.ElementTree.parse(os.path.join(folder, "report.xml")).getroot()
    suites = root.findall("testsuite")
    expect(len(suites) == 1 + len(report["calls"]), "junit: a suite for each call and one for the run")
    for kind, element in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
        counted = [len(s.findall(element)) for s in suites]
        expect([int(s.get(kind)) for s in suites] == counted, "junit: %s of the suites" % kind)
        expect(int(root.get(kind)) == sum(counted), "junit: %s of the whole" % kind)
    failures = {f.get("message") for f in root.iter("failure")}
    for f in errors:
        expect(any(shown(f["message"]) in x for x in failures), "junit: no failure %s" % f["message"])
    known = {shown(f["message"]) for f in errors + of_run if f["severity"] == "error"}
    for x in failures:
        expect(any(m in x for m in known), "junit: a failure that is no finding: %s" % x)
    for f in of_run:
        messages = [x.get("message") for x in root.iter("failure" if f["severity"] == "error" else "skipped")]
        expect(shown(f["message"]) in messages, "junit: nothing on the run's %s" % f["id"])
    out = "".join(s.findtext("system-out") or "" for s in suites)
    told(out, "junit")
    verdict = "fail" if failures else "inconclusive" if list(root.iter("error")) else "pass"
    expect(verdict == report["verdict"], "junit: verdict %s" % verdict)
    identities = [(t.get("classname"), t.get("name")) for t in root.iter("testcase")]
    expect(len(set(identities)) == len(identities), "junit: two test cases of one name")


def told(text, name):
    """Warnings and notes name their headers, causes stand as they are."""
    for f in findings:
        expect(f["header"] is None or shown(f["header"]) in text, "%s: %s of %s" % (name, f["id"], f["header"]))
    for f in of_run if name != "junit" else []:
        expect(shown(f["message"]) in text, "%s: nothing on the run's %s" % (name, f["id"]))
    for k in causes:
        expect(shown(k["message"]).rstrip(".") in text, "%s: no cause %s" % (name, k["id"]))
        expect(shown(k["remedy"]).rstrip(".") in text, "%s: no remedy of %s" % (name, k["id"]))


def tap():
    text = text_of("report.tap")
    lines = text.split("\n")
    expect(lines[0].startswith("TAP version 14"), "tap: its version")
    tests = [re.match(r"(not )?ok (\d+) - (.*)", x) for x in lines]
    tests = [t for t in tests if t]
    expect([int(t[2]) for t in tests] == list(range(1, len(tests) + 1)), "tap: numbers")
    expect("1..%d" % len(tests) in lines, "tap: its plan")
    expect(len(tests) > len(report["calls"]), "tap: a test for each call and one for the run")
    for call, t in zip(report["calls"], tests):
        expect(bool(t[1]) == (call["verdict"] == "fail"), "tap: verdict of %s" % t[3])
        expect((" # SKIP " in t[3]) == (call["verdict"] == "inconclusive"), "tap: skipped %s" % t[3])
    failed = any(t[1] for t in tests)
    expect(failed == (report["verdict"] != "pass"), "tap: verdict")
    messages = {json.loads(m) for m in re.findall(r'^ +message: (".*")$', text, re.M)}
    for f in errors:
        expect(any(shown(f["message"]) in m for m in messages), "tap: no message %s" % f["message"])
    status = subprocess.run(["prove", os.path.join(folder, "report.tap")], capture_output=True, text=True)
    expect((status.returncode == 0) == (report["verdict"] == "pass"), "prove: " + status.stdout)
    expect("Parse errors" not in status.stdout, "prove: " + status.stdout)
    told(re.sub(r"\\([\\#\"])", r"\1", text), "tap")


class Rendered(html.parser.HTMLParser):
    ALLOWED = set("h2 h3 p ul li strong code details summary table thead tbody tr th td".split())

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text = ""

    def handle_starttag(self, tag, attrs):
        expect(tag in self.ALLOWED and not attrs, "markdown: an element <%s %s>" % (tag, attrs))

    def handle_data(self, data):
        self.text += data


def markdown():
    path = os.path.join(folder, "report.md")
    expect(os.path.getsize(path) <= 65536, "markdown: too long for a comment")
    extensions = [x for e in ("table", "autolink", "strikethrough", "tagfilter", "tasklist") for x in ("-e", e)]
    rendered = subprocess.run(["cmark-gfm", "--unsafe"] + extensions + [path], capture_output=True, text=True, check=True)
    page = Rendered()
    page.feed(rendered.stdout)
    left_out = "are left out" in page.text
    expect(("sipxray: " + report["verdict"]) in page.text, "markdown: verdict")
    for f in of_run:
        expect(shown(f["message"]) in page.text, "markdown: nothing on the run's %s" % f["id"])
    for f in errors if not left_out else []:
        expect(f["header"] is None or shown(f["header"]) in page.text, "markdown: no %s" % f["header"])
    for c in report["calls"] if not left_out else []:
        expect(shown(c["call_ids"][0]) in page.text, "markdown: no call %s" % c["call_ids"][0])
        for r in c["requests"] if c["verdict"] != "pass" and "|" not in str(c["requests"]) else []:
            for h in r["headers"] if r["applies"] else []:
                for values in h["values"]:
                    expect(not values or shown(" | ".join(values)) in page.text, "markdown: no value %s" % values)


def github():
    commands = {"error": 0, "warning": 0, "notice": 0}
    for line in text_of("report.github").split("\n"):
        command = re.match(r"::(\w+) title=([^:,]*)::(.*)$", line)
        if command:
            commands[command[1]] += 1
            expect(not re.search(r"%(?!25|3A|2C|0A|0D)", command[2] + command[3]), "github: escapes of " + line)
        else:
            expect("##[" not in line and not line.lstrip().startswith("::"), "github: a stray command " + line)
    for kind, n in commands.items():
        expect(n <= 10, "github: %d of %s" % (n, kind))
    failed = errors + [f for f in of_run if f["severity"] == "error"]
    expect((commands["error"] > 0) == bool(failed), "github: errors")
    expect(report["verdict"] in text_of("report.github").split("\n")[-2], "github: verdict")


def events():
    events = [json.loads(line) for line in text_of("report.ndjson").split("\n")[:-1]]
    expect([events[0]["event"], events[-1]["event"]] == ["start", "end"], "ndjson: start and end")
    rebuilt, run = [], []
    for e in events[1:-1]:
        kind, number = e.pop("event"), e.pop("call")
        if kind == "call":
            rebuilt.append(dict(e, findings=[], causes=[]))
        elif number is None:
            run.append(e)
        elif number == len(rebuilt):
            rebuilt[-1][kind + "s"].append(e)
        else:
            wrong.append("ndjson: a %s of call %d after call %d" % (kind, number, len(rebuilt)))
    expect(rebuilt == report["calls"], "ndjson: other calls than the JSON")
    expect(run == of_run, "ndjson: other findings of the run than the JSON")
    for key in ("verdict", "summary", "points", "nodes", "rules"):
        expect(events[-1].get(key) == report.get(key), "ndjson: other %s than the JSON" % key)


class Page(html.parser.HTMLParser):
    VOID = {"meta", "br"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text, self.open, self.ids, self.links, self.raw = "", [], [], [], 0

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        expect(tag not in ("script", "img", "iframe", "object", "link", "base", "form"), "html: <%s>" % tag)
        for name, value in attrs.items():
            expect(not name.startswith("on"), "html: %s=%s" % (name, value))
            if name in ("href", "src"):
                expect(value.startswith("#"), "html: a link to %s" % value)
                self.links.append(value[1:])
        if "id" in attrs:
            self.ids.append(attrs["id"])
        self.raw += attrs.get("class") == "raw"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        expect(self.open and self.open[-1] == tag, "html: </%s> within %s" % (tag, self.open[-3:]))
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        self.text += data


def page():
    text = text_of("report.html")
    p = Page()
    p.feed(text)
    p.close()
    expect(not p.open, "html: still open: %s" % p.open)
    expect(len(set(p.ids)) == len(p.ids), "html: an id stands twice")
    for link in p.links:
        expect(link in p.ids, "html: no place #%s" % link)
    expect("default-src 'none'" in text, "html: no policy")
    expect(("sipxray check: " + report["verdict"]) in p.text, "html: verdict")
    expect(bool(p.raw) == bool(report["calls"]), "html: %d messages" % p.raw)
    told(p.text, "html")
    for c in report["calls"]:
        expect(shown(c["call_ids"][0]) in p.text, "html: no call %s" % c["call_ids"][0])
        for f in c["findings"]:
            for e in f["evidence"] if f["severity"] == "error" else []:
                expect("frame %d" % e["frame"] in p.text, "html: no frame %d" % e["frame"])


def as_without():
    """Reports that follow each message judge as those that do not."""
    if len(sys.argv) < 3:
        return
    with open(sys.argv[2], encoding="utf-8") as f:
        alone = json.load(f)
    alone["version"] = report["version"]
    for key in report:
        expect(report[key] == alone[key], "json: other %s than without the other formats" % key)


as_without()
for reader in (junit, tap, markdown, page, github, events):
    reader()
print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(bool(wrong))
