#!/usr/bin/env python3
"""A back-to-back user agent between LEFT (towards LiveKit) and RIGHT (towards the carrier).

    b2bua.py [--strip HEADER]... OWN_LEFT LEFT OWN_RIGHT RIGHT

Each side has its own Call-ID, tags and CSeq; numbers are +1... on the right and 001... on the left. X- headers and
the body are passed on. It has no timers: for links that lose nothing.
"""
import argparse
import random
import re
import select
import socket
import string

HEX = "0123456789abcdef"


def rand(letters, count):
    return "".join(random.choice(letters) for _ in range(count))


class Message:
    def __init__(self, data):
        head, _, self.body = data.decode().partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name):
        return next(iter(self.all(name)), "")

    def is_response(self):
        return self.first.startswith("SIP/2.0")

    def method(self):
        return self.get("CSeq").split()[-1]

    def tag(self, name):
        found = re.search(r";tag=([^;>\s]+)", self.get(name))
        return found.group(1) if found else ""

    def user(self, name):
        return re.search(r"sips?:([^@>;]+)", self.get(name)).group(1)


class Leg:
    """One of the two dialogs of a call, as this user agent sees it."""

    def __init__(self, side):
        self.side, self.other = side, None
        self.tag, self.peer_tag = rand(HEX, 12), ""
        self.cseq = random.randrange(4000, 9000)
        self.routes, self.pending = [], None

    def accept(self, invite):
        """The leg on which the call came in."""
        self.call_id, self.own, self.peer = invite.get("Call-ID"), invite.user("To"), invite.user("From")
        self.peer_tag, self.invite = invite.tag("From"), invite
        self.learn(invite, invite.all("Record-Route"))

    def dial(self, caller, callee):
        self.call_id = f"B2B.{rand(string.digits, 9)}.{rand(string.digits, 7)}"
        self.own, self.peer = self.side.number(caller), self.side.number(callee)
        self.target = f"sip:{self.peer}@{self.side.far}:5060"

    def learn(self, message, record_routes):
        self.routes = [r for line in record_routes for r in line.split(", ")]
        contact = re.search(r"<([^>]+)>", message.get("Contact"))
        if contact:
            self.target = contact.group(1)

    def answered(self, response):
        self.peer_tag = response.tag("To")
        self.learn(response, [", ".join(reversed(", ".join(response.all("Record-Route")).split(", ")))])

    def request(self, method, extra, body="", content_type=""):
        if method != "ACK":
            self.cseq += 1
        own = f"<sip:{self.own}@{self.side.own}>;tag={self.tag}"
        peer = f"<sip:{self.peer}@{self.side.far}>" + (f";tag={self.peer_tag}" if self.peer_tag else "")
        lines = [f"{method} {self.target} SIP/2.0",
                 f"Via: SIP/2.0/UDP {self.side.own}:5060;branch=z9hG4bK{rand(HEX, 20)}",
                 "Max-Forwards: 70", f"From: {own}", f"To: {peer}", f"Call-ID: {self.call_id}",
                 f"CSeq: {self.cseq} {method}", f"Contact: <sip:{self.own}@{self.side.own}:5060>"]
        routes = [f"Route: {', '.join(r for r in self.routes if r)}"] if any(self.routes) else []
        self.side.send(lines + routes + extra, body, content_type)

    def respond(self, request, status, extra=(), body="", content_type=""):
        to = request.get("To")
        if ";tag=" not in to and not status.startswith("100"):
            to += f";tag={self.tag}"
        lines = [f"SIP/2.0 {status}", *[f"Via: {v}" for v in request.all("Via")],
                 *[f"Record-Route: {v}" for v in request.all("Record-Route")], f"From: {request.get('From')}",
                 f"To: {to}", f"Call-ID: {self.call_id}", f"CSeq: {request.get('CSeq')}"]
        contact = [f"Contact: <sip:{self.own}@{self.side.own}:5060>"] if status.startswith(("18", "2")) else []
        self.side.send(lines + contact + list(extra), body, content_type)


class Side:
    def __init__(self, own, far, number):
        self.own, self.far, self.number = own, far, number
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((own, 5060))

    def send(self, lines, body, content_type):
        tail = [f"Content-Type: {content_type}"] if content_type else []
        text = "\r\n".join([*lines, *tail, f"Content-Length: {len(body)}", "", body])
        self.socket.sendto(text.encode(), (self.far, 5060))


class Agent:
    def __init__(self, left, right, strip):
        self.left, self.right, self.strip = left, right, [n.lower() for n in strip]
        self.legs = {}

    def passed(self, message):
        stripped = self.strip if message.first.startswith("BYE ") else []
        return [f"{n}: {v}" for n, v in message.headers if n.lower().startswith("x-") and n.lower() not in stripped]

    def handle(self, side, data):
        message = Message(data)
        leg = self.legs.get((side, message.get("Call-ID")))
        if message.is_response():
            self.response(leg, message)
        elif leg is None:
            self.invite(side, message)
        elif message.method() == "ACK":
            leg.other.request("ACK", self.passed(message))
        else:
            leg.other.pending = message
            leg.other.request(message.method(), self.passed(message), message.body, message.get("Content-Type"))

    def invite(self, side, message):
        here, there = Leg(side), Leg(self.left if side is self.right else self.right)
        here.other, there.other = there, here
        here.accept(message)
        here.respond(message, "100 Trying")
        there.dial(here.peer, here.own)
        there.pending = message
        self.legs[side, here.call_id] = here
        self.legs[there.side, there.call_id] = there
        there.request("INVITE", self.passed(message), message.body, message.get("Content-Type"))

    def response(self, leg, message):
        status = message.first.partition(" ")[2]
        if leg is None or status.startswith("100"):
            return
        if message.method() == "INVITE" and status.startswith("2"):
            leg.answered(message)
        leg.other.respond(leg.pending, status, self.passed(message), message.body, message.get("Content-Type"))

    def run(self):
        while True:
            for ready in select.select([self.left.socket, self.right.socket], [], [])[0]:
                data = ready.recv(65536)
                if data.strip():
                    self.handle(self.left if ready is self.left.socket else self.right, data)


def international(number):
    return "00" + number.lstrip("+").removeprefix("00")


def e164(number):
    return "+" + number.lstrip("+").removeprefix("00")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--strip", action="append", default=[], help="header to leave out of BYE")
    parser.add_argument("addresses", nargs=4)
    options = parser.parse_args()
    own_left, left, own_right, right = options.addresses
    Agent(Side(own_left, left, international), Side(own_right, right, e164), options.strip).run()


if __name__ == "__main__":
    main()
