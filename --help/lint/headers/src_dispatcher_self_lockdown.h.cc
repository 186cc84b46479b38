#include "dispatcher/self_lockdown.h"
#include "dispatcher/self_lockdown.h"
