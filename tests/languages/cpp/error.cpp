#include <map>
#include <stdexcept>
#include <string>

int main() {
  const std::map<std::string, int> values;
  return values.at("missing");
}
