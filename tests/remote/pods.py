"""Pods as sources, by the whole program and a stand-in for kubectl, in namespaces of their own.

pods.py PROGRAM [NAME...]: prints a line for each test, "ok NAME" or "not ok NAME: why".
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "live"))

# pylint: disable=wrong-import-position
from live import NO_LEAKS, PROGRAM, Run, children_of, has, options, run_tests, same, temporary, wait_until  # noqa: E402
from cluster import Cluster, Pod  # noqa: E402
from sip_path import ADDRESSES, Path  # noqa: E402

LABEL = "k8s:voip/app=kamailio"


class Watched(Run):
    """sipxray, whose standard error is read on as well."""

    def __init__(self, cluster, *args, **more):
        super().__init__(*args, env={**NO_LEAKS, **cluster.environment(), **more.pop("env", {})}, **more)
        self.errors = ""
        os.set_blocking(self.process.stderr.fileno(), False)

    def said(self, part, count=1):
        def there():
            self.errors += (self.process.stderr.read() or b"").decode()
            return self.errors.count(part) >= count
        try:
            wait_until(there, part)
        except AssertionError as e:
            raise AssertionError(f"{e}; it says {self.errors}") from e

    def end(self, number=None):
        os.set_blocking(self.process.stderr.fileno(), True)
        status, out, err = super().end(number)
        return status, out, self.errors + err


def captures():
    """The tcpdumps that there are in the pods, and what else was started there for them."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            net = os.stat(f"/proc/{pid}/ns/net").st_ino
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if net in Pod.networks and (words.startswith("tcpdump ") or "/tmp/sipxray" in words) and "kamailio" not in words:
            found.append(words[:60])
    return found


def tcpdumps():
    return [words for words in captures() if words.startswith("tcpdump ")]


def listens(pod):
    """A tcpdump in it has its socket."""
    with open(f"/proc/{pod.main.pid}/net/packet", encoding="ascii") as f:
        return len(f.readlines()) > 1


def commands_of(run, word):
    """The kubectls that its keeper runs."""
    found = []
    for keeper in children_of(run.process.pid):
        for pid in children_of(keeper):
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if word.encode() in f.read().split(b"\0"):
                    found.append(pid)
    return found


def nothing_left():
    wait_until(lambda: not captures(), f"nothing left: {captures()}")


def send(pod, data, dst="10.0.3.20"):
    """A message from a pod to another."""
    code = ("import socket,sys; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); "
            f"s.sendto(sys.stdin.buffer.read(),('{dst}',5060))")
    subprocess.run([*pod.net(), sys.executable, "-c", code], input=data, check=True)


def messages(cluster, *args, **more):
    return Watched(cluster, "messages", "--format", "ndjson", *args, **more)


def captured_pod(cluster):
    """One that sends to a carrier, and what says what is seen in it."""
    pod = cluster.add("kam-0", ["10.0.1.1"])
    cluster.add("carrier-0", ["10.0.3.20"], app="carrier")
    run = messages(cluster, LABEL)
    run.said(": captured\n")
    return pod, run


def proxies_in(cluster, **more):
    """The path of sip_path.py with a pod for each of its hosts."""
    cluster.add("livekit-0", ADDRESSES["livekit"], app="livekit")
    cluster.add("carrier-0", ADDRESSES["carrier"], app="carrier")
    cluster.add("kam-0", ADDRESSES["kam1"], **more)
    cluster.add("kam-1", ADDRESSES["kam2"], **more)
    names = {"livekit": "livekit-0", "kam1": "kam-0", "kam2": "kam-1", "carrier": "carrier-0"}
    return {host: cluster.pods[name].net() for host, name in names.items()}


def test_every_pod_at_once():
    with temporary() as folder, Cluster(folder) as cluster, Path(folder, proxies_in(cluster)) as path:
        run = Watched(cluster, "check", "--livekit", "livekit-0", "--format", "text", "--format", f"json:{folder}/json",
                      LABEL, "k8s:voip/livekit-0")
        run.said(": captured\n", 3)
        path.call()
        time.sleep(0.3)
        status, out, err = run.end(signal.SIGINT)
        same(status, 1)
        has(out, "FAIL  kam-0 (10.0.1.1 in, 10.0.2.1 out) strips 1 of 1 header from BYE: X-Test")
        has(err, "sipxray: k8s:voip/kam-1: captured\n")
        has(err, "sipxray: k8s:voip/app=kamailio: each pod is captured by the filter 'port 5060 or port 5061 or "
                 "ip[6:2] & 0x1fff != 0 or ip6[6] = 44'; --bpf gives another\n")
        assert "no SIP" not in err, err
        with open(folder + "/json", encoding="utf-8") as f:
            report = json.load(f)
        same(sorted(p["name"] for p in report["points"]), ["kam-0", "kam-1", "livekit-0"])
        nodes = {n["name"]: n["addresses"] for n in report["nodes"]}
        same(sorted(nodes["kam-1"]), ["10.0.2.2", "10.0.3.1"])
        nothing_left()


def test_at_once():
    """What is sent in a pod is seen within a second."""
    with temporary() as folder, Cluster(folder) as cluster:
        pod, run = captured_pod(cluster)
        send(pod, options("c1"))
        got = json.loads(run.line())
        late = time.time() - datetime.fromisoformat(got["time"][:26] + "+00:00").timestamp()
        assert late < 1, f"seen {late:.3f} s after it was sent"
        same((got["point"], got["call_id"], got["src"].split(":")[0]), ("kam-0", "c1", "10.0.1.1"))
        same(run.end(signal.SIGINT)[0], 0)
        nothing_left()


def test_without_tcpdump():
    """In its container, or without a shell: an ephemeral container has both, and is gone at the end."""
    for lacks, why in (({"tcpdump": False}, "its container has no tcpdump"), ({"shell": False}, "its container has no shell")):
        with temporary() as folder, Cluster(folder) as cluster:
            pod = cluster.add("kam-0", ["10.0.1.1"], **lacks)
            cluster.add("carrier-0", ["10.0.3.20"], app="carrier")
            run = messages(cluster, LABEL, "--k8s-image", "my/tools")
            run.said(f"kam-0: {why}; an ephemeral container with my/tools is added to the pod\n")
            run.said("kam-0: captured, by an ephemeral container\n")
            send(pod, options("c1"))
            same(json.loads(run.line())["point"], "kam-0")
            same(run.end(signal.SIGINT)[0], 0)
            nothing_left()
            same(len(pod.extra), 1)
            wait_until(lambda: not any(c.runs() for c in pod.extra.values()), "the container's end")


def test_killed():
    """Whoever is killed, nothing goes on in the pods."""
    for lacks in ({}, {"tcpdump": False}):
        with temporary() as folder, Cluster(folder) as cluster:
            pod = cluster.add("kam-0", ["10.0.1.1"], **lacks)
            run = messages(cluster, LABEL)
            run.said(": captured")
            assert captures()
            run.signal(signal.SIGKILL)
            run.process.wait()
            nothing_left()
            wait_until(lambda: not any(c.runs() for c in pod.extra.values()), "the container's end")
            run.end()


def test_kubectl_is_killed():
    """The stream ends, and is begun again."""
    with temporary() as folder, Cluster(folder) as cluster:
        pod, run = captured_pod(cluster)
        for pid in commands_of(run, "exec"):
            os.kill(pid, signal.SIGKILL)
        run.said("kam-0: kubectl exec was ended by signal 9 (Killed)")
        run.said("it is tried again, after 1 s\n")
        run.said(": captured\n", 2)
        same(len(tcpdumps()), 1)
        send(pod, options("c1"))
        same(json.loads(run.line())["point"], "kam-0")
        same(run.end(signal.SIGINT)[0], 0)
        nothing_left()


def test_pods_come_and_go():
    with temporary() as folder, Cluster(folder) as cluster:
        cluster.add("carrier-0", ["10.0.3.20"], app="carrier")
        run = messages(cluster, LABEL)
        run.said("kubectl tells of no such pod so far; it is waited for\n")
        pod = cluster.add("kam-0", ["10.0.1.1"])
        run.said("kam-0: captured\n")
        send(pod, options("c1"))
        same(json.loads(run.line())["point"], "kam-0")
        other = cluster.add("kam-1", ["10.0.1.2"])
        run.said("kam-1: captured\n")
        send(other, options("c2"))
        same(json.loads(run.line())["point"], "kam-1")
        cluster.remove("kam-0")
        run.said("kam-0: the pod is gone\n")
        send(other, options("c3"))
        same(json.loads(run.line())["point"], "kam-1")
        pod = cluster.add("kam-0", ["10.0.1.9"])
        run.said("kam-0: captured\n", 2)
        cluster.end_watches()  # as a server does now and then
        time.sleep(1.5)
        send(pod, options("c4"))
        line = json.loads(run.line())
        same((line["point"], line["call_id"]), ("kam-0", "c4"))
        late = cluster.add("kam-2", ["10.0.1.3"])
        run.said("kam-2: captured\n")
        send(late, options("c5"))
        same(json.loads(run.line())["point"], "kam-2")
        same(len(tcpdumps()), 3)
        status, out, _ = run.end(signal.SIGINT)
        same((status, out), (0, ""))
        nothing_left()


def test_one_pod():
    with temporary() as folder, Cluster(folder) as cluster:
        pod = cluster.add("kam-0", ["10.0.1.1"])
        cluster.add("carrier-0", ["10.0.3.20"], app="carrier")
        run = messages(cluster, "--bpf", "udp port 5060", "edge=k8s:prod_eu/voip/kam-0/")
        run.said(": captured\n")
        send(pod, options("c1"))
        same(json.loads(run.line())["point"], "edge")
        cluster.remove("kam-0")
        run.said("k8s:prod_eu/voip/kam-0: the pod is gone\n")
        pod = cluster.add("kam-0", ["10.0.1.1"])
        run.said(": captured\n", 2)
        send(pod, options("c2"))
        same(json.loads(run.line())["call_id"], "c2")
        same(run.end(signal.SIGINT)[0], 0)
        for words in cluster.calls:
            same(words[:2], ["--context=prod_eu", "--namespace=voip"])
        has(cluster.calls[1], "(udp port 5060) or ip[6:2] & 0x1fff != 0 or ip6[6] = 44")


def test_media():
    """record --rtp asks for it; --bpf is heeded in its place."""
    for args, wanted in ((["--rtp"], "(udp or port 5060 or port 5061 or ip[6:2] & 0x1fff != 0 or ip6[6] = 44) or "),
                         (["--rtp", "--bpf", "udp port 9"], "(udp port 9) or "), ([], "(port 5060 or port 5061 or ")):
        with temporary() as folder, Cluster(folder) as cluster:
            cluster.add("kam-0", ["10.0.1.1"])
            run = Watched(cluster, "record", "--output", folder + "/x.pcapng", *args, LABEL)
            run.said(": captured\n")
            same(run.end(signal.SIGINT)[0], 0)
            filters = [words[-1] for words in cluster.calls if "exec" in words]
            assert filters[0].startswith(wanted), filters


def test_nothing_comes():
    """A kubectl that hangs is told of."""
    with temporary() as folder, Cluster(folder) as cluster:
        cluster.add("kam-0", ["10.0.1.1"])
        cluster.hangs = True
        run = messages(cluster, LABEL)
        run.said("k8s:voip/kam-0: nothing came of kubectl exec for 10 s; it is waited for\n")
        cluster.hangs = False
        same(run.end(signal.SIGINT)[0], 0)


def test_errors():
    with temporary() as folder, Cluster(folder) as cluster:
        status, _, err = messages(cluster, "k8s:voip/kam-9").end()
        same((status, err.splitlines()[-1]), (2, "sipxray: k8s:voip/kam-9: kubectl get ended with status 1: Error from "
                                                 'server (NotFound): pods "kam-9" not found'))
        cluster.forbidden = {"pods"}
        status, _, err = messages(cluster, LABEL).end()
        same(status, 2)
        has(err, 'User "me" cannot list resource "pods"')
        has(err, "(needed are get, list and watch of pods, create of pods/exec, and patch of pods/ephemeralcontainers "
                 "where there is no tcpdump; see sipxray(1), Kubernetes)\n")
        cluster.forbidden = {"pods/exec"}
        cluster.add("kam-0", ["10.0.1.1"])
        run = messages(cluster, LABEL)
        run.said('k8s:voip/kam-0: kubectl exec ended with status 1: Error from server (Forbidden): pods/exec is forbidden')
        run.said("see sipxray(1), Kubernetes); it is tried again, after 1 s\n")
        cluster.forbidden = {"pods/ephemeralcontainers"}
        run.said(": captured\n")
        same(run.end(signal.SIGINT)[0], 0)
        nothing_left()
        run = Watched(cluster, "check", "--livekit", "lk-9", LABEL)
        run.said(": captured\n")
        has(run.end(signal.SIGINT)[2], "--livekit lk-9: no point has this name\n")
        status, _, err = messages(cluster, LABEL, env={"KUBECTL": "/nowhere/kubectl"}).end()
        same(status, 2)
        has(err, "kubectl get ended with status 127: /nowhere/kubectl: cannot be run: No such file or directory (it is "
                 "looked for on the PATH, or where the environment variable KUBECTL says)\n")
    for wrong in ("k8s:", "k8s:kam-0", "k8s:VOIP/kam-0", "k8s:voip/=x", "k8s:voip/-x", "k8s:a/b/c;d"):
        status, _, err = Run("messages", wrong).end()
        same((status, err), (2, f"sipxray: {wrong}: it has to be k8s:[CONTEXT/]NAMESPACE/POD[/CONTAINER] or "
                                "k8s:[CONTEXT/]NAMESPACE/LABEL=VALUE\n"))


def test_no_image():
    with temporary() as folder, Cluster(folder) as cluster:
        cluster.add("kam-0", ["10.0.1.1"], tcpdump=False)
        run = messages(cluster, LABEL, "--k8s-image", "no/such")
        run.said('kam-0: the ephemeral container waits: failed to pull image "no/such": not found\n')
        same(run.end(signal.SIGINT)[0], 0)
        cluster.forbidden = {"pods/ephemeralcontainers"}
        run = messages(cluster, LABEL)
        run.said("kubectl debug ended with status 1: Error from server (Forbidden)")
        run.said("it is tried again, after 1 s\n")
        same(run.end(signal.SIGINT)[0], 0)
        nothing_left()


def test_ladder_on_the_screen():
    """One ladder over all pods, while the call is there."""
    with temporary() as folder, Cluster(folder) as cluster, Path(folder, proxies_in(cluster)) as path:
        tmux = ["tmux", "-L", f"sipxray-pods-{os.getpid()}", "-f", "/dev/null"]
        environment = {**NO_LEAKS, **cluster.environment(), "LANG": "C.UTF-8", "TERM": "xterm"}

        def screen():
            return subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False).stdout

        subprocess.run([*tmux, "new-session", "-d", "-x", "120", "-y", "30",
                        f"exec {PROGRAM} tui {LABEL} 2>{folder}/errors"], env=environment, check=True)
        try:
            wait_until(lambda: all(listens(cluster.pods[name]) for name in ("kam-0", "kam-1")), "both are captured")
            path.call()
            wait_until(lambda: "+15105550100" in screen(), "the call")
            subprocess.run([*tmux, "send-keys", "Enter"], check=True)
            wait_until(lambda: "BYE" in screen(), "the ladder")
            head = screen()
            for name in ("kam-0", "kam-1", "10.0.1.10", "10.0.3.20"):
                has(head, name)
            cluster.remove("kam-1")
            wait_until(lambda: "k8s:voip/kam-1: the pod is gone" in screen(), "the news")
            subprocess.run([*tmux, "send-keys", "C-c"], check=True)
            wait_until(lambda: not screen(), f"the end: {screen()}")
        finally:
            subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)
        nothing_left()


TESTS = [test_every_pod_at_once, test_at_once, test_without_tcpdump, test_killed, test_kubectl_is_killed,
         test_pods_come_and_go, test_one_pod, test_media, test_nothing_comes, test_errors, test_no_image,
         test_ladder_on_the_screen]


if __name__ == "__main__":
    for line in ("ip link set lo up", "ip link add br0 type bridge", "ip link set br0 up"):
        subprocess.run(line.split(), check=True)
    run_tests(TESTS, sys.argv[2:])
