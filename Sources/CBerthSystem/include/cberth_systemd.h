// What Berth takes from libsystemd: inherited descriptors, notifications, the journal.
#ifndef CBERTH_SYSTEMD_H
#define CBERTH_SYSTEMD_H

#include <stdint.h>

#pragma clang assume_nonnull begin

/// Descriptors handed over by the service manager start at this number.
int cberth_listen_descriptors_start(void);

/// How many descriptors were handed over (0: none), or a negated errno. `names` receives a null-terminated array to be freed
/// with cberth_listen_names_free, or null. The environment variables are unset, so that workers don't inherit them.
int cberth_listen_descriptors(char *_Nullable *_Nullable *_Nonnull names);
void cberth_listen_names_free(char *_Nullable *_Nullable names);

/// sd_notify: "READY=1", "STATUS=...", several lines at once. 0: there is no service manager.
int cberth_notify(const char *state);

/// sd_watchdog_enabled: microseconds between two expected signs of life, or 0.
uint64_t cberth_watchdog_microseconds(void);

/// Whether standard error is the journal (JOURNAL_STREAM names it).
int cberth_standard_error_is_journal(void);

/// One entry with MESSAGE, PRIORITY and up to 8 more fields "NAME=value". 0 or a negated errno.
int cberth_journal_send(int priority, const char *message, const char *_Nullable const *_Nonnull fields, int count);

#pragma clang assume_nonnull end

#endif
