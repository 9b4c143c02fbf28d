/* What a live run may do is given up once its sources are open: from then on bytes of strangers are
 * read.  The keepers of commands have their rights from before. */
#include "cmd/internal.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534 /* where no user of that name is known */

/* Fails where a container has no such user or no right to change; what follows is done anyhow. */
static void become_nobody(void)
{
    const struct passwd *p = getpwnam("nobody");
    gid_t gid = p ? p->pw_gid : NOBODY;
    uid_t uid = p ? p->pw_uid : NOBODY;
    if (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0)
        (void)!setresuid(uid, uid, uid);
}

static bool clear_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0;
}

bool cmd_privileges_drop(bool keep_user, struct err *err)
{
    for (unsigned long i = 0; i < 64; i++)
        prctl(PR_CAPBSET_DROP, i, 0, 0, 0); /* only root can */
    if (geteuid() == 0 && !keep_user)
        become_nobody();
    return (clear_capabilities() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) ||
           err_set(err, "cannot give up the rights that a live source needed: %s", strerror(errno));
}
