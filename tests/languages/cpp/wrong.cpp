#include <string>
#include <vector>

int main() {
  std::vector<int> values = std::string("text");
}
