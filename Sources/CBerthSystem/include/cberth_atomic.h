// Atomic operations on plain memory: queue heads, completion words and the few counters that must be exact over all loops.
#ifndef CBERTH_ATOMIC_H
#define CBERTH_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

static inline uint64_t cberth_atomic_load(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline uint64_t cberth_atomic_load_relaxed(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static inline void cberth_atomic_store(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline void cberth_atomic_store_relaxed(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
static inline uint64_t cberth_atomic_exchange(uint64_t *word, uint64_t value) { return __atomic_exchange_n(word, value, __ATOMIC_ACQ_REL); }
static inline uint64_t cberth_atomic_add(uint64_t *word, uint64_t value) { return __atomic_add_fetch(word, value, __ATOMIC_ACQ_REL); }
static inline uint64_t cberth_atomic_subtract(uint64_t *word, uint64_t value) { return __atomic_sub_fetch(word, value, __ATOMIC_ACQ_REL); }
/// Adds to a word that one thread writes and any thread reads. Costs what a plain addition does.
static inline void cberth_count(uint64_t *word, uint64_t more) {
    __atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + more, __ATOMIC_RELAXED);
}
/// True when the word was `expected` and is now `desired`; otherwise `expected` holds what it was.
static inline bool cberth_atomic_compare_exchange(uint64_t *word, uint64_t *expected, uint64_t desired) {
    return __atomic_compare_exchange_n(word, expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

#pragma clang assume_nonnull end

#endif
