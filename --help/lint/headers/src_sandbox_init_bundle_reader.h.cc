#include "sandbox/init/bundle_reader.h"
#include "sandbox/init/bundle_reader.h"
