// Writes a bundle's input files below the working directory, which is /box.
#ifndef CAISSON_SANDBOX_INIT_UNPACK_H_
#define CAISSON_SANDBOX_INIT_UNPACK_H_

#include "sandbox/init/bundle_reader.h"
#include "sandbox/init/report.h"

namespace caisson::init {

// Runs in the locked stub. A path that is not plainly below /box, or a second file of the same name, fails
// the run.
void UnpackFiles(BundleReader& bundle, Progress& progress);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_UNPACK_H_
