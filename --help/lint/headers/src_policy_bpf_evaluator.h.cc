#include "policy/bpf_evaluator.h"
#include "policy/bpf_evaluator.h"
