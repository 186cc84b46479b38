#include <cstdlib>
#include <iostream>

struct Leaving {
  ~Leaving() { std::cout << "leaving\n"; }
};

int main() {
  static const Leaving leaving;
  std::exit(7);
}
