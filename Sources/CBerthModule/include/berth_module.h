// The module ABI of Berth: what a handler module or a module of the chain exports, and what the host offers it.
//
// A module is a shared library that exports one function, `berth_module_register`. The host loads it with
// RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE, calls that function once, and never unmaps it: a replaced file takes effect
// with the next process.
//
// Shape: library -> instance -> context.
//   * an instance is one use of the library: one application, or one [[module]] entry of a site. It is created off the
//     loops, under a time limit; calls into it may come from several loops at once.
//   * a context is one instance on one loop. It is never called by two threads at once, and needs no lock of its own.
//     (A loop may change its thread; thread-local state is therefore not tied to a context.)
//
// Append-only: every struct begins with its size in octets as its author compiled it. Members are added at the end, never
// removed, moved or given another meaning; a reader looks at a member only when `size` says that it is there. A host with
// another major version refuses the module (500.33).
//
// Threads: unless a function says "any thread", it may be called only while the host is calling the module for that
// request (a stage function or `resumed`), on that thread.
//
// Memory: what a pointer in a struct points to belongs to whoever filled the struct. Request octets (head, fields, path,
// user) stay where they are until the end stage has run *and* the request was let go. What a module passes to a host
// function is copied before the function returns, except where it says otherwise.
#ifndef BERTH_MODULE_H
#define BERTH_MODULE_H

#include "berth_fields.h"
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#define BERTH_NONNULL _Nonnull
#define BERTH_NULLABLE _Nullable
#pragma clang assume_nonnull begin
#else
#define BERTH_NONNULL
#define BERTH_NULLABLE
#endif

/// The version of this header. The host refuses a module that answers another one.
#define BERTH_ABI_VERSION 1u

/// A run of octets. Not terminated by NUL. `start` may be null when `count` is 0.
typedef struct berth_octets {
    const uint8_t *BERTH_NULLABLE start;
    uint64_t count;
} berth_octets;

/// One field line of a request, 16 octets: offsets from `berth_request.head`. `id` is a BERTH_FIELD_ number (0: another).
typedef struct berth_field {
    uint32_t name_offset;
    uint32_t value_offset;
    uint16_t name_length;
    uint16_t value_length;
    uint16_t id;
    uint16_t reserved;
} berth_field;

/// A field of a response, in the module's memory.
typedef struct berth_response_field {
    berth_octets name;
    berth_octets value;
} berth_response_field;

/// The stages, numbered as IIS numbers its request notifications (spec: bit n of RQ_*). Those marked "reserved" have a
/// number and are not fired by this version of the host.
enum {
    BERTH_STAGE_BEGIN = 0,
    BERTH_STAGE_AUTHENTICATE = 1,
    BERTH_STAGE_AUTHORIZE = 2,
    BERTH_STAGE_RESOLVE_CACHE = 3,      // reserved
    BERTH_STAGE_MAP_HANDLER = 4,
    BERTH_STAGE_ACQUIRE_STATE = 5,      // reserved
    BERTH_STAGE_PRE_EXECUTE = 6,        // reserved
    BERTH_STAGE_EXECUTE = 7,
    BERTH_STAGE_RELEASE_STATE = 8,      // reserved
    BERTH_STAGE_UPDATE_CACHE = 9,       // reserved
    BERTH_STAGE_LOG = 10,               // always runs, whatever finished the request
    BERTH_STAGE_END = 11,               // always runs, last
    BERTH_STAGE_SEND_RESPONSE = 12,     // the response head is about to be encoded; may add fields
    BERTH_STAGE_READ_ENTITY = 13,       // a piece of the request content is about to be handed to the handler
    BERTH_STAGE_COUNT = 14
};

/// What a stage function answers. Any other value is treated as BERTH_ERROR.
enum {
    BERTH_CONTINUE = 0,   // on to the next module or stage
    BERTH_PENDING = 1,    // the module waits for something; the request stands until `resumed` is called
    BERTH_FINISH = 2,     // no further stages but log and end; the response is what was started so far
    BERTH_ERROR = -1      // the host answers 500 (or cuts the response when it has begun)
};

/// Why `resumed` is called.
enum {
    BERTH_EVENT_READABLE = 1,    // request content is there after read_entity said BERTH_AGAIN
    BERTH_EVENT_WRITABLE = 2,    // the window is open again after write_response took less than offered
    BERTH_EVENT_COMPLETED = 3,   // berth_host.complete was called; value is what it was given
    BERTH_EVENT_BLOCKING_DONE = 4, // the function given to run_blocking has returned; value is its result
    BERTH_EVENT_CLIENT_GONE = 5  // the client has left while the module was pending: finish soon; nothing can be sent
};

/// What host functions answer besides counts of octets (which are >= 0).
enum {
    BERTH_OK = 0,
    BERTH_AGAIN = -2,            // nothing now; return BERTH_PENDING and wait for `resumed`
    BERTH_GONE = -3,             // the client has left, or the connection is broken
    BERTH_INVALID = -4,          // an argument is wrong: a field with CR, LF or NUL, a status outside 200...999, called in the wrong state
    BERTH_TOO_LARGE = -5,        // the content is longer than the limit (the host answers 413), or does not fit the arena
    BERTH_BUSY = -6,             // the bounded pool of blocking work is full: answer 503
    BERTH_MALFORMED = -7         // the client's content is not framed as announced (the host answers 400)
};

/// Bits of berth_request.flags.
enum {
    BERTH_REQUEST_SECURE = 1u << 0,          // came over TLS
    BERTH_REQUEST_HAS_CONTENT = 1u << 1,     // Content-Length above 0, or chunked
    BERTH_REQUEST_CHUNKED = 1u << 2,
    BERTH_REQUEST_UPGRADE = 1u << 3,         // Connection: upgrade with an Upgrade field
    BERTH_REQUEST_EXPECT_CONTINUE = 1u << 4,
    BERTH_REQUEST_DOUBLE_ESCAPED = 1u << 5,  // the path still holds %XX after it was decoded once
    BERTH_REQUEST_HIGH_BIT = 1u << 6,        // the path holds octets above 0x7f
    BERTH_REQUEST_RESPONSE_STARTED = 1u << 7,
    BERTH_REQUEST_KEEP_ALIVE = 1u << 8,
    BERTH_REQUEST_ABSOLUTE_FORM = 1u << 9,
    BERTH_REQUEST_UNIX = 1u << 10            // the connection came over a Unix socket: there are no addresses
};

/// A request as modules see it. Filled by the host; read it directly, change it only through host functions.
typedef struct berth_request {
    uint32_t size;                    // octets of this struct
    uint32_t flags;                   // BERTH_REQUEST_*
    uint64_t id;                      // unique in this process
    const uint8_t *BERTH_NULLABLE head; // base of the offsets in `fields`
    const berth_field *BERTH_NULLABLE fields;
    uint32_t field_count;
    uint16_t method_id;               // BERTH_METHOD_*, 0: another
    uint16_t version;                 // 0x0100 or 0x0101
    berth_octets method;              // as received, case-sensitive
    berth_octets target;              // the request target as received
    berth_octets path;                // cooked: decoded once, dot segments removed; begins with "/" (or is "*")
    berth_octets query;               // raw, without "?"
    berth_octets host;                // as received, with port
    berth_octets user;                // who authentication found; count 0: anonymous
    berth_octets authentication_type; // "Basic", ...
    int64_t content_length;           // -1: chunked; 0: none
    uint64_t received_at;             // first octet, monotonic nanoseconds
    int64_t received_time;            // the same, seconds since 1970 UTC
    uint64_t finished_at;             // last octet handed to the socket, monotonic nanoseconds; valid from the log stage on
    uint64_t octets_received;         // head and content as they came over the wire, so far
    uint64_t octets_sent;             // everything of the response that went to the socket, so far
    uint32_t site_id;
    uint32_t application_path_length; // octets at the start of `path` that selected the application
    uint16_t status;                  // of the response, 0: not started
    uint16_t substatus;               // 401.2: 2
    int32_t error_number;             // errno-like, for the log's sc-win32-status
    uint16_t local_port;
    uint16_t remote_port;
    uint8_t address_family;           // 4, 6, or 0 for a Unix socket
    uint8_t reserved[3];
    uint8_t local_address[16];        // network order; the first 4 octets for IPv4
    uint8_t remote_address[16];
} berth_request;

enum { BERTH_RESPONSE_CLOSE = 1u << 0, BERTH_RESPONSE_STABLE_CONTENT = 1u << 1 };

/// The head of a response.
typedef struct berth_response_head {
    uint32_t size;
    uint16_t status;                  // 200...999
    uint16_t substatus;               // for the log
    berth_octets reason;              // count 0: the standard phrase
    const berth_response_field *BERTH_NULLABLE fields; // no Connection, Transfer-Encoding, Content-Length or Date
    uint32_t field_count;
    uint32_t flags;                   // BERTH_RESPONSE_*
    int64_t content_length;           // -1: not known; the host frames it (chunked, or close for HTTP/1.0)
} berth_response_head;

/// One line of the configuration of an instance. Lists and repeated keys appear as several settings of one name, in order.
typedef struct berth_setting {
    berth_octets name;                // "realm"; of a handler module: "configuration"
    berth_octets value;
    berth_octets location;            // "shop.toml:12:3"
} berth_setting;

typedef struct berth_settings {
    uint32_t size;
    uint32_t count;
    const berth_setting *BERTH_NULLABLE settings;
    berth_octets site;                // its name
    berth_octets application_path;    // "/" or "/api"
    berth_octets root;                // the application's folder, may be empty
    uint32_t site_id;
    uint32_t loop_count;
} berth_settings;

/// Where a failing function writes why, as UTF-8 for an administrator.
typedef struct berth_failure {
    uint32_t size;
    uint32_t length;
    char text[1024];
} berth_failure;

enum { BERTH_LOG_ERROR = 3, BERTH_LOG_WARNING = 4, BERTH_LOG_NOTICE = 5, BERTH_LOG_INFO = 6, BERTH_LOG_DEBUG = 7 };

/// What the host offers. The table lives as long as the process.
typedef struct berth_host {
    uint32_t size;
    uint32_t abi_version;

    /// Answers at once: head, then the content of `count` pieces, then the end. The fast way for content in memory.
    ///
    /// Content longer than the window (256 KiB) is refused with BERTH_TOO_LARGE unless the head's flags hold
    /// BERTH_RESPONSE_STABLE_CONTENT, which promises that it stays as it is until the end stage of this request.
    /// `head.content_length` is ignored. Answers BERTH_OK, BERTH_INVALID, BERTH_TOO_LARGE or BERTH_GONE.
    int32_t (*respond)(berth_request *request, const berth_response_head *head, const berth_octets *BERTH_NULLABLE pieces, uint32_t count);

    /// Begins a response whose content follows in pieces. Answers BERTH_OK, BERTH_INVALID or BERTH_GONE.
    int32_t (*start_response)(berth_request *request, const berth_response_head *head);

    /// Takes content, as many octets as the window has room for, and answers how many (0: none now, return BERTH_PENDING
    /// and wait for BERTH_EVENT_WRITABLE), or BERTH_GONE, BERTH_INVALID (more than the announced length).
    int64_t (*write_response)(berth_request *request, const uint8_t *octets, uint64_t count);

    /// Sends `length` octets of an open file after the head. At most one a response, and nothing may follow it.
    /// The descriptor stays open and its content unchanged until the end stage of this request. BERTH_OK or BERTH_INVALID.
    int32_t (*send_file)(berth_request *request, int32_t fd, uint64_t offset, uint64_t length);

    /// Pushes what was written so far to the client now, as for server-sent events. It is pushed at the end of the call anyway.
    int32_t (*flush_response)(berth_request *request);

    /// Ends the content. Returning BERTH_CONTINUE from the execute stage ends it too.
    int32_t (*finish_response)(berth_request *request);

    /// Adds a field to the response that is not begun yet, whoever will begin it. BERTH_OK, BERTH_INVALID, BERTH_TOO_LARGE (over 4 KiB in all).
    int32_t (*add_response_field)(berth_request *request, berth_octets name, berth_octets value);

    /// Copies request content: > 0 octets, 0 at its end, BERTH_AGAIN (return BERTH_PENDING, wait for BERTH_EVENT_READABLE),
    /// BERTH_GONE, BERTH_TOO_LARGE, BERTH_MALFORMED. Sends 100 (Continue) first where the client waits for it.
    int64_t (*read_entity)(berth_request *request, uint8_t *buffer, uint64_t capacity);

    /// Says who the caller is. Copied into the request's arena. BERTH_OK or BERTH_TOO_LARGE.
    int32_t (*set_user)(berth_request *request, berth_octets user, berth_octets authentication_type);

    /// Status and substatus for a response that the host makes when the stage finishes without one (BERTH_FINISH),
    /// with a short reason for an administrator's log. BERTH_OK or BERTH_INVALID.
    int32_t (*set_status)(berth_request *request, uint16_t status, uint16_t substatus, berth_octets reason);

    /// Limits the request content, in octets: a longer one is answered 413. Only before it is read. Lower of all callers counts.
    int32_t (*limit_entity)(berth_request *request, uint64_t octets_max);

    /// Memory that lives as long as the request, aligned to 16, or null (over 16 KiB in all).
    void *BERTH_NULLABLE (*BERTH_NONNULL allocate)(berth_request *request, uint64_t size);

    /// One pointer of the module's own a request; null at first. The address of the slot.
    void *BERTH_NULLABLE *BERTH_NONNULL (*BERTH_NONNULL slot)(berth_request *request);

    /// A name for this request that any thread may pass to `complete`, also when the request is long gone.
    uint64_t (*handle)(berth_request *request);

    /// Any thread: wakes the pending request (BERTH_EVENT_COMPLETED with `value`). Cannot fail; a late call is ignored;
    /// calls before the first was delivered are folded into one.
    void (*complete)(uint64_t handle, int64_t value);

    /// Runs `work(argument)` on the bounded pool of threads for what must block; return BERTH_PENDING and wait for
    /// BERTH_EVENT_BLOCKING_DONE. `argument` must live until then. `kind` counts against its own limit (0...3). BERTH_OK or BERTH_BUSY.
    int32_t (*run_blocking)(berth_request *request, uint32_t kind, int64_t (*work)(void *BERTH_NULLABLE argument), void *BERTH_NULLABLE argument);

    /// Any thread. One line for the daemon's log (journal or standard error), UTF-8. `request` may be null.
    void (*log)(berth_request *BERTH_NULLABLE request, int32_t level, berth_octets text);

    /// Any thread: seconds since 1970 UTC, cached, and monotonic nanoseconds.
    int64_t (*wall_seconds)(void);
    uint64_t (*monotonic_nanoseconds)(void);
} berth_host;

typedef int32_t (*berth_stage_function)(void *BERTH_NULLABLE context, berth_request *request);

enum { BERTH_KIND_HANDLER = 1u << 0, BERTH_KIND_CHAIN = 1u << 1 };

/// What a library says about itself. Zeroed by the host but for `size` before it is filled.
typedef struct berth_module {
    uint32_t size;                    // the host's; write no further
    uint32_t abi_version;             // the module writes BERTH_ABI_VERSION
    const char *BERTH_NULLABLE name;  // lives as long as the process
    const char *BERTH_NULLABLE version;
    uint32_t kinds;                   // BERTH_KIND_*
    uint32_t reserved;

    /// Makes an instance. Off the loops, under startup_time_limit. Not 0: `failure` says why (500.30). May be null.
    int32_t (*BERTH_NULLABLE create_instance)(const berth_host *host, const berth_settings *settings, void *BERTH_NULLABLE *BERTH_NONNULL instance, berth_failure *failure);
    /// After the last request and the last context let go. Off the loops.
    void (*BERTH_NULLABLE destroy_instance)(void *BERTH_NULLABLE instance);
    /// Makes the context of one loop, off the loops, before its first request. Null: the instance is the context.
    int32_t (*BERTH_NULLABLE create_context)(void *BERTH_NULLABLE instance, uint32_t loop, void *BERTH_NULLABLE *BERTH_NONNULL context, berth_failure *failure);
    void (*BERTH_NULLABLE destroy_context)(void *BERTH_NULLABLE context);

    /// By stage number; null: not interested. A handler module has BERTH_STAGE_EXECUTE.
    berth_stage_function BERTH_NULLABLE stages[BERTH_STAGE_COUNT];

    /// Called on the loop after the module returned BERTH_PENDING; its result goes on where the stage function stopped.
    int32_t (*BERTH_NULLABLE resumed)(void *BERTH_NULLABLE context, berth_request *request, uint32_t event, int64_t value);

    /// Called about once a second on the loop while the context lives, for flushing and expiry. Must not block.
    void (*BERTH_NULLABLE tick)(void *BERTH_NULLABLE context, int64_t wall_seconds);
} berth_module;

/// The one symbol a module exports. 0: `module` is filled. Not 0: refused, `failure` says why.
/// Called for each application that has the module, with the same `host`, off the loops, never by two threads at once.
typedef int32_t (*berth_module_register_function)(const berth_host *host, berth_module *module, berth_failure *failure);
#define BERTH_MODULE_REGISTER_SYMBOL "berth_module_register"

// MARK: Small readers, inlined into the module.

static inline berth_octets berth_octets_of(const char *text) {
    berth_octets o = {(const uint8_t *)text, 0};
    while (text[o.count]) o.count++;
    return o;
}

/// The value of the first field with this BERTH_FIELD_ id; start null when there is none.
static inline berth_octets berth_request_field(const berth_request *request, uint16_t id) {
    for (uint32_t i = 0; i < request->field_count; i++) {
        if (request->fields[i].id == id) {
            berth_octets o = {request->head + request->fields[i].value_offset, request->fields[i].value_length};
            return o;
        }
    }
    berth_octets none = {0, 0};
    return none;
}

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
