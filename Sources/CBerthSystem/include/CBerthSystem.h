// The only door to the kernel, to threads, to the clock and to libsystemd.
//
// Whatever a loop asks of the outside goes through one `cberth_system` table, so that a simulated kernel can take its place
// (readiness, faults, peers and time from one seed). `cberth_system_linux()` is the real one. Functions answer a result >= 0
// or a negated errno; nothing here keeps state, allocates behind the caller's back, or knows what HTTP is.
//
// Threads: any, unless a function says otherwise. Every descriptor is born close-on-exec and non-blocking.
#ifndef CBERTH_SYSTEM_H
#define CBERTH_SYSTEM_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>

#pragma clang assume_nonnull begin

/// An address of a socket, in network order. `family`: 4, 6, or 1 for a Unix socket (its path, "@name" when abstract).
typedef struct cberth_address {
    uint8_t family;
    uint8_t reserved;
    uint16_t port;                  // host order
    uint32_t scope;                 // IPv6 zone
    uint8_t bytes[16];
} cberth_address;

typedef struct cberth_endpoint {
    cberth_address address;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1]; // NUL-terminated
} cberth_endpoint;

typedef struct cberth_credentials {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
} cberth_credentials;

typedef struct cberth_file_status {
    uint64_t size;
    int64_t modified_seconds;
    uint32_t modified_nanoseconds;
    uint32_t mode;                  // as st_mode
    uint64_t inode;
    uint64_t device;
} cberth_file_status;

/// What a child process begins with. Strings and arrays belong to the caller and are needed until `spawn` returns.
typedef struct cberth_spawn_request {
    const char *path;                                   // executable; looked up in PATH of `environment` when it holds no "/"
    const char *_Nullable const *_Nonnull arguments;    // null-terminated, argv[0] included
    const char *_Nullable const *_Nonnull environment;  // null-terminated, "NAME=value"
    const char *_Nullable working_directory;
    int32_t standard_input;                             // -1: /dev/null
    int32_t standard_output;                            // -1: /dev/null
    int32_t standard_error;                             // -1: /dev/null
    int32_t listen_descriptor;                          // -1: none; else becomes descriptor 3 with LISTEN_FDS=1, LISTEN_PID
    uint32_t user;                                      // UINT32_MAX: the daemon's
    uint32_t group;                                     // UINT32_MAX: the daemon's
    uint32_t flags;                                     // CBERTH_SPAWN_*
    uint32_t reserved;
} cberth_spawn_request;

enum {
    CBERTH_SPAWN_NEW_GROUP = 1u << 0,      // leads a process group of its own
    CBERTH_SPAWN_DIE_WITH_PARENT = 1u << 1 // SIGKILL when the thread that spawned it ends: spawn from a thread that lives as long as the daemon
};

/// Where a spawn failed, for the message.
enum {
    CBERTH_SPAWN_STEP_NONE = 0, CBERTH_SPAWN_STEP_FORK, CBERTH_SPAWN_STEP_USER, CBERTH_SPAWN_STEP_DIRECTORY,
    CBERTH_SPAWN_STEP_DESCRIPTORS, CBERTH_SPAWN_STEP_EXECUTE
};

typedef struct cberth_spawned {
    int32_t pid;
    int32_t pidfd;
    int32_t failed_step;           // CBERTH_SPAWN_STEP_* when spawn answers an error
    int32_t reserved;
} cberth_spawned;

/// How a child ended. `signal` 0: it exited with `status`.
typedef struct cberth_exit {
    int32_t status;
    int32_t signal;
    uint32_t core_dumped;
    uint32_t reserved;
} cberth_exit;

/// A TCP socket that listens.
typedef struct cberth_listener {
    cberth_address address;
    uint64_t inode;                // names the socket in /proc/PID/fd
    uint32_t user;                 // who made it
    uint32_t reserved;
} cberth_listener;

/// A process of the machine, whoever started it. Zombies are left out.
typedef struct cberth_process {
    int32_t pid;
    int32_t parent;
    int32_t group;
    int32_t session;
} cberth_process;

enum { CBERTH_OPEN_BENEATH_CACHED = 1u << 0 };

/// The table. `self` is passed to each function; a simulation keeps its state behind `context`.
typedef struct cberth_system {
    void *_Nullable context;

    // Time.
    uint64_t (*monotonic_nanoseconds)(const struct cberth_system *self);
    int64_t (*wall_nanoseconds)(const struct cberth_system *self);
    /// For whoever asks once a request: a tenth of the cost, and up to a tick of the kernel (4 ms) late.
    int64_t (*wall_seconds)(const struct cberth_system *self);

    // Readiness.
    int (*poll_create)(const struct cberth_system *self);
    int (*poll_add)(const struct cberth_system *self, int poll, int fd, uint32_t events, uint64_t token);
    int (*poll_modify)(const struct cberth_system *self, int poll, int fd, uint32_t events, uint64_t token);
    int (*poll_remove)(const struct cberth_system *self, int poll, int fd);
    int (*poll_wait)(const struct cberth_system *self, int poll, struct epoll_event *events, int capacity, int timeout_milliseconds);

    // Wake-ups at a moment (timerfd, on the monotonic clock).
    /// A descriptor that becomes readable when its moment has come, or a negated errno.
    int (*timer_create)(const struct cberth_system *self);
    /// Gives it another moment, above 0, by `monotonic_nanoseconds`; 0 or a negated errno.
    int (*timer_set)(const struct cberth_system *self, int timer, uint64_t nanoseconds);

    // Wake-ups between threads (eventfd).
    int (*wakeup_create)(const struct cberth_system *self);
    int (*wakeup_signal)(const struct cberth_system *self, int fd);
    int (*wakeup_clear)(const struct cberth_system *self, int fd);

    // Sockets.
    int (*listen_on)(const struct cberth_system *self, const cberth_endpoint *endpoint, int backlog);
    int (*accept_one)(const struct cberth_system *self, int listener, cberth_address *peer);
    int (*connect_to)(const struct cberth_system *self, const cberth_endpoint *endpoint);   // the descriptor; connecting goes on (EINPROGRESS) until writable
    int (*connect_lean)(const struct cberth_system *self, const cberth_endpoint *endpoint, int segment, int receive_buffer); // as connect_to; over TCP with segments of so many octets at most, which bounds what the kernel keeps at the peer, and SO_RCVBUF here
    int (*connect_result)(const struct cberth_system *self, int fd);                        // 0 or the negated SO_ERROR
    int (*local_address)(const struct cberth_system *self, int fd, cberth_address *address);
    int (*local_endpoint)(const struct cberth_system *self, int fd, cberth_endpoint *endpoint);
    int (*peer_credentials)(const struct cberth_system *self, int fd, cberth_credentials *credentials);
    ssize_t (*receive)(const struct cberth_system *self, int fd, void *buffer, size_t capacity);
    ssize_t (*send)(const struct cberth_system *self, int fd, const void *octets, size_t count, int more);
    ssize_t (*send_vector)(const struct cberth_system *self, int fd, const struct iovec *pieces, int count, int more);
    ssize_t (*send_file)(const struct cberth_system *self, int fd, int file, uint64_t offset, size_t count);
    int (*shut_down_sending)(const struct cberth_system *self, int fd);
    int (*set_linger_reset)(const struct cberth_system *self, int fd);   // the next close resets the connection
    int (*admit_no_more)(const struct cberth_system *self, int fd);      // a listening TCP socket of one's own: its backlog grows no more
    int (*bound_unsent)(const struct cberth_system *self, int fd, int octets); // takes no more while so many are not sent yet; TCP only
    int (*unsent_octets)(const struct cberth_system *self, int fd);      // in the kernel's send queue (SIOCOUTQ)

    // Pipes and splice.
    int (*pipe_create)(const struct cberth_system *self, int ends[_Nonnull 2], int capacity);
    ssize_t (*splice_in)(const struct cberth_system *self, int fd, int pipe, size_t count);
    ssize_t (*splice_out)(const struct cberth_system *self, int pipe, int fd, size_t count, int more);

    // Files.
    int (*open_append)(const struct cberth_system *self, const char *path, uint32_t mode);
    int (*open_read)(const struct cberth_system *self, const char *path);
    int (*open_directory)(const struct cberth_system *self, const char *path);
    int (*open_beneath)(const struct cberth_system *self, int directory, const char *path, uint32_t flags);
    int (*file_status)(const struct cberth_system *self, int fd, cberth_file_status *status);
    ssize_t (*read_at)(const struct cberth_system *self, int fd, void *buffer, size_t count, uint64_t offset);
    ssize_t (*read_some)(const struct cberth_system *self, int fd, void *buffer, size_t count);
    ssize_t (*write_some)(const struct cberth_system *self, int fd, const void *octets, size_t count);
    int (*make_directory)(const struct cberth_system *self, const char *path, uint32_t mode);
    int (*remove_file)(const struct cberth_system *self, const char *path);
    int (*change_mode)(const struct cberth_system *self, const char *path, uint32_t mode);
    int (*change_owner)(const struct cberth_system *self, const char *path, uint32_t user, uint32_t group);
    int (*watch_create)(const struct cberth_system *self);                                   // inotify
    int (*watch_directory)(const struct cberth_system *self, int watch, const char *path);   // everything that changes what it lists or holds; its number
    int (*watch_remove)(const struct cberth_system *self, int watch, int number);
    int (*close)(const struct cberth_system *self, int fd);

    // Processes and signals.
    int (*spawn)(const struct cberth_system *self, const cberth_spawn_request *request, cberth_spawned *spawned);
    int (*signal_process)(const struct cberth_system *self, int pidfd, int signal);
    int (*signal_group)(const struct cberth_system *self, int pid, int signal);
    int (*reap)(const struct cberth_system *self, int pidfd, cberth_exit *exit);             // 1: gone and reaped, 0: still running
    int (*processes)(const struct cberth_system *self, cberth_process *found, int capacity);             // how many; the first `capacity` of them
    int (*process_open)(const struct cberth_system *self, int32_t pid);                                  // a pidfd, also of a process that is no child
    int (*process_memory)(const struct cberth_system *self, int32_t pid, uint64_t *octets);              // resident and shared with nobody's file
    int (*has_environment)(const struct cberth_system *self, int32_t pid, const char *entry);            // 1: began with "NAME=value"
    int (*holds_socket)(const struct cberth_system *self, int32_t pid, uint64_t inode);                  // 1: has it open
    int (*tcp_listeners)(const struct cberth_system *self, uint16_t port, cberth_listener *found, int capacity); // who listens on `port`, IPv4 and IPv6
    int (*unix_listener)(const struct cberth_system *self, const char *path, uint64_t *inode);           // 1: somebody listens on this very path
    int (*signals_create)(const struct cberth_system *self);                                 // signalfd for TERM, INT, HUP, USR1; see cberth_signals_block
    int (*signals_next)(const struct cberth_system *self, int fd);                           // a signal number, or -EAGAIN

    // Threads.
    int (*thread_start)(const struct cberth_system *self, const char *name, void *_Nullable (*_Nonnull body)(void *_Nullable), void *_Nullable argument, uint64_t *thread);
    int (*thread_join)(const struct cberth_system *self, uint64_t thread);
} cberth_system;

/// The real kernel.
const cberth_system *cberth_system_linux(void);

/// Blocks TERM, INT, HUP, USR1 and PIPE for the calling thread and every thread it will start. Call first in main.
void cberth_signals_block(void);

/// The soft limit of open descriptors, raised to the hard one where that is allowed.
uint64_t cberth_descriptor_limit(void);

/// Makes this process (all threads that start later, so call it before) run as user and group for good. 0 or a negated errno.
int cberth_become(uint32_t user, uint32_t group);

/// CPUs this process may run on.
int cberth_processor_count(void);

/// Reads "127.0.0.1", "::1", "fe80::1%2": 1 and the address, or 0.
int cberth_address_parse(const char *text, cberth_address *address);

/// Writes the address without port ("127.0.0.1", "::1"), at most 64 octets with the NUL. Answers its length.
int cberth_address_format(const cberth_address *address, char *text, size_t capacity);

/// The environment of this process as it was given to it: null-terminated, "NAME=value". Nobody may change it meanwhile.
const char *_Nullable const *_Nonnull cberth_environment(void);

/// Cryptographically strong random octets. 0 or a negated errno.
int cberth_random(void *octets, size_t count);

/// Pages of address space that cost nothing until they are touched; null when refused.
void *_Nullable cberth_reserve(size_t octets);
void cberth_release_pages(void *start, size_t octets); // gives the memory back, keeps the addresses

static inline uint32_t cberth_event_bits(const struct epoll_event *e) { return e->events; }
static inline uint64_t cberth_event_token(const struct epoll_event *e) { return e->data.u64; }
static inline const struct epoll_event *cberth_event_at(const struct epoll_event *e, int index) { return e + index; }

enum {
    CBERTH_READABLE = EPOLLIN, CBERTH_WRITABLE = EPOLLOUT, CBERTH_HANGUP = EPOLLHUP, CBERTH_ERROR = EPOLLERR,
    CBERTH_READ_HANGUP = EPOLLRDHUP
};
#define CBERTH_EXCLUSIVE ((uint32_t)EPOLLEXCLUSIVE)
#define CBERTH_EDGE ((uint32_t)EPOLLET)
static inline uint32_t cberth_exclusive_bit(void) { return (uint32_t)EPOLLEXCLUSIVE; }
static inline uint32_t cberth_edge_bit(void) { return (uint32_t)EPOLLET; }

#pragma clang assume_nonnull end

#include "cberth_atomic.h"
#include "cberth_systemd.h"

#endif
