#include "cberth_systemd.h"
