#include "dispatcher/admission.h"
#include "dispatcher/admission.h"
