// Opening on the machine's own files where a lock is shown, on simulated ones where a crash is.
#include "stack/open.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "contract/keyspaces.h"
#include "io/files.h"
#include "io/posix_file_system.h"
#include "io/temp_folder.h"
#include "strata/strata.h"

namespace strata::stack {
namespace {

namespace fs = std::filesystem;

Result<std::unique_ptr<Engine>> open_broken(const OptionValues&, const Environment& environment) {
  std::ofstream(environment.folder + "/half") << "half made";
  return Error(Code::io, "the disk said no");
}

class OpenTest : public testing::Test {
 protected:
  OpenOptions memory() {
    OpenOptions options;
    options.backend = "memory";
    return options;
  }
  std::string path(const std::string& name) { return temp_.path() + "/" + name; }
  std::vector<std::string> everything() {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(temp_.path())) {
      all.push_back(entry.path().string());
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  Result<std::unique_ptr<Store>> open_with(const std::string& toml, const Registry& registry,
                                           OpenOptions options = {}) {
    STRATA_LET(const Config config, Config::parse(toml, "strata.toml", registry));
    return open_folder({io::posix(), base::system_clock(), 1}, path("data"), config, options,
                       registry);
  }
  io::TempFolder temp_;
};

TEST_F(OpenTest, MakesAStoreAndFindsItAgain) {
  {
    const auto store = open(path("a/b/data"), memory());
    ASSERT_TRUE(store) << store.error().to_string();
    ASSERT_TRUE((*store)->put("hello", "world"));
    EXPECT_EQ((*store)->get("hello").value(), "world");
    EXPECT_TRUE((*store)->exists("hello").value());
    ASSERT_TRUE((*store)->remove("hello"));
    EXPECT_EQ((*store)->get("hello").value(), std::nullopt);
    EXPECT_EQ((*store)->keyspace("db0").value(), kFirstUserKeyspace);
    ASSERT_TRUE((*store)->close());
    EXPECT_EQ((*store)->get("hello").error().code(), Code::closed);
  }
  EXPECT_TRUE(fs::exists(path("a/b/data/STORE")));
  OpenOptions existing;
  existing.create = false;
  const auto again = open(path("a/b/data"), existing);
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(backend_of(**again), "memory");
}

TEST_F(OpenTest, RefusesASecondOneAndNamesTheHolder) {
  const auto first = open(path("data"), memory());
  ASSERT_TRUE(first);
  const auto second = open(path("data"), memory());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::busy);
  const std::string message = second.error().to_string();
  EXPECT_NE(message.find(std::to_string(::getpid())), std::string::npos) << message;
  EXPECT_NE(message.find("LOCK"), std::string::npos) << message;
  ASSERT_TRUE((*first)->put("k", "v"));
  ASSERT_TRUE((*first)->close());
  EXPECT_TRUE(open(path("data")));
}

TEST_F(OpenTest, MakesNothingWhereItMayNot) {
  OpenOptions options = memory();
  options.create = false;
  EXPECT_EQ(open(path("data"), options).error().to_string(),
            "there is no store in '" + path("data") + "'");
  options.create = true;
  options.read_only = true;
  EXPECT_FALSE(open(path("data"), options));
  EXPECT_TRUE(everything().empty());
}

TEST_F(OpenTest, ReadOnlyTakesNoWritesAndNoLock) {
  {
    ASSERT_TRUE(open(path("data"), memory()));
  }
  OpenOptions options;
  options.read_only = true;
  const auto one = open(path("data"), options);
  const auto other = open(path("data"), options);
  ASSERT_TRUE(one) << one.error().to_string();
  ASSERT_TRUE(other);
  EXPECT_EQ((*one)->get("k").value(), std::nullopt);
  EXPECT_FALSE((*one)->put("k", "v"));
  EXPECT_FALSE((*one)->keyspace("new"));
}

TEST_F(OpenTest, LeavesAFolderOfSomethingElseAlone) {
  fs::create_directory(path("data"));
  std::ofstream(path("data/notes.txt")) << "mine";
  const auto before = everything();
  const auto store = open(path("data"), memory());
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().to_string().find("notes.txt"), std::string::npos);
  EXPECT_EQ(everything(), before);
  EXPECT_FALSE(open(path("data/notes.txt"), memory()));
}

TEST_F(OpenTest, RefusesAnotherBackendThanTheStores) {
  {
    ASSERT_TRUE(open(path("data"), memory()));
  }
  OpenOptions options;
  options.backend = "rocksdb";
  EXPECT_EQ(
      open(path("data"), options).error().to_string(),
      "the store in '" + path("data") + "' was made with the backend 'memory', not 'rocksdb'");
  options.backend = "memori";
  const auto unknown = open(path("other"), options);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().to_string(),
            "this program has no backend 'memori' (did you mean 'memory'?)");
  EXPECT_FALSE(fs::exists(path("other")));
}

TEST_F(OpenTest, RefusesADurabilityThatTheBackendCannotKeep) {
  OpenOptions options = memory();
  options.durability = Durability::commit;
  const auto store = open(path("data"), options);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code(), Code::not_supported);
  EXPECT_NE(store.error().to_string().find("backend memory cannot keep durability commit"),
            std::string::npos)
      << store.error().to_string();
}

TEST_F(OpenTest, LeavesNothingOfANewStoreWhoseEngineFails) {
  Registry registry = Registry::builtin();
  ASSERT_TRUE(registry.add(BackendSpec{"broken", "", {}, &open_broken}));
  const auto store = open_with("[storage]\nbackend = \"broken\"\n", registry);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().to_string(), "the disk said no");
  EXPECT_TRUE(everything().empty());
}

TEST_F(OpenTest, LeavesAStoreWhoseEngineFailsAsItWas) {
  {
    ASSERT_TRUE(open(path("data"), memory()));
  }
  const auto before = everything();
  fs::remove_all(path("data/engine"));
  const auto store = open(path("data"));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code(), Code::corruption);
  EXPECT_FALSE(fs::exists(path("data/engine")));
  EXPECT_TRUE(fs::exists(path("data/STORE")));
}

TEST_F(OpenTest, BeginsAnewWhereTheMakingWasInterrupted) {
  fs::create_directories(path("data/engine"));
  std::ofstream(path("data/engine/half")) << "half made";
  StoreFile half;
  half.backend = "memory";
  ASSERT_TRUE(write_store_file(io::posix(), path("data"), half));
  EXPECT_EQ(inspect(io::posix(), path("data")), FolderState::absent);
  OpenOptions existing;
  existing.create = false;
  EXPECT_FALSE(open(path("data"), existing));
  const auto store = open(path("data"), memory());
  ASSERT_TRUE(store) << store.error().to_string();
  EXPECT_FALSE(fs::exists(path("data/engine/half")));
  EXPECT_EQ(inspect(io::posix(), path("data")), FolderState::ready);
}

TEST_F(OpenTest, TellsALaterFormatFromDamage) {
  {
    ASSERT_TRUE(open(path("data"), memory()));
  }
  const std::string store_path = path("data/STORE");
  Bytes bytes = io::read_file(io::posix(), store_path).value().value();
  bytes[8] = 7;
  ASSERT_TRUE(io::write_file_atomically(io::posix(), store_path, bytes));
  EXPECT_EQ(open(path("data")).error().code(), Code::not_supported);
  EXPECT_EQ(inspect(io::posix(), path("data")), FolderState::too_new);
  ASSERT_TRUE(io::write_file_atomically(io::posix(), store_path, "nonsense"));
  EXPECT_EQ(open(path("data"), memory()).error().code(), Code::corruption);
  EXPECT_EQ(inspect(io::posix(), path("data")), FolderState::damaged);
}

TEST_F(OpenTest, ReadsTheConfigurationThatLiesInTheFolder) {
  fs::create_directory(path("data"));
  std::ofstream(path("data/strata.toml")) << "[storage]\nbackend = \"memory\"\n";
  {
    const auto store = open(path("data"));
    ASSERT_TRUE(store) << store.error().to_string();
    EXPECT_EQ(backend_of(**store), "memory");
  }
  std::ofstream(path("data/strata.toml")) << "[storage]\nbackend = 3\n";
  const auto broken = open(path("data"));
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().to_string().find("strata.toml:2:1: backend"), std::string::npos);
}

TEST_F(OpenTest, KeepsNothingWithoutAFolder) {
  const Config config =
      Config::parse("[storage]\nbackend = \"memory\"\ndata = \"\"\n", "strata.toml").value();
  const auto store = open(config);
  ASSERT_TRUE(store) << store.error().to_string();
  ASSERT_TRUE((*store)->put("k", "v"));
  EXPECT_EQ((*store)->get("k").value(), "v");
  EXPECT_FALSE(open(""));
}

}  // namespace
}  // namespace strata::stack
