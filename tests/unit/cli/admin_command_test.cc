#include "cli/admin_command.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/admin_client.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace caisson::cli {
namespace {

TEST(AdminCommandTest, TableShowsWhatIsUsedOfWhatMayBe) {
  admin::v1::ListTenantsResponse tenants;
  admin::v1::Tenant& web = *tenants.add_tenants();
  web.set_name("web");
  web.set_runs_active(3);
  web.set_runs_queued(1);
  web.set_memory_in_flight_bytes(768ULL << 20U);
  web.set_cpu_in_flight_millis(1'500);
  web.set_stored_bytes(4'096);
  web.set_cpu_today_ms(61'234);
  web.mutable_quotas()->set_concurrent_runs(16);
  web.mutable_quotas()->set_cpu_seconds_per_day(36'000);
  web.set_weight(2);
  web.set_policy_digest("sha256:" + std::string(64, 'a'));
  tenants.add_tenants()->set_name("gone");
  EXPECT_EQ(TenantsTable(tenants),
            "TENANT  ACTIVE  QUEUED  MEMORY   CPU  STORED   CPU TODAY   WEIGHT  POLICY\n"
            "web     3/16    1       768 MiB  1.5  4 KiB    61.2/36000  2       sha256:aaaaaaaaaaaa\n"
            "gone    0       0       0 bytes  0    0 bytes  0           -       none: may do nothing\n");
}

TEST(AdminCommandTest, WhatAServerSaysCannotDriveTheTerminal) {
  admin::v1::ListTenantsResponse tenants;
  tenants.add_tenants()->set_name("a\x1b[2J\nb");
  const std::string table = TenantsTable(tenants);
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_NE(table.find("a\\x1b[2J\\x0ab"), std::string::npos) << table;
}

TEST(AdminCommandTest, EveryFaultOfTheFilesIsALine) {
  google::rpc::PreconditionFailure failure;
  failure.add_violations()->set_subject("/a.json:3: quotas");
  failure.mutable_violations(0)->set_description("unknown\nkey");
  failure.add_violations()->set_description("cut");
  google::rpc::Status details;
  details.add_details()->PackFrom(failure);
  EXPECT_EQ(Faults({grpc::StatusCode::FAILED_PRECONDITION, "", details.SerializeAsString()}),
            (std::vector<std::string>{"/a.json:3: quotas: unknown\\x0akey", "cut"}));
  for (int i = 0; i < 1'000; ++i) {
    failure.add_violations()->set_description("more");
  }
  details.mutable_details(0)->PackFrom(failure);
  const std::vector<std::string> many =
      Faults({grpc::StatusCode::FAILED_PRECONDITION, "", details.SerializeAsString()});
  ASSERT_EQ(many.size(), 101U);
  EXPECT_EQ(many.back(), "and more");
  EXPECT_TRUE(Faults({grpc::StatusCode::UNAVAILABLE, "", "\xff\xff"}).empty());
}

TEST(AdminCommandTest, AnotherSocketIsToldFromARefusal) {
  const AdminClient client(Server{"unix:/run/x.sock", ""});
  EXPECT_EQ(client.Explain({grpc::StatusCode::UNIMPLEMENTED, ""}),
            "no admin service on unix:/run/x.sock: name a listener with the role admin (--socket)");
}

}  // namespace
}  // namespace caisson::cli
