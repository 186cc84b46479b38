// A log sink that lets so many lines a second through and counts the rest: clients can cause lines, and
// nobody may fill the host's disk with them.
#ifndef CAISSON_ORCHESTRATOR_BOUNDED_SINK_H_
#define CAISSON_ORCHESTRATOR_BOUNDED_SINK_H_

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace caisson::orchestrator {

// Of errors, and apart from them of everything below: a flood of warnings drops no error.
inline constexpr uint32_t kLogLinesPerSecond = 100;

// Single-threaded, as caissond is. Formatting and writing are the inner sink's.
class BoundedSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // `now_nanos` is MonotonicNanos but in tests.
  BoundedSink(spdlog::sink_ptr inner, std::function<int64_t()> now_nanos);

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  // Also says how much was dropped, if its second is over.
  void flush_() override;
  void set_formatter_(std::unique_ptr<spdlog::formatter> formatter) override;

 private:
  struct Window {
    int64_t begin_nanos = 0;
    uint32_t lines = 0;
    uint64_t dropped = 0;
  };

  void EndWindow(Window& window, int64_t now, spdlog::string_view_t logger);

  spdlog::sink_ptr inner_;
  std::function<int64_t()> now_nanos_;
  Window errors_;
  Window others_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_BOUNDED_SINK_H_
