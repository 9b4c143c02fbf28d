"""hostile.py FILE: a capture of a BYE that a proxy sends on, with header values that try to be more
than values in each format of report.  The proxy strips every second one."""
import struct
import sys

VALUES = [
    b"<script>document.title='ran'</script>",
    b"<img src=x onerror=\"document.title='ran'\">",
    b"\"><svg onload=\"document.title='ran'\">",
    b"]]></failure><testcase name=\"forged\"/>",
    b"&lt;b&gt; &#x3c;script&#x3e;",
    b"a|b\\|c\\",
    b"`code` ``more`` *bold* _under_ ~~gone~~ <!-- hidden -->",
    b"[link](http://evil.example) ![image](http://evil.example/x.png)",
    b"@everyone #1 http://evil.example www.evil.example root@evil.example",
    b"a\r\n ::error title=forged::forged",
    b"##[error]forged %0A::warning::forged",
    b"x # TODO later",
    b"not ok 3 # SKIP",
    b"bell\x07 escape\x1b[31m null\x00 delete\x7f vertical\x0b",
    b"bad \xff\xfe utf-8 \xc3",
    b"\xe2\x80\xaeright to left\xe2\x80\xac zero\xe2\x80\x8bwidth",
    b"\xef\xbf\xbe\xef\xbf\xbf no characters of xml",
    b"</style></code></summary></details></table>",
    b"javascript:document.title='ran'",
    b"x\" onclick=\"document.title='ran'",
]


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagram(src, dst, payload):
    udp = struct.pack("!HHHH", 5060, 5060, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes(src), bytes(dst))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp


def bye(vias, headers):
    lines = [b"BYE sip:+14155550100@10.0.2.2 SIP/2.0"]
    lines += [b"Via: SIP/2.0/UDP " + v for v in vias]
    lines += [b"From: <sip:+15105550100@10.0.1.10>;tag=SCL_aaaaaaaaaaaa", b"To: <sip:+14155550100@10.0.2.2>;tag=1",
              b"Call-ID: \"><script>@|`10.0.2.2", b"CSeq: 2 BYE"]
    lines += [b"X-H%02d: %s" % h for h in headers]
    return b"\r\n".join(lines + [b"Content-Length: 0", b"", b""])


sender, proxy, outer, far = (10, 0, 1, 10), (10, 0, 1, 1), (10, 0, 2, 1), (10, 0, 2, 2)
sent = list(enumerate(VALUES))
first, second = b"10.0.1.10;branch=z9hG4bK.a", b"10.0.2.1;branch=z9hG4bK.b"
packets = [datagram(sender, proxy, bye([first], sent)), datagram(outer, far, bye([second, first], sent[::2]))]
with open(sys.argv[1], "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
    for i, packet in enumerate(packets):
        out.write(struct.pack("<IIII", 1763750000, i * 1000, len(packet), len(packet)) + packet)
