#define _GNU_SOURCE
#include "internal.h"
#include <string.h>

/// One connection of the backlog. The listener's TCP_NODELAY is inherited, so this is one call a connection.
int cberth_linux_accept_one(SELF, int listener, cberth_address *peer) {
    UNUSED_SELF;
    struct sockaddr_storage storage;
    for (;;) {
        socklen_t length = sizeof storage;
        int fd = accept4(listener, (struct sockaddr *)&storage, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (length < sizeof(sa_family_t)) storage.ss_family = AF_UNIX;
            cberth_from_sockaddr(&storage, peer);
            return fd;
        }
        // The peer left between its handshake and our call: the next one may be there (accept(2), "Error handling").
        switch (errno) {
        case EINTR: case ECONNABORTED: case EPROTO: case ENETDOWN: case ENOPROTOOPT: case EHOSTDOWN:
        case ENONET: case EHOSTUNREACH: case EOPNOTSUPP: case ENETUNREACH: continue;
        default: return -errno;
        }
    }
}
