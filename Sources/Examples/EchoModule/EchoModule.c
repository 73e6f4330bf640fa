#include "EchoModule.h"
