#!/usr/bin/env python3
"""Gives sipp a transport that it lacks: TLS, WebSocket, or both.

    relay.py [OPTION...] tls|ws|wss OWN PEER

sipp speaks UDP with it on the host's loopback. A response goes out on the connection that its request came on; a
request on the newest one, or, with --own, on one that this end opens to PEER itself.
"""
import argparse
import asyncio
import base64
import os
import re
import ssl
import struct

SIPP, RELAY = ("127.0.0.1", 5060), ("127.0.0.1", 5070)
UPGRADE = """GET / HTTP/1.1
Host: {host}
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: {key}
Sec-WebSocket-Version: 13
Sec-WebSocket-Protocol: sip
Origin: http://{host}

"""
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def top_branch(message):
    found = re.search(rb"^Via:.*?;branch=([^;,\s]+)", message, re.M)
    return found.group(1) if found else b""


def masked(opcode, payload, split=False):
    """A client's frame, or two that make one message."""
    if split:
        half = len(payload) // 2
        return frame(opcode, payload[:half], 0) + frame(0, payload[half:], 0x80)
    return frame(opcode, payload, 0x80)


def frame(opcode, payload, fin):
    size, mask = len(payload), os.urandom(4)
    length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
    return bytes([fin | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


class Connection:
    """One stream to the proxy."""

    def __init__(self, relay, reader, writer, web):
        self.relay, self.reader, self.writer, self.web = relay, reader, writer, web

    def send(self, message):
        self.writer.write(masked(TEXT, message, self.relay.options.fragments) if self.web else message)

    async def upgrade(self, host):
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(UPGRADE.format(host=host, key=key).replace("\n", "\r\n").encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise SystemExit(head.decode())

    async def message(self):
        return await (self.web_message() if self.web else self.sip_message())

    async def sip_message(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).lstrip(b"\r\n")
        length = re.search(rb"^Content-Length\s*:\s*(\d+)", head, re.M | re.I)
        return head + await self.reader.readexactly(int(length.group(1)) if head else 0)

    async def web_message(self):
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            size, = struct.unpack("!H", await self.reader.readexactly(2))
        payload = await self.reader.readexactly(size)
        if first & 0xF == PING:
            self.writer.write(masked(PONG, payload))
        return payload if first & 0xF == TEXT else b""

    async def listen(self):
        try:
            while True:
                message = await self.message()
                if message:
                    self.relay.came(self, message)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.relay.gone(self)


class Context(ssl.SSLContext):
    """Offers the session of the connection before, if there was one."""

    kept = None

    def wrap_bio(self, *arguments, **named):
        return super().wrap_bio(*arguments, session=self.kept, **named)


class Relay(asyncio.DatagramProtocol):
    def __init__(self, options):
        self.options, self.connections, self.answers, self.own = options, [], {}, None
        self.web, self.secure = "w" in options.kind, options.kind != "ws"

    def context(self, purpose):
        made = Context(purpose)
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        made.keylog_filename = self.options.keylog
        if self.options.ciphers:
            made.set_ciphers(self.options.ciphers)
        if purpose == ssl.PROTOCOL_TLS_SERVER:
            made.load_cert_chain(self.options.cert, self.options.key)
        if self.options.tls12:
            made.maximum_version = ssl.TLSVersion.TLSv1_2
        return made

    async def run(self):
        own, peer = self.options.own, self.options.peer
        self.queue = asyncio.Queue()
        if not self.web:
            await asyncio.start_server(self.accepted, *own, ssl=self.context(ssl.PROTOCOL_TLS_SERVER))
        self.client = self.context(ssl.PROTOCOL_TLS_CLIENT) if self.secure else None
        loop = asyncio.get_running_loop()
        self.sipp, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=RELAY)
        print("listening", flush=True)
        while True:
            await self.forward(await self.queue.get(), peer)

    def datagram_received(self, data, _):
        self.queue.put_nowait(data)

    async def accepted(self, reader, writer):
        await self.begin(reader, writer)

    async def begin(self, reader, writer):
        made = Connection(self, reader, writer, self.web)
        if self.web:
            await made.upgrade(self.options.peer[0])
        self.connections.append(made)
        made.task = asyncio.ensure_future(made.listen())
        return made

    async def dial(self, peer):
        reader, writer = await asyncio.open_connection(*peer, ssl=self.client, local_addr=(self.options.own[0], 0))
        return await self.begin(reader, writer)

    async def outgoing(self, peer):
        if self.own in self.connections:
            if not self.options.redial:
                return self.own
            self.client.kept = self.own.writer.get_extra_info("ssl_object").session
            self.own.writer.close()
        if self.connections and not self.options.dial:
            return self.connections[-1]
        self.own = await self.dial(peer)
        return self.own

    async def forward(self, message, peer):
        if message.startswith(b"SIP/2.0"):
            way = self.answers.get(top_branch(message))
        else:
            way = await self.outgoing(peer)
        way.send(message)

    def came(self, connection, message):
        if not message.startswith(b"SIP/2.0"):
            self.answers[top_branch(message)] = connection
        self.sipp.sendto(message, SIPP)

    def gone(self, connection):
        self.connections.remove(connection)
        connection.writer.close()


def end(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--ciphers", help="of TLS 1.2")
    parser.add_argument("--tls12", action="store_true", help="no later version")
    parser.add_argument("--keylog", help="file for the secrets")
    parser.add_argument("--dial", action="store_true", help="send requests on a connection of one's own")
    parser.add_argument("--redial", action="store_true", help="with --dial: one connection per request, resuming TLS")
    parser.add_argument("--fragments", action="store_true", help="send each message in two WebSocket frames")
    parser.add_argument("kind", choices=("tls", "ws", "wss"))
    parser.add_argument("own", type=end)
    parser.add_argument("peer", type=end)
    asyncio.run(Relay(parser.parse_args()).run())


if __name__ == "__main__":
    main()
