#include <iostream>
#include <numeric>
#include <string>
#include <vector>

int main() {
  std::ios::sync_with_stdio(false);
  std::string title;
  std::getline(std::cin, title);
  std::vector<long> numbers;
  for (long number = 0; std::cin >> number;) {
    numbers.push_back(number);
  }
  std::cout << title << ": " << numbers.size() << " numbers, sum "
            << std::accumulate(numbers.begin(), numbers.end(), 0L) << '\n';
}
