"""A cluster of pods on this host: each container a process with namespaces of its own, and what kubectl asks for.

A process that is executed in a container is the cluster's and not kubectl's: where kubectl ends, all that happens to
it is that its standard input ends, and that nobody is left to have what it writes.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

from live import children_of, wait_until

TCPDUMP = subprocess.run(["sh", "-c", "command -v tcpdump"], capture_output=True, text=True, check=True).stdout.strip()
HIDE = f"mount --bind /dev/null {TCPDUMP} && "


class Container:
    """Its first process, in namespaces of its own; /tmp is its own as well."""

    def __init__(self, command, net=None, has_tcpdump=True):
        own = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        before = ["nsenter", "-t", str(net), "--net"] if net else ["unshare", "--net"]
        prepare = "mount -t tmpfs tmpfs /tmp && " + ("" if has_tcpdump else HIDE)
        self.process = subprocess.Popen(
            [*before, *own, "sh", "-c", prepare + 'cd /tmp && exec "$@"', "sh", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.pid = wait_until(lambda: (children_of(self.process.pid) or [0])[0], "the container")
        self.shell = True

    def enter(self, command):
        return ["nsenter", "-t", str(self.pid), "--mount", "--root", "--pid", "--net", *command]

    def runs(self):
        return self.process.poll() is None

    def kill(self):
        if self.runs():
            os.kill(self.pid, signal.SIGKILL)
        self.process.wait()


class Pod:
    """One pod: a container of its own, and ephemeral ones."""

    networks = set()  # those that there were

    def __init__(self, name, addresses, labels, tcpdump=True, shell=True, uplink="br0"):
        self.name, self.addresses, self.labels = name, addresses, labels
        self.main = Container(["sleep", "infinity"], has_tcpdump=tcpdump)
        self.main.shell = shell
        Pod.networks.add(os.stat(f"/proc/{self.main.pid}/ns/net").st_ino)
        self.extra = {}   # name: Container, or why there is none
        self.phase = "Running"
        link = f"p{self.main.pid}"
        for words in (["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(self.main.pid)],
                      ["ip", "link", "set", link, "master", uplink, "up"],
                      [*self.net(), "ip", "link", "set", "lo", "up"], [*self.net(), "ip", "link", "set", "eth0", "up"],
                      *[[*self.net(), "ip", "addr", "add", a + "/16", "dev", "eth0"] for a in addresses]):
            subprocess.run(words, check=True)

    def net(self):
        return ["nsenter", "-t", str(self.main.pid), "--net"]

    def as_json(self):
        statuses = []
        for name, c in self.extra.items():
            state = {"waiting": {"reason": "ErrImagePull", "message": c}} if isinstance(c, str) else \
                {"running": {}} if c.runs() else \
                {"terminated": {"exitCode": c.process.returncode, "reason": "Completed"}}
            statuses.append({"name": name, "state": state})
        return {"kind": "Pod", "metadata": {"name": self.name, "labels": self.labels,
                                            "annotations": {"note": 'braces } { and "quotes"\\'}},
                "status": {"phase": self.phase, "podIPs": [{"ip": a} for a in self.addresses],
                           "ephemeralContainerStatuses": statuses}}

    def kill(self):
        for c in self.extra.values():
            if not isinstance(c, str):
                c.kill()
        self.main.kill()


class Client:
    """One kubectl."""

    def __init__(self, connection):
        self.connection, self.lock = connection, threading.Lock()

    def send(self, kind, data):
        try:
            with self.lock:
                self.connection.sendall(struct.pack("!BI", kind, len(data)) + data)
        except OSError:
            pass  # nobody is there to have it

    def end(self, status, error=""):
        if error:
            self.send(2, error.encode() + b"\n")
        self.send(3, bytes([status]))
        self.connection.close()


class Cluster:
    """Pods that come and go, and what kubectl may do with them."""

    def __init__(self, folder):
        self.path, self.pods, self.watches, self.calls = folder + "/cluster", {}, [], []
        self.forbidden, self.lock, self.hangs = set(), threading.RLock(), False
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.server = threading.Thread(target=self.serve, daemon=True)
        self.server.start()
        threading.Thread(target=self.look_at_containers, daemon=True).start()

    def environment(self):
        return {"KUBECTL": os.path.join(os.path.dirname(os.path.abspath(__file__)), "kubectl"),
                "STANDIN_CLUSTER": self.path}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.server.join()  # who still waits in accept would have the next cluster's first connection
        self.listener.close()
        for pod in list(self.pods.values()):
            pod.kill()

    # ---- what tests do

    def add(self, name, addresses, app="kamailio", **more):
        with self.lock:
            pod = self.pods[name] = Pod(name, addresses, {"app": app}, **more)
            self.tell("ADDED", pod)
        return pod

    def remove(self, name):
        with self.lock:
            pod = self.pods.pop(name)
            pod.kill()
            self.tell("DELETED", pod)

    def end_watches(self):
        with self.lock:
            for client, _ in self.watches:
                client.end(0)
            self.watches.clear()

    # ---- kubectl's side

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        line = b""
        while not line.endswith(b"\n"):
            line += connection.recv(1)
        words, client = json.loads(line), Client(connection)
        self.calls.append(words)
        while words[0].startswith("--"):
            words = words[1:]
        {"get": self.get, "exec": self.execute, "debug": self.debug}[words[0]](client, words[1:])

    def refuse(self, client, verb, what):
        if what not in self.forbidden:
            return False
        client.end(1, f'Error from server (Forbidden): {what} is forbidden: User "me" cannot {verb} resource "{what}" '
                      'in API group "" in the namespace "voip"')
        return True

    def find(self, client, name):
        pod = self.pods.get(name)
        if not pod:
            client.end(1, f'Error from server (NotFound): pods "{name}" not found')
        return pod

    def get(self, client, words):
        if self.refuse(client, "list", "pods"):
            return
        with self.lock:
            if words[0] == "pod":
                if not self.find(client, words[1]):
                    return
                wanted = lambda pod: pod.name == words[1]
            else:
                selector = [w for w in words if w.startswith("--selector=")][0].partition("=")[2]
                wanted = lambda pod: selector.partition("=")[2] == pod.labels.get(selector.partition("=")[0])
            self.watches.append((client, wanted))
            for pod in self.pods.values():
                if wanted(pod):
                    self.tell_one(client, "ADDED", pod)

    @staticmethod
    def tell_one(client, kind, pod):
        client.send(1, json.dumps({"type": kind, "object": pod.as_json()}, indent=4).encode() + b"\n")

    def tell(self, kind, pod):
        for client, wanted in self.watches:
            if wanted(pod):
                self.tell_one(client, kind, pod)

    def look_at_containers(self):
        """Tells of those that have ended."""
        before = {}
        while True:
            time.sleep(0.05)
            with self.lock:
                for pod in self.pods.values():
                    now = json.dumps(pod.as_json()["status"])
                    if before.setdefault(pod.name, now) != now:
                        self.tell("MODIFIED", pod)
                    before[pod.name] = now

    def execute(self, client, words):
        at = words.index("--")
        options, command = words[:at], words[at + 1:]
        name = [w for w in options if not w.startswith("-")][0]
        container = "".join(w.partition("=")[2] for w in options if w.startswith("--container="))
        if self.refuse(client, "create", "pods/exec"):
            return
        pod = self.find(client, name)
        if not pod:
            return
        c = pod.extra.get(container, pod.main)
        if not c.shell:
            client.end(1, 'error: Internal error occurred: error executing command in container: failed to exec in '
                          f'container: exec: "{command[0]}": executable file not found in $PATH: unknown')
            return
        if not c.runs():
            client.end(1, "error: Internal error occurred: unable to upgrade connection: container not found")
            return
        wait_until(lambda: not self.hangs, "it goes on")
        process = subprocess.Popen(c.enter(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
        readers = [threading.Thread(target=forward, args=(client, kind, pipe))
                   for kind, pipe in ((1, process.stdout), (2, process.stderr))]
        for r in readers:
            r.start()
        threading.Thread(target=feed, args=(client, process), daemon=True).start()
        for r in readers:
            r.join()
        status = process.wait()
        status = status if status >= 0 else 128 - status
        client.end(status, f"command terminated with exit code {status}" if status else "")

    def debug(self, client, words):
        if self.refuse(client, "patch", "pods/ephemeralcontainers"):
            return
        at = words.index("--")
        options = dict(w.lstrip("-").partition("=")[::2] for w in words[:at] if w.startswith("--"))
        with self.lock:
            pod = self.find(client, words[0].partition("/")[2])
            if not pod:
                return
            pod.extra[options["container"]] = Container(words[at + 1:], pod.main.pid) \
                if options["image"] != "no/such" else 'failed to pull image "no/such": not found'
        client.end(0)


def forward(client, kind, pipe):
    while data := os.read(pipe.fileno(), 65536):
        client.send(kind, data)
    pipe.close()


def feed(client, process):
    try:
        while data := client.connection.recv(65536):
            process.stdin.write(data)
            process.stdin.flush()
    except OSError:
        pass
    try:
        process.stdin.close()
    except OSError:
        pass
