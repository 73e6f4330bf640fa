// A handler module that behaves well or badly, as the path of the request and its configuration say. For tests.
#ifndef FIXTURE_MODULE_H
#define FIXTURE_MODULE_H

#include "berth_module.h"

__attribute__((visibility("default")))
int32_t berth_module_register(const berth_host *_Nonnull host, berth_module *_Nonnull module, berth_failure *_Nonnull failure);

#endif
