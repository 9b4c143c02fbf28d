#!/usr/bin/env python3
"""A phone that is always busy: answers each INVITE with 486.  busy.py ADDRESS"""
import socket
import sys

COPIED = ("via:", "from:", "to:", "call-id:", "cseq:")


def answer(text):
    lines = [line for line in text.split("\r\n") if line.lower().startswith(COPIED)]
    lines = [line + ";tag=busy01" if line.lower().startswith("to:") else line for line in lines]
    return "\r\n".join(["SIP/2.0 486 Busy Here", *lines, "Content-Length: 0", "", ""])


def main():
    phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    phone.bind((sys.argv[1], 5060))
    print("listening", flush=True)
    while True:
        data, peer = phone.recvfrom(65536)
        if data.startswith(b"INVITE "):
            phone.sendto(answer(data.decode().partition("\r\n\r\n")[0]).encode(), peer)


if __name__ == "__main__":
    main()
