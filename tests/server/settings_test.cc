// Settings: checking, all-or-none, aliases, what acts at once; the guide that lists every name; and
// the [redis] table of the configuration file.
#include "server/settings.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "server/config_file.h"

namespace strata::server {
namespace {

std::string value_of(const Settings& settings, BytesView name) {
  const auto found = settings.matching(std::span(&name, 1));
  return found.empty() ? "(none)" : found.begin()->second;
}

std::string refusal(Settings& settings, std::initializer_list<Settings::Pair> pairs) {
  const Result<> done = settings.set(std::span(pairs.begin(), pairs.size()));
  return done ? "" : done.error().message();
}

TEST(Settings, ActsAtOnceOnWhatMeansSomething) {
  Settings settings;
  EXPECT_EQ(refusal(settings, {{"maxclients", "7"}, {"slowlog-log-slower-than", "-1"}}), "");
  EXPECT_EQ(settings.network.clients_max.load(), 7u);
  EXPECT_EQ(settings.slowlog_log_slower_than_us.load(), -1);
  EXPECT_EQ(value_of(settings, "maxclients"), "7");
}

TEST(Settings, ChangesAllOrNone) {
  Settings settings;
  EXPECT_EQ(refusal(settings, {{"maxclients", "7"}, {"timeout", "soon"}}),
            "CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be "
            "parsed into an integer");
  EXPECT_EQ(value_of(settings, "maxclients"), "10000");
}

TEST(Settings, RefusesWhatRedisRefuses) {
  Settings settings;
  const auto failed = [](std::string_view name, std::string_view why) {
    return "CONFIG SET failed (possibly related to argument '" + std::string(name) + "') - " +
           std::string(why);
  };
  EXPECT_EQ(refusal(settings, {{"nonesuch", "1"}}),
            "Unknown option or number of arguments for CONFIG SET - 'nonesuch'");
  EXPECT_EQ(refusal(settings, {{"timeout", "1"}, {"timeout", "2"}}),
            failed("timeout", "duplicate parameter"));
  EXPECT_EQ(refusal(settings, {{"databases", "3"}}),
            failed("databases", "can't set immutable config"));
  EXPECT_EQ(refusal(settings, {{"maxclients", "0"}}),
            failed("maxclients", "argument must be between 1 and 4294967295 inclusive"));
  EXPECT_EQ(refusal(settings, {{"appendonly", "maybe"}}),
            failed("appendonly", "argument must be 'yes' or 'no'"));
  EXPECT_EQ(refusal(settings, {{"maxmemory", "lots"}}),
            failed("maxmemory", "argument must be a memory value"));
  EXPECT_NE(refusal(settings, {{"maxmemory-policy", "best"}}).find("must be one of the following"),
            std::string::npos);
}

TEST(Settings, TakesMemoryWithUnits) {
  Settings settings;
  EXPECT_EQ(refusal(settings, {{"maxmemory", "2mb"}}), "");
  EXPECT_EQ(value_of(settings, "maxmemory"), "2097152");
  EXPECT_EQ(refusal(settings, {{"maxmemory", "9223372036854775807gb"}}),
            "CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a "
            "memory value");
}

TEST(Settings, KnowsOldNamesAsTheNewOnes) {
  Settings settings;
  EXPECT_EQ(refusal(settings, {{"slave-priority", "42"}}), "");
  EXPECT_EQ(value_of(settings, "replica-priority"), "42");
  EXPECT_EQ(value_of(settings, "SLAVE-PRIORITY"), "42");
}

TEST(Settings, ChangesOnlyTheNamedClassOfOutputLimits) {
  Settings settings;
  EXPECT_EQ(refusal(settings, {{"client-output-buffer-limit", "normal 10mb 5mb 30"}}), "");
  EXPECT_EQ(settings.network.output_normal.hard_bytes.load(), 10u << 20);
  EXPECT_EQ(settings.network.output_normal.soft_s.load(), 30);
  EXPECT_EQ(settings.network.output_pushed.hard_bytes.load(), 32u << 20);
  EXPECT_EQ(value_of(settings, "client-output-buffer-limit"),
            "normal 10485760 5242880 30 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
}

TEST(Settings, ShowsEventsInTheirOrder) {
  Settings settings;
  EXPECT_EQ(refusal(settings, {{"notify-keyspace-events", "Eg$lshzxetdK"}}), "");
  EXPECT_EQ(value_of(settings, "notify-keyspace-events"), "AKE");
}

TEST(Settings, ComparesPasswordsWhole) {
  Settings settings;
  settings.set_password("right");
  EXPECT_TRUE(settings.password_required());
  EXPECT_TRUE(settings.password_matches("right"));
  for (const std::string_view wrong : {"", "righ", "rightr", "wrong", "rightright"}) {
    EXPECT_FALSE(settings.password_matches(wrong)) << wrong;
  }
}

TEST(Settings, LeavesSecretsOutOfWhatIsKept) {
  Settings settings;
  settings.set_password("right");
  EXPECT_EQ(refusal(settings, {{"timeout", "5"}}), "");
  EXPECT_EQ(settings.changed(), (std::map<std::string, std::string>{{"timeout", "5"}}));
}

TEST(ServerGuide, ListsEveryParameter) {
  std::ifstream file(STRATA_SOURCE_DIR "/docs/guide/server-parameters.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const Parameter& parameter : parameters()) {
    EXPECT_NE(text.str().find("`" + std::string(parameter.name) + "`"), std::string::npos)
        << parameter.name;
  }
}

TEST(ConfigFile, GetsARedisTableAndKeepsTheRest) {
  const std::string text = "# mine\n[storage]\nbackend = \"memory\"";
  EXPECT_EQ(with_redis_table(text, {{"timeout", "5"}}),
            "# mine\n[storage]\nbackend = \"memory\"\n\n[redis]\ntimeout = \"5\"\n");
}

TEST(ConfigFile, ReplacesItsRedisTableOnly) {
  const std::string text = "[redis]\ntimeout = \"1\"\n[server]\nport = 1\n";
  EXPECT_EQ(with_redis_table(text, {{"save", "a\"b\\\n"}}),
            "[redis]\nsave = \"a\\\"b\\\\\\u000A\"\n[server]\nport = 1\n");
}

}  // namespace
}  // namespace strata::server
