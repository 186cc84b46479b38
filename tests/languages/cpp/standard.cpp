// Prints which standard it is compiled under.
#include <cstdio>

int main() { std::printf("%ld\n", static_cast<long>(__cplusplus)); }
