#include "CBerthBytes.h"
