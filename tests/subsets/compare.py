#!/usr/bin/env python3
"""Runs `check` on every part of each recording, in every order, and compares it with the whole.

compare.py SIPXRAY FOLDER...: for each non-empty subset of a folder's points, what is said may be
weaker than what all points together tell, but it never contradicts: no other node is guilty,
nothing was never sent that was, no cause is certain that is none, no message counts for another one,
no sighting stands elsewhere on the path.  The order of the arguments changes nothing at all.  Prints each contradiction, then
"N passed, M failed".
"""

import concurrent.futures
import itertools
import json
import os
import re
import shlex
import subprocess
import sys

POINT_OPTIONS = {"--trunk", "--trunk-id", "--livekit", "--values", "--node", "--follow", "--pack",
                 "--outside", "--rules", "--require", "--forbid", "--sayna"}
KEY_OPTIONS = {"--keylog", "--tls-key"}


class Run:
    """What one run says, with the addresses of its nodes at hand."""

    def __init__(self, said, messages=""):
        self.said = said
        self.messages = messages
        self.nodes = {n["name"]: set(n["addresses"]) for n in said["nodes"]}

    def addresses(self, name):
        return self.nodes.get(name) or {name}

    def mentions(self, addresses):
        """Does any message carry one of these? A node that others hide can't be named."""
        return any(re.search(rf"(?<![0-9a-f.:]){re.escape(a)}(?![0-9a-f.])", self.messages)
                   for a in addresses)

    def requests(self):
        for call in self.said["calls"]:
            for request in call["requests"]:
                yield call, request


def read_command(folder):
    """The options and the points of a folder's command."""
    with open(os.path.join(folder, "command"), encoding="utf-8") as f:
        words = shlex.split(f.read())
    options, points = [], []
    while words:
        word = words.pop(0)
        if word in POINT_OPTIONS | KEY_OPTIONS:
            options += [word, words.pop(0)]
        elif word.startswith("--"):
            options.append(word)
        else:
            points.append(word)
    return options, points


def run(sipxray, folder, options, points):
    """What the program says; a string where it broke off."""
    command = [sipxray, "check", "--format", "json", *options, *points]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    if done.returncode > 3 or done.returncode == 2:
        return f"status {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}"
    return json.loads(done.stdout)


def read_messages(sipxray, folder, options, points):
    keys = [word for name, value in zip(options, options[1:]) if name in KEY_OPTIONS
            for word in (name, value)]
    done = subprocess.run([sipxray, "messages", "--format", "ndjson", *keys, *points], cwd=folder,
                          capture_output=True, timeout=120, check=False)
    return done.stdout.decode(errors="replace")


def without_order(said):
    """The same with what follows the order of the arguments sorted."""
    said = dict(said)
    said["points"] = sorted(said["points"], key=lambda p: p["name"])
    said["nodes"] = sorted(({**n, "addresses": sorted(n["addresses"])} for n in said["nodes"]),
                           key=lambda n: (n["name"], n["addresses"]))
    said["calls"] = sorted(said["calls"], key=lambda c: c["call_ids"])
    return said


# ---- one request against the same one in the whole -----------------------------------------


def key(sighting):
    return sighting["point"], sighting["frames"][0]


def find_whole(whole, request):
    """The request of the whole run whose sightings contain these; the nearest in length."""
    wanted = [key(s) for s in request["sightings"]]
    found = None
    for call, candidate in whole.requests():
        keys = [key(s) for s in candidate["sightings"]]
        if all(k in keys for k in wanted) and (not found or len(keys) < len(found[1]["sightings"])):
            found = call, candidate
    return found


def is_same_node(whole, part, name_in_part, name_in_whole):
    return bool(part.addresses(name_in_part) & whole.addresses(name_in_whole))


def first_harm(header):
    """Indexes of the last good and first bad sighting; (-1, 0): before the first."""
    good = -1
    for i, state in enumerate(header["states"]):
        if state == "present":
            good = i
        elif state != "cut":
            return good, i
    return None


def check_stretch(guilty, request, big, big_header):
    """The stretch that a part names holds the true harm."""
    where = {key(s): i for i, s in enumerate(big["sightings"])}
    at = {s["at"]: where[key(s)] for s in request["sightings"]}
    harm = first_harm(big_header)
    if harm is None:
        return
    after, before = at.get(guilty.get("after"), -1), at.get(guilty.get("before"), len(where))
    if not after <= harm[0] or not harm[1] <= before:
        yield f"names {guilty.get('after')}..{guilty.get('before')}, but the harm lies at {harm}"


def check_guilty(whole, part, request, header, big, big_header):
    guilty, true = header["guilty"], big_header["guilty"]
    if guilty is None:
        return
    if true is None:
        yield "finds guilty where nothing was harmed"
        return
    if guilty["node"]:
        if not true["node"]:
            yield f"names {guilty['node']}, where the whole run cannot tell"
        elif not is_same_node(whole, part, guilty["node"], true["node"]):
            yield f"names {guilty['node']} instead of {true['node']}"
        return
    yield from check_stretch(guilty, request, big, big_header)
    if not true["node"] or not part.mentions(whole.addresses(true["node"])):
        return
    if not any(is_same_node(whole, part, c, true["node"]) for c in guilty["candidates"]):
        yield f"candidates {guilty['candidates']} are without {true['node']}"


def check_states(request, header, big, big_header):
    where = {key(s): i for i, s in enumerate(big["sightings"])}
    for i, sighting in enumerate(request["sightings"]):
        mine, other = header["states"][i], big_header["states"][where[key(sighting)]]
        if mine != other and "altered" not in (mine, other):
            yield f"{mine} at {sighting['at']}, in the whole run {other}"


ALLOWED = {"missing": {"missing", "never-sent", "stripped"}, "never-sent": {"never-sent"}}


def check_header(whole, part, request, header, big):
    big_header = next((h for h in big["headers"] if h["name"] == header["name"]), None)
    if big_header is None:
        yield "is not judged in the whole run"
        return
    yield from check_states(request, header, big, big_header)
    verdict, true = header["verdict"], big_header["verdict"]
    if header["expected"] and not big_header["expected"]:
        yield "is expected, not so in the whole run"
    if verdict in ("ok", "unknown"):
        return
    if true in ("ok", "unknown") or true not in ALLOWED.get(verdict, {true}):
        yield f"is {verdict}, in the whole run {true}"
        return
    yield from check_guilty(whole, part, request, header, big, big_header)


def check_request(whole, part, call, request):
    found = find_whole(whole, request)
    if not found:
        yield "has sightings that are no one request in the whole run"
        return
    big_call, big = found
    order = [key(s) for s in big["sightings"] if key(s) in {key(t) for t in request["sightings"]}]
    if order != [key(s) for s in request["sightings"]]:
        sightings = " ".join(s["at"] for s in request["sightings"])
        yield f"has its sightings in another order: {sightings}"
    if request["applies"] and not big["applies"]:
        yield f"is owed something ({request['why']}), but: {big['why']}"
    sender, true = request["sent_by"]["node"], big["sent_by"]["node"]
    masked = not any(part.addresses(sender) & theirs for theirs in whole.nodes.values())
    if (sender and true and not masked and not is_same_node(whole, part, sender, true)
            and part.mentions(whole.addresses(true))):
        yield f"is sent by {sender} instead of {true}"
    if call["direction"] not in ("unknown", big_call["direction"]):
        yield f"is of an {call['direction']} call instead of an {big_call['direction']} one"
    if call["trunk"] and big_call["trunk"] and call["trunk"]["id"] != big_call["trunk"]["id"]:
        yield f"has trunk {call['trunk']['id']} instead of {big_call['trunk']['id']}"
    for header in request["headers"]:
        for wrong in check_header(whole, part, request, header, big):
            yield f"{header['name']} {wrong}"


# ---- the run as a whole ---------------------------------------------------------------------


def check_nodes(whole, part):
    for name, addresses in part.nodes.items():
        owners = {w for w, theirs in whole.nodes.items() if theirs & addresses}
        if len(owners) > 1:
            yield f"node {name} is {' and '.join(sorted(owners))} at once"
        elif name in whole.nodes and owners and name not in owners:
            yield f"node {name} is {owners.pop()} in the whole run"


def check_findings(whole, part):
    known = {(f["id"], f["method"]) for c in whole.said["calls"] for f in c["findings"]}
    for call in part.said["calls"]:
        for f in call["findings"]:
            if f["id"] == "not-forwarded" and (f["id"], f["method"]) not in known:
                yield f"{f['message']}: not so in the whole run"


def check_causes(whole, part):
    """What is certain from a part is a cause in the whole too."""
    known = {c["id"] for call in whole.said["calls"] for c in call["causes"]}
    for call in part.said["calls"]:
        for c in call["causes"]:
            if c["confidence"] == "certain" and c["id"] not in known:
                yield f"cause {c['id']} is certain: {c['message']}"


def check_part(whole, part):
    yield from check_nodes(whole, part)
    yield from check_findings(whole, part)
    yield from check_causes(whole, part)
    for call, request in part.requests():
        status = f" {request['status']}" if request.get("status") else ""
        name = f"{request['method']}{status} #{request['cseq']}"
        for wrong in check_request(whole, part, call, request):
            yield f"{name} {wrong}"


def check_subset(sipxray, folder, options, points, whole):
    """Contradictions of one subset, and whether the order of its points matters."""
    names = " ".join(p.split("=")[0] for p in points)
    first = run(sipxray, folder, options, points)
    if isinstance(first, str):
        return [f"{names}: {first}"]
    part = Run(first, read_messages(sipxray, folder, options, points))
    wrong = [f"{names}: {w}" for w in check_part(whole, part)]
    for order in itertools.permutations(points):
        again = run(sipxray, folder, options, order) if list(order) != list(points) else first
        if isinstance(again, str) or without_order(again) != without_order(first):
            given = " ".join(p.split("=")[0] for p in order)
            wrong.append(f"{names}: another answer when given as {given}")
            break
    return wrong


def subsets(points):
    for n in range(1, len(points) + 1):
        yield from (list(s) for s in itertools.combinations(points, n))


def main():
    sipxray, folders = os.path.abspath(sys.argv[1]), sys.argv[2:]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = []
        for folder in folders:
            options, points = read_command(folder)
            whole = run(sipxray, folder, options, points)
            if isinstance(whole, str):
                failed += 1
                print(f"FAIL {folder}: {whole}")
                continue
            for part in subsets(points):
                job = pool.submit(check_subset, sipxray, folder, options, part, Run(whole))
                jobs.append((folder, job))
        for folder, job in jobs:
            for wrong in job.result():
                print(f"FAIL {folder} {wrong}")
            failed += bool(job.result())
            passed += not job.result()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
