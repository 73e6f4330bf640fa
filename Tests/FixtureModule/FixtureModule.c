// A handler module that behaves well or badly, as told. For tests of the host.
//
// Told at registration, by the environment: FIXTURE_REGISTER=abi (another ABI version), =refuse, =nothing (fills no table).
// Told at start, by `configuration`: words `delay-init=SECONDS`, `await-init=PIPE` (until somebody opens it for writing),
// `fail-init=TEXT`, `fail-context`.
// Told by the last segment of the path, with numbers in the query as `n=`:
//   plain            200 "fixture"
//   trap             ends the process with an illegal instruction
//   block            holds the calling thread for n milliseconds, then answers
//   later            a thread of its own completes the request after n milliseconds; answers the value it was given
//   held             pending until `release` is asked for, which completes all of them
//   never            stays pending until the client leaves; see `gone`
//   gone             how many clients left while their request was pending, or were found gone by a write of `stream`
//   waiting          how many requests have ever become pending
//   late             completes twice after the answer: both must be ignored
//   ended            how many requests of this module have passed the end stage
//   blocking         answers what run_blocking gave
//   stream           n MiB in pieces, with back-pressure
//   ignore           answers without reading the content
//   half             announces 100 octets, writes n, and says it is done
//   more             announces n octets, writes one more
//   huge             a field of n octets
//   fields           n fields
//   crlf             a field with CR and LF in its value
//   framing          a Content-Length of its own making
//   status           status n
//   error            answers BERTH_ERROR
//   unknown          answers 42
//   silent           BERTH_FINISH without an answer
//   twice            responds two times
//   refuse           set_status 403.14 with a reason
//   arena            asks for n octets of the arena
//   user             who the caller is
#include "FixtureModule.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const berth_host *fixture_host;
static uint64_t clients_gone;
static uint64_t requests_ended;
static uint64_t requests_waiting;

/// Handles of the requests that are held. Guarded by `held_lock`.
static uint64_t held[64];
static unsigned held_count;
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;

/// What is kept for a request that waits. In the slot; freed at the end stage.
struct waiting {
    enum { WAIT_COMPLETE, WAIT_BLOCKING, WAIT_STREAM, WAIT_NEVER } kind;
    uint64_t left;
};

static void pause_milliseconds(uint64_t milliseconds) {
    struct timespec time = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0) {
    }
}

static int is(berth_octets octets, const char *text) {
    return octets.count == strlen(text) && memcmp(octets.start, text, octets.count) == 0;
}

static berth_octets last_segment(const berth_request *request) {
    berth_octets path = request->path;
    uint64_t start = path.count;
    while (start > 0 && path.start[start - 1] != '/') start--;
    return (berth_octets){path.start + start, path.count - start};
}

/// The number of `n=` in the query.
static uint64_t number(const berth_request *request, uint64_t otherwise) {
    berth_octets query = request->query;
    if (query.count < 3 || memcmp(query.start, "n=", 2) != 0) return otherwise;
    uint64_t value = 0;
    for (uint64_t i = 2; i < query.count && query.start[i] >= '0' && query.start[i] <= '9'; i++) {
        value = value * 10 + (uint64_t)(query.start[i] - '0');
    }
    return value;
}

static int32_t answer_with(berth_request *request, uint16_t status, berth_octets name, berth_octets value, const char *text) {
    berth_response_field fields[2] = {{berth_octets_of("Content-Type"), berth_octets_of("text/plain")}, {name, value}};
    berth_response_head head = {.size = sizeof head, .status = status, .fields = fields, .field_count = name.count ? 2 : 1};
    berth_octets piece = berth_octets_of(text);
    int32_t result = fixture_host->respond(request, &head, &piece, 1);
    // A refused answer is shown as one, so that a test sees what the host thought of it.
    if (result == BERTH_INVALID || result == BERTH_TOO_LARGE) {
        berth_response_head again = {.size = sizeof again, .status = 200, .fields = fields, .field_count = 1};
        char said[64];
        int count = snprintf(said, sizeof said, "refused %d", result);
        piece = (berth_octets){(const uint8_t *)said, (uint64_t)count};
        fixture_host->respond(request, &again, &piece, 1);
    }
    return BERTH_FINISH;
}

static int32_t answer(berth_request *request, const char *text) {
    return answer_with(request, 200, (berth_octets){0, 0}, (berth_octets){0, 0}, text);
}

static struct waiting *wait_for(berth_request *request, int kind) {
    struct waiting *waiting = calloc(1, sizeof *waiting);
    if (waiting) {
        waiting->kind = kind;
        *fixture_host->slot(request) = waiting;
        __atomic_add_fetch(&requests_waiting, 1, __ATOMIC_RELAXED);
    }
    return waiting;
}

struct completion {
    uint64_t handle;
    uint64_t milliseconds;
    int times;
};

static void *complete_later(void *argument) {
    struct completion *completion = argument;
    pause_milliseconds(completion->milliseconds);
    for (int i = 0; i < completion->times; i++) fixture_host->complete(completion->handle, 4711 + i);
    free(completion);
    return NULL;
}

static int start_completion(berth_request *request, uint64_t milliseconds, int times) {
    struct completion *completion = malloc(sizeof *completion);
    if (!completion) return 0;
    *completion = (struct completion){fixture_host->handle(request), milliseconds, times};
    pthread_t thread;
    if (pthread_create(&thread, NULL, complete_later, completion) != 0) {
        free(completion);
        return 0;
    }
    pthread_detach(thread);
    return 1;
}

static int hold(berth_request *request) {
    pthread_mutex_lock(&held_lock);
    int fits = held_count < sizeof held / sizeof *held && wait_for(request, WAIT_COMPLETE) != NULL;
    if (fits) held[held_count++] = fixture_host->handle(request);
    pthread_mutex_unlock(&held_lock);
    return fits;
}

static void release_held(void) {
    pthread_mutex_lock(&held_lock);
    for (unsigned i = 0; i < held_count; i++) fixture_host->complete(held[i], 4711);
    held_count = 0;
    pthread_mutex_unlock(&held_lock);
}

static int64_t blocking_work(void *argument) {
    pause_milliseconds(((struct waiting *)argument)->left);
    return 815;
}

static int32_t stream_on(berth_request *request, struct waiting *waiting) {
    static const uint8_t piece[65536];
    while (waiting->left > 0) {
        uint64_t count = waiting->left < sizeof piece ? waiting->left : sizeof piece;
        int64_t taken = fixture_host->write_response(request, piece, count);
        if (taken < 0) {
            __atomic_add_fetch(&clients_gone, 1, __ATOMIC_RELAXED);
            return BERTH_FINISH;
        }
        waiting->left -= (uint64_t)taken;
        if ((uint64_t)taken < count) return BERTH_PENDING;
    }
    fixture_host->finish_response(request);
    return BERTH_FINISH;
}

static int32_t start_stream(berth_request *request, int64_t announced, uint64_t written) {
    berth_response_head head = {.size = sizeof head, .status = 200, .content_length = announced};
    if (fixture_host->start_response(request, &head) != BERTH_OK) return BERTH_ERROR;
    struct waiting *waiting = wait_for(request, WAIT_STREAM);
    if (!waiting) return BERTH_ERROR;
    waiting->left = written;
    return stream_on(request, waiting);
}

static int32_t large_head(berth_request *request, uint64_t count, int as_fields) {
    char *octets = malloc(count + 1);
    berth_response_field *fields = calloc(as_fields ? count + 1 : 1, sizeof *fields);
    if (!octets || !fields) {
        free(octets);
        free(fields);
        return BERTH_ERROR;
    }
    memset(octets, 'x', count);
    uint64_t field_count = as_fields ? count : 1;
    for (uint64_t i = 0; i < field_count; i++) {
        fields[i].name = berth_octets_of("X-Large");
        fields[i].value = (berth_octets){(const uint8_t *)octets, as_fields ? 1 : count};
    }
    berth_response_head head = {.size = sizeof head, .status = 200, .fields = fields, .field_count = (uint32_t)field_count};
    berth_octets piece = berth_octets_of("large");
    int32_t result = fixture_host->respond(request, &head, &piece, 1);
    free(octets);
    free(fields);
    return result == BERTH_OK ? BERTH_FINISH : answer(request, "refused");
}

static int32_t execute(void *context, berth_request *request) {
    (void)context;
    berth_octets what = last_segment(request);
    berth_octets none = {0, 0};
    uint64_t n = number(request, 100);
    char text[64];
    if (is(what, "trap")) __builtin_trap();
    if (is(what, "block")) {
        pause_milliseconds(n);
        return answer(request, "blocked");
    }
    if (is(what, "later")) {
        if (!wait_for(request, WAIT_COMPLETE) || !start_completion(request, n, 1)) return BERTH_ERROR;
        return BERTH_PENDING;
    }
    if (is(what, "late")) {
        if (!start_completion(request, n, 2)) return BERTH_ERROR;
        return answer(request, "answered before");
    }
    if (is(what, "held")) return hold(request) ? BERTH_PENDING : BERTH_ERROR;
    if (is(what, "release")) {
        release_held();
        return answer(request, "released");
    }
    if (is(what, "waiting")) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)__atomic_load_n(&requests_waiting, __ATOMIC_RELAXED));
        return answer(request, text);
    }
    if (is(what, "never")) return wait_for(request, WAIT_NEVER) ? BERTH_PENDING : BERTH_ERROR;
    if (is(what, "gone")) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)__atomic_load_n(&clients_gone, __ATOMIC_RELAXED));
        return answer(request, text);
    }
    if (is(what, "ended")) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)__atomic_load_n(&requests_ended, __ATOMIC_RELAXED));
        return answer(request, text);
    }
    if (is(what, "blocking")) {
        struct waiting *waiting = wait_for(request, WAIT_BLOCKING);
        if (!waiting) return BERTH_ERROR;
        waiting->left = n;
        if (fixture_host->run_blocking(request, 0, blocking_work, waiting) == BERTH_OK) return BERTH_PENDING;
        fixture_host->set_status(request, 503, 0, berth_octets_of("the pool is full"));
        return BERTH_FINISH;
    }
    if (is(what, "stream")) return start_stream(request, -1, n << 20);
    if (is(what, "half")) return start_stream(request, 100, n < 100 ? n : 50);
    if (is(what, "more")) return start_stream(request, (int64_t)n, n + 1);
    if (is(what, "huge")) return large_head(request, n, 0);
    if (is(what, "fields")) return large_head(request, n, 1);
    if (is(what, "crlf")) return answer_with(request, 200, berth_octets_of("X-Bad"), berth_octets_of("a\r\nX-Injected: b"), "crlf");
    if (is(what, "framing")) return answer_with(request, 200, berth_octets_of("Content-Length"), berth_octets_of("3"), "framing");
    if (is(what, "status")) return answer_with(request, (uint16_t)n, none, none, "status");
    if (is(what, "error")) return BERTH_ERROR;
    if (is(what, "unknown")) return 42;
    if (is(what, "silent")) return BERTH_FINISH;
    if (is(what, "twice")) {
        answer(request, "once");
        return answer(request, "twice");
    }
    if (is(what, "refuse")) {
        fixture_host->set_status(request, 403, 14, berth_octets_of("the fixture refuses"));
        return BERTH_FINISH;
    }
    if (is(what, "arena")) return answer(request, fixture_host->allocate(request, n) ? "memory" : "none");
    if (is(what, "user")) {
        berth_octets user = request->user.count ? request->user : berth_octets_of("-");
        return answer_with(request, 200, berth_octets_of("X-User"), user, "user");
    }
    return answer(request, "fixture");
}

static int32_t resumed(void *context, berth_request *request, uint32_t event, int64_t value) {
    (void)context;
    struct waiting *waiting = *fixture_host->slot(request);
    if (!waiting) return BERTH_ERROR;
    char text[64];
    if (event == BERTH_EVENT_CLIENT_GONE) {
        // The pool still holds what the slot points to.
        if (waiting->kind == WAIT_BLOCKING) return BERTH_PENDING;
        __atomic_add_fetch(&clients_gone, 1, __ATOMIC_RELAXED);
        return BERTH_FINISH;
    }
    if (waiting->kind == WAIT_STREAM) return stream_on(request, waiting);
    int expected = waiting->kind == WAIT_COMPLETE ? BERTH_EVENT_COMPLETED : BERTH_EVENT_BLOCKING_DONE;
    if (event != (uint32_t)expected) return BERTH_PENDING;
    snprintf(text, sizeof text, "%lld", (long long)value);
    return answer(request, text);
}

static int32_t end(void *context, berth_request *request) {
    (void)context;
    void **slot = fixture_host->slot(request);
    free(*slot);
    *slot = NULL;
    __atomic_add_fetch(&requests_ended, 1, __ATOMIC_RELAXED);
    return BERTH_CONTINUE;
}

/// The value of `NAME=` in the configuration, as a copy; null when it isn't there.
static char *option(const berth_settings *settings, const char *name) {
    for (uint32_t i = 0; i < settings->count; i++) {
        berth_octets value = settings->settings[i].value;
        for (uint64_t at = 0; at + strlen(name) <= value.count; at++) {
            if (memcmp(value.start + at, name, strlen(name)) == 0) {
                at += strlen(name);
                uint64_t stop = at;
                while (stop < value.count && value.start[stop] != ' ') stop++;
                return strndup((const char *)value.start + at, stop - at);
            }
        }
    }
    return NULL;
}

static int32_t fail(berth_failure *failure, const char *text) {
    failure->length = (uint32_t)snprintf(failure->text, sizeof failure->text, "%s", text);
    if (failure->length >= sizeof failure->text) failure->length = sizeof failure->text - 1;
    return -1;
}

static int32_t create_instance(const berth_host *host, const berth_settings *settings, void **instance, berth_failure *failure) {
    (void)host;
    char *delay = option(settings, "delay-init=");
    if (delay) pause_milliseconds((uint64_t)(atof(delay) * 1000));
    free(delay);
    char *pipe = option(settings, "await-init=");
    if (pipe) {
        int fd = open(pipe, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) close(fd);
    }
    free(pipe);
    char *text = option(settings, "fail-init=");
    if (text) {
        fail(failure, text);
        free(text);
        return -1;
    }
    char *context = option(settings, "fail-context");
    // The instance is only a mark: whether a context may be made.
    *instance = context ? (void *)settings : NULL;
    free(context);
    return 0;
}

static int32_t create_context(void *instance, uint32_t loop, void **context, berth_failure *failure) {
    (void)loop;
    *context = NULL;
    return instance ? fail(failure, "the fixture makes no context") : 0;
}

int32_t berth_module_register(const berth_host *host, berth_module *module, berth_failure *failure) {
    const char *how = getenv("FIXTURE_REGISTER");
    if (!how) how = "";
    if (strcmp(how, "refuse") == 0) return fail(failure, "the fixture refuses to register");
    if (strcmp(how, "nothing") == 0) return 0;
    if (!fixture_host) fixture_host = host;
    module->abi_version = strcmp(how, "abi") == 0 ? BERTH_ABI_VERSION + 1 : BERTH_ABI_VERSION;
    module->name = "fixture";
    module->version = "1.0";
    module->kinds = BERTH_KIND_HANDLER;
    module->create_instance = create_instance;
    module->create_context = create_context;
    module->stages[BERTH_STAGE_EXECUTE] = execute;
    module->stages[BERTH_STAGE_END] = end;
    module->resumed = resumed;
    return 0;
}
