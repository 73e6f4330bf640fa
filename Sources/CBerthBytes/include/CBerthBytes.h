// Scans over octets that the HTTP codec and the logs need at the speed of vector instructions. Everything is
// `static inline`, so a Swift caller pays no call. SSE2 on x86-64 (always there), NEON on arm64, an octet loop elsewhere.
//
// A scan looks at [p, end) and returns the first octet of its set, or `end`. It reads no octet outside [floor, end):
// `floor` is the start of the buffer that p and end lie in. A tail shorter than a vector is read together with the
// octets before it, which is why the floor matters. `NAME_passes` tells whether none of `count` octets is in the set, and
// reads nothing but them: for short runs with unknown surroundings.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && !defined(__ARM_BIG_ENDIAN)
#include <arm_neon.h>
#endif

#pragma clang assume_nonnull begin

// Classes of octets: 1 token, 2 hexadecimal digit, 4 host name, 8 decimal digit, 16 plain in a path.

// clang-format off
static const uint8_t cberth_class_table[256] = {
    ['!'] = 17, ['"'] = 0,  ['#'] = 1,  ['$'] = 17, ['%'] = 1,  ['&'] = 17, ['\''] = 17, ['('] = 16, [')'] = 16,
    ['*'] = 17, ['+'] = 17, [','] = 16, ['-'] = 21, ['.'] = 21, ['/'] = 16, [':'] = 16, [';'] = 16, ['='] = 16,
    ['@'] = 16, ['^'] = 1,  ['_'] = 21, ['`'] = 1,  ['|'] = 1,  ['~'] = 21,
    ['0'] = 31, ['1'] = 31, ['2'] = 31, ['3'] = 31, ['4'] = 31, ['5'] = 31, ['6'] = 31, ['7'] = 31, ['8'] = 31, ['9'] = 31,
    ['A'] = 23, ['B'] = 23, ['C'] = 23, ['D'] = 23, ['E'] = 23, ['F'] = 23,
    ['G'] = 21, ['H'] = 21, ['I'] = 21, ['J'] = 21, ['K'] = 21, ['L'] = 21, ['M'] = 21, ['N'] = 21, ['O'] = 21, ['P'] = 21,
    ['Q'] = 21, ['R'] = 21, ['S'] = 21, ['T'] = 21, ['U'] = 21, ['V'] = 21, ['W'] = 21, ['X'] = 21, ['Y'] = 21, ['Z'] = 21,
    ['a'] = 23, ['b'] = 23, ['c'] = 23, ['d'] = 23, ['e'] = 23, ['f'] = 23,
    ['g'] = 21, ['h'] = 21, ['i'] = 21, ['j'] = 21, ['k'] = 21, ['l'] = 21, ['m'] = 21, ['n'] = 21, ['o'] = 21, ['p'] = 21,
    ['q'] = 21, ['r'] = 21, ['s'] = 21, ['t'] = 21, ['u'] = 21, ['v'] = 21, ['w'] = 21, ['x'] = 21, ['y'] = 21, ['z'] = 21,
};
// clang-format on

/// tchar (RFC 9110 §5.6.2).
static inline bool cberth_is_token(uint8_t octet) { return cberth_class_table[octet] & 1; }

/// Letters, digits, "-", ".", "_", "~" (RFC 3986 unreserved): what a name in an authority may hold here.
static inline bool cberth_is_host(uint8_t octet) { return cberth_class_table[octet] & 4; }

/// RFC 3986 unreserved and sub-delims, "/", ":", "@": what needs no escape in a path.
static inline bool cberth_is_plain(uint8_t octet) { return cberth_class_table[octet] & 16; }

/// The value of a hexadecimal digit, or -1.
static inline int32_t cberth_hex_value(uint8_t octet) {
    if (octet >= '0' && octet <= '9') return octet - '0';
    uint8_t letter = octet | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static inline uint64_t cberth_load64(const void *p) {
    uint64_t v;
    __builtin_memcpy(&v, p, 8);
    return v;
}

static inline uint32_t cberth_load32(const void *p) {
    uint32_t v;
    __builtin_memcpy(&v, p, 4);
    return v;
}

static inline uint16_t cberth_load16(const void *p) {
    uint16_t v;
    __builtin_memcpy(&v, p, 2);
    return v;
}

/// Copies `count` octets that do not overlap their new place; up to a cache line or two of them without a call.
__attribute__((always_inline)) static inline void cberth_copy(uint8_t *to, const uint8_t *from, size_t count) {
    if (count > 16) {
        if (count > 128) {
            __builtin_memcpy(to, from, count);
            return;
        }
        // The last 16 may lie over some of those before them; what is written twice is the same.
        for (size_t i = 0; i + 16 < count; i += 16) __builtin_memcpy(to + i, from + i, 16);
        __builtin_memcpy(to + count - 16, from + count - 16, 16);
    } else if (count >= 8) {
        uint64_t first = cberth_load64(from), last = cberth_load64(from + count - 8);
        __builtin_memcpy(to, &first, 8);
        __builtin_memcpy(to + count - 8, &last, 8);
    } else if (count >= 4) {
        uint32_t first = cberth_load32(from), last = cberth_load32(from + count - 4);
        __builtin_memcpy(to, &first, 4);
        __builtin_memcpy(to + count - 4, &last, 4);
    } else if (count > 0) {
        uint8_t first = from[0], middle = from[count >> 1], last = from[count - 1];
        to[0] = first;
        to[count >> 1] = middle;
        to[count - 1] = last;
    }
}

/// Whether `count` octets are the same, here and there; up to 16 without a call. Reads nothing but them.
__attribute__((always_inline)) static inline bool cberth_equal(const uint8_t *a, const uint8_t *b, size_t count) {
    if (count > 16) return __builtin_memcmp(a, b, count) == 0;
    if (count >= 8) {
        size_t last = count - 8;
        return ((cberth_load64(a) ^ cberth_load64(b)) | (cberth_load64(a + last) ^ cberth_load64(b + last))) == 0;
    }
    if (count >= 4) {
        size_t last = count - 4;
        return ((cberth_load32(a) ^ cberth_load32(b)) | (cberth_load32(a + last) ^ cberth_load32(b + last))) == 0;
    }
    if (count == 0) return true;
    size_t middle = count >> 1, last = count - 1;
    return ((a[0] ^ b[0]) | (a[middle] ^ b[middle]) | (a[last] ^ b[last])) == 0;
}

/// Whether `count` octets equal `lowercase`, which holds no upper-case letter, when their letters are lowered.
static inline bool cberth_equal_ignoring_case(const uint8_t *p, const uint8_t *lowercase, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t c = p[i];
        if (c >= 'A' && c <= 'Z') c |= 0x20;
        if (c != lowercase[i]) return false;
    }
    return true;
}

/// The first `octet` in [p, end), or `end`.
static inline const uint8_t *cberth_find_octet(const uint8_t *p, const uint8_t *end, uint8_t octet) {
    const uint8_t *found = p < end ? (const uint8_t *)__builtin_memchr(p, octet, (size_t)(end - p)) : 0;
    return found ? found : end;
}

// The sets. Each is written twice: for a vector, and for one octet.

#if defined(__SSE2__)

typedef __m128i cberth_vector;
enum { CBERTH_LANE_BITS = 1 };
static inline cberth_vector cberth_vload(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline void cberth_vstore(uint8_t *p, cberth_vector v) { _mm_storeu_si128((__m128i *)p, v); }
static inline cberth_vector cberth_veq(cberth_vector v, uint8_t c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8((char)c)); }
/// Lanes outside `low` through `high`, unsigned. SSE2 compares signed octets only, hence the shift by 0x80.
static inline cberth_vector cberth_vout(cberth_vector v, uint8_t low, uint8_t high) {
    return _mm_cmpgt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(0x80 - low))), _mm_set1_epi8((char)(0x80 + high - low)));
}
static inline cberth_vector cberth_vor(cberth_vector a, cberth_vector b) { return _mm_or_si128(a, b); }
static inline cberth_vector cberth_vand(cberth_vector a, cberth_vector b) { return _mm_and_si128(a, b); }
/// Lanes of `a` that are not in `b`.
static inline cberth_vector cberth_vwithout(cberth_vector a, cberth_vector b) { return _mm_andnot_si128(b, a); }
static inline cberth_vector cberth_vlower(cberth_vector v) { return _mm_or_si128(v, _mm_set1_epi8(0x20)); }
static inline uint64_t cberth_vmask(cberth_vector v) { return (uint32_t)_mm_movemask_epi8(v); }
#define CBERTH_VECTORS 1

#elif defined(__ARM_NEON) && !defined(__ARM_BIG_ENDIAN)

typedef uint8x16_t cberth_vector;
enum { CBERTH_LANE_BITS = 4 };
static inline cberth_vector cberth_vload(const uint8_t *p) { return vld1q_u8(p); }
static inline void cberth_vstore(uint8_t *p, cberth_vector v) { vst1q_u8(p, v); }
static inline cberth_vector cberth_veq(cberth_vector v, uint8_t c) { return vceqq_u8(v, vdupq_n_u8(c)); }
static inline cberth_vector cberth_vout(cberth_vector v, uint8_t low, uint8_t high) {
    return vcgtq_u8(vsubq_u8(v, vdupq_n_u8(low)), vdupq_n_u8((uint8_t)(high - low)));
}
static inline cberth_vector cberth_vor(cberth_vector a, cberth_vector b) { return vorrq_u8(a, b); }
static inline cberth_vector cberth_vand(cberth_vector a, cberth_vector b) { return vandq_u8(a, b); }
static inline cberth_vector cberth_vwithout(cberth_vector a, cberth_vector b) { return vbicq_u8(a, b); }
static inline cberth_vector cberth_vlower(cberth_vector v) { return vorrq_u8(v, vdupq_n_u8(0x20)); }
static inline uint64_t cberth_vmask(cberth_vector v) {
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(v), 4)), 0);
}
#define CBERTH_VECTORS 1

#else
#define CBERTH_VECTORS 0
#endif

#if defined(__SSE2__)
static inline cberth_vector cberth_vmake(uint64_t low, uint64_t high) {
    return _mm_set_epi64x((long long)high, (long long)low);
}
#elif CBERTH_VECTORS
static inline cberth_vector cberth_vmake(uint64_t low, uint64_t high) {
    return vcombine_u8(vcreate_u8(low), vcreate_u8(high));
}
#endif

#if CBERTH_VECTORS
/// 1 through 16 octets, some of them more than once, and nothing beside them. The lanes depend on `count` alone.
__attribute__((always_inline)) static inline cberth_vector cberth_vload_short(const uint8_t *p, size_t count) {
    uint64_t low, high;
    if (count >= 8) {
        low = cberth_load64(p);
        high = cberth_load64(p + count - 8);
    } else {
        if (count >= 4) {
            low = cberth_load32(p) | (uint64_t)cberth_load32(p + count - 4) << 32;
        } else {
            low = p[0] | (uint64_t)p[count >> 1] << 8 | (uint64_t)p[count - 1] << 16 | (uint64_t)p[0] << 24;
            low |= low << 32;
        }
        high = low;
    }
    return cberth_vmake(low, high);
}

/// Lanes outside 0x21 through 0x7e become "+".
static inline cberth_vector cberth_vlogged(cberth_vector v) {
    cberth_vector odd = cberth_vout(v, 0x21, 0x7e), plus = cberth_vmake(0x2b2b2b2b2b2b2b2b, 0x2b2b2b2b2b2b2b2b);
    return cberth_vor(cberth_vwithout(v, odd), cberth_vand(plus, odd));
}

#define CBERTH_SCAN(NAME, MASK_OF_V, TEST_OF_C)                                                                        \
    static inline const uint8_t *NAME(const uint8_t *p, const uint8_t *end, const uint8_t *floor) {                    \
        ptrdiff_t i = p - end; /* one register for the place and for what is left */                                   \
        for (; i <= -16; i += 16) {                                                                                    \
            cberth_vector v = cberth_vload(end + i);                                                                   \
            uint64_t mask = MASK_OF_V;                                                                                 \
            if (mask) return end + i + (__builtin_ctzll(mask) / CBERTH_LANE_BITS);                                     \
        }                                                                                                              \
        if (i < 0 && end - floor >= 16) {                                                                              \
            cberth_vector v = cberth_vload(end - 16);                                                                  \
            uint64_t mask = (MASK_OF_V) >> ((16 + i) * CBERTH_LANE_BITS);                                              \
            return mask ? end + i + (__builtin_ctzll(mask) / CBERTH_LANE_BITS) : end;                                  \
        }                                                                                                              \
        for (; i < 0; i++) {                                                                                           \
            uint8_t c = end[i];                                                                                        \
            if (TEST_OF_C) return end + i;                                                                             \
        }                                                                                                              \
        return end;                                                                                                    \
    }                                                                                                                  \
    __attribute__((always_inline)) static inline bool NAME##_passes(const uint8_t *p, size_t count) {                  \
        if (count == 0) return true;                                                                                   \
        if (count < 16) {                                                                                              \
            cberth_vector v = cberth_vload_short(p, count);                                                            \
            return (MASK_OF_V) == 0;                                                                                   \
        }                                                                                                              \
        if (count <= 32) {                                                                                             \
            cberth_vector v = cberth_vload(p);                                                                         \
            uint64_t first = MASK_OF_V;                                                                                \
            v = cberth_vload(p + count - 16);                                                                          \
            return (first | (MASK_OF_V)) == 0;                                                                         \
        }                                                                                                              \
        return NAME(p, p + count, p) == p + count;                                                                     \
    }
#else
#define CBERTH_SCAN(NAME, MASK_OF_V, TEST_OF_C)                                                                        \
    static inline const uint8_t *NAME(const uint8_t *p, const uint8_t *end, const uint8_t *floor) {                    \
        (void)floor;                                                                                                   \
        for (; p < end; p++) {                                                                                         \
            uint8_t c = *p;                                                                                            \
            if (TEST_OF_C) return p;                                                                                   \
        }                                                                                                              \
        return end;                                                                                                    \
    }                                                                                                                  \
    static inline bool NAME##_passes(const uint8_t *p, size_t count) { return NAME(p, p + count, p) == p + count; }
#endif

/// The first octet that is neither SP nor a visible ASCII character: where a field value ends, or needs the exact scan.
CBERTH_SCAN(cberth_scan_ascii_text, cberth_vmask(cberth_vout(v, 0x20, 0x7e)), c < 0x20 || c > 0x7e)

/// End of the usable part of a field value: the first CTL except HTAB (RFC 9110 §5.5).
CBERTH_SCAN(cberth_scan_field_value,
            cberth_vmask(cberth_vwithout(cberth_vwithout(cberth_vout(v, 0x20, 0x7e), cberth_vout(v, 0, 0x7f)),
                                         cberth_veq(v, 0x09))),
            (c < 0x20 && c != 0x09) || c == 0x7f)

/// End of a common field name: the first octet that is no letter and no "-". Other tokens are looked at one by one.
CBERTH_SCAN(cberth_scan_common_name,
            cberth_vmask(cberth_vwithout(cberth_vout(cberth_vlower(v), 'a', 'z'), cberth_veq(v, '-'))),
            !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '-')

/// End of a common host name: the first octet that is no letter, digit, "-" or ".".
CBERTH_SCAN(cberth_scan_common_host,
            cberth_vmask(cberth_vand(cberth_vout(cberth_vlower(v), 'a', 'z'),
                                     cberth_vor(cberth_vout(v, '-', '9'), cberth_veq(v, '/')))),
            !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && (c < '-' || c > '9' || c == '/'))

/// End of the path of a request target: SP, a CTL, an octet above 0x7e, "?" or "#".
CBERTH_SCAN(cberth_scan_target_path,
            cberth_vmask(cberth_vor(cberth_vout(v, 0x21, 0x7e), cberth_vor(cberth_veq(v, '?'), cberth_veq(v, '#')))),
            c <= 0x20 || c >= 0x7f || c == '?' || c == '#')

/// End of the query of a request target: SP, a CTL, an octet above 0x7e, or "#".
CBERTH_SCAN(cberth_scan_target_query, cberth_vmask(cberth_vor(cberth_vout(v, 0x21, 0x7e), cberth_veq(v, '#'))),
            c <= 0x20 || c >= 0x7f || c == '#')

/// The first "%", "\", "." or octet outside 0x21 through 0x7e.
CBERTH_SCAN(cberth_scan_path_candidate,
            cberth_vmask(cberth_vor(cberth_vor(cberth_vout(v, 0x21, 0x7e), cberth_veq(v, '%')),
                                    cberth_vor(cberth_veq(v, '\\'), cberth_veq(v, '.')))),
            c <= 0x20 || c >= 0x7f || c == '%' || c == '\\' || c == '.')

/// The first octet of a path that cooking may change or refuse: "%", "\", a "." that begins a segment, or an octet outside
/// 0x21 through 0x7e.
static inline const uint8_t *cberth_scan_path_to_cook(const uint8_t *p, const uint8_t *end, const uint8_t *floor) {
    for (;;) {
        const uint8_t *q = cberth_scan_path_candidate(p, end, floor);
        if (q == end || *q != '.' || q == floor || q[-1] == '/') return q;
        p = q + 1;
    }
}

/// Whether cooking would leave a path as it is that begins with "/": the same set.
static inline bool cberth_path_is_cooked(const uint8_t *p, size_t count, const uint8_t *floor) {
#if CBERTH_VECTORS
    if (count == 1) return true;
    if (count <= 17) {
        // The octets behind the first slash, and in the same lanes the octet before each.
        cberth_vector v = cberth_vload_short(p + 1, count - 1), before = cberth_vload_short(p, count - 1);
        cberth_vector set = cberth_vor(cberth_vout(v, 0x21, 0x7e), cberth_vor(cberth_veq(v, '%'), cberth_veq(v, '\\')));
        return cberth_vmask(cberth_vor(set, cberth_vand(cberth_veq(v, '.'), cberth_veq(before, '/')))) == 0;
    }
#endif
    return cberth_scan_path_to_cook(p, p + count, floor) == p + count;
}

/// The first octet above 0x7f.
CBERTH_SCAN(cberth_scan_high_bit, cberth_vmask(cberth_vout(v, 0, 0x7f)), c >= 0x80)

/// Copies `count` octets that do not overlap their new place, with "+" for each that is SP, a CTL or above 0x7e: the form that
/// values have in a W3C log. Reads and writes nothing but them.
static inline void cberth_copy_to_log(uint8_t *to, const uint8_t *from, size_t count) {
#if CBERTH_VECTORS
    if (count >= 16) {
        for (size_t i = 0; i + 16 < count; i += 16) cberth_vstore(to + i, cberth_vlogged(cberth_vload(from + i)));
        cberth_vstore(to + count - 16, cberth_vlogged(cberth_vload(from + count - 16)));
    } else if (count > 0) {
        // The lanes as `cberth_vload_short` fills them.
        uint8_t lanes[16];
        cberth_vstore(lanes, cberth_vlogged(cberth_vload_short(from, count)));
        if (count >= 8) {
            __builtin_memcpy(to, lanes, 8);
            __builtin_memcpy(to + count - 8, lanes + 8, 8);
        } else if (count >= 4) {
            __builtin_memcpy(to, lanes, 4);
            __builtin_memcpy(to + count - 4, lanes + 4, 4);
        } else {
            to[0] = lanes[0];
            to[count >> 1] = lanes[1];
            to[count - 1] = lanes[2];
        }
    }
#else
    for (size_t i = 0; i < count; i++) to[i] = from[i] >= 0x21 && from[i] <= 0x7e ? from[i] : '+';
#endif
}

#undef CBERTH_SCAN
#undef CBERTH_VECTORS

#pragma clang assume_nonnull end
