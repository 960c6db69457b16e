#include "stack/config.h"

#include <gtest/gtest.h>

namespace strata::stack {
namespace {

std::string error_of(std::string_view toml) {
  const Result<Config> config = Config::parse(toml, "strata.toml");
  return config ? "" : config.error().to_string();
}

TEST(Config, TakesSizesTimesAndTables) {
  const Result<Config> config = Config::parse(R"(
    [storage]
    backend = "memory"
    data = "/srv/data"
    memory = "4GiB"
    interval = "250ms"
    durability = "commit"
    layers = []
    [backend.memory]
    [server]
    port = 7000
  )",
                                              "strata.toml");
  ASSERT_TRUE(config) << config.error().to_string();
  const OptionValues& storage = config->state().section("storage").values;
  EXPECT_EQ(storage.text("backend"), "memory");
  EXPECT_EQ(storage.number("memory"), std::int64_t{4} << 30);
  EXPECT_EQ(storage.number("interval"), 250);
  EXPECT_EQ(config->state().section("server").values.number("port"), 7000);
  EXPECT_TRUE(config->state().layers().empty());
}

TEST(Config, OfNothingIsAllDefaults) {
  const Result<Config> config = Config::parse("", "strata.toml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->state().section("storage").values.text("backend"), kDefaultBackend);
}

TEST(Config, NamesPlaceAndNearestNameOfWhatItDoesNotKnow) {
  EXPECT_EQ(error_of("[storage]\nbakend = \"memory\"\n"),
            "strata.toml:2:1: unknown key 'bakend' in [storage] (did you mean 'backend'?)");
  EXPECT_EQ(error_of("[storge]\n"),
            "strata.toml:1:2: unknown table 'storge' (did you mean 'storage'?)");
  EXPECT_EQ(error_of("[storage]\nbackend = \"memry\"\n"),
            "strata.toml:2:1: unknown backend 'memry' (did you mean 'memory'?)");
  EXPECT_EQ(error_of("[backend.memry]\n"),
            "strata.toml:1:10: unknown table 'backend.memry' (did you mean 'backend.memory'?)");
  EXPECT_EQ(error_of("[storage]\nlayers = [\"nothing-like-it\"]\n"),
            "strata.toml:2:1: unknown layer 'nothing-like-it'");
  EXPECT_EQ(error_of("port = 1\n"),
            "strata.toml:1:1: unknown key 'port': keys stand in a table such as [storage]");
  EXPECT_EQ(error_of("[\"backend.memory\"]\n").substr(0, 38),
            "strata.toml:1:2: unknown table 'backen");
}

TEST(Config, NamesPlaceKindAndRangeOfAWrongValue) {
  EXPECT_EQ(error_of("[server]\n  port = 70000\n"),
            "strata.toml:2:3: port: '70000' is out of range: 0 to 65535");
  EXPECT_EQ(error_of("[server]\nport = \"7000\"\n"),
            "strata.toml:2:1: port: an integer is wanted, this is text");
  EXPECT_EQ(error_of("[server]\nport = {}\n"),
            "strata.toml:2:1: port: an integer is wanted, this is a table");
  EXPECT_EQ(error_of("[storage]\nlayers = \"metrics\"\n"),
            "strata.toml:2:1: layers: an array of texts is wanted, this is text");
  EXPECT_EQ(error_of("[storage]\nmemory = 1.5\n"),
            "strata.toml:2:1: memory: a size such as \"4GiB\" is wanted, this is something else");
  EXPECT_EQ(error_of("[storage]\ndurability = \"comit\"\n"),
            "strata.toml:2:1: durability: 'comit' is none of none, interval, commit (did you mean "
            "'commit'?)");
}

TEST(Config, NamesThePlaceOfABrokenFile) {
  EXPECT_EQ(error_of("[storage]\nbackend = memory\n").substr(0, 15), "strata.toml:2:1");
  EXPECT_EQ(error_of("[storage\n").substr(0, 14), "strata.toml:1:");
  EXPECT_NE(error_of("[storage]\nport = 1\nport = 2\n"), "");
  EXPECT_EQ(error_of("\xC3\xA4 = 1").substr(0, 14), "strata.toml:1:");
  EXPECT_EQ(error_of("[;st").substr(0, 14), "strata.toml:1:");
  EXPECT_EQ(error_of(BytesView("[storage]\n#\0\n", 13)),
            "strata.toml:2:2: byte 0 is no part of any text");
  EXPECT_NE(error_of(std::string(2 << 20, ' ')), "");
  EXPECT_NE(error_of(std::string("[storage]\ndata = \"\xff\xfe\"\n")), "");
}

TEST(ConfigBuilder, LetsStrongerSourcesWin) {
  const Registry registry = Registry::builtin();
  ConfigBuilder builder(registry);
  ASSERT_TRUE(builder.add_toml("[server]\nport = 1\nthreads = 1\nmax_clients = 1\n", "a.toml"));
  const char* environment[] = {"STRATA__SERVER__THREADS=2", "HOME=/", "STRATA_OTHER=1",
                               "STRATA__SERVER__MAX_CLIENTS=2", nullptr};
  ASSERT_TRUE(builder.add_environment(environment));
  ASSERT_TRUE(builder.set("server", "max_clients", "3", {Origin::flag, "--max-clients"}));
  const Config config = std::move(builder).build().value();
  const Section& server = config.state().section("server");
  EXPECT_EQ(server.values.number("port"), 1);
  EXPECT_EQ(server.values.number("threads"), 2);
  EXPECT_EQ(server.values.number("max_clients"), 3);
  EXPECT_EQ(server.sources.find("port")->second.place, "a.toml:2:1");
  EXPECT_EQ(server.sources.find("threads")->second.place, "STRATA__SERVER__THREADS");
  EXPECT_EQ(server.sources.find("max_clients")->second.place, "--max-clients");
  EXPECT_FALSE(server.is_set("bind"));
}

TEST(ConfigBuilder, NamesTheVariableThatIsWrong) {
  const Registry registry = Registry::builtin();
  ConfigBuilder builder(registry);
  const char* unknown[] = {"STRATA__SERVER__PROT=1", nullptr};
  EXPECT_EQ(builder.add_environment(unknown).error().to_string(),
            "environment variable STRATA__SERVER__PROT: unknown option 'prot' (did you mean "
            "'port'?)");
  const char* wrong[] = {"STRATA__STORAGE__MEMORY=lots", nullptr};
  EXPECT_EQ(builder.add_environment(wrong).error().to_string().substr(0, 60),
            "environment variable STRATA__STORAGE__MEMORY: memory: 'lots'");
}

TEST(Config, ShowsWhatIsInEffectAndWhereItCameFrom) {
  const Config config = Config::parse("[storage]\nbackend = \"memory\"\n", "strata.toml").value();
  const auto rows = config.state().show();
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows[0].section, "storage");
  EXPECT_EQ(rows[0].name, "backend");
  EXPECT_EQ(rows[0].value, "memory");
  EXPECT_EQ(rows[0].source.place, "strata.toml:2:1");
  EXPECT_EQ(rows[1].source.place, "default");
}

}  // namespace
}  // namespace strata::stack
