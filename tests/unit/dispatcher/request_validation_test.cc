#include "dispatcher/request_validation.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "dispatcher/status_details.h"
#include "dispatcher/test_profiles.h"

namespace caisson::dispatcher {
namespace {

constexpr uint64_t kBudget = 1ULL << 30U;

grpc::Status Validate(const v1::ExecuteRequest& request) {
  ValidRequest valid;
  return ValidateExecute(request, TestCatalog(), kBudget, valid);
}

TEST(RequestValidationTest, ValidRequestGetsDefaultsAndItsOnlyFileAsMainFile) {
  const ProfileCatalog catalog = TestCatalog();
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.mutable_limits()->set_pids(7);
  (*request.mutable_labels())["team"] = "blue";
  ValidRequest valid;
  const grpc::Status status = ValidateExecute(request, catalog, kBudget, valid);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(valid.main_file, "main.py");
  EXPECT_EQ(valid.limits.Get(policy::LimitId::kPids), 7U);
  EXPECT_EQ(valid.limits.Get(policy::LimitId::kWallTimeMs), 10'000U);
  EXPECT_EQ(valid.overflow, OutputOverflow::kTruncate);
  EXPECT_EQ(valid.labels.at("team"), "blue");
}

TEST(RequestValidationTest, ACompiledRunHoldsTheMemoryOfItsLargerStep) {
  const ProfileCatalog catalog = TestCatalog();
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.set_profile("rust");
  ValidRequest valid;
  ASSERT_TRUE(ValidateExecute(request, catalog, 4 * kBudget, valid).ok());
  EXPECT_EQ(valid.memory_bytes, 1ULL << 30U);
  EXPECT_EQ(valid.bundle_bytes, 128ULL << 20U) << "what the compiler may hand on";
  request.mutable_limits()->set_memory_bytes(2ULL << 30U);
  ValidRequest larger;
  ASSERT_TRUE(ValidateExecute(request, catalog, 4 * kBudget, larger).ok());
  EXPECT_EQ(larger.bundle_bytes, 128ULL << 20U);
  EXPECT_EQ(larger.memory_bytes, 2ULL << 30U);
  request.clear_limits();
  ValidRequest refused;
  const grpc::Status status = ValidateExecute(request, catalog, kBudget + (128ULL << 20U) - 1, refused);
  EXPECT_EQ(ReasonOf(status), "LIMIT_EXCEEDS_HOST");
  EXPECT_EQ(FieldsOf(status), std::set<std::string>{"profile"});
}

TEST(RequestValidationTest, ALibraryThatIsNotOfferedIsRefusedWithTheList) {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.add_packages("numpy");
  EXPECT_TRUE(Validate(request).ok());
  request.add_packages("pandas");
  EXPECT_EQ(Validate(request).error_message(), "packages[1]: the profile python offers numpy, scipy");
  request.set_profile("native");
  EXPECT_EQ(Validate(request).error_message(),
            "packages[0]: the profile native offers no libraries (and 1 more)");
}

struct Case {
  const char* name;
  std::function<void(v1::ExecuteRequest&)> change;
  const char* reason;
  grpc::StatusCode code;
  std::set<std::string> fields;
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }

class BadRequestTest : public testing::TestWithParam<Case> {};

TEST_P(BadRequestTest, IsRefusedNamingEveryField) {
  v1::ExecuteRequest request = ValidExecuteRequest();
  GetParam().change(request);
  const grpc::Status status = Validate(request);
  EXPECT_EQ(ReasonOf(status), GetParam().reason) << status.error_message();
  EXPECT_EQ(status.error_code(), GetParam().code);
  EXPECT_EQ(FieldsOf(status), GetParam().fields);
}

constexpr auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr auto kUnimplemented = grpc::StatusCode::UNIMPLEMENTED;

INSTANTIATE_TEST_SUITE_P(
    All, BadRequestTest,
    testing::Values(
        Case{"NoProfile", [](auto& r) { r.clear_profile(); }, "INVALID_REQUEST", kInvalid, {"profile"}},
        Case{"UnknownProfile",
             [](auto& r) { r.set_profile("pyton"); },
             "PROFILE_NOT_FOUND",
             grpc::StatusCode::NOT_FOUND,
             {}},
        Case{"MissingToolchain",
             [](auto& r) { r.set_profile("cobol"); },
             "PROFILE_UNAVAILABLE",
             grpc::StatusCode::FAILED_PRECONDITION,
             {}},
        Case{"LibrariesThatTheProfileDoesNotOffer",
             [](auto& r) {
               for (const char* name : {"numpy", "pandas", "numpy", ""}) {
                 r.add_packages(name);
               }
             },
             "INVALID_REQUEST",
             kInvalid,
             {"packages[1]", "packages[3]"}},
        Case{"TooManyLibraries",
             [](auto& r) {
               for (int i = 0; i <= 64; ++i) {
                 r.add_packages("numpy");
               }
             },
             "INVALID_REQUEST",
             kInvalid,
             {"packages"}},
        Case{"MissingLibrary",
             [](auto& r) { r.add_packages("scipy"); },
             "PROFILE_UNAVAILABLE",
             grpc::StatusCode::FAILED_PRECONDITION,
             {}},
        Case{"AllUnsupportedFields",
             [](auto& r) {
               r.set_request_id("x");
               r.set_minimum_isolation("vm");
             },
             "FIELD_NOT_SUPPORTED",
             kUnimplemented,
             {"request_id", "minimum_isolation"}},
        Case{"Priority", [](auto& r) { r.set_priority(11); }, "INVALID_REQUEST", kInvalid, {"priority"}},
        Case{"OutputPaths",
             [](auto& r) {
               for (const char* path : {".", "out", "a/b", "/abs", "a/../b", "", "out", "a//b"}) {
                 r.add_output_paths(path);
               }
             },
             "INVALID_REQUEST",
             kInvalid,
             {"output_paths[3]", "output_paths[4]", "output_paths[5]", "output_paths[6]", "output_paths[7]"}},
        Case{"TooManyOutputPaths",
             [](auto& r) {
               for (int i = 0; i <= 256; ++i) {
                 r.add_output_paths("o" + std::to_string(i));
               }
             },
             "INVALID_REQUEST",
             kInvalid,
             {"output_paths"}},
        Case{"UnsupportedAndInvalid",
             [](auto& r) {
               r.set_minimum_isolation("vm");
               r.mutable_limits()->set_pids(0);
             },
             "FIELD_NOT_SUPPORTED",
             kUnimplemented,
             {"minimum_isolation", "limits.pids"}},
        Case{"NoFiles", [](auto& r) { r.clear_files(); }, "INVALID_REQUEST", kInvalid, {"files"}},
        Case{"TooManyFiles",
             [](auto& r) {
               r.set_main_file("main.py");
               for (int i = 0; i < kMaxFiles; ++i) {
                 r.add_files()->set_path("f" + std::to_string(i));
               }
             },
             "INVALID_REQUEST",
             kInvalid,
             {"files"}},
        Case{"BadPaths",
             [](auto& r) {
               r.set_main_file("main.py");
               r.add_files()->set_path("/abs");
               r.add_files()->set_path("main.py/x");
             },
             "INVALID_REQUEST",
             kInvalid,
             {"files[1].path", "files[2].path"}},
        Case{"MainFileNotSaid",
             [](auto& r) { r.add_files()->set_path("other.py"); },
             "INVALID_REQUEST",
             kInvalid,
             {"main_file"}},
        Case{"MainFileNotThere",
             [](auto& r) { r.set_main_file("x.py"); },
             "INVALID_REQUEST",
             kInvalid,
             {"main_file"}},
        Case{"NulInArgument",
             [](auto& r) { r.add_args(std::string("a\0b", 3)); },
             "INVALID_REQUEST",
             kInvalid,
             {"args[0]"}},
        Case{"TooManyArguments",
             [](auto& r) {
               for (int i = 0; i < 1025; ++i) {
                 r.add_args("a");
               }
             },
             "INVALID_REQUEST",
             kInvalid,
             {"args"}},
        Case{"ArgumentsTooLong",
             [](auto& r) { r.add_args(std::string(128 * 1024, 'a')); },
             "INVALID_REQUEST",
             kInvalid,
             {"args"}},
        Case{"BadVariables",
             [](auto& r) {
               (*r.mutable_env())["1A"] = "x";
               (*r.mutable_env())["A=B"] = "x";
               (*r.mutable_env())[""] = "x";
               (*r.mutable_env())["OK"] = std::string("x\0", 2);
             },
             "INVALID_REQUEST",
             kInvalid,
             {"env[\"1A\"]", "env[\"A=B\"]", "env[\"\"]", "env[\"OK\"]"}},
        Case{"EnvironmentTooLong",
             [](auto& r) { (*r.mutable_env())["A"] = std::string(128 * 1024, 'a'); },
             "INVALID_REQUEST",
             kInvalid,
             {"env"}},
        Case{"BadLabels",
             [](auto& r) {
               (*r.mutable_labels())["Team"] = "x";
               (*r.mutable_labels())["team"] = std::string(257, 'x');
             },
             "INVALID_REQUEST",
             kInvalid,
             {"labels[\"Team\"]", "labels[\"team\"]"}},
        Case{"UnknownOverflow",
             [](auto& r) { r.set_output_overflow(static_cast<v1::OutputOverflow>(9)); },
             "INVALID_REQUEST",
             kInvalid,
             {"output_overflow"}},
        Case{"LimitsZeroAndAboveCeiling",
             [](auto& r) {
               r.mutable_limits()->set_pids(0);
               r.mutable_limits()->set_wall_time_ms(3'600'000);
             },
             "INVALID_REQUEST",
             kInvalid,
             {"limits.pids", "limits.wall_time_ms"}},
        Case{"MoreMemoryThanTheHost",
             [](auto& r) { r.mutable_limits()->set_memory_bytes(kBudget + 1); },
             "LIMIT_EXCEEDS_HOST",
             kInvalid,
             {"limits.memory_bytes"}},
        Case{"TooLarge",
             [](auto& r) { r.set_stdin(std::string(kMaxRequestBytes, 'x')); },
             "REQUEST_TOO_LARGE",
             grpc::StatusCode::RESOURCE_EXHAUSTED,
             {}},
        Case{"FieldOfANewerApi",
             [](auto& r) { r.GetReflection()->MutableUnknownFields(&r)->AddVarint(900, 1); },
             "FIELD_NOT_SUPPORTED",
             kUnimplemented,
             {"field 900"}}),
    [](const testing::TestParamInfo<Case>& tested) { return std::string(tested.param.name); });

TEST(RequestValidationTest, UnknownProfileIsToldTheNearestNames) {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.set_profile("pyton");
  const grpc::Status status = Validate(request);
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  ASSERT_TRUE(info.has_value());
  EXPECT_NE(info->metadata().at("nearest").find("python"), std::string::npos);
}

TEST(RequestValidationTest, AHostileRequestCannotMakeTheAnswerLarge) {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.set_main_file("main.py");
  for (int i = 0; i < 255; ++i) {
    request.add_files()->set_path("/" + std::string(900, 'x'));
  }
  // What gRPC clients take as trailing metadata by default is 8 KiB, in base64.
  EXPECT_LT(Validate(request).error_details().size(), 5'000U);
}

TEST(RequestValidationTest, ARequestIdIsTakenWhereTheCallCanHoldToIt) {
  const ProfileCatalog catalog = TestCatalog();
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.set_request_id("job_7.a:b-c");
  ValidRequest valid;
  EXPECT_TRUE(ValidateExecute(request, catalog, kBudget, valid, 0, nullptr, RequestIdUse::kTaken).ok());
  EXPECT_EQ(ReasonOf(ValidateExecute(request, catalog, kBudget, valid)), "FIELD_NOT_SUPPORTED");
  for (const std::string& wrong :
       {std::string("a b"), std::string("a/b"), std::string("\xc3\xa9"), std::string(129, 'x')}) {
    request.set_request_id(wrong);
    EXPECT_EQ(ReasonOf(ValidateExecute(request, catalog, kBudget, valid, 0, nullptr, RequestIdUse::kTaken)),
              "INVALID_REQUEST")
        << wrong;
  }
}

}  // namespace
}  // namespace caisson::dispatcher
