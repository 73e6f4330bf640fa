// An example of a handler module in C. What it exports is declared by the module ABI.
#ifndef ECHO_MODULE_H
#define ECHO_MODULE_H

#include "berth_module.h"

/// Fills `module` with the table of the echo module. Any thread, once a process. Cannot fail.
__attribute__((visibility("default")))
int32_t berth_module_register(const berth_host *_Nonnull host, berth_module *_Nonnull module, berth_failure *_Nonnull failure);

#endif
