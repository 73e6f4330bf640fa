// Child processes. Between clone and execve the child makes only async-signal-safe calls and allocates nothing: another
// thread of the daemon may have held any lock when it was copied. What can be computed before is computed before.
#define _GNU_SOURCE
#include "internal.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EXECUTABLE_MAX = 4096,      // PATH_MAX of Linux
    GROUPS_MAX = 1024,          // supplementary groups of a worker's user; more are cut off
    ACCOUNT_OCTETS = 16384,     // one passwd entry
    FIRST_FREE_DESCRIPTOR = 4,  // 0, 1, 2 and the inherited listener
};

/// Where PATH is looked for when the child's environment has none: what systemd gives a service on a merged /usr.
static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the child tells the parent when it cannot become the program.
typedef struct failure {
    int32_t error;
    int32_t step;
} failure;

/// All that the child needs, made before it exists.
typedef struct plan {
    const cberth_spawn_request *request;
    const char *executable;
    char *const *environment;
    char *listen_pid;           // where the child writes its pid, or null
    pid_t parent;
    int report;                 // the pipe's writing end
    int change_identity;
    int tolerate_groups;        // the identity is ours already: setgroups may be refused
    uid_t user;
    gid_t group;
    int group_count;
    gid_t groups[GROUPS_MAX];
} plan;

static int has_name(const char *entry, const char *name) {
    size_t n = strlen(name);
    return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

/// Finds `name` in the directories of PATH; entries that are not absolute are skipped, for they would mean the daemon's
/// working directory here and the child's there. 0 or a negated errno, EACCES when only something unexecutable was found.
static int find_executable(const char *name, const char *const *environment, char found[EXECUTABLE_MAX]) {
    const char *path = default_path;
    for (size_t i = 0; environment[i]; i++) {
        if (has_name(environment[i], "PATH")) path = environment[i] + sizeof "PATH=" - 1;
    }
    int error = ENOENT;
    size_t name_length = strlen(name);
    if (!name_length) return -ENOENT;
    while (*path) {
        size_t n = strcspn(path, ":");
        if (path[0] == '/' && n + 1 + name_length < EXECUTABLE_MAX) {
            memcpy(found, path, n);
            found[n] = '/';
            memcpy(found + n + 1, name, name_length + 1);
            struct stat status;
            if (stat(found, &status) == 0 && S_ISREG(status.st_mode)) {
                if (status.st_mode & 0111) return 0;
                error = EACCES;
            }
        }
        path += n + (path[n] == ':');
    }
    return -error;
}

/// The account's own groups, as login would give them; an unknown user has just its group.
static int plan_identity(plan *p) {
    const cberth_spawn_request *request = p->request;
    if (request->user == UINT32_MAX && request->group == UINT32_MAX) return 0;
    p->change_identity = 1;
    p->user = request->user == UINT32_MAX ? geteuid() : request->user;
    p->group = request->group == UINT32_MAX ? getegid() : request->group;
    struct passwd entry, *known = NULL;
    char text[ACCOUNT_OCTETS];
    int error = getpwuid_r(p->user, &entry, text, sizeof text, &known);
    if (error && error != ENOENT && error != ESRCH) return -error;
    if (known) {
        if (request->group == UINT32_MAX) p->group = known->pw_gid;
        p->group_count = GROUPS_MAX;
        // Answers -1 when there are more; what fitted is there all the same.
        if (getgrouplist(known->pw_name, p->group, p->groups, &p->group_count) < 0) p->group_count = GROUPS_MAX;
    } else {
        p->groups[0] = p->group;
        p->group_count = 1;
    }
    p->tolerate_groups = p->user == geteuid() && p->user == getuid() && p->group == getegid() && p->group == getgid();
    return 0;
}

/// The environment without what names the daemon's own inherited sockets, and with what names the child's. One block holds
/// the pointers and the new texts; the caller frees it.
static char **make_environment(plan *p) {
    static const char listen_fds[] = "LISTEN_FDS=1", listen_pid[] = "LISTEN_PID=";
    const char *const *given = p->request->environment;
    size_t count = 0;
    while (given[count]) count++;
    size_t pointers = (count + 3) * sizeof(char *);
    char *block = malloc(pointers + sizeof listen_fds + sizeof listen_pid + 16);
    if (!block) return NULL;
    char **environment = (char **)(void *)block;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (has_name(given[i], "LISTEN_FDS") || has_name(given[i], "LISTEN_PID") || has_name(given[i], "LISTEN_FDNAMES")) continue;
        environment[n++] = (char *)(uintptr_t)given[i];
    }
    if (p->request->listen_descriptor >= 0) {
        char *text = block + pointers;
        environment[n++] = memcpy(text, listen_fds, sizeof listen_fds);
        text += sizeof listen_fds;
        environment[n++] = memcpy(text, listen_pid, sizeof listen_pid);
        p->listen_pid = text + sizeof listen_pid - 1;
    }
    environment[n] = NULL;
    return environment;
}

// MARK: In the child

/// The raw call: nothing runs that is registered for an exit, such as a sanitizer's last look at threads that are the parent's.
static _Noreturn void end_child(void) {
    for (;;) syscall(SYS_exit_group, 127);
}

static _Noreturn void fail(const plan *p, int step) {
    failure f = {.error = errno, .step = step};
    ssize_t ignored = write(p->report, &f, sizeof f); // the parent sees the exit code at least
    (void)ignored;
    end_child();
}

static void write_decimal(char *text, unsigned value) {
    char digits[12];
    int n = 0;
    do digits[n++] = (char)('0' + value % 10); while (value /= 10);
    while (n) *text++ = digits[--n];
    *text = 0;
}

static void reset_signals(void) {
    // The kernel's struct sigaction, all zero: SIG_DFL. The raw call, for glibc keeps two signals from its own, and one that was
    // ignored when the daemon was started would stay so: that survives clone3 and execve. KILL and STOP are refused, rightly.
    static const unsigned long standard[8];
    for (int s = 1; s < NSIG; s++) syscall(SYS_rt_sigaction, s, standard, NULL, sizeof(uint64_t));
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/// The raw calls: glibc's own setuid would order every thread it believes to exist to follow, and the child has one.
static void change_identity(const plan *p) {
    if (!p->change_identity) return;
    if (syscall(SYS_setgroups, (size_t)p->group_count, p->groups) < 0 && !(errno == EPERM && p->tolerate_groups)) {
        fail(p, CBERTH_SPAWN_STEP_USER);
    }
    if (syscall(SYS_setresgid, p->group, p->group, p->group) < 0) fail(p, CBERTH_SPAWN_STEP_USER);
    if (syscall(SYS_setresuid, p->user, p->user, p->user) < 0) fail(p, CBERTH_SPAWN_STEP_USER);
}

/// Puts `fd` to `number`, inherited and blocking: a program expects that of its standard output, and of a socket that a
/// service manager hands over.
static void place(const plan *p, int fd, int number) {
    if (dup2(fd, number) < 0) fail(p, CBERTH_SPAWN_STEP_DESCRIPTORS);
    int flags = fcntl(number, F_GETFL);
    if (flags >= 0 && flags & O_NONBLOCK) fcntl(number, F_SETFL, flags & ~O_NONBLOCK);
}

static int source(const plan *p, int fd, int flags) {
    int copy = fd < 0 ? open("/dev/null", flags | O_CLOEXEC) : fd;
    if (copy < 0) fail(p, CBERTH_SPAWN_STEP_DESCRIPTORS);
    // Above the numbers that are about to be written over, so that no source is lost before its turn.
    int moved = fcntl(copy, F_DUPFD_CLOEXEC, FIRST_FREE_DESCRIPTOR);
    if (moved < 0) fail(p, CBERTH_SPAWN_STEP_DESCRIPTORS);
    return moved;
}

static void arrange_descriptors(plan *p) {
    const cberth_spawn_request *request = p->request;
    int report = fcntl(p->report, F_DUPFD_CLOEXEC, FIRST_FREE_DESCRIPTOR);
    if (report < 0) fail(p, CBERTH_SPAWN_STEP_DESCRIPTORS);
    p->report = report;
    int input = source(p, request->standard_input, O_RDONLY);
    int output = source(p, request->standard_output, O_WRONLY);
    int error = source(p, request->standard_error, O_WRONLY);
    int listener = request->listen_descriptor < 0 ? -1 : source(p, request->listen_descriptor, 0);
    // Everything, before the chosen few are placed: what another thread opened without close-on-exec stays here too.
    if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0) fail(p, CBERTH_SPAWN_STEP_DESCRIPTORS);
    place(p, input, 0);
    place(p, output, 1);
    place(p, error, 2);
    if (listener >= 0) place(p, listener, 3);
}

static _Noreturn void run_child(plan *p) {
    const cberth_spawn_request *request = p->request;
    reset_signals();
    arrange_descriptors(p);
    if (request->flags & CBERTH_SPAWN_NEW_GROUP && setpgid(0, 0) < 0) fail(p, CBERTH_SPAWN_STEP_FORK);
    // A worker has none of the daemon's capabilities, also where the daemon holds them without being root.
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    change_identity(p);
    if (request->flags & CBERTH_SPAWN_DIE_WITH_PARENT) {
        // After the change of user, which forgets it. A parent that is gone already will send nothing.
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail(p, CBERTH_SPAWN_STEP_FORK);
        if (getppid() != p->parent) end_child();
    }
    if (request->working_directory && chdir(request->working_directory) < 0) fail(p, CBERTH_SPAWN_STEP_DIRECTORY);
    // The raw call again: the copy of the parent's cached pid would be wrong in an older libc.
    if (p->listen_pid) write_decimal(p->listen_pid, (unsigned)syscall(SYS_getpid));
    execve(p->executable, (char *const *)(uintptr_t)request->arguments, p->environment);
    fail(p, CBERTH_SPAWN_STEP_EXECUTE);
}

// MARK: In the parent

/// The child's pid with its pidfd, 0 in the child, or a negated errno.
static pid_t clone_child(int *pidfd) {
    struct clone_args arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
    arguments.exit_signal = SIGCHLD;
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid >= 0) return (pid_t)pid;
    // Filters of older containers hide clone3.
    if (errno != ENOSYS && errno != EPERM && errno != EINVAL) return -errno;
    pid_t child = _Fork();
    if (child < 0) return -errno;
    if (child == 0) return 0;
    *pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    if (*pidfd >= 0) return child;
    int error = errno;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return -error;
}

int cberth_linux_spawn(SELF, const cberth_spawn_request *request, cberth_spawned *spawned) {
    UNUSED_SELF;
    plan p = {.request = request, .executable = request->path, .parent = getpid(), .report = -1};
    *spawned = (cberth_spawned){.pid = -1, .pidfd = -1, .failed_step = CBERTH_SPAWN_STEP_EXECUTE};
    char executable[EXECUTABLE_MAX];
    if (!strchr(request->path, '/')) {
        int result = find_executable(request->path, request->environment, executable);
        if (result < 0) return result;
        p.executable = executable;
    }
    spawned->failed_step = CBERTH_SPAWN_STEP_USER;
    int result = plan_identity(&p);
    if (result < 0) return result;
    spawned->failed_step = CBERTH_SPAWN_STEP_FORK;
    char **environment = make_environment(&p);
    if (!environment) return -ENOMEM;
    p.environment = environment;
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) < 0) {
        result = -errno;
        free(environment);
        return result;
    }
    p.report = pipe_ends[1];
    // No handler of the daemon's may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pidfd = -1;
    pid_t pid = clone_child(&pidfd);
    if (pid == 0) run_child(&p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(pipe_ends[1]);
    free(environment);
    if (pid < 0) {
        close(pipe_ends[0]);
        return pid;
    }
    // Ends with the execve of the child, or with its word.
    failure f = {0};
    ssize_t n;
    do n = read(pipe_ends[0], &f, sizeof f); while (n < 0 && errno == EINTR);
    close(pipe_ends[0]);
    if (n == sizeof f) {
        siginfo_t info;
        while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR) {}
        close(pidfd);
        spawned->failed_step = f.step;
        return f.error > 0 ? -f.error : -EIO;
    }
    // Also from here, lest a signal to the group comes before the child made it; refused once it has run execve, and then it has.
    if (request->flags & CBERTH_SPAWN_NEW_GROUP) setpgid(pid, pid);
    *spawned = (cberth_spawned){.pid = pid, .pidfd = pidfd, .failed_step = CBERTH_SPAWN_STEP_NONE};
    return 0;
}

int cberth_linux_signal_process(SELF, int pidfd, int signal) {
    UNUSED_SELF;
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int cberth_linux_signal_group(SELF, int pid, int signal) {
    UNUSED_SELF;
    if (pid <= 1) return -EINVAL; // 0 and 1 would mean ourselves, or everybody
    return kill(-pid, signal) < 0 ? -errno : 0;
}

int cberth_linux_reap(SELF, int pidfd, cberth_exit *exit) {
    UNUSED_SELF;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0) return -errno;
    if (info.si_pid == 0) return 0;
    memset(exit, 0, sizeof *exit);
    if (info.si_code == CLD_EXITED) {
        exit->status = info.si_status;
    } else {
        exit->signal = info.si_status;
        exit->core_dumped = info.si_code == CLD_DUMPED;
    }
    return 1;
}
