#include "dispatcher/file_paths.h"
#include "dispatcher/file_paths.h"
