#!/usr/bin/env python3
"""An instance that knows no call: answers each BYE with 481.  stranger.py ADDRESS"""
import socket
import sys

COPIED = ("via:", "from:", "to:", "call-id:", "cseq:")


def answer(text):
    lines = [line for line in text.split("\r\n") if line.lower().startswith(COPIED)]
    return "\r\n".join(["SIP/2.0 481 Call does not exist", *lines, "Content-Length: 0", "", ""])


def main():
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind((sys.argv[1], 5060))
    print("listening", flush=True)
    while True:
        data, peer = own.recvfrom(65536)
        if data.startswith(b"BYE "):
            own.sendto(answer(data.decode().partition("\r\n\r\n")[0]).encode(), peer)


if __name__ == "__main__":
    main()
