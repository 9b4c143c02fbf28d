/* burst FILE N [PER_SECOND]: sends N payloads of the UDP packets of a capture on loopback, to
 * 127.0.0.1 port 5060, as fast as it can or so many a second; prints how many were sent, and in how
 * many seconds.  After the last packet of the capture comes the first, with another Call-ID.  The
 * receiver's socket is there and never read, so that no answer comes. */
#include <arpa/inet.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADERS = 42, BATCH = 64, MOST = 1 << 20 };

static struct iovec payloads[MOST];
static char *ids[MOST]; /* where their Call-IDs begin */
static size_t count;

static void load(const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *h;
    const u_char *bytes;
    pcap_t *p = pcap_open_offline(path, why);
    if (!p) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    while (count < MOST && pcap_next_ex(p, &h, &bytes) == 1) {
        if (h->caplen <= HEADERS)
            continue;
        size_t n = h->caplen - HEADERS;
        void *copy = malloc(n);
        payloads[count] = (struct iovec){memcpy(copy, bytes + HEADERS, n), n};
        char *id = memmem(copy, n, "\r\nCall-ID: ", 11);
        if (id && id + 15 < (char *)copy + n)
            ids[count++] = id + 11;
    }
    pcap_close(p);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int bound(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), small = 4096;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror("port 5060 on loopback");
        exit(1);
    }
    return fd;
}

static size_t send_some(int fd, struct sockaddr_in *to, size_t from, size_t n)
{
    struct mmsghdr list[BATCH] = {0};
    for (size_t i = 0; i < n; i++) {
        struct msghdr *m = &list[i].msg_hdr;
        size_t round = (from + i) / count;
        for (size_t k = 0; round && k < 4; k++, round /= 10)
            ids[(from + i) % count][k] = (char)('0' + round % 10);
        m->msg_name = to;
        m->msg_namelen = sizeof *to;
        m->msg_iov = &payloads[(from + i) % count];
        m->msg_iovlen = 1;
    }
    int sent = sendmmsg(fd, list, (unsigned)n, 0);
    return sent > 0 ? (size_t)sent : 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    size_t wanted = strtoul(argv[2], NULL, 10), sent = 0;
    double rate = argc > 3 ? strtod(argv[3], NULL) : 0;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(5060)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    load(argv[1]);
    int receiver = bound(5060), sender = bound(5061);
    double began = now();
    while (count && sent < wanted) {
        double due = rate > 0 ? (now() - began) * rate : (double)wanted;
        if (due > (double)wanted)
            due = (double)wanted;
        size_t n = due > (double)sent ? (size_t)(due - (double)sent) : 0;
        if (n < BATCH && n < wanted - sent)
            usleep(200);
        else
            sent += send_some(sender, &to, sent, n < BATCH ? n : BATCH);
    }
    printf("%zu %.3f\n", sent, now() - began);
    close(receiver);
    close(sender);
    return 0;
}
