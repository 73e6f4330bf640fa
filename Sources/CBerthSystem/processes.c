// Who runs on this machine, who listens, and whose socket it is: what /proc says, in numbers.
#define _GNU_SOURCE
#include "internal.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    STATE_LISTEN = 0x0a,            // TCP_LISTEN in /proc/net/tcp
    UNIX_LISTENING = 1 << 16,       // __SO_ACCEPTCON in /proc/net/unix
    ENVIRONMENT_MAX = 1 << 20,      // octets of an environment that are looked through
};

/// Reads a small file of /proc whole and ends it with NUL. Octets read, or a negated errno.
static ssize_t read_small(const char *path, char *text, size_t capacity) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    size_t count = 0;
    while (count < capacity - 1) {
        ssize_t n = read(fd, text + count, capacity - 1 - count);
        if (n < 0) {
            int error = errno;
            close(fd);
            return -error;
        }
        if (n == 0) break;
        count += (size_t)n;
    }
    close(fd);
    text[count] = 0;
    return (ssize_t)count;
}

int cberth_linux_processes(SELF, cberth_process *found, int capacity) {
    UNUSED_SELF;
    DIR *directory = opendir("/proc");
    if (!directory) return -errno;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        char path[64], text[1024];
        snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        if (read_small(path, text, sizeof text) <= 0) continue; // it has just ended
        // The name in parentheses may hold anything, parentheses too.
        const char *end = strrchr(text, ')');
        char state;
        cberth_process p = {.pid = atoi(entry->d_name)};
        if (!end || sscanf(end + 1, " %c %d %d %d", &state, &p.parent, &p.group, &p.session) != 4) continue;
        if (state == 'Z' || state == 'X') continue;
        if (count < capacity) found[count] = p;
        count++;
    }
    closedir(directory);
    return count;
}

int cberth_linux_process_open(SELF, int32_t pid) {
    UNUSED_SELF;
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

int cberth_linux_process_memory(SELF, int32_t pid, uint64_t *octets) {
    UNUSED_SELF;
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    ssize_t n = read_small(path, text, sizeof text);
    uint64_t size, resident, shared;
    if (n < 0) return (int)n;
    if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &size, &resident, &shared) != 3) return -EIO;
    *octets = (resident > shared ? resident - shared : 0) * (uint64_t)sysconf(_SC_PAGESIZE);
    return 0;
}

int cberth_linux_has_environment(SELF, int32_t pid, const char *entry) {
    UNUSED_SELF;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    // Compared as it streams by: `matched` octets of `entry` so far, or -1 until the next entry begins.
    size_t length = strlen(entry) + 1; // with the NUL
    ssize_t matched = 0, n = 0;
    size_t seen = 0;
    char text[4096];
    while (seen < ENVIRONMENT_MAX && (n = read(fd, text, sizeof text)) > 0) {
        seen += (size_t)n;
        for (ssize_t i = 0; i < n; i++) {
            if (matched >= 0 && text[i] == entry[matched]) {
                if ((size_t)++matched == length) {
                    close(fd);
                    return 1;
                }
            } else {
                matched = -1;
            }
            if (text[i] == 0) matched = 0;
        }
    }
    int error = n < 0 ? errno : 0;
    close(fd);
    return -error;
}

int cberth_linux_holds_socket(SELF, int32_t pid, uint64_t inode) {
    UNUSED_SELF;
    char path[64], wanted[64], target[64];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
    DIR *directory = opendir(path);
    if (!directory) return -errno;
    int result = 0;
    for (struct dirent *entry; !result && (entry = readdir(directory));) {
        ssize_t n = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
        if (n <= 0) continue;
        target[n] = 0;
        result = strcmp(target, wanted) == 0;
    }
    closedir(directory);
    return result;
}

/// "0100007F" and "0000...0000" as /proc prints them: 32-bit words in the machine's order.
static int parse_words(const char *text, uint8_t *bytes, int words) {
    for (int i = 0; i < words; i++) {
        char digits[9];
        memcpy(digits, text + 8 * i, 8);
        digits[8] = 0;
        char *end;
        uint32_t word = (uint32_t)strtoul(digits, &end, 16);
        if (end != digits + 8) return 0;
        memcpy(bytes + 4 * i, &word, 4);
    }
    return 1;
}

static int read_listeners(const char *path, int words, uint16_t port, cberth_listener *found, int count, int capacity) {
    FILE *file = fopen(path, "re");
    if (!file) return errno == ENOENT && words == 4 ? count : -errno; // a kernel without IPv6
    char line[512], address[64];
    while (fgets(line, sizeof line, file)) {
        unsigned local_port, state, user;
        uint64_t inode;
        //   sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode
        if (sscanf(
                line, " %*u: %63[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %u %*u %" SCNu64, address,
                &local_port, &state, &user, &inode) != 5) continue;
        if (state != STATE_LISTEN) break; // the kernel lists listeners first: a busy machine's connections are not read
        if (local_port != port || strlen(address) != (size_t)(8 * words)) continue;
        cberth_listener l = {.address = {.family = words == 1 ? 4 : 6, .port = port}, .inode = inode, .user = user};
        if (!parse_words(address, l.address.bytes, words)) continue;
        // Each read goes on at a position in a table that changes meanwhile: the same line may come twice.
        int known = 0;
        for (int i = 0; i < count; i++) known |= found[i].inode == inode;
        if (!known && count < capacity) found[count++] = l;
    }
    fclose(file);
    return count;
}

int cberth_linux_tcp_listeners(SELF, uint16_t port, cberth_listener *found, int capacity) {
    UNUSED_SELF;
    int count = read_listeners("/proc/net/tcp", 1, port, found, 0, capacity);
    if (count < 0) return count;
    return read_listeners("/proc/net/tcp6", 4, port, found, count, capacity);
}

int cberth_linux_unix_listener(SELF, const char *path, uint64_t *inode) {
    UNUSED_SELF;
    FILE *file = fopen("/proc/net/unix", "re");
    if (!file) return -errno;
    char line[512];
    int result = 0;
    while (!result && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        unsigned flags;
        int start = -1;
        uint64_t number;
        // Num RefCount Protocol Flags Type St Inode Path
        if (sscanf(line, "%*x: %*x %*x %x %*x %*x %" SCNu64 " %n", &flags, &number, &start) != 2 || start < 0) continue;
        if (!(flags & UNIX_LISTENING) || strcmp(line + start, path) != 0) continue;
        *inode = number;
        result = 1;
    }
    fclose(file);
    return result;
}
