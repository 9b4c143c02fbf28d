/* The system calls that a live run may make from now on, by libseccomp: whoever takes this program
 * over by what it reads can start no program, reach no other process and open no connection.  Other
 * calls fail with EPERM. */
#include "cmd/internal.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

#define CALL(name) SCMP_SYS(name)

/* Those that do not exist on a processor have negative numbers there, which libseccomp passes over.
 */
static const int allowed[] = {
    /* reading and writing what is open */
    CALL(read),
    CALL(readv),
    CALL(pread64),
    CALL(write),
    CALL(writev),
    CALL(pwrite64),
    CALL(lseek),
    CALL(_llseek),
    CALL(close),
    CALL(fcntl),
    CALL(fcntl64),
    CALL(dup),
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_ctl),
    CALL(recv),
    CALL(send),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(sendto),
    CALL(sendmsg),
    CALL(accept),
    CALL(accept4),
    CALL(shutdown),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getsockname),
    CALL(getpeername),
    CALL(bind),
    CALL(eventfd2),
    CALL(ioctl),
    /* files: key logs that come later, reports, temporary files */
    CALL(open),
    CALL(openat),
    CALL(stat),
    CALL(fstat),
    CALL(lstat),
    CALL(newfstatat),
    CALL(fstatat64),
    CALL(fstat64),
    CALL(stat64),
    CALL(statx),
    CALL(statfs),
    CALL(fstatfs),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getcwd),
    CALL(getdents64),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(unlink),
    CALL(unlinkat),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(link),
    CALL(linkat),
    CALL(fsync),
    CALL(fdatasync),
    CALL(ftruncate),
    CALL(fallocate),
    CALL(fchmod),
    CALL(umask),
    CALL(fadvise64),
    CALL(fadvise64_64),
    CALL(memfd_create),
    CALL(flock),
    CALL(sync_file_range),
    /* memory, threads that are there, time, signals of our own */
    CALL(brk),
    CALL(mmap),
    CALL(mmap2),
    CALL(munmap),
    CALL(mremap),
    CALL(mprotect),
    CALL(madvise),
    CALL(futex),
    CALL(futex_time64),
    CALL(set_robust_list),
    CALL(get_robust_list),
    CALL(rseq),
    CALL(membarrier),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(clock_gettime),
    CALL(clock_gettime64),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(gettimeofday),
    CALL(time),
    CALL(alarm),
    CALL(setitimer),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(sigreturn),
    CALL(sigaltstack),
    CALL(tgkill),
    CALL(restart_syscall),
    CALL(wait4),
    CALL(waitid),
    CALL(exit),
    CALL(exit_group),
    /* what a library asks of the system */
    CALL(getpid),
    CALL(gettid),
    CALL(getppid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getrandom),
    CALL(uname),
    CALL(sysinfo),
    CALL(getrlimit),
    CALL(prlimit64),
    CALL(getrusage),
#ifdef __SANITIZE_ADDRESS__
    /* the leak checker looks at us as a debugger does */
    CALL(clone),
    CALL(ptrace),
    CALL(prctl),
    CALL(arch_prctl),
    CALL(kill),
    CALL(pipe),
    CALL(pipe2),
    CALL(set_tid_address),
    CALL(personality),
    CALL(getdents),
    CALL(process_vm_readv),
#endif
};

static struct scmp_arg_cmp first_is(scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = 0, .op = SCMP_CMP_EQ, .datum_a = value};
}

/* The addresses of this host are asked for by a netlink socket. */
static int allow_netlink(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(socket), 1, first_is(AF_NETLINK));
}

static int allow_connections(scmp_filter_ctx filter)
{
    static const unsigned families[] = {AF_INET, AF_INET6};
    int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(connect), 0);
    for (size_t i = 0; !status && i < 2; i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(socket), 1, first_is(families[i]));
    return status;
}

static int load(scmp_filter_ctx filter, bool connects)
{
    int status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (size_t i = 0; !status && i < sizeof allowed / sizeof *allowed; i++)
        if (allowed[i] != __NR_SCMP_ERROR)
            status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    if (!status)
        status = allow_netlink(filter);
    if (!status && connects)
        status = allow_connections(filter);
    return status ? status : seccomp_load(filter);
}

bool cmd_confine(bool connects, struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return err_set(err, "cannot limit the system calls of a live run: no memory");
    int status = load(filter, connects);
    seccomp_release(filter);
    /* a kernel without it runs us all the same: rights were given up before */
    return status == 0 || status == -EINVAL || status == -ENOSYS || status == -ECANCELED ||
           err_set(err, "cannot limit the system calls of a live run: %s", strerror(-status));
}
