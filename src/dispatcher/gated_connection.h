// One client's connection: its bytes to gRPC and gRPC's to it, and what is looked at on the way. On the
// gate's thread alone. Untrusted: what the client sends, how fast, and whether it reads.
#ifndef CAISSON_DISPATCHER_GATED_CONNECTION_H_
#define CAISSON_DISPATCHER_GATED_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "dispatcher/call_watch.h"
#include "dispatcher/frame_reader.h"
#include "dispatcher/standing.h"

namespace caisson::dispatcher {

class GatedConnection {
 public:
  enum class Leave { kGranted, kWait, kEnd };

  // Who keeps the connections, and the bounds of all of them together.
  class Keeper {
   public:
    virtual ~Keeper() = default;
    // May gRPC get headers of this cost now, which open a call or go on with one? After kWait, Resume comes.
    virtual Leave MayPass(GatedConnection& connection, uint32_t cost) = 0;
    virtual void OnOpenCalls(size_t before, size_t now) = 0;
    // The connection is over; why, where it was not the peers' doing. It is destroyed after its handlers have
    // returned.
    virtual void OnEnd(GatedConnection& connection, const char* reason) = 0;
  };

  // `client` is the accepted socket, `server` our end of the pair whose other end gRPC has, `name` what the
  // connection book calls it, `standing` whose it is. A preface or a header block that takes longer than
  // `incomplete_ms` ends the connection.
  GatedConnection(EventLoop& loop, Keeper& keeper, UniqueFd client, UniqueFd server, std::string name,
                  std::shared_ptr<const Standing> standing, int64_t incomplete_ms);
  ~GatedConnection();
  GatedConnection(const GatedConnection&) = delete;
  GatedConnection& operator=(const GatedConnection&) = delete;

  // False where the kernel has no room for two more descriptors to watch.
  bool Start();
  // The headers for which MayPass said kWait may be tried again.
  void Resume();
  // OnEnd follows; without effect the second time.
  void End(const char* reason);

  const std::string& name() const { return name_; }
  const std::string& group() const { return standing_->group(); }
  bool had_calls() const { return calls_.had_calls(); }
  size_t open_calls() const { return calls_.open_calls(); }
  // When the client last sent something.
  int64_t active_ns() const { return active_ns_; }

 private:
  // Bytes of one direction that were read and not written yet; the first `passed` of them were looked at.
  struct Flow {
    std::string bytes;
    size_t passed = 0;
    bool ended = false;  // nothing more comes
  };

  void OnClient(uint32_t events);
  void OnServer(uint32_t events);
  void ReadUp();
  void ReadDown();
  void MoveUp();
  void MoveDown();
  // How many of the bytes may go on.
  size_t LookUp(std::string_view bytes);
  size_t LookDown(std::string_view bytes);
  void TellOpenCalls();
  void SetIncompleteTimer();
  void SetInterest();

  EventLoop& loop_;
  Keeper& keeper_;
  UniqueFd client_;
  UniqueFd server_;
  const std::string name_;
  const std::shared_ptr<const Standing> standing_;
  const int64_t incomplete_ms_;
  FrameReader client_frames_{true};
  FrameReader server_frames_{false};
  CallWatch calls_;
  Flow up_;
  Flow down_;
  size_t told_calls_ = 0;
  bool waiting_ = false;  // for the keeper's leave to pass headers on
  bool over_ = false;
  bool server_watched_ = false;
  uint32_t client_interest_ = 0;
  uint32_t server_interest_ = 0;
  EventLoop::TimerId incomplete_timer_ = 0;
  int64_t active_ns_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_GATED_CONNECTION_H_
