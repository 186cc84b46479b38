#include "dispatcher/undecodable_fields.h"
#include "dispatcher/undecodable_fields.h"
