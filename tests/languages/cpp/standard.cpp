// Which standard the profile compiles for. The number of one that is not finished differs between compilers.
#include <iostream>

int main() {
  std::cout << (__cplusplus > 202002L    ? "after C++20"
                : __cplusplus == 202002L ? "C++20"
                : __cplusplus == 201703L ? "C++17"
                : __cplusplus == 201402L ? "C++14"
                : __cplusplus == 201103L ? "C++11"
                                         : "older")
            << std::endl;
}
