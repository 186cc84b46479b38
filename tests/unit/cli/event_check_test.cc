// Which events have a place, whatever a server sends.
#include "cli/event_check.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "common/status.h"

namespace caisson::cli {
namespace {

using Events = std::vector<v1::RunEvent>;

v1::RunEvent Accepted() {
  v1::RunEvent event;
  event.mutable_accepted()->set_name("runs/1");
  return event;
}

v1::RunEvent Queued() {
  v1::RunEvent event;
  event.mutable_queued()->set_position(1);
  return event;
}

v1::RunEvent Started() {
  v1::RunEvent event;
  event.mutable_started();
  return event;
}

v1::RunEvent Print(const std::string& data, uint64_t offset, v1::Stream stream = v1::STREAM_STDOUT,
                   const std::string& step = "run") {
  v1::RunEvent event;
  event.mutable_output()->set_stream(stream);
  event.mutable_output()->set_step(step);
  event.mutable_output()->set_offset(offset);
  event.mutable_output()->set_data(data);
  return event;
}

v1::RunEvent File(const std::string& path) {
  v1::RunEvent event;
  event.mutable_output_file()->set_path(path);
  return event;
}

v1::RunEvent Finished(const std::function<void(v1::RunResult&)>& change = [](v1::RunResult&) {}) {
  v1::RunEvent event;
  v1::RunResult& result = *event.mutable_finished();
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(0);
  change(result);
  return event;
}

class EventCheckTest : public ::testing::Test {
 protected:
  // What is said about the last of `events`, the others being good; they are numbered here. "" when it is
  // good.
  std::string Complaint(Events events, EventCheck::Output output = EventCheck::Output::kPassed) const {
    EventCheck check(request_, output);
    for (size_t i = 0; i < events.size(); ++i) {
      events[i].set_sequence(i + 1);
      const absl::Status status = check.Accept(events[i]);
      if (i + 1 == events.size()) {
        return Message(status);
      }
      EXPECT_TRUE(status.ok()) << i << ": " << status;
    }
    return "";
  }

  v1::ExecuteRequest request_;
};

TEST_F(EventCheckTest, ARunAsItShouldBeHasNothingToComplainAbout) {
  request_.add_output_paths("out");
  v1::RunEvent newer;  // of a kind that this program does not know
  EXPECT_EQ(Complaint({newer, Queued(), Accepted(), Started(), Print("cc", 0, v1::STREAM_STDERR, "compile"),
                       Started(), Print("ab", 0), Print("x", 0, v1::STREAM_STDERR), Print("c", 2), newer,
                       File("out"), Finished([](v1::RunResult& result) {
                         result.mutable_stdout()->set_delivered_bytes(3);
                         result.mutable_stderr()->set_delivered_bytes(1);
                         result.add_outputs()->set_path("out");
                       })}),
            "");
}

TEST_F(EventCheckTest, EventsOutOfOrderAreRefused) {
  request_.add_output_paths("out");
  struct Row {
    Events events;
    const char* complaint;
  };
  const std::vector<Row> rows{
      {{Print("a", 0)}, "`output` before the run was accepted"},
      {{Started()}, "`started` before the run was accepted"},
      {{File("out")}, "`output_file` before the run was accepted"},
      {{Finished()}, "`finished` before the run was accepted"},
      {{Queued(), Finished()}, "`finished` before the run was accepted"},
      {{Accepted(), Accepted()}, "`accepted` after the run was accepted"},
      {{Accepted(), Queued()}, "`queued` after the run was accepted"},
      {{Accepted(), File("out"), Print("a", 0)}, "output after returned files"},
      {{Accepted(), Finished(), Finished()}, "`finished` after the result"},
      {{Accepted(), Finished(), Print("a", 0)}, "`output` after the result"},
      {{Accepted(), Finished(), File("out")}, "`output_file` after the result"},
      {{Accepted(), Finished(), v1::RunEvent()}, "an event of an unknown kind after the result"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Complaint(row.events), row.complaint);
  }
}

TEST_F(EventCheckTest, AMissingEventIsSeenByItsNumber) {
  EventCheck check(request_, EventCheck::Output::kPassed);
  v1::RunEvent event = Queued();
  event.set_sequence(2);
  EXPECT_EQ(Message(check.Accept(event)), "event 2 after event 0");
}

TEST_F(EventCheckTest, ARunWithoutANameIsRefused) {
  v1::RunEvent event = Accepted();
  event.mutable_accepted()->clear_name();
  EXPECT_EQ(Complaint({event}), "`accepted` without a name");
}

TEST_F(EventCheckTest, OutputHasNeitherGapNorOverlap) {
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 1)}), "stdout from byte 1 on where byte 0 was due");
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0), Print("c", 3)}),
            "stdout from byte 3 on where byte 2 was due");
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0), Print("b", 1)}),
            "stdout from byte 1 on where byte 2 was due");
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0), Print("c", 2, v1::STREAM_STDERR)}),
            "stderr from byte 2 on where byte 0 was due");
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0, v1::STREAM_STDOUT, "compile"), Print("ab", 0)}), "")
      << "each step begins at 0";
}

TEST_F(EventCheckTest, OutputOfUnknownStreamsAndStepsIsRefused) {
  EXPECT_EQ(Complaint({Accepted(), Print("a", 0, static_cast<v1::Stream>(7))}),
            "output of a stream that is neither stdout nor stderr: 7");
  EXPECT_EQ(Complaint({Accepted(), Print("a", 0, v1::STREAM_UNSPECIFIED)}),
            "output of a stream that is neither stdout nor stderr: 0");
  EXPECT_EQ(Complaint({Accepted(), Print("a", 0, v1::STREAM_STDOUT, "li\nnk")}),
            "output of a step that is neither compile nor run: 'li\\x0ank'");
}

TEST_F(EventCheckTest, MoreOutputThanTheRequestAllowsIsRefused) {
  request_.mutable_limits()->set_output_bytes(2);
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0)}), "");
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0), Print("c", 2)}),
            "more of stdout than the 2 bytes that output_bytes allows");
  EXPECT_EQ(Complaint({Accepted(), Print("abc", 0, v1::STREAM_STDERR, "compile")}), "")
      << "not the compiler's limit";
}

TEST_F(EventCheckTest, OutputGatheredForJsonHasABoundWithoutALimitToo) {
  const std::string half(EventCheck::kMaxGatheredBytes / 2, 'x');
  for (const char* step : {"run", "compile"}) {
    const auto piece = [&](const std::string& data, uint64_t offset) {
      return Print(data, offset, v1::STREAM_STDERR, step);
    };
    const Events all{Accepted(), piece(half, 0), piece(half, half.size())};
    EXPECT_EQ(Complaint(all, EventCheck::Output::kGathered), "");
    Events beyond = all;
    beyond.push_back(piece("x", 2 * half.size()));
    EXPECT_EQ(Complaint(beyond, EventCheck::Output::kGathered)
                  .find("more than 64 MiB of stderr cannot be gathered for --json"),
              0U);
    EXPECT_EQ(Complaint(beyond), "") << "passed on, it costs nothing";
  }
}

TEST_F(EventCheckTest, LimitOfTheRequestIsTheBoundForJsonAlsoWhereItIsLarger) {
  request_.mutable_limits()->set_output_bytes(2 * EventCheck::kMaxGatheredBytes);
  const std::string all(EventCheck::kMaxGatheredBytes, 'x');
  EXPECT_EQ(Complaint({Accepted(), Print(all, 0), Print("x", all.size())}, EventCheck::Output::kGathered),
            "");
}

TEST_F(EventCheckTest, ResultMustCountWhatCame) {
  const auto counted = [](uint64_t out, uint64_t err) {
    return Finished([=](v1::RunResult& result) {
      result.mutable_stdout()->set_delivered_bytes(out);
      result.mutable_stderr()->set_delivered_bytes(err);
    });
  };
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0), counted(2, 0)}), "");
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0), counted(5, 0)}),
            "2 bytes of stdout, but by its own word delivered 5");
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0), counted(2, 1)}),
            "0 bytes of stderr, but by its own word delivered 1");
  EXPECT_EQ(Complaint({Accepted(), Print("ab", 0, v1::STREAM_STDOUT, "compile"), Finished()}), "")
      << "a program that did not compile has no streams";
}

TEST_F(EventCheckTest, ResultMustHaveTheEndItsVerdictPromises) {
  EXPECT_EQ(Complaint({Accepted(), Finished([](v1::RunResult& result) { result.clear_exit_code(); })}),
            "a result that is COMPLETED without an exit code or signal that a process can have");
  EXPECT_EQ(Complaint({Accepted(), Finished([](v1::RunResult& result) { result.set_exit_code(256); })}),
            "a result that is COMPLETED without an exit code or signal that a process can have");
  EXPECT_EQ(Complaint({Accepted(), Finished([](v1::RunResult& result) {
                         result.set_verdict(v1::SIGNALED);
                         result.set_signal(128);
                       })}),
            "a result that is SIGNALED without an exit code or signal that a process can have");
  EXPECT_EQ(Complaint({Accepted(), Finished([](v1::RunResult& result) {
                         result.set_verdict(static_cast<v1::Verdict>(99));
                       })}),
            "")
      << "a newer server may have more verdicts";
}

TEST_F(EventCheckTest, ReturnedFilesAreHeldToTheirOwnRules) {
  request_.add_output_paths("out");
  EXPECT_EQ(Complaint({Accepted(), File("other")}), "a file nobody asked for: 'other'");
  EXPECT_EQ(Complaint({Accepted(), File("out"),
                       Finished([](v1::RunResult& result) { result.add_outputs()->set_path("out/more"); })}),
            "a list of returned files with 'out/more', which never came");
}

}  // namespace
}  // namespace caisson::cli
