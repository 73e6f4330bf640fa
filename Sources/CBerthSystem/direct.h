// System calls without the C library's functions. Those prepare for a thread that is cancelled meanwhile, which is 30
// instructions a call, and none is cancelled here. For the three calls that a loop makes with every wake-up.
#pragma once
#include <sys/syscall.h>

// Sanitizers know the functions of the C library only.
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define CBERTH_DIRECT 0
#elif defined(__x86_64__)
#define CBERTH_DIRECT 1

/// What the kernel answers: a result, or a negated errno. Source: Linux, Documentation/arch/x86/entry_64.rst; syscall(2).
static inline long cberth_direct(long number, long a, const void *b, long c, long d, const void *e, long f) {
    register long r10 __asm__("r10") = d;
    register const void *r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return number;
}

#elif defined(__aarch64__)
#define CBERTH_DIRECT 1

/// What the kernel answers: a result, or a negated errno. Source: syscall(2).
static inline long cberth_direct(long number, long a, const void *b, long c, long d, const void *e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register const void *x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register const void *x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

#else
#define CBERTH_DIRECT 0
#endif
