#include <cstdio>

int main() {
  std::puts("before");
  std::fflush(stdout);
  volatile int* nowhere = nullptr;
  return *nowhere;
}
