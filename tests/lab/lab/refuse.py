#!/usr/bin/env python3
"""An end that answers each request of one method with one status: a busy phone, an instance that
knows no call.  refuse.py ADDRESS METHOD STATUS REASON [TO-TAG]"""
import socket
import sys

COPIED = ("via:", "from:", "to:", "call-id:", "cseq:")


def answer(text, status, tag):
    lines = [line for line in text.split("\r\n") if line.lower().startswith(COPIED)]
    lines = [f"{line};tag={tag}" if tag and line.lower().startswith("to:") else line for line in lines]
    return "\r\n".join([f"SIP/2.0 {status}", *lines, "Content-Length: 0", "", ""])


def main():
    address, method, status, reason = sys.argv[1:5]
    tag = sys.argv[5] if len(sys.argv) > 5 else None
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind((address, 5060))
    print("listening", flush=True)
    while True:
        data, peer = own.recvfrom(65536)
        if data.startswith(f"{method} ".encode()):
            head = data.decode().partition("\r\n\r\n")[0]
            own.sendto(answer(head, f"{status} {reason}", tag).encode(), peer)


if __name__ == "__main__":
    main()
