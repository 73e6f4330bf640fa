#define _GNU_SOURCE
#include "internal.h"
#include "direct.h"
#include <linux/filter.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

static int negated(long result) { return result < 0 ? -errno : (int)result; }

int cberth_linux_listen_on(SELF, const cberth_endpoint *endpoint, int backlog) {
    UNUSED_SELF;
    struct sockaddr_storage storage;
    socklen_t length = cberth_to_sockaddr(endpoint, &storage);
    int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0) return -errno;
    if (storage.ss_family != AF_UNIX) {
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0) goto failed;
        // Accepted sockets inherit it, which saves a call for each of them.
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0) goto failed;
    }
    if (storage.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) < 0) goto failed;
    if (bind(fd, (struct sockaddr *)&storage, length) < 0) {
        // A path that nobody listens on any more is left over from a crash; one that answers is not ours to take.
        if (errno != EADDRINUSE || storage.ss_family != AF_UNIX || !endpoint->path[0] || endpoint->path[0] == '@') goto failed;
        int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (probe < 0) goto failed;
        int answered = connect(probe, (struct sockaddr *)&storage, length) == 0 || errno != ECONNREFUSED;
        close(probe);
        if (answered) { errno = EADDRINUSE; goto failed; }
        if (unlink(endpoint->path) < 0 || bind(fd, (struct sockaddr *)&storage, length) < 0) goto failed;
    }
    if (listen(fd, backlog) < 0) goto failed;
    return fd;
failed:;
    int error = errno;
    close(fd);
    return -error;
}

static int connect_with(const cberth_endpoint *endpoint, int segment, int receive_buffer) {
    struct sockaddr_storage storage;
    socklen_t length = cberth_to_sockaddr(endpoint, &storage);
    int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0) return -errno;
    if (storage.ss_family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (segment > 0 && storage.ss_family != AF_UNIX) {
        // Both are wishes: a connection without them works as well. The segment is agreed upon while connecting.
        setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    if (connect(fd, (struct sockaddr *)&storage, length) < 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int cberth_linux_connect_to(SELF, const cberth_endpoint *endpoint) {
    UNUSED_SELF;
    return connect_with(endpoint, 0, 0);
}

int cberth_linux_connect_lean(SELF, const cberth_endpoint *endpoint, int segment, int receive_buffer) {
    UNUSED_SELF;
    return connect_with(endpoint, segment, receive_buffer);
}

int cberth_linux_connect_result(SELF, int fd) {
    UNUSED_SELF;
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
    return -error;
}

int cberth_linux_local_address(SELF, int fd, cberth_address *address) {
    UNUSED_SELF;
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0) return -errno;
    cberth_from_sockaddr(&storage, address);
    return 0;
}

int cberth_linux_local_endpoint(SELF, int fd, cberth_endpoint *endpoint) {
    UNUSED_SELF;
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    memset(&storage, 0, sizeof storage);
    memset(endpoint, 0, sizeof *endpoint);
    if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0) return -errno;
    cberth_from_sockaddr(&storage, &endpoint->address);
    if (storage.ss_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path)) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)&storage;
        size_t count = length - offsetof(struct sockaddr_un, sun_path);
        memcpy(endpoint->path, un->sun_path, count);
        if (!endpoint->path[0] && count > 1) endpoint->path[0] = '@';
    }
    return 0;
}

int cberth_linux_peer_credentials(SELF, int fd, cberth_credentials *credentials) {
    UNUSED_SELF;
    struct ucred c;
    socklen_t length = sizeof c;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &length) < 0) return -errno;
    credentials->pid = c.pid;
    credentials->uid = c.uid;
    credentials->gid = c.gid;
    return 0;
}

ssize_t cberth_linux_receive(SELF, int fd, void *buffer, size_t capacity) {
    UNUSED_SELF;
#if CBERTH_DIRECT
    return cberth_direct(SYS_recvfrom, fd, buffer, (long)capacity, 0, NULL, 0);
#else
    ssize_t n = recv(fd, buffer, capacity, 0);
    return n < 0 ? -errno : n;
#endif
}

ssize_t cberth_linux_send(SELF, int fd, const void *octets, size_t count, int more) {
    UNUSED_SELF;
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
#if CBERTH_DIRECT
    return cberth_direct(SYS_sendto, fd, octets, (long)count, flags, NULL, 0);
#else
    ssize_t n = send(fd, octets, count, flags);
    return n < 0 ? -errno : n;
#endif
}

ssize_t cberth_linux_send_vector(SELF, int fd, const struct iovec *pieces, int count, int more) {
    UNUSED_SELF;
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
    ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    return n < 0 ? -errno : n;
}

ssize_t cberth_linux_send_file(SELF, int fd, int file, uint64_t offset, size_t count) {
    UNUSED_SELF;
    off_t position = (off_t)offset;
    ssize_t n = sendfile(fd, file, &position, count);
    return n < 0 ? -errno : n;
}

int cberth_linux_shut_down_sending(SELF, int fd) { UNUSED_SELF; return negated(shutdown(fd, SHUT_WR)); }

int cberth_linux_set_linger_reset(SELF, int fd) {
    UNUSED_SELF;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    return negated(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset));
}

int cberth_linux_admit_no_more(SELF, int fd) {
    UNUSED_SELF;
    // A filter that lets nothing pass (socket(7)): a SYN is as if lost, and its sender tries again a second later.
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog filter = {.len = 1, .filter = &nothing};
    return negated(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter));
}

int cberth_linux_bound_unsent(SELF, int fd, int octets) {
    UNUSED_SELF;
    return negated(setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &octets, sizeof octets));
}

int cberth_linux_unsent_octets(SELF, int fd) {
    UNUSED_SELF;
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) < 0 ? -errno : count;
}

int cberth_linux_pipe_create(SELF, int ends[2], int capacity) {
    UNUSED_SELF;
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return -errno;
    if (capacity > 0) fcntl(ends[1], F_SETPIPE_SZ, capacity); // a smaller pipe works too, only slower
    return 0;
}

ssize_t cberth_linux_splice_in(SELF, int fd, int pipe, size_t count) {
    UNUSED_SELF;
    ssize_t n = splice(fd, NULL, pipe, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    return n < 0 ? -errno : n;
}

ssize_t cberth_linux_splice_out(SELF, int pipe, int fd, size_t count, int more) {
    UNUSED_SELF;
    ssize_t n = splice(pipe, NULL, fd, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK | (more ? SPLICE_F_MORE : 0));
    return n < 0 ? -errno : n;
}
