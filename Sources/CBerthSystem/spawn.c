#define _GNU_SOURCE
#include "internal.h"

int cberth_linux_spawn(SELF, const cberth_spawn_request *request, cberth_spawned *spawned) {
    UNUSED_SELF; (void)request; (void)spawned;
    return -ENOSYS;
}
int cberth_linux_signal_process(SELF, int pidfd, int signal) { UNUSED_SELF; (void)pidfd; (void)signal; return -ENOSYS; }
int cberth_linux_signal_group(SELF, int pid, int signal) { UNUSED_SELF; (void)pid; (void)signal; return -ENOSYS; }
int cberth_linux_reap(SELF, int pidfd, cberth_exit *exit) { UNUSED_SELF; (void)pidfd; (void)exit; return -ENOSYS; }
