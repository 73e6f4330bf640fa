#include "CBerthModule.h"
