/* pcaploop FILE: reads each packet by libpcap and looks at its length only; no reader can do less.
 */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *p = pcap_open_offline(argc > 1 ? argv[1] : "-", why);
    if (!p) {
        fprintf(stderr, "%s\n", why);
        return 2;
    }
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t packets = 0, sum = 0;
    while (pcap_next_ex(p, &header, &bytes) == 1) {
        packets++;
        sum += header->caplen;
    }
    pcap_close(p);
    printf("%llu packets, %llu bytes\n", (unsigned long long)packets, (unsigned long long)sum);
    return 0;
}
