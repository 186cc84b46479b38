#include "ipc/bundle_writer.h"
#include "ipc/bundle_writer.h"
