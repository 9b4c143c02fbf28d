/* A peer of the probe in a process of its own, which answers by a table.  It says what it saw by
 * its answers alone: what the probe makes of them is judged. */
#ifndef TESTS_PROBE_PEER_H
#define TESTS_PROBE_PEER_H

#include "probe_call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEER_PORT  45070
#define TEXT_ROOM  70000
#define PEER_SENDS 200

struct peer {
    int fd;
    bool stream;
    struct sockaddr_in from;
    unsigned requests;    /* received so far, this one included */
    char text[TEXT_ROOM]; /* of the request */
    char reply[TEXT_ROOM];
    char branch[128], call_id[128], from_tag[128];
};

typedef void peer_does(struct peer *p);

static inline void peer_send(struct peer *p, const char *bytes, size_t n)
{
    if (p->stream)
        (void)!send(p->fd, bytes, n, MSG_NOSIGNAL);
    else
        (void)!sendto(p->fd, bytes, n, 0, (struct sockaddr *)&p->from, sizeof p->from);
}

/* The lines of the request that begin so, as they stand there. */
static void copy_lines(const struct peer *p, const char *name, char *out)
{
    for (const char *line = p->text; line && *line; line = strstr(line, "\r\n")) {
        line += strncmp(line, "\r\n", 2) == 0 ? 2 : 0;
        if (strncmp(line, name, strlen(name)) == 0)
            strncat(out, line, strcspn(line, "\r") + 2);
    }
}

/* A response to the request with this start ("200 OK"), To-tag and further lines. */
static inline void peer_reply(struct peer *p, const char *status, const char *tag,
                              const char *lines)
{
    snprintf(p->reply, sizeof p->reply, "SIP/2.0 %s\r\n", status);
    copy_lines(p, "Via:", p->reply);
    copy_lines(p, "From:", p->reply);
    copy_lines(p, "To:", p->reply);
    char *end = p->reply + strlen(p->reply);
    if (*tag && !strstr(strstr(p->reply, "\r\nTo:"), ";tag="))
        sprintf(end - 2, ";tag=%s\r\n", tag);
    copy_lines(p, "Call-ID:", p->reply);
    copy_lines(p, "CSeq:", p->reply);
    strcat(p->reply, lines);
    strcat(p->reply, "Content-Length: 0\r\n\r\n");
    peer_send(p, p->reply, strlen(p->reply));
}

static inline bool peer_got(const struct peer *p, const char *method)
{
    return strncmp(p->text, method, strlen(method)) == 0;
}

#define PEER_CONTACT "Contact: <sip:peer@127.0.0.1:45070>\r\n"

/* 200 to everything but ACK. */
static inline void peer_agrees(struct peer *p)
{
    if (!peer_got(p, "ACK"))
        peer_reply(p, "200 OK", "peer1",
                   p->stream ? "Contact: <sip:peer@127.0.0.1:45070;transport=tcp>\r\n"
                             : PEER_CONTACT);
}

/* Rings, so many times, until it is cancelled; the INVITE gets this answer then. */
static inline void peer_rings(struct peer *p, int times, const char *status, const char *lines)
{
    static char invite[TEXT_ROOM];
    if (peer_got(p, "INVITE")) {
        strcpy(invite, p->text);
        for (int i = 0; i < times; i++)
            peer_reply(p, "180 Ringing", "peer1", "");
    } else if (peer_got(p, "CANCEL")) {
        peer_reply(p, "200 OK", "peer1", "");
        strcpy(p->text, invite);
        peer_reply(p, status, "peer1", lines);
    }
}

static void serve_stream(struct peer *p, int listener, peer_does *does)
{
    p->stream = true;
    p->fd = accept(listener, NULL, NULL);
    size_t n = 0;
    for (;;) {
        ssize_t got = recv(p->fd, p->text + n, sizeof p->text - 1 - n, 0);
        if (got <= 0)
            _exit(0);
        n += (size_t)got;
        p->text[n] = '\0';
        for (char *end; (end = strstr(p->text, "\r\n\r\n")) != NULL;) {
            const char *length = strstr(p->text, "Content-Length: ");
            size_t size =
                (size_t)(end - p->text) + 4 + (length ? strtoul(length + 16, NULL, 10) : 0);
            if (size > n)
                break;
            char after = p->text[size];
            p->text[size] = '\0';
            p->requests++;
            does(p);
            p->text[size] = after;
            memmove(p->text, p->text + size, n - size + 1);
            n -= size;
        }
    }
}

static void serve_datagrams(struct peer *p, peer_does *does)
{
    for (;;) {
        socklen_t size = sizeof p->from;
        ssize_t got =
            recvfrom(p->fd, p->text, sizeof p->text - 1, 0, (struct sockaddr *)&p->from, &size);
        if (got < 0)
            _exit(0);
        p->text[got] = '\0';
        p->requests++;
        does(p);
    }
}

/* Begins a peer; it ends with peer_end, or with the test. */
static inline pid_t peer_begin(peer_does *does, bool stream)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PEER_PORT)};
    int on = 1, fd = socket(AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(stream ? listen(fd, 5) : 0, 0);
    pid_t child = fork();
    if (child == 0) {
        static struct peer p;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        p.fd = fd;
        if (stream)
            serve_stream(&p, fd, does);
        else
            serve_datagrams(&p, does);
    }
    close(fd);
    return child;
}

static inline void peer_end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

#define PEER_TIMEOUT_MS 1200 /* of a step that is to have no answer */

/* The caller alone, against the peer. */
static inline struct probe_options peer_options(bool stream)
{
    struct probe_options o = plan_options();
    o.play[PROBE_CALLEE] = false;
    o.to = SLICE("sip:+15105550100@127.0.0.1:45070");
    o.transport = stream ? PROBE_TCP : PROBE_UDP;
    return o;
}

#endif
