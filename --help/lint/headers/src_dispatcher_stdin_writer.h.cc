#include "dispatcher/stdin_writer.h"
#include "dispatcher/stdin_writer.h"
