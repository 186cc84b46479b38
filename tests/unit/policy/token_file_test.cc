// The file of tokens and the form of a token: what is taken, and every fault that is told.
#include "policy/token_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "policy/token_secret.h"

namespace caisson::policy {
namespace {

constexpr char kId[] = "0123456789ab";
const std::string kDigest(64, 'a');

std::string Entry(const std::string& id, const std::string& digest, const std::string& rest = "") {
  return R"({"id": ")" + id + R"(", "sha256": ")" + digest +
         R"(", "tenant": "web", "role": "run", "expires": "2027-03-01T12:00:00Z")" + rest + "}";
}

absl::StatusOr<std::vector<TokenEntry>> Parse(const std::string& entries) {
  return ParseTokens("{\"schema_version\": 1, \"tokens\": [" + entries + "]}", "t");
}

std::string ErrorOf(const std::string& entries) {
  const auto tokens = Parse(entries);
  return tokens.ok() ? "accepted" : Message(tokens.status());
}

std::string Changed(const std::string& from, const std::string& to) {
  std::string entry = Entry(kId, kDigest);
  return entry.replace(entry.find(from), from.size(), to);
}

TEST(TokenFileTest, EntriesAreTaken) {
  const auto tokens = Parse(Entry(kId, kDigest, R"(, "note": "the site")") + "," +
                            R"({"id": "ffffffffffff", "sha256": ")" + std::string(64, '0') +
                            R"(", "tenant": "ci", "role": "observe", "expires": "1999-12-31T23:59:59Z"})");
  ASSERT_TRUE(tokens.ok()) << Message(tokens.status());
  ASSERT_EQ(tokens->size(), 2U);
  const TokenEntry& web = tokens->front();
  EXPECT_EQ(web.id, kId);
  EXPECT_EQ(TokenDigestText(web.digest), kDigest);
  EXPECT_EQ(web.tenant, "web");
  EXPECT_EQ(web.role, TokenRole::kRun);
  EXPECT_EQ(web.expires, 1'803'902'400);
  EXPECT_EQ(web.note, "the site");
  EXPECT_EQ(tokens->back().role, TokenRole::kObserve);
  EXPECT_TRUE(Parse("")->empty());
}

TEST(TokenFileTest, EveryFaultIsToldWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1", "t:1: tokens[0]: must be an object, not a whole number"},
      {Changed(kId, "0123456789AB"), "t:1: tokens[0].id: must be 12 lower-case hex digits"},
      {Changed(kId, "01"), "t:1: tokens[0].id: must be 12 lower-case hex digits"},
      {Changed(kDigest, kDigest.substr(1)), "t:1: tokens[0].sha256: must be 64 lower-case hex digits"},
      {Changed(kDigest, std::string(64, 'A')), "t:1: tokens[0].sha256: must be 64 lower-case hex digits"},
      {Changed("web", "Web"),
       "t:1: tokens[0].tenant: must be a lower-case letter and then lower-case letters, digits and '-', at "
       "most "
       "63 bytes"},
      {Changed("\"run\"", "\"operator\""),
       "t:1: tokens[0].role: must be run or observe: operators are named at a socket of theirs"},
      {Changed("\"run\"", "\"king\""), "t:1: tokens[0].role: must be run or observe"},
      {Changed("\"role\": \"run\", ", ""), "t:1: tokens[0].role: is missing"},
      {Changed(", \"expires\": \"2027-03-01T12:00:00Z\"", ""), "t:1: tokens[0].expires: is missing"},
      {Changed("2027-03-01T12:00:00Z", "2027-03-01"),
       "t:1: tokens[0].expires: must be a time in UTC such as 2027-03-01T12:00:00Z"},
      {Entry(kId, kDigest, R"(, "secret": "x")"), "t:1: tokens[0]: unknown key"},
      {Entry(kId, kDigest, R"(, "nte": "x")"), "t:1: tokens[0]: unknown key; did you mean 'note'?"},
      {Entry(kId, kDigest, R"(, "id": "x")"), "t:1: duplicate key"},
      {Entry(kId, kDigest) + "\n" + Entry(kId, kDigest), "t:2: is not JSON"},
      {Entry(kId, kDigest, R"(, "note": "a\nb")"),
       "t:1: tokens[0].note: must be at most 128 printable characters"},
      {Entry(kId, kDigest) + "," + Entry(kId, std::string(64, 'b')), "t:1: tokens: an id stands twice"},
      {Entry(kId, kDigest) + "," + Entry("ffffffffffff", kDigest), "t:1: tokens: a sha256 stands twice"},
  };
  for (const auto& [entries, error] : cases) {
    EXPECT_EQ(ErrorOf(entries).substr(0, error.size()), error) << entries;
  }
  EXPECT_EQ(Message(ParseTokens("{\"schema_version\": 1}", "t").status()), "t:1: tokens: is missing");
  EXPECT_EQ(Message(ParseTokens("{\"schema_version\": 1,\n\"x\": 1,\"tokens\": []}", "t").status()),
            "t:2: document: unknown key");
  EXPECT_EQ(Message(ParseTokens("{\"schema_version\": 2, \"tokens\": []}", "t").status()),
            "t:1: schema_version: must be 1");
}

TEST(TokenFileTest, TooManyTokensAreRefused) {
  std::string entries;
  for (size_t i = 0; i <= kMostTokens; ++i) {
    entries += (i == 0 ? "" : ",") + Entry(kId, kDigest);
  }
  EXPECT_EQ(ErrorOf(entries), "t:1: tokens: are more than 2048");
}

TEST(TokenFileTest, NoFaultRepeatsWhatStandsInTheFile) {
  const std::string token = MakeToken();
  for (const char* key : {kId, kDigest.c_str(), "web", "\"run\"", "2027-03-01T12:00:00Z"}) {
    const std::string quoted = key[0] == '"' ? "\"" + token + "\"" : token;
    const std::string error = ErrorOf(Changed(key, quoted));
    EXPECT_NE(error, "accepted");
    EXPECT_EQ(error.find(token), std::string::npos) << error;
  }
  // Nor where it stands in a place that makes it a key, or no JSON at all; no part of it either.
  const std::string quoted = "\"" + token + "\"";
  const std::vector<std::string> faults = {
      Entry(kId, kDigest, ", " + quoted + ": 1"),
      Entry(kId, kDigest, ", " + quoted + ": 1, " + quoted + ": 2"),
      Entry(kId, kDigest, ", " + token),
      quoted + " " + quoted,
      quoted + ", \"" + token,
      token,
      "\"" + token + "\n\"",
      "\"" + token + "\\x\"",
      quoted + ": 1",
      "1e999" + token,
      "1e999999",
  };
  for (const std::string& entries : faults) {
    const std::string error = ErrorOf(entries);
    EXPECT_NE(error, "accepted");
    EXPECT_EQ(error.find(token.substr(0, 8)), std::string::npos) << error;
    EXPECT_EQ(error.find("1e999"), std::string::npos) << error;
  }
}

TEST(TokenFileTest, TimesAreRfc3339InUtcAndNothingElse) {
  EXPECT_EQ(ParseTime("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTime("2024-02-29T23:59:59Z"), 1'709'251'199);
  EXPECT_EQ(TimeText(1'709'251'199), "2024-02-29T23:59:59Z");
  for (const char* wrong :
       {"2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z", "2024-01-01T00:00:00+00:00", "2024-01-01 00:00:00Z", "2024-01-01t00:00:00z",
        "-024-01-01T00:00:00Z", "", "1969-12-31T23:59:59Z", "2024-01-01T00:00:00.5Z"}) {
    EXPECT_EQ(ParseTime(wrong), std::nullopt) << wrong;
  }
}

class TokenTextTest : public testing::Test {
 protected:
  TokenTextTest() {
    std::string name = (std::filesystem::temp_directory_path() / "caisson-tokens-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    file_ = directory_ + "/tokens.json";
    std::ofstream(file_) << "text";
    EXPECT_EQ(chmod(directory_.c_str(), 0755), 0);
    EXPECT_EQ(chmod(file_.c_str(), 0644), 0);
  }
  ~TokenTextTest() override { std::filesystem::remove_all(directory_); }
  std::string Error() const {
    const auto text = ReadTokenText(file_, FileTrust::kRequireRootOwned);
    return text.ok() ? *text : Message(text.status());
  }
  std::string directory_;
  std::string file_;
};

TEST_F(TokenTextTest, OnlyWhatNobodyElseCanHaveWrittenIsRead) {
  if (geteuid() != 0) {
    EXPECT_NE(Error().find("must be root's"), std::string::npos);
    return;
  }
  EXPECT_EQ(Error(), "text");
  ASSERT_EQ(chmod(file_.c_str(), 0664), 0);
  EXPECT_NE(Error().find("lets others write"), std::string::npos);
  ASSERT_EQ(chmod(file_.c_str(), 0644), 0);
  ASSERT_EQ(chmod(directory_.c_str(), 0777), 0);
  EXPECT_NE(Error().find("directory: mode 0777 lets others write"), std::string::npos) << Error();
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  std::filesystem::rename(file_, file_ + ".there");
  std::filesystem::create_symlink(file_ + ".there", file_);
  EXPECT_NE(Error().find("is a symbolic link"), std::string::npos);
}

TEST(TokenSecretTest, NewTokensHaveTheFormAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string token = MakeToken();
    ASSERT_EQ(token.size(), kTokenBytes);
    ASSERT_TRUE(TokenIdOf(token).has_value()) << token;
    EXPECT_EQ(token.substr(kTokenPrefix.size(), kTokenIdBytes), *TokenIdOf(token));
    EXPECT_TRUE(seen.insert(token).second);
  }
}

TEST(TokenSecretTest, WhatHasNotTheFormIsNone) {
  const std::string token = "caisson_0123456789ab_" + std::string(43, 'A');
  EXPECT_EQ(TokenIdOf(token), kId);
  for (size_t length = 0; length < token.size(); ++length) {
    EXPECT_EQ(TokenIdOf(token.substr(0, length)), std::nullopt);
  }
  EXPECT_EQ(TokenIdOf(token + "A"), std::nullopt);
  for (const size_t place : {size_t{0}, size_t{7}, size_t{8}, size_t{20}, size_t{21}, token.size() - 1}) {
    for (const char byte : {'\0', ' ', '+', '/', '=', '\xff'}) {
      std::string wrong = token;
      wrong[place] = byte;
      EXPECT_EQ(TokenIdOf(wrong), std::nullopt) << place;
    }
  }
}

TEST(TokenSecretTest, DigestsAreSha256OfTheWholeToken) {
  EXPECT_EQ(TokenDigestText(DigestOfToken("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  TokenDigest other = DigestOfToken("abc");
  EXPECT_TRUE(SameDigest(other, DigestOfToken("abc")));
  other.back() ^= 1U;
  EXPECT_FALSE(SameDigest(other, DigestOfToken("abc")));
  EXPECT_EQ(ParseTokenDigest(TokenDigestText(other)), other);
}

}  // namespace
}  // namespace caisson::policy
