#define _GNU_SOURCE
#include "internal.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

static int negated(long result) { return result < 0 ? -errno : (int)result; }

int cberth_linux_open_append(SELF, const char *path, uint32_t mode) {
    UNUSED_SELF;
    return negated(open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, mode));
}

int cberth_linux_open_read(SELF, const char *path) {
    UNUSED_SELF;
    return negated(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)); // non-blocking: a FIFO must not hang us
}

int cberth_linux_open_directory(SELF, const char *path) {
    UNUSED_SELF;
    return negated(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

enum { OPEN_FILE = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

// What openat2 does with RESOLVE_BENEATH, a folder at a time: nothing leads upwards, and no symbolic link is followed.
static int open_by_steps(int directory, const char *path) {
    int at = directory, result;
    if (*path == 0) return -ENOENT;
    if (*path == '/') return -EXDEV;
    for (;;) {
        char name[256];
        size_t length = strcspn(path, "/");
        const char *rest = path + length + strspn(path + length, "/");
        if (length >= sizeof name) {
            result = -ENAMETOOLONG;
            break;
        }
        memcpy(name, path, length);
        name[length] = 0;
        if (strcmp(name, "..") == 0) {
            result = -EXDEV;
            break;
        }
        int is_last = *rest == 0;
        int wants_folder = path[length] == '/';
        int flags = (is_last ? OPEN_FILE : O_PATH | O_CLOEXEC) | O_NOFOLLOW | (wants_folder ? O_DIRECTORY : 0);
        int next = openat(at, name, flags);
        result = negated(next);
        if (is_last || next < 0) break;
        if (at != directory) close(at);
        at = next;
        path = rest;
    }
    if (at != directory) close(at);
    return result;
}

int cberth_linux_open_beneath(SELF, int directory, const char *path, uint32_t flags) {
    UNUSED_SELF;
    struct open_how how = {.flags = OPEN_FILE, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    if (flags & CBERTH_OPEN_BENEATH_CACHED) how.resolve |= RESOLVE_CACHED;
    int result = negated(syscall(SYS_openat2, directory, path, &how, sizeof how));
    if (result != -ENOSYS) return result;
    // A sandbox forbids it (systemd's RestrictSUIDSGID=, some containers): it can't look at what a pointer points to.
    return flags & CBERTH_OPEN_BENEATH_CACHED ? -EAGAIN : open_by_steps(directory, path);
}

int cberth_linux_file_status(SELF, int fd, cberth_file_status *status) {
    UNUSED_SELF;
    struct stat s;
    if (fstat(fd, &s) < 0) return -errno;
    status->size = (uint64_t)s.st_size;
    status->modified_seconds = s.st_mtim.tv_sec;
    status->modified_nanoseconds = (uint32_t)s.st_mtim.tv_nsec;
    status->mode = s.st_mode;
    status->inode = s.st_ino;
    status->device = s.st_dev;
    return 0;
}

ssize_t cberth_linux_read_at(SELF, int fd, void *buffer, size_t count, uint64_t offset) {
    UNUSED_SELF;
    ssize_t n = pread(fd, buffer, count, (off_t)offset);
    return n < 0 ? -errno : n;
}

ssize_t cberth_linux_read_some(SELF, int fd, void *buffer, size_t count) {
    UNUSED_SELF;
    ssize_t n = read(fd, buffer, count);
    return n < 0 ? -errno : n;
}

ssize_t cberth_linux_write_some(SELF, int fd, const void *octets, size_t count) {
    UNUSED_SELF;
    ssize_t n = write(fd, octets, count);
    return n < 0 ? -errno : n;
}

int cberth_linux_make_directory(SELF, const char *path, uint32_t mode) { UNUSED_SELF; return negated(mkdir(path, mode)); }
int cberth_linux_remove_file(SELF, const char *path) { UNUSED_SELF; return negated(unlink(path)); }
int cberth_linux_change_mode(SELF, const char *path, uint32_t mode) { UNUSED_SELF; return negated(chmod(path, mode)); }

int cberth_linux_change_owner(SELF, const char *path, uint32_t user, uint32_t group) {
    UNUSED_SELF;
    return negated(chown(path, user, group));
}

int cberth_linux_watch_create(SELF) { UNUSED_SELF; return negated(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)); }

int cberth_linux_watch_directory(SELF, int watch, const char *path) {
    UNUSED_SELF;
    return negated(inotify_add_watch(
        watch, path,
        IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR));
}

int cberth_linux_watch_remove(SELF, int watch, int number) { UNUSED_SELF; return negated(inotify_rm_watch(watch, number)); }

int cberth_linux_close(SELF, int fd) {
    UNUSED_SELF;
    // EBADF would be our own mistake, and closing somebody else's descriptor next: stop at once.
    if (close(fd) < 0 && errno == EBADF) __builtin_trap();
    return 0;
}
