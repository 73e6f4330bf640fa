#include "CBerthTOML.h"
