// The real kernel: epoll, timerfd, eventfd, clocks, threads, and the table that names everything.
#define _GNU_SOURCE
#include "internal.h"
#include "direct.h"
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static uint64_t monotonic_nanoseconds(SELF) {
    UNUSED_SELF;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int64_t wall_nanoseconds(SELF) {
    UNUSED_SELF;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t wall_seconds(SELF) {
    UNUSED_SELF;
    return (int64_t)time(NULL);
}

static int poll_create(SELF) {
    UNUSED_SELF;
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int poll_control(int poll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(poll, operation, fd, &event) < 0 ? -errno : 0;
}

static int poll_add(SELF, int poll, int fd, uint32_t events, uint64_t token) {
    UNUSED_SELF;
    return poll_control(poll, EPOLL_CTL_ADD, fd, events, token);
}

static int poll_modify(SELF, int poll, int fd, uint32_t events, uint64_t token) {
    UNUSED_SELF;
    return poll_control(poll, EPOLL_CTL_MOD, fd, events, token);
}

static int poll_remove(SELF, int poll, int fd) {
    UNUSED_SELF;
    return poll_control(poll, EPOLL_CTL_DEL, fd, 0, 0);
}

static int poll_wait(SELF, int poll, struct epoll_event *events, int capacity, int timeout_milliseconds) {
    UNUSED_SELF;
#if CBERTH_DIRECT
    // Newer architectures have no epoll_wait. Without a mask it is the same.
    int n = (int)cberth_direct(SYS_epoll_pwait, poll, events, capacity, timeout_milliseconds, NULL, 0);
    return n == -EINTR ? 0 : n;
#else
    int n = epoll_wait(poll, events, capacity, timeout_milliseconds);
    if (n < 0) return errno == EINTR ? 0 : -errno;
    return n;
#endif
}

static int timer_fd_create(SELF) {
    UNUSED_SELF;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int timer_fd_set(SELF, int timer, uint64_t nanoseconds) {
    UNUSED_SELF;
    struct itimerspec moment = {
        .it_value = {.tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)}};
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &moment, NULL) < 0 ? -errno : 0;
}

static int wakeup_create(SELF) {
    UNUSED_SELF;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int wakeup_signal(SELF, int fd) {
    UNUSED_SELF;
    uint64_t one = 1;
    return write(fd, &one, sizeof one) < 0 && errno != EAGAIN ? -errno : 0;
}

static int wakeup_clear(SELF, int fd) {
    UNUSED_SELF;
    uint64_t count;
    return read(fd, &count, sizeof count) < 0 ? -errno : 0;
}

static int signals_create(SELF) {
    UNUSED_SELF;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int signals_next(SELF, int fd) {
    UNUSED_SELF;
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != sizeof info) return -EAGAIN;
    return (int)info.ssi_signo;
}

static int thread_start(SELF, const char *name, void *(*body)(void *), void *argument, uint64_t *thread) {
    UNUSED_SELF;
    pthread_t id;
    int error = pthread_create(&id, NULL, body, argument);
    if (error) return -error;
    char shortened[16] = {0}; // pthread_setname_np takes no more
    strncpy(shortened, name, sizeof shortened - 1);
    pthread_setname_np(id, shortened);
    *thread = (uint64_t)id;
    return 0;
}

static int thread_join(SELF, uint64_t thread) {
    UNUSED_SELF;
    return -pthread_join((pthread_t)thread, NULL);
}

void cberth_signals_block(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

uint64_t cberth_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 1024;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    return limit.rlim_cur;
}

int cberth_become(uint32_t user, uint32_t group) {
    struct passwd *entry = getpwuid(user);
    if (entry ? initgroups(entry->pw_name, group) < 0 : setgroups(1, &group) < 0) return -errno;
    if (setresgid(group, group, group) < 0 || setresuid(user, user, user) < 0) return -errno;
    return 0;
}

int cberth_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

const char *_Nullable const *_Nonnull cberth_environment(void) { return (const char *const *)(uintptr_t)environ; }

int cberth_random(void *octets, size_t count) {
    uint8_t *p = octets;
    while (count) {
        ssize_t n = getrandom(p, count, 0);
        if (n < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        p += n;
        count -= (size_t)n;
    }
    return 0;
}

void *cberth_reserve(size_t octets) {
    void *start = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

void cberth_release_pages(void *start, size_t octets) { madvise(start, octets, MADV_DONTNEED); }

static const cberth_system linux_system = {
    .context = NULL,
    .monotonic_nanoseconds = monotonic_nanoseconds,
    .wall_nanoseconds = wall_nanoseconds,
    .wall_seconds = wall_seconds,
    .poll_create = poll_create,
    .poll_add = poll_add,
    .poll_modify = poll_modify,
    .poll_remove = poll_remove,
    .poll_wait = poll_wait,
    .timer_create = timer_fd_create,
    .timer_set = timer_fd_set,
    .wakeup_create = wakeup_create,
    .wakeup_signal = wakeup_signal,
    .wakeup_clear = wakeup_clear,
    .listen_on = cberth_linux_listen_on,
    .accept_one = cberth_linux_accept_one,
    .connect_to = cberth_linux_connect_to,
    .connect_lean = cberth_linux_connect_lean,
    .connect_result = cberth_linux_connect_result,
    .local_address = cberth_linux_local_address,
    .local_endpoint = cberth_linux_local_endpoint,
    .peer_credentials = cberth_linux_peer_credentials,
    .receive = cberth_linux_receive,
    .send = cberth_linux_send,
    .send_vector = cberth_linux_send_vector,
    .send_file = cberth_linux_send_file,
    .shut_down_sending = cberth_linux_shut_down_sending,
    .set_linger_reset = cberth_linux_set_linger_reset,
    .admit_no_more = cberth_linux_admit_no_more,
    .bound_unsent = cberth_linux_bound_unsent,
    .unsent_octets = cberth_linux_unsent_octets,
    .pipe_create = cberth_linux_pipe_create,
    .splice_in = cberth_linux_splice_in,
    .splice_out = cberth_linux_splice_out,
    .open_append = cberth_linux_open_append,
    .open_read = cberth_linux_open_read,
    .open_directory = cberth_linux_open_directory,
    .open_beneath = cberth_linux_open_beneath,
    .file_status = cberth_linux_file_status,
    .read_at = cberth_linux_read_at,
    .read_some = cberth_linux_read_some,
    .write_some = cberth_linux_write_some,
    .make_directory = cberth_linux_make_directory,
    .remove_file = cberth_linux_remove_file,
    .change_mode = cberth_linux_change_mode,
    .change_owner = cberth_linux_change_owner,
    .watch_create = cberth_linux_watch_create,
    .watch_directory = cberth_linux_watch_directory,
    .watch_remove = cberth_linux_watch_remove,
    .close = cberth_linux_close,
    .spawn = cberth_linux_spawn,
    .signal_process = cberth_linux_signal_process,
    .signal_group = cberth_linux_signal_group,
    .reap = cberth_linux_reap,
    .processes = cberth_linux_processes,
    .process_open = cberth_linux_process_open,
    .process_memory = cberth_linux_process_memory,
    .has_environment = cberth_linux_has_environment,
    .holds_socket = cberth_linux_holds_socket,
    .tcp_listeners = cberth_linux_tcp_listeners,
    .unix_listener = cberth_linux_unix_listener,
    .signals_create = signals_create,
    .signals_next = signals_next,
    .thread_start = thread_start,
    .thread_join = thread_join,
};

const cberth_system *cberth_system_linux(void) { return &linux_system; }
