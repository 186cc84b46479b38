// Threads and what synchronises them, up to C++20; parallel algorithms; processes through the C library.
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <iostream>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#define CHECK(...) ((__VA_ARGS__) ? (void)0 : throw std::runtime_error("not so: line " + std::to_string(__LINE__)))

int main() {
  using namespace std::chrono_literals;
  std::atomic<int> sum = 0;
  {
    std::barrier barrier(8);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 100; ++round) {
          barrier.arrive_and_wait();
          sum += 1;
        }
      });
    }
  }
  CHECK(sum == 800);
  auto slow = std::async(std::launch::async, [] {
    std::this_thread::sleep_for(1ms);
    return 42;
  });
  CHECK(slow.get() == 42);
  std::promise<int> promise;
  std::thread([&] { promise.set_exception(std::make_exception_ptr(std::runtime_error("carried"))); }).join();
  bool carried = false;
  try {
    promise.get_future().get();
  } catch (const std::runtime_error& error) {
    carried = error.what() == std::string("carried");
  }
  CHECK(carried);
  std::jthread stopped([](const std::stop_token& token) {
    std::mutex mutex;
    std::condition_variable_any condition;
    std::unique_lock lock(mutex);
    condition.wait(lock, token, [] { return false; });
  });
  stopped.request_stop();
  stopped.join();
  std::latch latch(2);
  std::counting_semaphore<4> semaphore(0);
  std::shared_mutex mutex;
  std::jthread other([&] {
    const std::shared_lock lock(mutex);
    latch.count_down();
    semaphore.release();
  });
  latch.arrive_and_wait();
  semaphore.acquire();
  CHECK(!semaphore.try_acquire_for(1ms) && std::thread::hardware_concurrency() >= 1);
  std::once_flag once;
  int times = 0;
  std::call_once(once, [&] { ++times; });
  std::call_once(once, [&] { ++times; });
  CHECK(times == 1);

  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen("echo out | tr a-z A-Z", "r"), pclose);
  std::array<char, 16> line{};
  CHECK(std::fgets(line.data(), line.size(), pipe.get()) != nullptr && std::string(line.data()) == "OUT\n");
  CHECK(WEXITSTATUS(std::system("exit 3")) == 3);
  std::cout << "ok\n";
}
