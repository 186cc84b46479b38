#include "policy/json_document.h"
#include "policy/json_document.h"
