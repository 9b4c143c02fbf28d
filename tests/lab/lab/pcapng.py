"""Takes out of a pcapng file what describes the machine that made it: its processor, kernel and programs."""
import struct

SECTION, INTERFACE = 0x0A0D0D0A, 1
IF_NAME, IF_TSRESOL = 2, 9


def blocks(data):
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        yield kind, data[at + 8:at + size - 4]
        at += size


def block(kind, body):
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def options(body):
    """The options kept of an interface, each as it stands in the file."""
    at = 0
    while at + 4 <= len(body):
        code, length = struct.unpack_from("<HH", body, at)
        end = at + 4 + (length + 3) // 4 * 4
        if code in (IF_NAME, IF_TSRESOL):
            yield body[at:end]
        at = end


def clean(path):
    out = b""
    for kind, body in blocks(path.read_bytes()):
        if kind == SECTION:
            body = body[:16]
        elif kind == INTERFACE:
            kept = b"".join(options(body[8:]))
            body = body[:8] + (kept + bytes(4) if kept else b"")
        out += block(kind, body)
    path.write_bytes(out)
