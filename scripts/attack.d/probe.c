/* The well-behaved client: asks at a fixed rate over kept connections and measures how long each answer takes.

   probe PORT HOST TARGET CONNECTIONS RATE FRESH

   Reads commands from standard input: "SECONDS\n" measures for so long and prints one line of JSON, end of input ends it.
   FRESH of a thousand requests go over a connection of their own. A request that finds all connections busy counts from
   the moment it was due. It runs with a real-time priority where it may, so that the attackers on its core do not count. */
#include "common.h"

enum { connections_max = 256, samples_max = 4000000, answer_max = 65536 };

struct connection {
    int fd, fresh;
    uint64_t since; /* 0: free */
    size_t got, wanted;
    char answer[answer_max];
};

static struct connection *pool;
static int pool_size, port, epoll;
static char request[1024], request_once[1024];
static uint32_t *samples, *fresh_samples;
static size_t sample_count, fresh_count, error_count;
static char first_error[200];

static void failed(const char *what) {
    if (error_count++ == 0) snprintf(first_error, sizeof first_error, "%s (%s)", what, strerror(errno));
}

static void connect_to(struct connection *c) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (c->fresh ? SOCK_NONBLOCK : 0), 0);
    if (c->fd < 0) die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0 && errno != EINPROGRESS) die("connect");
    if (!c->fresh) fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = c->fresh ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e);
}

static void send_request(struct connection *c, uint64_t since) {
    const char *text = c->fresh ? request_once : request;
    c->since = since;
    c->got = c->wanted = 0;
    if (send(c->fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text)) failed("send");
}

static void again(struct connection *c) {
    close(c->fd);
    c->since = 0;
    if (c->fresh) c->fd = -1;
    else connect_to(c);
}

static void answered(struct connection *c, int is_ok) {
    uint64_t took = (now_ns() - c->since) / 1000;
    uint32_t microseconds = took > 0xffffffffu ? 0xffffffffu : (uint32_t)took;
    if (!is_ok) failed(c->answer);
    else if (c->fresh && fresh_count < samples_max) fresh_samples[fresh_count++] = microseconds;
    else if (!c->fresh && sample_count < samples_max) samples[sample_count++] = microseconds;
    c->since = 0;
    if (c->fresh || strstr(c->answer, "\r\nConnection: close\r\n")) again(c);
}

static void readable(struct connection *c) {
    ssize_t n = recv(c->fd, c->answer + c->got, sizeof c->answer - 1 - c->got, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        /* A connection that is closed while nothing is asked (its idle time is over) is no failure. */
        if (c->since) failed(n == 0 ? "closed before its answer" : "recv");
        again(c);
        return;
    }
    c->got += (size_t)n;
    c->answer[c->got] = 0;
    if (c->wanted == 0) {
        char *end = strstr(c->answer, "\r\n\r\n"), *length = strstr(c->answer, "\r\nContent-Length: ");
        if (!end) return;
        c->wanted = (size_t)(end + 4 - c->answer) + (length ? strtoul(length + 18, NULL, 10) : 0);
        if (c->wanted >= sizeof c->answer) {
            errno = EMSGSIZE;
            die("the answer");
        }
    }
    if (c->got >= c->wanted && c->since) answered(c, strncmp(c->answer, "HTTP/1.1 200", 12) == 0);
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t part(uint32_t *values, size_t count, double share) {
    return count == 0 ? 0 : values[(size_t)((double)(count - 1) * share)];
}

static void turn(int timeout_ms) {
    struct epoll_event events[64];
    int n = epoll_wait(epoll, events, 64, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) {
            struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
            epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e);
            send_request(c, c->since);
        } else {
            readable(c);
        }
    }
}

static int busy(void) {
    int count = 0;
    for (int i = 0; i < pool_size; i++) count += pool[i].since != 0;
    return count;
}

static void measure(double seconds, double rate, int fresh_share) {
    uint64_t begun = now_ns(), end = begun + (uint64_t)(seconds * 1e9), due = begun, gap = (uint64_t)(1e9 / rate);
    uint64_t number = 0, unsent = 0;
    sample_count = fresh_count = error_count = 0;
    first_error[0] = 0;
    while (due < end) {
        uint64_t now = now_ns();
        if (now < due) {
            struct timespec rest = {0, (long)(due - now > 900000000u ? 900000000u : due - now)};
            struct epoll_event one;
            /* Waits with the precision of a timer, and takes answers meanwhile. */
            if (epoll_pwait2(epoll, &one, 1, &rest, NULL) > 0) turn(0);
            continue;
        }
        int fresh = (int)(number % 1000) < fresh_share;
        struct connection *c = NULL;
        for (int i = 0; i < pool_size && !c; i++)
            if (pool[i].since == 0 && pool[i].fresh == fresh) c = &pool[i];
        if (!c) {
            if (now > due + 1000000000u) {
                /* Nobody is free for a second: the request counts as lost. */
                unsent++;
                due += gap;
                number = number * 7919 + 1;
            }
            turn(1);
            continue;
        }
        if (fresh) {
            c->since = due;
            connect_to(c);
        } else {
            send_request(c, now - due > 200000 && pool_size - busy() < 4 ? due : now);
        }
        /* Spread over the thousand, the same in every run. */
        number = number * 7919 + 1;
        due += gap;
    }
    for (uint64_t limit = now_ns() + 2000000000u; busy() && now_ns() < limit;) turn(10);
    size_t lost = (size_t)busy();
    qsort(samples, sample_count, sizeof *samples, ascending);
    qsort(fresh_samples, fresh_count, sizeof *fresh_samples, ascending);
    for (char *p = first_error; *p; p++)
        if (*p < ' ' || *p == '"' || *p == '\\') *p = ' ';
    printf("{\"count\": %zu, \"errors\": %zu, \"unanswered\": %zu, \"p50\": %u, \"p99\": %u, \"max\": %u, "
           "\"fresh\": %zu, \"fresh_p50\": %u, \"fresh_p99\": %u, \"error\": \"%s\"}\n",
           sample_count, error_count, lost + unsent, part(samples, sample_count, 0.5), part(samples, sample_count, 0.99),
           part(samples, sample_count, 1), fresh_count, part(fresh_samples, fresh_count, 0.5),
           part(fresh_samples, fresh_count, 0.99), first_error);
    fflush(stdout);
    for (int i = 0; i < pool_size; i++)
        if (pool[i].since) again(&pool[i]);
}

int main(int argc, char **argv) {
    if (argc != 7) return fprintf(stderr, "usage: probe PORT HOST TARGET CONNECTIONS RATE FRESH\n"), 2;
    port = atoi(argv[1]);
    int kept = atoi(argv[4]), fresh_share = atoi(argv[6]);
    double rate = atof(argv[5]);
    const char *form = "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n";
    snprintf(request, sizeof request, form, argv[3], argv[2], "");
    snprintf(request_once, sizeof request_once, form, argv[3], argv[2], "Connection: close\r\n");
    struct sched_param priority = {.sched_priority = 10};
    if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) setpriority(PRIO_PROCESS, 0, -20);
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN);
    pool_size = kept + 16 > connections_max ? connections_max : kept + 16;
    pool = calloc((size_t)pool_size, sizeof *pool);
    samples = malloc(samples_max * sizeof *samples);
    fresh_samples = malloc(samples_max * sizeof *fresh_samples);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!pool || !samples || !fresh_samples || epoll < 0) die("memory");
    for (int i = 0; i < pool_size; i++) {
        pool[i].fresh = i >= kept;
        pool[i].fd = -1;
        if (!pool[i].fresh) connect_to(&pool[i]);
    }
    char line[64];
    while (fgets(line, sizeof line, stdin)) measure(atof(line), rate, fresh_share);
    return 0;
}
