// The layouts that both sides of the module ABI rely on.
#include "berth_module.h"

_Static_assert(sizeof(berth_octets) == 16, "a run of octets is a pointer and a count");
_Static_assert(sizeof(berth_field) == 16, "a field is 16 octets, as in BerthHTTP");
_Static_assert(offsetof(berth_field, id) == 12, "the number of a field follows its lengths");
_Static_assert(BERTH_STAGE_COUNT == 14, "stages are never renumbered");
