#include "ipc/bundle_path.h"
#include "ipc/bundle_path.h"
