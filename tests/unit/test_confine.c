/* cmd/confine: what a live run can no longer do, and what it still can. */
#include "cmd/internal.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(bool ok)
{
    return ok ? 0 : errno;
}

static int start_program(void)
{
    return status_of(execl("/bin/true", "true", (char *)NULL) == 0);
}

static int open_connection(void)
{
    return status_of(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static int open_packets(void)
{
    return status_of(socket(AF_PACKET, SOCK_RAW, 0) >= 0);
}

static int end_another(void)
{
    return status_of(kill(getppid(), 0) == 0);
}

static int list_addresses(void)
{
    struct ifaddrs *list;
    bool ok = getifaddrs(&list) == 0;
    if (ok)
        freeifaddrs(list);
    return status_of(ok);
}

static int write_file(void)
{
    char path[] = "/tmp/sipxray-confine.XXXXXX";
    int fd = mkstemp(path);
    bool ok = fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0 && unlink(path) == 0;
    return status_of(ok);
}

static int end_early(void)
{
    return 0;
}

/* What comes of it in a process that is confined. */
static int confined(bool connects, int (*what)(void))
{
    struct err err;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(cmd_confine(connects, &err) ? what() : 255);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_confined(void **state)
{
    static const struct {
        const char *name;
        int (*what)(void);
        bool connects;
        int status;
    } cases[] = {
        {"nothing", end_early, false, 0},
        {"a program", start_program, false, EPERM},
        {"a program, with connections", start_program, true, EPERM},
        {"a connection", open_connection, false, EPERM},
        {"a connection, with connections", open_connection, true, 0},
        {"raw packets, with connections", open_packets, true, EPERM},
#ifndef __SANITIZE_ADDRESS__ /* which needs to */
        {"another process", end_another, false, EPERM},
#endif
        {"addresses", list_addresses, false, 0},
        {"a file", write_file, false, 0},
    };
    (void)state;
    (void)end_another;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = confined(cases[i].connects, cases[i].what);
        if (status != cases[i].status)
            fail_msg("%s: %d instead of %d", cases[i].name, status, cases[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_confined)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
