#include "dispatcher/run_bundle.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "common/status.h"
#include "ipc/bundle_records.h"
#include "ipc/output_records.h"

namespace caisson::dispatcher {
namespace {

using ipc::Data;
using ipc::Done;
using ipc::File;
using ipc::FileEnd;
using ipc::Refused;
using ipc::WholeFile;
using wire::OutputRefusal;

// A bundle whose request has these files, and what its compile step sent.
std::unique_ptr<RunBundle> After(const std::map<std::string, std::string>& inputs,
                                 const std::string& stream) {
  ipc::BundleWriter first = *ipc::BundleWriter::Create();
  for (const auto& [path, content] : inputs) {
    EXPECT_TRUE(first.AddFile(path, content, ipc::FileMode::kRegular).ok());
  }
  std::vector<ipc::BundleFile> files = first.files();
  ipc::BundleWriter second = *ipc::BundleWriter::Create();
  EXPECT_TRUE(second.AddMainFile("main.rs").ok());
  auto bundle = std::make_unique<RunBundle>(std::move(second), *first.Seal(), std::move(files),
                                            std::vector<std::string>{"program", "."});
  ipc::OutputDecoder decoder(*bundle);
  EXPECT_TRUE(decoder.Feed(std::as_bytes(std::span(stream))).ok());
  return bundle;
}

// path → mode and content of the files in the sealed bundle.
std::map<std::string, std::string> Files(RunBundle& bundle, int* turns = nullptr) {
  int count = 1;
  for (absl::StatusOr<bool> more = bundle.AddSomeInputs(); more.ok() && *more;
       more = bundle.AddSomeInputs()) {
    ++count;
  }
  if (turns != nullptr) {
    *turns = count;
  }
  std::map<std::string, std::string> files;
  const absl::StatusOr<UniqueFd> sealed = bundle.Seal();
  EXPECT_TRUE(sealed.ok()) << sealed.status();
  for (const ipc::Record& record : ipc::Parse(ipc::Content(sealed->get()))) {
    if (record.type == wire::BundleRecord::kFile) {
      EXPECT_TRUE(files.emplace(record.name, (record.mode == 0755 ? "x " : "- ") + record.data).second);
    }
  }
  return files;
}

using FileMap = std::map<std::string, std::string>;

TEST(RunBundleTest, ArtefactsAndInputsAreTogetherWithTheirModes) {
  const auto bundle =
      After({{"main.rs", "fn main"}, {"data/in", "input"}},
            WholeFile("program", std::string(100'000, 'p'), 1) + WholeFile("lib/a", "") + Done());
  EXPECT_EQ(bundle->Problem(), "");
  EXPECT_EQ(Files(*bundle), (FileMap{{"main.rs", "- fn main"},
                                     {"data/in", "- input"},
                                     {"program", "x " + std::string(100'000, 'p')},
                                     {"lib/a", "- "}}));
}

TEST(RunBundleTest, AnArtefactTakesThePlaceOfAnInput) {
  const auto bundle = After({{"same", "old"}, {"dir/file", "old"}, {"file", "old"}, {"dirs", "kept"}},
                            WholeFile("same", "new") + WholeFile("dir", "now a file") +
                                WholeFile("file/now", "a directory") + Done());
  EXPECT_EQ(
      Files(*bundle),
      (FileMap{
          {"same", "- new"}, {"dir", "- now a file"}, {"file/now", "- a directory"}, {"dirs", "- kept"}}));
}

TEST(RunBundleTest, LargeInputsAreCopiedInSmallPieces) {
  const std::string large = std::string(9U << 20U, 'l') + "end";
  const auto bundle = After({{"large", large}, {"small", "s"}}, WholeFile("program", "p") + Done());
  int turns = 0;
  EXPECT_EQ(Files(*bundle, &turns), (FileMap{{"large", "- " + large}, {"small", "- s"}, {"program", "- p"}}));
  EXPECT_EQ(turns, 3);
}

TEST(RunBundleTest, TheSameFileByTwoPathsIsThereOnce) {
  const auto bundle = After({}, WholeFile("program", "p") + WholeFile("program", "p") + Done());
  EXPECT_EQ(bundle->Problem(), "");
  EXPECT_EQ(Files(*bundle), (FileMap{{"program", "- p"}}));
}

TEST(RunBundleTest, LinksAndDevicesBelowADirectoryAreLeftOut) {
  const auto bundle =
      After({}, WholeFile("program", "p") + Refused("l", OutputRefusal::kLink) +
                    Refused("d", OutputRefusal::kNotAFile) + WholeFile("a\xff", "x") + Done());
  EXPECT_EQ(bundle->Problem(), "");
  EXPECT_EQ(Files(*bundle), (FileMap{{"program", "- p"}}));
}

struct ProblemCase {
  std::string stream;
  const char* problem;
};

TEST(RunBundleTest, WhatCannotBeHandedOnIsAProblem) {
  const std::string program = WholeFile("program", "p");
  const uint64_t most = RunBundle::kMaxArtefactBytes;
  std::string many;
  for (uint32_t i = 0; i < wire::kMaxOutputRefusals; ++i) {
    many += Refused("l", OutputRefusal::kLink);
  }
  const ProblemCase cases[] = {
      {program, "what the compiler made could not be collected in time"},
      {Refused("program", OutputRefusal::kNotFound) + Done(),
       "the compiler did not make what it is expected to make"},
      {Refused("program", OutputRefusal::kLink) + Done(),
       "a file that the compiler made cannot be handed on"},
      {program + Refused("x", OutputRefusal::kTooLarge) + Done(),
       "what the compiler made has more than 256 MiB"},
      {program + Refused("x", OutputRefusal::kTooMany) + Done(), "the compiler made more than 1,024 files"},
      {program + Refused("x", OutputRefusal::kSparse) + Done(),
       "the compiler made a file with holes of more than 16 MiB"},
      {program + Refused("x", OutputRefusal::kReadFailed, 5) + Done(),
       "a file that the compiler made cannot be handed on"},
      {File("program", most + 1) + FileEnd(OutputRefusal::kReadFailed) + Done(),
       "what the compiler made has more than 128 MiB"},
      {File("program", 2) + Data("p") + FileEnd(OutputRefusal::kReadFailed) + WholeFile("b", "b") + Done(),
       "what the compiler made could not be read"},
      {program + many + Done(7), "too much of what the compiler made cannot be handed on"},
  };
  for (const ProblemCase& one : cases) {
    EXPECT_EQ(After({}, one.stream)->Problem(), one.problem);
  }
}

TEST(RunBundleTest, TheBoundIsOnAllArtefactsTogether) {
  const std::string half = File("a", RunBundle::kMaxArtefactBytes) + FileEnd(OutputRefusal::kReadFailed);
  const auto bundle = After({}, half + WholeFile("b", "b") + Done());
  EXPECT_EQ(bundle->Problem(), "what the compiler made could not be read");
  const std::string whole(1U << 20U, 'x');
  std::string stream;
  for (int i = 0; i < 128; ++i) {
    stream += WholeFile("f" + std::to_string(i), whole);
  }
  EXPECT_EQ(After({}, stream + Done())->Problem(), "");
  EXPECT_EQ(After({}, stream + WholeFile("one", "x") + Done())->Problem(),
            "what the compiler made has more than 128 MiB");
}

}  // namespace
}  // namespace caisson::dispatcher
