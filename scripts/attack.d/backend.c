/* A worker that costs almost nothing: reads any content, answers GET /b/N with N octets and everything else with "ok\n".

   backend PORT */
#include "common.h"

struct peer {
    int fd;
    size_t head;         /* octets of `input` */
    uint64_t content;    /* octets of content still to be read */
    int is_chunked;      /* then content ends with 0 CRLF CRLF */
    uint64_t body, sent; /* octets of the answer's content still to be sent; of its head sent */
    char input[32768], output[128];
    size_t output_count;
};

static int epoll;
static char filler[65536];

static void watch(struct peer *p, uint32_t events, int operation) {
    struct epoll_event e = {.events = events, .data.ptr = p};
    epoll_ctl(epoll, operation, p->fd, &e);
}

static void end(struct peer *p) {
    close(p->fd);
    free(p);
}

static int send_answer(struct peer *p) {
    while (p->sent < p->output_count || p->body > 0) {
        const char *from = p->sent < p->output_count ? p->output + p->sent : filler;
        size_t part = p->sent < p->output_count ? p->output_count - p->sent : p->body < sizeof filler ? p->body : sizeof filler;
        ssize_t n = send(p->fd, from, part, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            watch(p, EPOLLOUT, EPOLL_CTL_MOD);
            return 0;
        }
        if (n <= 0) return -1;
        if (p->sent < p->output_count) p->sent += (size_t)n;
        else p->body -= (size_t)n;
    }
    p->output_count = p->sent = 0;
    watch(p, EPOLLIN, EPOLL_CTL_MOD);
    return 0;
}

static int answer(struct peer *p, const char *head) {
    uint64_t size = 3;
    int is_file = strncmp(head, "GET /b/", 7) == 0;
    if (is_file) size = strtoull(head + 7, NULL, 10);
    p->body = is_file ? size : 0;
    p->output_count = (size_t)snprintf(p->output, sizeof p->output, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n%s",
                                       (unsigned long long)size, is_file ? "" : "ok\n");
    p->sent = 0;
    return send_answer(p);
}

static int readable(struct peer *p) {
    ssize_t n = recv(p->fd, p->input + p->head, sizeof p->input - 1 - p->head, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) return -1;
    p->head += (size_t)n;
    p->input[p->head] = 0;
    for (;;) {
        if (p->content || p->is_chunked) {
            if (p->is_chunked) {
                char *last = p->head >= 5 ? memmem(p->input, p->head, "0\r\n\r\n", 5) : NULL;
                if (!last) {
                    if (p->head > 8) memmove(p->input, p->input + p->head - 8, 8), p->head = 8;
                    return 0;
                }
                p->is_chunked = 0;
                p->head = 0;
            } else {
                size_t part = p->head < p->content ? p->head : (size_t)p->content;
                p->content -= part;
                p->head = 0;
                if (p->content) return 0;
            }
            return answer(p, "POST");
        }
        char *last = strstr(p->input, "\r\n\r\n");
        if (!last) return p->head < sizeof p->input - 1 ? 0 : -1;
        char *length = strcasestr(p->input, "\r\nContent-Length: ");
        int chunked = strcasestr(p->input, "\r\nTransfer-Encoding: ") != NULL;
        size_t used = (size_t)(last + 4 - p->input);
        if ((length && length < last) || chunked) {
            p->content = chunked ? 0 : strtoull(length + 18, NULL, 10);
            p->is_chunked = chunked;
            memmove(p->input, p->input + used, p->head - used);
            p->head -= used;
            if (p->content || p->is_chunked) {
                if (p->head == 0) return 0;
                continue;
            }
            return answer(p, "POST");
        }
        p->head = 0;
        return answer(p, p->input);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: backend PORT\n"), 2;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)atoi(argv[1]))};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 4096) != 0) die("listen");
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN);
    memset(filler, 'b', sizeof filler);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        struct epoll_event events[128];
        int n = epoll_wait(epoll, events, 128, -1);
        for (int i = 0; i < n; i++) {
            struct peer *p = events[i].data.ptr;
            if (p) {
                int result = events[i].events & EPOLLOUT ? send_answer(p) : readable(p);
                if (result < 0) end(p);
                continue;
            }
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) continue;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            if (!(p = calloc(1, sizeof *p))) die("memory");
            p->fd = fd;
            watch(p, EPOLLIN, EPOLL_CTL_ADD);
        }
    }
}
