#include "orchestrator/config.h"

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

namespace caisson::orchestrator {
namespace {

std::string ErrorOf(const std::string& members) {
  const absl::StatusOr<Config> config = ParseConfigText("{\"schema_version\": 1,\n" + members + "}", "c");
  return config.ok() ? std::string() : Message(config.status());
}

TEST(ConfigTest, TheSchemaVersionAloneMeansTheDefaults) {
  const absl::StatusOr<Config> config = ParseConfigText("{\"schema_version\": 1}", "c");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  const Config defaults;
  EXPECT_EQ(config->socket, defaults.socket);
  EXPECT_EQ(config->state_dir, defaults.state_dir);
  EXPECT_EQ(config->id_first, defaults.id_first);
  EXPECT_EQ(config->id_count, defaults.id_count);
  EXPECT_EQ(config->ready_sandboxes, 32U);
  EXPECT_EQ(config->queue_length, 512U);
  EXPECT_TRUE(config->accepted_degradations.empty());
  EXPECT_TRUE(config->learning_profiles.empty());
}

TEST(ConfigTest, EveryKeyIsTaken) {
  const absl::StatusOr<Config> config = ParseConfigText(R"({
    "$schema": "./caissond.schema.json", "schema_version": 1,
    "socket": "unix:/tmp/s", "state_dir": "/s", "profiles_dir": "/p", "user": "nobody",
    "id_first": 100000, "id_count": 4000, "max_runs": 2000, "memory_budget_bytes": 16777216,
    "ready_sandboxes": 0, "queue_length": 1,
    "grace_ms": 0, "log_format": "json", "log_level": "debug", "accepted_degradations": ["swap_unbounded"],
    "learning_profiles": ["python", "native"]})",
                                                        "c");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  EXPECT_EQ(config->socket, "unix:/tmp/s");
  EXPECT_EQ(config->state_dir, "/s");
  EXPECT_EQ(config->profiles_dir, "/p");
  EXPECT_EQ(config->user, "nobody");
  EXPECT_EQ(config->id_first, 100'000U);
  EXPECT_EQ(config->id_count, 4'000U);
  EXPECT_EQ(config->max_runs, 2'000U);
  EXPECT_EQ(config->memory_budget_bytes, 16'777'216U);
  EXPECT_EQ(config->ready_sandboxes, 0U);
  EXPECT_EQ(config->queue_length, 1U);
  EXPECT_EQ(config->grace_ms, 0U);
  EXPECT_EQ(config->log_format, LogFormat::kJson);
  EXPECT_EQ(config->log_level, "debug");
  EXPECT_EQ(config->accepted_degradations, (std::set<Degradation>{Degradation::kSwapUnbounded}));
  EXPECT_EQ(config->learning_profiles, (std::set<std::string>{"native", "python"}));
}

struct ErrorCase {
  const char* what;
  const char* members;  // on line 2 and after
  const char* error;
};

TEST(ConfigTest, FaultsNameFileLineKeyAndReason) {
  const std::vector<ErrorCase> cases = {
      {"unknown key", "\"user\": \"caisson\",\n\"max_run\": 3",
       "c:3: max_run: unknown key; did you mean 'max_runs'?"},
      {"duplicate key", "\"user\": \"a\",\n\"user\": \"b\"", "c:3: duplicate key 'user'"},
      {"wrong type", "\"max_runs\": \"3\"", "c:2: max_runs: must be a whole number, not a string"},
      {"negative", "\"grace_ms\": -1", "c:2: grace_ms: must be a whole number, not a negative number"},
      {"fraction", "\"grace_ms\": 0.5",
       "c:2: grace_ms: must be a whole number, not a number with a fraction or beyond 64 bits"},
      {"tcp", "\"socket\": \"tcp:0.0.0.0:80\"",
       "c:2: socket: must be unix: and an absolute path of at most 107 bytes; there is no other listener"},
      {"relative socket", "\"socket\": \"unix:s\"",
       "c:2: socket: must be unix: and an absolute path of at most 107 bytes; there is no other listener"},
      {"abstract socket", "\"socket\": \"unix-abstract:s\"",
       "c:2: socket: must be unix: and an absolute path of at most 107 bytes; there is no other listener"},
      {"relative state", "\"state_dir\": \"run\"", "c:2: state_dir: must be an absolute path without '..'"},
      {"dots", "\"state_dir\": \"/run/../etc\"", "c:2: state_dir: must be an absolute path without '..'"},
      {"relative profiles", "\"profiles_dir\": \"profiles\"",
       "c:2: profiles_dir: must be an absolute path without '..', or empty"},
      {"root", "\"user\": \"root\"", "c:2: user: must not be root: the dispatcher faces the clients"},
      {"user name", "\"user\": \"a b\"", "c:2: user: is not a user name"},
      {"host's ids", "\"id_first\": 1000", "c:2: id_first: must be from 65536 to 4294967293"},
      {"no ids", "\"id_count\": 1", "c:2: id_count: must be from 2 to 4294967293"},
      {"beyond the last id", "\"id_first\": 4294967290, \"id_count\": 5",
       "c:2: id_count: the range ends at 4294967294, the last usable id is 4294967293"},
      {"more runs than ids", "\"id_count\": 100,\n\"max_runs\": 51",
       "c:3: max_runs: 51 runs need 102 ids, id_count is 100"},
      {"tiny budget", "\"memory_budget_bytes\": 1",
       "c:2: memory_budget_bytes: must be 0 or from 16777216 to 1125899906842624"},
      {"a large pool", "\"ready_sandboxes\": 4097", "c:2: ready_sandboxes: must be from 0 to 4096"},
      {"no queue", "\"queue_length\": 0", "c:2: queue_length: must be from 1 to 1000000"},
      {"long grace", "\"grace_ms\": 600001", "c:2: grace_ms: must be from 0 to 600000"},
      {"log format", "\"log_format\": \"xml\"", "c:2: log_format: must be text or json"},
      {"log level", "\"log_level\": \"loud\"",
       "c:2: log_level: must be trace, debug, info, warn, error or critical"},
      {"degradation", "\"accepted_degradations\": [\"swap_unbound\"]",
       "c:2: accepted_degradations: no degradation 'swap_unbound'; did you mean 'swap_unbounded'?"},
      {"degradation twice", "\"accepted_degradations\": [\"swap_unbounded\", \"swap_unbounded\"]",
       "c:2: accepted_degradations: 'swap_unbounded' stands twice"},
      {"learning twice", "\"learning_profiles\": [\"c\", \"c\"]", "c:2: learning_profiles: 'c' stands twice"},
      {"degradation type", "\"accepted_degradations\": [\n1]",
       "c:3: accepted_degradations[0]: must be a string, not a whole number"},
  };
  for (const ErrorCase& test : cases) {
    EXPECT_EQ(ErrorOf(test.members), test.error) << test.what;
  }
}

TEST(ConfigTest, ListenersAreTaken) {
  const absl::StatusOr<Config> config = ParseConfigText(R"({"schema_version": 1, "listeners": [
    {"socket": "unix:/run/t/a.sock", "tenant": "alpha"},
    {"socket": "unix:/run/t/o.sock", "role": "operator", "mode": "0600", "owner": "alice", "group": "20",
     "peer_users": ["alice", "0"]}]})",
                                                        "c");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  ASSERT_EQ(config->listeners.size(), 2U);
  const ListenerConfig& one = config->listeners[0];
  EXPECT_EQ(one.tenant, "alpha");
  EXPECT_EQ(one.role, ipc::ClientRole::kRun);
  EXPECT_EQ(one.mode, 0660U);
  EXPECT_EQ(one.owner, "root");
  EXPECT_TRUE(one.peer_users.empty());
  const ListenerConfig& two = config->listeners[1];
  EXPECT_EQ(two.role, ipc::ClientRole::kOperator);
  EXPECT_EQ(two.mode, 0600U);
  EXPECT_EQ(two.group, "20");
  EXPECT_EQ(two.peer_users, (std::vector<std::string>{"alice", "0"}));
}

TEST(ConfigTest, FaultsOfListenersNameFileLineKeyAndReason) {
  const std::string socket = "\"socket\": \"unix:/run/t/a.sock\"";
  const std::string name_rule =
      "must be a lower-case letter and then lower-case letters, digits and '-', at most 63 bytes";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1", "c:2: listeners[0]: must be an object, not a whole number"},
      {"{\"tenant\": \"a\"}",
       "c:2: listeners[0].socket: is missing\nc:2: listeners[0].socket: must be unix: and an absolute path "
       "of at "
       "most 107 bytes, without '..'"},
      {"{" + socket + "}", "c:2: listeners[0].tenant: is missing"},
      {"{" + socket + ", \"tenant\": \"Alpha\"}", "c:2: listeners[0].tenant: " + name_rule},
      {"{" + socket + ", \"tenant\": \"\"}", "c:2: listeners[0].tenant: " + name_rule},
      {"{" + socket + ", \"tenant\": \"a\", \"role\": \"king\"}",
       "c:2: listeners[0].role: must be run, observe, operator or admin"},
      {"{" + socket + ", \"tenant\": \"a\", \"role\": \"operator\", \"peer_users\": [\"0\"]}",
       "c:2: listeners[0].tenant: must be left out: an operator belongs to no tenant"},
      {"{" + socket + ", \"role\": \"operator\"}",
       "c:2: listeners[0].peer_users: must be there: operators are named"},
      {"{" + socket + ", \"tenant\": \"a\", \"role\": \"admin\", \"peer_users\": [\"0\"]}",
       "c:2: listeners[0].tenant: must be left out: an admin belongs to no tenant"},
      {"{" + socket + ", \"role\": \"admin\"}",
       "c:2: listeners[0].peer_users: must be there: admins are named"},
      {"{\"socket\": \"tcp:127.0.0.1:80\", \"role\": \"admin\", \"peer_users\": [\"0\"]}",
       "c:2: listeners[0].socket: must be unix: and an absolute path of at most 107 bytes, without '..'"},
      {"{" + socket + ", \"tenant\": \"a\", \"peer_users\": []}",
       "c:2: listeners[0].peer_users: must not be empty; leave it out to let the file's mode decide"},
      {"{" + socket + ", \"tenant\": \"a\", \"peer_users\": [\"-1\"]}",
       "c:2: listeners[0].peer_users: has an entry that is neither a name nor a number"},
      {"{" + socket + ", \"tenant\": \"a\", \"mode\": \"0888\"}",
       "c:2: listeners[0].mode: must be octal digits in a string, at most \"0777\""},
      {"{" + socket + ", \"tenant\": \"a\", \"mode\": \"4755\"}",
       "c:2: listeners[0].mode: must be octal digits in a string, at most \"0777\""},
      {"{" + socket + ", \"tenant\": \"a\", \"owner\": \"a b\"}",
       "c:2: listeners[0].owner: is neither a name nor a number"},
      {"{" + socket + ", \"tenant\": \"a\", \"peers\": 1}", "c:2: listeners[0].peers: unknown key"},
      {"{\"socket\": \"unix:/run/caisson/caisson.sock\", \"tenant\": \"a\"}",
       "c:2: listeners[0].socket: another listener has this address"},
      {"{" + socket + ", \"tenant\": \"a\"},\n{" + socket + ", \"tenant\": \"b\"}",
       "c:3: listeners[1].socket: another listener has this address"},
      {"{\"socket\": \"127.0.0.1:80\", \"tenant\": \"a\"}",
       "c:2: listeners[0].socket: must be unix: and an absolute path of at most 107 bytes, without '..'"},
  };
  for (const auto& [listener, error] : cases) {
    EXPECT_EQ(ErrorOf("\"listeners\": [" + listener + "]").substr(0, error.size()), error) << listener;
  }
  EXPECT_EQ(ErrorOf("\"learning_profiles\": [\"c\"],\n\"listeners\": [{" + socket + ", \"tenant\": \"a\"}]"),
            "c:3: listeners: must be left out while profiles learn: then nobody but root may connect");
}

TEST(ConfigTest, ListenerThatAsksForTokensIsTaken) {
  const absl::StatusOr<Config> config = ParseConfigText(R"({"schema_version": 1, "tokens_file": "/etc/t.json",
    "listeners": [{"socket": "unix:/run/t/a.sock", "authentication": "token", "mode": "0666"},
                  {"socket": "unix:/run/t/b.sock", "authentication": "socket", "tenant": "b"}]})",
                                                        "c");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  EXPECT_EQ(config->tokens_file, "/etc/t.json");
  EXPECT_EQ(config->listeners[0].role, ipc::ClientRole::kByToken);
  EXPECT_EQ(config->listeners[0].tenant, "");
  EXPECT_EQ(config->listeners[1].role, ipc::ClientRole::kRun);
}

TEST(ConfigTest, FaultsOfTokenListenersAreTold) {
  const auto listener = [](const std::string& members) {
    return "\"listeners\": [{\"socket\": \"unix:/run/t/a.sock\", " + members + "}]";
  };
  const std::string file = "\"tokens_file\": \"/etc/t.json\", ";
  const std::string token = "\"authentication\": \"token\"";
  EXPECT_EQ(ErrorOf(listener(token)), "c:1: tokens_file: must be there: a listener asks for tokens");
  EXPECT_EQ(ErrorOf(file + listener("\"tenant\": \"a\"")),
            "c:2: tokens_file: no listener asks for tokens: give one \"authentication\": \"token\"");
  EXPECT_EQ(ErrorOf(file + listener(token + ", \"tenant\": \"a\"")),
            "c:2: listeners[0].tenant: must be left out: each token says it");
  for (const char* role : {"operator", "admin"}) {
    EXPECT_EQ(ErrorOf(file + listener(token + ", \"role\": \"" + role + "\"")),
              "c:2: listeners[0].role: must be left out: each token says it");
  }
  EXPECT_EQ(ErrorOf(listener("\"authentication\": \"password\", \"tenant\": \"a\"")),
            "c:2: listeners[0].authentication: must be socket or token");
  EXPECT_EQ(ErrorOf("\"tokens_file\": \"t.json\", " + listener(token)),
            "c:2: tokens_file: must be the absolute path of a file without '..', or empty");
  EXPECT_EQ(ErrorOf("\"learning_profiles\": [\"c\"], " + file + listener(token)),
            "c:2: listeners: must be left out while profiles learn: then nobody but root may connect");
}

TEST(ConfigTest, AllFaultsAreToldAtOnce) {
  EXPECT_EQ(ErrorOf("\"user\": \"root\",\n\"queue_length\": 0"),
            "c:2: user: must not be root: the dispatcher faces the clients\n"
            "c:3: queue_length: must be from 1 to 1000000");
}

TEST(ConfigTest, TheSchemaVersionIsRequiredAndOne) {
  EXPECT_EQ(Message(ParseConfigText("{}", "c").status()), "c:1: schema_version: is missing");
  EXPECT_EQ(Message(ParseConfigText("{\n\"schema_version\": 2}", "c").status()),
            "c:2: schema_version: must be 1");
}

TEST(ConfigTest, SyntaxErrorsNameTheirLine) {
  EXPECT_EQ(Message(ParseConfigText("{\n\"schema_version\": 1\n", "c").status()).substr(0, 18),
            "c:2: syntax error ");
}

class ConfigFileTest : public testing::Test {
 protected:
  ConfigFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "caisson-config-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    file_ = directory_ + "/caissond.json";
    std::ofstream(file_) << "{\"schema_version\": 1, \"queue_length\": 7}";
    EXPECT_EQ(chmod(file_.c_str(), 0644), 0);
  }
  ~ConfigFileTest() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
  std::string file_;
};

TEST_F(ConfigFileTest, RootsFileIsReadAndOthersAreNot) {
  const absl::StatusOr<Config> config = LoadConfig(file_);
  if (geteuid() != 0) {
    EXPECT_NE(Message(config.status()).find("must be root's"), std::string::npos);
    return;
  }
  ASSERT_TRUE(config.ok()) << Message(config.status());
  EXPECT_EQ(config->queue_length, 7U);
  ASSERT_EQ(chown(file_.c_str(), 1234, 0), 0);
  EXPECT_EQ(Message(LoadConfig(file_).status()), file_ + ":1: file: belongs to uid 1234, must be root's");
}

TEST_F(ConfigFileTest, LooseModesAndLinksAreRefused) {
  const std::string link = directory_ + "/link.json";
  std::filesystem::create_symlink(file_, link);
  EXPECT_EQ(Message(LoadConfig(link).status()), link + ":1: file: is a symbolic link");
  ASSERT_EQ(chmod(file_.c_str(), 0646), 0);
  const std::string error = Message(LoadConfig(file_).status());
  if (geteuid() == 0) {
    EXPECT_EQ(error, file_ + ":1: file: mode 0646 lets others write; take away with chmod go-w");
  } else {
    EXPECT_NE(error.find("must be root's"), std::string::npos);
  }
}

TEST_F(ConfigFileTest, AnAbsentFileIsNotFound) {
  EXPECT_EQ(LoadConfig(directory_ + "/absent").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace caisson::orchestrator
