// A handler module in C: answers every request with what it received.
//
// 200, X-Method, X-Target (the request target, octets outside 0x21...0x7e percent-escaped), X-Body-Length, and the
// request content verbatim, or "ok\n" when there was none. The whole content is read before the answer begins.
//
// It shows the two things a handler must get right: waiting for content without holding the loop (BERTH_AGAIN,
// BERTH_PENDING, `resumed`), and memory of its own that is let go at the end stage, whatever became of the request.
#include "EchoModule.h"

#include <stdio.h>
#include <stdlib.h>

/// Longest content echoed, in octets; a longer one is answered 413.
#define CONTENT_MAX (64u << 20)
/// What all requests together may hold, in octets; a request over it is answered 503.
#define MEMORY_MAX (1024ull << 20)
/// First piece of memory for content of unknown length, in octets.
#define FIRST_CAPACITY (16u << 10)
/// Longest request target that is escaped without asking for memory, in octets.
#define SHORT_TARGET 1024

/// What was read of one request so far. Reached through the request's slot.
struct content {
    uint64_t count;
    uint64_t capacity;
    uint8_t octets[];
};

/// The host's table. Set once, before the first request.
static const berth_host *echo_host;
/// Octets that all requests hold now. Shared by all loops.
static uint64_t memory_in_use;

static int32_t refuse(berth_request *request, uint16_t status, const char *reason) {
    echo_host->set_status(request, status, 0, berth_octets_of(reason));
    return BERTH_FINISH;
}

/// Writes the target with everything outside 0x21...0x7e as %XX. `out` has room for three octets each. Answers the count.
static uint64_t escape_target(berth_octets target, uint8_t *out) {
    static const char digits[] = "0123456789ABCDEF";
    uint64_t count = 0;
    for (uint64_t i = 0; i < target.count; i++) {
        uint8_t octet = target.start[i];
        if (octet >= 0x21 && octet <= 0x7e) {
            out[count++] = octet;
        } else {
            out[count++] = '%';
            out[count++] = (uint8_t)digits[octet >> 4];
            out[count++] = (uint8_t)digits[octet & 15];
        }
    }
    return count;
}

static int32_t answer(berth_request *request, const struct content *content) {
    uint8_t short_target[3 * SHORT_TARGET];
    uint8_t *target = short_target;
    if (request->target.count > SHORT_TARGET) {
        target = malloc(3 * request->target.count);
        if (!target) return refuse(request, 503, "no memory for the request target");
    }
    uint64_t target_count = escape_target(request->target, target);

    uint64_t count = content ? content->count : 0;
    char length[24];
    int length_count = snprintf(length, sizeof length, "%llu", (unsigned long long)count);

    berth_response_field fields[] = {
        {berth_octets_of("Content-Type"), berth_octets_of("application/octet-stream")},
        {berth_octets_of("X-Method"), request->method},
        {berth_octets_of("X-Target"), {target, target_count}},
        {berth_octets_of("X-Body-Length"), {(const uint8_t *)length, (uint64_t)length_count}},
    };
    berth_response_head head = {
        .size = sizeof head,
        .status = 200,
        .fields = fields,
        .field_count = sizeof fields / sizeof *fields,
        // The content stays in the slot until the end stage.
        .flags = count ? BERTH_RESPONSE_STABLE_CONTENT : 0,
    };
    berth_octets piece = berth_octets_of("ok\n");
    if (count) piece = (berth_octets){content->octets, count};
    int32_t result = echo_host->respond(request, &head, &piece, 1);

    if (target != short_target) free(target);
    return result == BERTH_OK || result == BERTH_GONE ? BERTH_FINISH : BERTH_ERROR;
}

/// Makes room for at least one more octet. 0 when this module holds too much already.
static struct content *grow(struct content *content, int64_t announced) {
    uint64_t held = content ? content->capacity : 0;
    uint64_t wanted = content ? held * 2 : FIRST_CAPACITY;
    if (!content && announced > 0) wanted = (uint64_t)announced;
    // One octet more than the limit, so that a longer content is seen as such; the host refuses it before.
    if (wanted > CONTENT_MAX + 1) wanted = CONTENT_MAX + 1;
    uint64_t more = wanted - held;
    if (__atomic_add_fetch(&memory_in_use, more, __ATOMIC_RELAXED) > MEMORY_MAX) {
        __atomic_sub_fetch(&memory_in_use, more, __ATOMIC_RELAXED);
        return NULL;
    }
    struct content *grown = realloc(content, sizeof *grown + wanted);
    if (!grown) {
        __atomic_sub_fetch(&memory_in_use, more, __ATOMIC_RELAXED);
        return NULL;
    }
    if (!content) grown->count = 0;
    grown->capacity = wanted;
    return grown;
}

/// Reads what is there, and answers when that was all.
static int32_t read_on(berth_request *request) {
    void **slot = echo_host->slot(request);
    struct content *content = *slot;
    for (;;) {
        uint8_t probe;
        uint8_t *room = &probe;
        uint64_t room_count = 1;
        int full = !content || content->count == content->capacity;
        if (!full) {
            room = content->octets + content->count;
            room_count = content->capacity - content->count;
        } else if (!content || (int64_t)content->count != request->content_length) {
            struct content *grown = grow(content, request->content_length);
            if (!grown) return refuse(request, 503, "the echo module holds too much content already");
            *slot = content = grown;
            continue;
        }
        int64_t count = echo_host->read_entity(request, room, room_count);
        if (count > 0 && room == &probe) return BERTH_ERROR; // more than announced: the host's framing is broken
        if (count > 0) {
            content->count += (uint64_t)count;
            if (content->count > CONTENT_MAX) return refuse(request, 413, "content over the echo module's limit");
            continue;
        }
        if (count == 0) return answer(request, content);
        if (count == BERTH_AGAIN) return BERTH_PENDING;
        return BERTH_FINISH; // gone, too large or malformed: the host knows what to answer
    }
}

static int32_t execute(void *context, berth_request *request) {
    (void)context;
    if (!(request->flags & BERTH_REQUEST_HAS_CONTENT)) return answer(request, NULL);
    echo_host->limit_entity(request, CONTENT_MAX);
    return read_on(request);
}

static int32_t resumed(void *context, berth_request *request, uint32_t event, int64_t value) {
    (void)context;
    (void)value;
    return event == BERTH_EVENT_READABLE ? read_on(request) : BERTH_FINISH;
}

static int32_t end(void *context, berth_request *request) {
    (void)context;
    void **slot = echo_host->slot(request);
    struct content *content = *slot;
    if (content) {
        __atomic_sub_fetch(&memory_in_use, content->capacity, __ATOMIC_RELAXED);
        free(content);
        *slot = NULL;
    }
    return BERTH_CONTINUE;
}

int32_t berth_module_register(const berth_host *host, berth_module *module, berth_failure *failure) {
    (void)failure;
    if (!echo_host) echo_host = host;  // Always the same: written once, while nobody reads it.
    module->abi_version = BERTH_ABI_VERSION;
    module->name = "echo";
    module->version = "1.0";
    module->kinds = BERTH_KIND_HANDLER;
    module->stages[BERTH_STAGE_EXECUTE] = execute;
    module->stages[BERTH_STAGE_END] = end;
    module->resumed = resumed;
    return 0;
}
