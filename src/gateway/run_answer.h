// A whole run as one JSON object, for clients that do not read events. Pure. Untrusted: the program's output.
#ifndef CAISSON_GATEWAY_RUN_ANSWER_H_
#define CAISSON_GATEWAY_RUN_ANSWER_H_

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "caisson/v1/run.pb.h"

namespace caisson::gateway {

class RunAnswer {
 public:
  // False when the answer would hold more than `kMaxBytes` of output and files.
  bool Take(const v1::RunEvent& event);
  bool finished() const { return finished_; }
  size_t bytes() const { return bytes_; }

  const std::string& name() const { return name_; }
  const v1::RunResult& result() const { return result_; }
  // Whether there was a compile step that wrote something or ended.
  bool compiled() const { return compiled_; }
  // `step` "compile" or "run".
  const std::string& Bytes(std::string_view step, v1::Stream stream) const;
  // Both streams as their pieces came.
  const std::string& Both(std::string_view step) const;

  std::string Json() const;

  static constexpr size_t kMaxBytes = size_t{16} << 20U;

 private:
  struct Step {
    std::string stdout_bytes;
    std::string stderr_bytes;
    std::string both;
  };
  struct File {
    std::string bytes;
    bool executable = false;
  };

  const Step& Of(std::string_view step) const { return steps_[step == "compile" ? 0 : 1]; }
  Step& Of(std::string_view step) { return steps_[step == "compile" ? 0 : 1]; }

  std::string name_;
  v1::RunResult result_;
  std::array<Step, 2> steps_;
  std::vector<std::string> paths_;
  std::map<std::string, File> files_;
  size_t bytes_ = 0;
  bool compiled_ = false;
  bool finished_ = false;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_RUN_ANSWER_H_
