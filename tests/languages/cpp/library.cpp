// What the standard library has: containers, ranges, formats of time, regular expressions, files, random numbers, exceptions.
#include <algorithm>
#include <any>
#include <array>
#include <bitset>
#include <chrono>
#include <compare>
#include <complex>
#include <concepts>
#include <coroutine>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <locale>
#include <map>
#include <memory>
#include <memory_resource>
#include <numbers>
#include <optional>
#include <queue>
#include <random>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#define CHECK(...) ((__VA_ARGS__) ? (void)0 : throw std::runtime_error("not so: line " + std::to_string(__LINE__)))

namespace {

struct Generator {
  struct promise_type {
    int value = 0;
    Generator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(int next) {
      value = next;
      return {};
    }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> handle;
  int Next() {
    handle.resume();
    return handle.promise().value;
  }
  ~Generator() { handle.destroy(); }
};

Generator Squares() {
  for (int i = 1;; ++i) {
    co_yield i* i;
  }
}

template <std::integral T>
T Twice(T value) {
  return value * 2;
}

void Containers() {
  std::mt19937 engine(1);
  std::vector<int> values(1'000'000);
  std::ranges::generate(values, [&] { return static_cast<int>(engine() % 1'000'000); });
  std::ranges::sort(values);
  CHECK(std::ranges::is_sorted(values));
  auto even = values | std::views::filter([](int value) { return value % 2 == 0; }) | std::views::take(10);
  CHECK(std::ranges::distance(even) == 10);
  std::unordered_map<std::string, int> counts;
  for (const int value : values) {
    ++counts[std::to_string(value % 100)];
  }
  CHECK(counts.size() == 100);
  std::priority_queue<int> queue(values.begin(), values.begin() + 1000);
  CHECK(queue.top() == values[999]);
  std::variant<int, std::string> either = "text";
  CHECK(std::get<std::string>(either) == "text" && std::any_cast<int>(std::any(3)) == 3 && !std::optional<int>());
  std::pmr::monotonic_buffer_resource pool;
  std::pmr::vector<int> pooled(1000, 7, &pool);
  CHECK(std::span(pooled).back() == 7 && std::bitset<8>("101").to_ulong() == 5 && (std::strong_ordering::less < 0));
  CHECK(std::abs(std::exp(std::complex(0.0, std::numbers::pi)) + 1.0) < 1e-9 && Twice(21) == 42);
  Generator squares = Squares();
  CHECK(squares.Next() == 1 && squares.Next() == 4);
}

void Text() {
  std::ostringstream out;
  out << std::fixed << std::setprecision(2) << 3.14159 << '|' << std::hex << 255 << '|' << std::setw(4) << std::setfill('0') << 7;
  CHECK(out.str() == "3.14|ff|0007");
  const std::time_t then = 1719828000;
  std::ostringstream date;
  date << std::put_time(std::gmtime(&then), "%A %H:%M");
  CHECK(date.str() == "Monday 10:00" && std::locale("C.UTF-8").name() == "C.UTF-8");
  CHECK(std::chrono::steady_clock::now().time_since_epoch().count() > 0);
  std::set<unsigned> drawn;
  std::random_device device;
  std::generate_n(std::inserter(drawn, drawn.end()), 10, [&] { return device(); });
  CHECK(drawn.size() > 5);
}

void Files() {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / "tree";
  fs::create_directories(root / "deep" / "er");
  std::ofstream(root / "a.txt") << "first\nsecond\n";
  fs::copy(root / "deep", root / "copy", fs::copy_options::recursive);
  fs::copy_file(root / "a.txt", root / "b.txt");
  fs::rename(root / "b.txt", root / "c.txt");
  fs::create_symlink("a.txt", root / "link");
  fs::create_hard_link(root / "a.txt", root / "hard");
  fs::permissions(root / "hard", fs::perms::owner_read | fs::perms::owner_write);
  fs::last_write_time(root / "hard", fs::file_time_type::clock::now());
  fs::resize_file(root / "c.txt", 5);
  CHECK(fs::file_size(root / "c.txt") == 5 && fs::read_symlink(root / "link") == "a.txt" && fs::hard_link_count(root / "hard") == 2);
  std::ifstream in(root / "a.txt");
  std::string line;
  CHECK(std::getline(in, line) && line == "first" && fs::canonical(root / "link") == root / "a.txt");
  CHECK(std::ranges::distance(fs::recursive_directory_iterator(root), fs::recursive_directory_iterator()) >= 7);
  CHECK(fs::space("/box").capacity > 0 && fs::remove_all(root) >= 7);
}

int Thrower(int depth) { return depth == 0 ? throw std::out_of_range("deep") : Thrower(depth - 1) + 1; }

}  // namespace

int main() {
  Containers();
  Text();
  Files();
  bool caught = false;
  try {
    Thrower(1000);
  } catch (const std::out_of_range& error) {
    caught = std::string_view(error.what()) == "deep";
  }
  CHECK(caught);
  const auto shared = std::make_shared<std::string>("shared");
  CHECK(std::weak_ptr(shared).lock() == shared);
  std::cout << "ok\n";
}
