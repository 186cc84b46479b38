#include "dispatcher/run_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "common/status.h"
#include "dispatcher/spool_format.h"

namespace caisson::dispatcher {
namespace {

using Kind = RunStore::Creation::Kind;

const TenantId kOne("one");
const TenantId kTwo("two");

class RunStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "caisson-store-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    Open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Open() {
    store_.reset();
    auto opened = RunStore::Open(directory_, limits_);
    ASSERT_TRUE(opened.ok()) << Message(opened.status());
    store_ = *std::move(opened);
  }
  // Changes the database while nobody has it.
  void WithoutUs(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((directory_ + "/records.db").c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }
  absl::Status OpenStatus() {
    store_.reset();
    return RunStore::Open(directory_, limits_).status();
  }

  static NewRecord Record(RunKey key, const TenantId& tenant = kOne, const std::string& request_id = "",
                          const std::string& digest = "") {
    NewRecord record;
    record.key = key;
    record.number = key;
    record.tenant = tenant;
    record.id = NewRunId();
    record.request_id = request_id;
    record.digest = digest;
    record.run.set_name(RunName(record.id));
    record.run.set_request_id(request_id);
    record.run.set_state(v1::Run::QUEUED);
    record.run.set_followable(true);
    return record;
  }
  static SpoolSizes Room(uint64_t bytes) {
    SpoolSizes room{};
    room.at(static_cast<size_t>(SpoolPart::kEvents)) = 4096;
    room.at(static_cast<size_t>(SpoolPart::kStdout)) = bytes;
    return room;
  }
  // In a transaction of its own.
  RunStore::Creation Create(const NewRecord& record, uint64_t bytes = 4096) {
    EXPECT_TRUE(store_->Begin(RecordStore::Durability::kPower).ok());
    auto created = store_->Create(record, Room(bytes));
    EXPECT_TRUE(created.ok()) << Message(created.status());
    EXPECT_TRUE(store_->Commit().ok());
    return created.value_or(RunStore::Creation());
  }
  void Finish(NewRecord record) {
    record.run.set_state(v1::Run::FINISHED);
    record.run.mutable_result()->set_verdict(v1::COMPLETED);
    ASSERT_TRUE(store_->Begin(RecordStore::Durability::kProcess).ok());
    const absl::Status finished = store_->Finish(record);
    ASSERT_TRUE(finished.ok()) << Message(finished);
    ASSERT_TRUE(store_->Commit().ok());
  }
  bool Has(const TenantId& tenant, const RunId& id) {
    auto found = store_->records().Find({tenant, Role::kRun}, id);
    EXPECT_TRUE(found.ok());
    return found.ok() && found->has_value();
  }
  v1::Run Get(const TenantId& tenant, const RunId& id) {
    auto found = store_->records().Find({tenant, Role::kRun}, id);
    return found.ok() && found->has_value() ? (*found)->run : v1::Run();
  }

  RetentionLimits limits_{1ULL << 20U, 60'000};
  std::string directory_;
  std::unique_ptr<RunStore> store_;
};

TEST_F(RunStoreTest, WhatWasFinishedIsThereAfterANewStart) {
  const NewRecord record = Record(7);
  EXPECT_EQ(Create(record).kind, Kind::kCreated);
  ASSERT_TRUE(store_->spool().Write(record.id, SpoolPart::kStdout, 0, "hello").ok());
  Finish(record);
  Open();
  EXPECT_EQ(Get(kOne, record.id).result().verdict(), v1::COMPLETED);
  EXPECT_EQ(*store_->spool().Read(record.id, SpoolPart::kStdout, 0, 100), "hello");
  EXPECT_EQ(*store_->records().LastKey(), 7U);
}

TEST_F(RunStoreTest, RunsInFlightHaveEndedWithTheServiceThatRanThem) {
  const NewRecord record = Record(1);
  Create(record);
  ASSERT_TRUE(store_->spool().Write(record.id, SpoolPart::kStdout, 0, "hello").ok());
  Open();
  const v1::Run run = Get(kOne, record.id);
  EXPECT_EQ(run.state(), v1::Run::FINISHED);
  EXPECT_EQ(run.result().verdict(), v1::SERVICE_FAILED);
  EXPECT_EQ(run.result().ended_by(), v1::SERVICE);
  EXPECT_EQ(run.result().stdout().bytes(), 5U);
  EXPECT_GT(run.end_time().seconds(), 0);
}

TEST_F(RunStoreTest, ARequestIdIsOneRunOfItsTenantWithOneBody) {
  const NewRecord first = Record(1, kOne, "job", "body");
  EXPECT_EQ(Create(first).kind, Kind::kCreated);
  const RunStore::Creation again = Create(Record(2, kOne, "job", "body"));
  EXPECT_EQ(again.kind, Kind::kSame);
  EXPECT_EQ(again.key, 1U);
  EXPECT_EQ(again.run.name(), first.run.name());
  EXPECT_EQ(Create(Record(3, kOne, "job", "other")).kind, Kind::kOther);
  EXPECT_EQ(Create(Record(4, kTwo, "job", "other")).kind, Kind::kCreated)
      << "another tenant's keys are its own";
  Open();
  EXPECT_EQ(Create(Record(5, kOne, "job", "body")).kind, Kind::kSame);
}

TEST_F(RunStoreTest, NoTenantFindsOrListsOrCountsAnothers) {
  const NewRecord record = Record(1, kOne);
  Create(record);
  EXPECT_TRUE(Has(kOne, record.id));
  EXPECT_FALSE(Has(kTwo, record.id));
  EXPECT_TRUE(store_->records().List({kTwo, Role::kRun}, 100, 10)->empty());
  EXPECT_EQ(store_->records().List({kOne, Role::kRun}, 100, 10)->size(), 1U);
  EXPECT_EQ(store_->records().Usage(kTwo)->records, 0U);
}

TEST_F(RunStoreTest, AnOperatorFindsAndListsEverybodys) {
  const Caller all{TenantId(), Role::kOperator};
  const NewRecord one = Record(1, kOne);
  const NewRecord two = Record(2, kTwo);
  Create(one);
  Create(two);
  for (const NewRecord& record : {one, two}) {
    const auto found = store_->records().Find(all, record.id);
    ASSERT_TRUE(found.ok() && found->has_value());
    EXPECT_EQ((*found)->run.tenant(), record.tenant.name());
  }
  EXPECT_FALSE(store_->records().Find(all, NewRunId())->has_value());
  EXPECT_FALSE(Has(TenantId(), one.id)) << "who has no tenant is not the default one";
  const auto listed = store_->records().List(all, 100, 10);
  ASSERT_TRUE(listed.ok() && listed->size() == 2);
  EXPECT_EQ(listed->front().key, 2U);
  EXPECT_EQ(store_->records().List(all, 2, 10)->size(), 1U);
}

TEST_F(RunStoreTest, EachTenantsRunsAreCountedOnTheirOwnAlsoAfterANewStart) {
  NewRecord first = Record(1, kOne);
  NewRecord other = Record(2, kTwo);
  NewRecord second = Record(3, kOne);
  other.number = 1;
  second.number = 2;
  for (const NewRecord& record : {first, other, second}) {
    Create(record);
  }
  Open();
  const auto numbers = store_->records().LastNumbers();
  ASSERT_TRUE(numbers.ok());
  EXPECT_EQ(*numbers, (std::map<TenantId, uint64_t>{{kOne, 2}, {kTwo, 1}}));
  const auto page = store_->records().List({kOne, Role::kRun}, 2, 10);
  ASSERT_TRUE(page.ok() && page->size() == 1);
  EXPECT_EQ(page->front().id, first.id);
}

TEST_F(RunStoreTest, TheOldestFinishedMakeRoomAndNoOtherTenantsDo) {
  const NewRecord other = Record(1, kTwo);
  Create(other, 100'000);
  Finish(other);
  std::vector<NewRecord> records;
  for (RunKey key = 2; key < 12; ++key) {
    records.push_back(Record(key));
    EXPECT_EQ(Create(records.back(), 200'000).kind, Kind::kCreated);
    ASSERT_TRUE(
        store_->spool().Write(records.back().id, SpoolPart::kStdout, 0, std::string(200'000, 'x')).ok());
    Finish(records.back());
  }
  EXPECT_FALSE(Has(kOne, records.front().id));
  EXPECT_FALSE(store_->spool().Sizes(records.front().id).ok());
  EXPECT_TRUE(Has(kOne, records.back().id));
  EXPECT_TRUE(Has(kTwo, other.id));
  EXPECT_LE(store_->records().Usage(kOne)->bytes, limits_.bytes);
}

TEST_F(RunStoreTest, WhatCannotFitRemovesNothing) {
  const NewRecord ended = Record(1);
  Create(ended);
  Finish(ended);
  EXPECT_EQ(Create(Record(2), limits_.bytes).kind, Kind::kNoRoom);
  Create(Record(3), 900'000);
  EXPECT_EQ(Create(Record(4), 200'000).kind, Kind::kNoRoom) << "what is in flight holds it";
  EXPECT_TRUE(Has(kOne, ended.id));
}

TEST_F(RunStoreTest, ATenantsOwnBoundIsWithinThatOfAll) {
  const NewRecord ended = Record(1);
  Create(ended, 100'000);
  ASSERT_TRUE(store_->spool().Write(ended.id, SpoolPart::kStdout, 0, std::string(100'000, 'x')).ok());
  Finish(ended);
  NewRecord bounded = Record(2);
  bounded.most_bytes = 150'000;
  const RunStore::Creation refused = Create(bounded, 200'000);
  EXPECT_EQ(refused.kind, Kind::kNoRoom);
  EXPECT_TRUE(refused.by_policy);
  EXPECT_TRUE(Has(kOne, ended.id)) << "what cannot fit removes nothing";
  EXPECT_EQ(Create(bounded, 100'000).kind, Kind::kCreated);
  EXPECT_FALSE(Has(kOne, ended.id)) << "the oldest made room";
  EXPECT_FALSE(Create(Record(3), limits_.bytes).by_policy);
}

TEST_F(RunStoreTest, TheCpuTimeOfADayLastsAndIsReplaced) {
  for (const CpuDay day : {CpuDay{3, 10, 500}, CpuDay{3, 400, 0}}) {
    ASSERT_TRUE(store_->Begin(RecordStore::Durability::kProcess).ok());
    ASSERT_TRUE(store_->records().SetCpu(kOne, day).ok());
    ASSERT_TRUE(store_->Commit().ok());
  }
  Open();
  const absl::StatusOr<CpuDays> days = store_->records().AllCpu();
  ASSERT_TRUE(days.ok());
  EXPECT_EQ(*days, (CpuDays{{kOne, CpuDay{3, 400, 0}}}));
}

TEST_F(RunStoreTest, AnOlderSchemaIsBroughtUpToDateAndKeepsItsRuns) {
  const NewRecord record = Record(1);
  Create(record);
  store_.reset();
  WithoutUs("DROP TABLE cpu_days; PRAGMA user_version = 2");
  Open();
  EXPECT_TRUE(Has(kOne, record.id));
  EXPECT_TRUE(store_->records().AllCpu()->empty());
}

TEST_F(RunStoreTest, RoomThatWasNotUsedIsGivenBackAtTheEnd) {
  const NewRecord record = Record(1);
  Create(record, 500'000);
  const uint64_t before = store_->records().Usage(kOne)->bytes;
  EXPECT_GT(before, 500'000U);
  ASSERT_TRUE(store_->spool().Write(record.id, SpoolPart::kStdout, 0, "hello").ok());
  Finish(record);
  EXPECT_LT(store_->records().Usage(kOne)->bytes, 10'000U);
  struct stat info {};
  ASSERT_EQ(stat((directory_ + "/spool/" + RunIdText(record.id) + ".3").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 5);
  EXPECT_LT(info.st_blocks * 512, 100'000);
}

TEST_F(RunStoreTest, OldRunsExpireAndLiveOnesDoNot) {
  limits_.keep_ms = -1;  // over as soon as it has begun
  Open();
  const NewRecord ended = Record(1);
  const NewRecord live = Record(2);
  Create(ended);
  Create(live);
  Finish(ended);
  ASSERT_TRUE(store_->Begin(RecordStore::Durability::kProcess).ok());
  ASSERT_TRUE(store_->Expire().ok());
  ASSERT_TRUE(store_->Commit().ok());
  EXPECT_FALSE(Has(kOne, ended.id));
  EXPECT_FALSE(store_->spool().Sizes(ended.id).ok());
  EXPECT_TRUE(Has(kOne, live.id));
}

TEST_F(RunStoreTest, SaysWhenTheNextOneIsDueAndNothingWhereNoneHasEnded) {
  limits_.keep_ms = 60'000;
  Open();
  const NewRecord record = Record(1);
  Create(record);
  const auto next = [this] {
    EXPECT_TRUE(store_->Begin(RecordStore::Durability::kProcess).ok());
    const absl::StatusOr<std::optional<int64_t>> due_ms = store_->Expire();
    EXPECT_TRUE(store_->Commit().ok());
    EXPECT_TRUE(due_ms.ok());
    return *due_ms;
  };
  EXPECT_EQ(next(), std::nullopt);
  Finish(record);
  const std::optional<int64_t> due_ms = next();
  ASSERT_TRUE(due_ms.has_value());
  EXPECT_GT(*due_ms, 50'000);
  EXPECT_LE(*due_ms, 60'001);
  EXPECT_TRUE(Has(kOne, record.id));
}

TEST_F(RunStoreTest, ARollbackLeavesNeitherRecordNorSpoolAndRemovesNone) {
  const NewRecord kept = Record(1);
  Create(kept);
  Finish(kept);
  const NewRecord undone = Record(2);
  ASSERT_TRUE(store_->Begin(RecordStore::Durability::kPower).ok());
  ASSERT_TRUE(store_->Create(undone, Room(4096)).ok());
  ASSERT_TRUE(store_->Forget(1, kept.id).ok());
  store_->Rollback();
  EXPECT_FALSE(Has(kOne, undone.id));
  EXPECT_FALSE(store_->spool().Sizes(undone.id).ok());
  EXPECT_TRUE(Has(kOne, kept.id));
  EXPECT_TRUE(store_->spool().Sizes(kept.id).ok());
}

TEST_F(RunStoreTest, SpoolsWithoutARecordAreGoneAfterAStart) {
  const RunId lost = NewRunId();
  ASSERT_TRUE(store_->spool().Create(lost, Room(4096)).ok());
  Open();
  EXPECT_FALSE(store_->spool().Sizes(lost).ok());
}

TEST_F(RunStoreTest, AnEndThatComesBeforeItsRecordIsStoredWhole) {
  NewRecord record = Record(1);
  record.run.set_followable(false);
  Finish(record);
  EXPECT_EQ(Get(kOne, record.id).result().verdict(), v1::COMPLETED);
}

TEST_F(RunStoreTest, WithoutTheBallastNothingIsCreatedUntilItIsBack) {
  EXPECT_TRUE(store_->ReleaseBallast());
  EXPECT_FALSE(store_->ReleaseBallast());
  EXPECT_EQ(Create(Record(1)).kind, Kind::kCreated) << "there is room for it again";
  EXPECT_TRUE(store_->ReleaseBallast());
}

TEST_F(RunStoreTest, DamagedForeignAndNewerDatabasesAreRefusedAndSayWhatToDo) {
  Create(Record(1));
  ASSERT_TRUE(OpenStatus().ok());
  WithoutUs("PRAGMA user_version = 4");
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenStatus()));
  EXPECT_NE(Message(OpenStatus()).find("schema version 4"), std::string::npos);
  WithoutUs("PRAGMA user_version = 3; PRAGMA application_id = 5");
  EXPECT_NE(Message(OpenStatus()).find("not a database of Caisson's"), std::string::npos);
  WithoutUs("PRAGMA application_id = 1130457459; PRAGMA wal_checkpoint(TRUNCATE)");
  ASSERT_TRUE(OpenStatus().ok());
  const std::string file = directory_ + "/records.db";
  std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
  damaged.seekp(4096);
  damaged << std::string(8192, '\xff');
  damaged.close();
  std::filesystem::remove(file + "-wal");
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus())) << Message(OpenStatus());
  EXPECT_NE(Message(OpenStatus()).find("mv "), std::string::npos);
}

TEST_F(RunStoreTest, FilesAreOurUsersAlone) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
    struct stat info {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0077U, 0U) << entry.path();
  }
}

}  // namespace
}  // namespace caisson::dispatcher
