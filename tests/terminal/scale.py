"""Captures of many messages in tmux: a call of 20,000 scrolls, and keys work while files are read."""

import os
import re
import struct
import time

from tmux import SIPXRAY, Terminal, run

MESSAGES = 20000
CALLS = 40000


def packet(file, number, payload):
    """One record of a pcap file of raw IP."""
    udp = struct.pack(">HHHH", 5060, 5060, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)))
    frame = ip + udp
    time_us = 1795000000000000 + number * 500
    file.write(struct.pack("<IIII", time_us // 1000000, time_us % 1000000, len(frame), len(frame)))
    file.write(frame)


def request(method, cseq, call_id, tag):
    return (f"{method} sip:b@example.com SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{call_id}{cseq}\r\n"
            f"From: <sip:+14155550100@example.com>;tag=f{call_id}\r\n"
            f"To: <sip:+15105550100@example.com>{tag}\r\nCall-ID: {call_id}\r\n"
            f"CSeq: {cseq} {method}\r\nX-Number: {cseq}\r\nContent-Length: 0\r\n\r\n").encode()


def record(path, messages):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for number, payload in enumerate(messages):
            packet(file, number, payload)


def one_call():
    yield request("INVITE", 1, "long", "")
    for cseq in range(2, MESSAGES):
        yield request("INFO", cseq, "long", ";tag=t")
    yield request("BYE", MESSAGES, "long", ";tag=t")


def many_calls():
    for number in range(CALLS):
        yield request("INVITE", 1, f"c{number}", "")


def long_call():
    """Each message of it is reached, and each key is answered at once."""
    with Terminal() as t:
        path = t.path("long.pcap")
        record(path, one_call())
        t.start(source=path)
        t.wait(f" {MESSAGES} ", gone=(" %",))
        t.keys("Enter")
        t.wait(f"message 1 of {MESSAGES}", "INVITE")
        t.keys("G")
        t.wait(f"message {MESSAGES} of {MESSAGES}", "BYE")
        seen = MESSAGES
        for _ in range(60):
            began = time.monotonic()
            t.keys("PPage")
            t.wait("message ", gone=(f"message {seen} of",))
            assert time.monotonic() - began < 3, "a page takes long"
            now = int(re.search(r"message (\d+) of", t.screen()).group(1))
            assert 5 < seen - now < 20, f"from {seen} to {now}"
            seen = now
        t.keys("Enter")
        t.wait(f"CSeq: {seen} INFO")
        t.keys("q", "g")
        t.wait(f"message 1 of {MESSAGES}", "INVITE")
        t.quit()


def loading():
    """Esc, typed before anything is to be seen, stops it: what was read is there, and keys work."""
    with Terminal() as t:
        path = t.path("many.pcap")
        record(path, many_calls())
        t.tmux("send-keys", "-l", f"{SIPXRAY} {path}; echo status=$?")
        t.tmux("send-keys", "Enter", "Escape")
        seen = t.wait("stopped", "+14155550100")
        assert 0 < int(re.search(r"messages (\d+)", seen).group(1)) < CALLS, seen
        t.keys("F1")
        t.wait("line 1 of")
        t.keys("q", "Enter")
        t.wait("Call +14155550100", "INVITE")
        t.quit()


if __name__ == "__main__":
    run((long_call, loading))
