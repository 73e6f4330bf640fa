// What Berth takes from libsystemd.
#define _GNU_SOURCE
#define SD_JOURNAL_SUPPRESS_LOCATION // a C file's name tells an administrator nothing
#include "cberth_systemd.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

enum { JOURNAL_FIELDS_MAX = 8 };

int cberth_listen_descriptors_start(void) { return SD_LISTEN_FDS_START; }

int cberth_listen_descriptors(char *_Nullable *_Nullable *_Nonnull names) {
    *names = NULL;
    int count = sd_listen_fds_with_names(1, names);
    // systemd hands sockets over in blocking mode unless the unit says NonBlocking=true; a loop must never sleep in accept.
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++) {
        int flags = fcntl(fd, F_GETFL);
        if (flags >= 0 && !(flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
    return count;
}

void cberth_listen_names_free(char *_Nullable *_Nullable names) {
    if (!names) return;
    for (char **name = names; *name; name++) free(*name);
    free(names);
}

int cberth_notify(const char *state) { return sd_notify(0, state); }

uint64_t cberth_watchdog_microseconds(void) {
    uint64_t microseconds = 0;
    // An error means a value that is none, set by hand: as good as no watchdog.
    return sd_watchdog_enabled(0, &microseconds) > 0 ? microseconds : 0;
}

int cberth_standard_error_is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat status;
    if (!stream || sscanf(stream, "%ju:%ju", &device, &inode) != 2 || fstat(2, &status) < 0) return 0;
    return (uintmax_t)status.st_dev == device && (uintmax_t)status.st_ino == inode;
}

int cberth_journal_send(int priority, const char *message, const char *_Nullable const *_Nonnull fields, int count) {
    static const char prefix[] = "MESSAGE=";
    if (priority < 0 || priority > 7 || count < 0 || count > JOURNAL_FIELDS_MAX) return -EINVAL;
    size_t length = strlen(message);
    char *text = malloc(sizeof prefix + length);
    if (!text) return -ENOMEM;
    memcpy(text, prefix, sizeof prefix - 1);
    memcpy(text + sizeof prefix - 1, message, length + 1);
    char level[] = "PRIORITY=0";
    level[sizeof level - 2] = (char)('0' + priority);
    struct iovec pieces[2 + JOURNAL_FIELDS_MAX] = {
        {.iov_base = text, .iov_len = sizeof prefix - 1 + length}, {.iov_base = level, .iov_len = sizeof level - 1}};
    int n = 2;
    for (int i = 0; i < count; i++) {
        if (!fields[i]) continue;
        pieces[n++] = (struct iovec){.iov_base = (void *)(uintptr_t)fields[i], .iov_len = strlen(fields[i])};
    }
    int result = sd_journal_sendv(pieces, n);
    free(text);
    return result < 0 ? result : 0;
}
