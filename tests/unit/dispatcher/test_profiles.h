// Profiles as values, so that the dispatcher's tests need no files.
#ifndef CAISSON_TESTS_UNIT_DISPATCHER_TEST_PROFILES_H_
#define CAISSON_TESTS_UNIT_DISPATCHER_TEST_PROFILES_H_

#include "caisson/v1/run.pb.h"
#include "dispatcher/profile_catalog.h"

namespace caisson::dispatcher {

// "python" and "native" are available; "rust" has a compile step; "cobol" has a toolchain that no host has.
ProfileCatalog TestCatalog();

// A request for "python" that is valid.
v1::ExecuteRequest ValidExecuteRequest();

}  // namespace caisson::dispatcher

#endif  // CAISSON_TESTS_UNIT_DISPATCHER_TEST_PROFILES_H_
