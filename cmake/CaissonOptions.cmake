# caisson::options carries the language level, the warnings and the hardening; every hosted target links it.
add_library(caisson_options INTERFACE)
add_library(caisson::options ALIAS caisson_options)

target_compile_features(caisson_options INTERFACE cxx_std_20)
target_compile_options(caisson_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wcast-qual
  -Wcast-align -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2 -Wundef -Wextra-semi
  -Wdouble-promotion -Werror
  # The same sources give the same programs, wherever they lie.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wsuggest-override>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wshorten-64-to-32>
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE -fno-plt
  $<$<CXX_COMPILER_ID:GNU>:-ftrivial-auto-var-init=zero>
  # FORTIFY needs optimisation.
  $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
target_compile_definitions(caisson_options INTERFACE _GLIBCXX_ASSERTIONS _GNU_SOURCE)
target_link_options(caisson_options INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

if(CAISSON_SANITIZE)
  target_compile_options(caisson_options INTERFACE -fsanitize=${CAISSON_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all -U_FORTIFY_SOURCE
    # GCC 12 sees uninitialised values in fmt's headers once they are instrumented.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized -Wno-maybe-uninitialized>)
  target_link_options(caisson_options INTERFACE -fsanitize=${CAISSON_SANITIZE})
endif()
