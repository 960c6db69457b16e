// Single records: any bytes as key and value, attributes, versions, the life of a Value.
#include "conformance/fixture.h"

namespace strata::conformance {
namespace {

CONFORMANCE_PART(Reads);

TEST_P(Reads, GiveWhatWasWritten) {
  EXPECT_EQ(get("k"), std::nullopt);
  put("k", "value");
  EXPECT_EQ(get("k"), "value");
  put("k", "another");
  EXPECT_EQ(get("k"), "another");
  EXPECT_TRUE(ok(engine().exists(at("k"))));
  remove("k");
  EXPECT_EQ(get("k"), std::nullopt);
  EXPECT_FALSE(ok(engine().exists(at("k"))));
}

TEST_P(Reads, TakeAnyBytesInKeysAndValues) {
  Bytes all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::vector<Bytes> strange = {all,
                                      Bytes(1, '\0'),
                                      Bytes("a\0b", 3),
                                      Bytes("a\0", 2),
                                      "a",
                                      "\xff",
                                      "\xff\xff",
                                      "../../etc/passwd",
                                      "a/b",
                                      ".",
                                      "..",
                                      "con:",
                                      "%00",
                                      "\r\n",
                                      "\xc3\x28",
                                      "CASE",
                                      "case"};
  for (const Bytes& key : strange) put(key, "of " + key);
  for (const Bytes& key : strange) EXPECT_EQ(get(key), "of " + key);
  for (const Bytes& value : strange) {
    put("k", value);
    EXPECT_EQ(get("k"), value);
  }
  EXPECT_EQ(count(), strange.size() + 1);
}

TEST_P(Reads, TakeAnEmptyValue) {
  put("k", "");
  EXPECT_EQ(get("k"), "");
  ASSERT_TRUE(info("k").has_value());
  EXPECT_EQ(info("k")->value_bytes, 0u);
  EXPECT_EQ(count(), 1u);
}

TEST_P(Reads, TakeAnEmptyKeyWhereTheLimitsDo) {
  if (GetParam().limits.key_bytes_min > 0) {
    EXPECT_CODE(engine().put(at(""), "v"), Code::invalid_argument);
    return;
  }
  put("", "empty");
  put("a", "a");
  EXPECT_EQ(get(""), "empty");
  remove("");
  EXPECT_EQ(get(""), std::nullopt);
  EXPECT_EQ(get("a"), "a");
}

TEST_P(Reads, TakeKeysOfEveryLengthUpToTheLimit) {
  const std::uint64_t longest = GetParam().limits.key_bytes_max;
  std::vector<std::uint64_t> lengths;
  for (const std::uint64_t length : {1u, 2u, 127u, 128u, 255u, 256u, 511u, 512u, 4095u, 65535u}) {
    if (length < longest) lengths.push_back(length);
  }
  lengths.push_back(longest);
  // Two of each length, which differ in the last byte only.
  for (const std::uint64_t length : lengths) {
    const Bytes stem(length - 1, 'k');
    put(stem + "1", "1 of " + std::to_string(length));
    put(stem + "2", "2 of " + std::to_string(length));
  }
  for (const std::uint64_t length : lengths) {
    const Bytes stem(length - 1, 'k');
    EXPECT_EQ(get(stem + "1"), "1 of " + std::to_string(length));
    EXPECT_EQ(get(stem + "2"), "2 of " + std::to_string(length));
    EXPECT_EQ(get(stem + "3"), std::nullopt);
  }
  EXPECT_EQ(count(), lengths.size() * 2);
  for (const std::uint64_t length : lengths) remove(Bytes(length - 1, 'k') + "1");
  EXPECT_EQ(count(), lengths.size());
}

TEST_P(Reads, KeepKeyspacesApart) {
  put("k", "here");
  EXPECT_EQ(count(kOther), 0u);
  ok(engine().put({kOther, "k"}, "there"));
  ok(engine().put({Keyspace{UINT32_MAX}, "k"}, "far"));
  ok(engine().put({kSystemKeyspace, "k"}, "system"));
  Value value;
  ok(engine().get({kOther, "k"}, value));
  EXPECT_EQ(value.view(), "there");
  ok(engine().get({Keyspace{UINT32_MAX}, "k"}, value));
  EXPECT_EQ(value.view(), "far");
  ok(engine().remove({kOther, "k"}));
  EXPECT_EQ(get("k"), "here");
  EXPECT_EQ(count(), 1u);
  EXPECT_EQ(count(kOther), 0u);
  EXPECT_EQ(count(Keyspace{UINT32_MAX}), 1u);
  EXPECT_EQ(count(kSystemKeyspace), 1u);
}

TEST_P(Reads, GiveAllAttributesBack) {
  RecordAttributes attributes;
  attributes.expires_ms = now() + 1'000'000;
  attributes.dictionary = 0xfedcba98;
  attributes.encryption_key = 0x89abcdef;
  attributes.type = ValueType::sorted_set;
  attributes.codec = 7;
  attributes.extension = Bytes("ex\0tension\xff", 11);
  const Version version = put("k", "value", attributes);
  const auto found = info("k");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(static_cast<const RecordAttributes&>(*found), attributes);
  EXPECT_EQ(found->version, version);
  EXPECT_EQ(found->value_bytes, 5u);
  // A put replaces them all.
  put("k", "value");
  EXPECT_EQ(static_cast<const RecordAttributes&>(*info("k")), RecordAttributes{});
}

TEST_P(Reads, GiveEveryTypeAndTheLongestExtensionBack) {
  RecordAttributes attributes;
  attributes.extension.assign(kExtensionBytesMax, 'x');
  for (int type = 0; type <= static_cast<int>(ValueType::system); ++type) {
    attributes.type = static_cast<ValueType>(type);
    put("k", "v", attributes);
    EXPECT_EQ(static_cast<const RecordAttributes&>(*info("k")), attributes);
  }
}

TEST_P(Reads, OfInfoAloneKnowTheLength) {
  put("k", Bytes(1000, 'v'));
  Value value;
  ReadOptions options;
  options.info_only = true;
  const auto found = ok(engine().get(at("k"), value, options));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->value_bytes, 1000u);
}

// Of one key they rise with every write; of different ones they never fall.
TEST_P(Reads, ReportVersionsThatRiseWithEveryWrite) {
  Version last;
  Version last_of[2];
  for (int i = 0; i < 20; ++i) {
    const Version version = put(i % 2 == 0 ? "a" : "b", std::to_string(i));
    EXPECT_GT(version, last_of[i % 2]);
    EXPECT_GE(version, last);
    last_of[i % 2] = version;
    EXPECT_EQ(info(i % 2 == 0 ? "a" : "b")->version, version);
    last = version;
  }
  const Version removed = remove("a");
  EXPECT_GE(removed, last);
  EXPECT_GT(put("a", "again"), removed);
  EXPECT_EQ(info("b")->version, last);
}

TEST_P(Reads, OfManyAnswerEachInItsPlace) {
  for (int i = 0; i < 50; i += 2) put("key" + std::to_string(i), "value" + std::to_string(i));
  std::vector<Bytes> names;
  for (int i = 0; i < 50; ++i) names.push_back("key" + std::to_string(i));
  names.push_back("key4");  // twice in one batch
  std::vector<Read> reads(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) reads[i].key = at(names[i]);
  for (int round = 0; round < 2; ++round) {
    ok(engine().mget(reads));
    for (std::size_t i = 0; i < 50; ++i) {
      ASSERT_EQ(reads[i].info.has_value(), i % 2 == 0) << i;
      EXPECT_EQ(reads[i].value.view(), i % 2 == 0 ? "value" + std::to_string(i) : "");
    }
    EXPECT_EQ(reads[50].value.view(), "value4");
  }
  ok(engine().mget({}));
}

TEST_P(Reads, NeverChangeAValueThatWasGiven) {
  for (const std::size_t bytes : {1u, 300u, 5000u, 200000u}) {
    put("k", Bytes(bytes, 'a'));
    put("other", Bytes(bytes, 'o'));
    Value first;
    Value second;
    ok(engine().get(at("k"), first));
    ok(engine().get(at("other"), second));
    put("k", Bytes(bytes, 'b'));
    remove("other");
    EXPECT_EQ(first.view(), Bytes(bytes, 'a')) << bytes;
    EXPECT_EQ(second.view(), Bytes(bytes, 'o')) << bytes;
    // Used again, for a longer, a shorter, and no value.
    ok(engine().get(at("k"), second));
    EXPECT_EQ(second.view(), Bytes(bytes, 'b'));
    put("k", "short");
    ok(engine().get(at("k"), second));
    EXPECT_EQ(second.view(), "short");
    ok(engine().get(at("other"), second));
    EXPECT_TRUE(second.empty());
    Value moved = std::move(first);
    EXPECT_EQ(moved.view(), Bytes(bytes, 'a')) << bytes;
  }
}

TEST_P(Reads, GiveValuesThatOutliveTheirRecord) {
  const Bytes large(1'000'000, 'x');
  Value value;
  put("k", large);
  ok(engine().get(at("k"), value));
  WriteBatch batch;
  batch.delete_range(kSpace, "", "");
  commit(batch);
  while (ok(engine().maintain(100)).more) {
  }
  EXPECT_EQ(value.view(), large);
}

TEST_P(Reads, AsynchronousOnesGiveTheSame) {
  NEEDS(async_reads);
  class Waiting final : public ReadCompletion {
   public:
    void complete(Result<> result) noexcept override {
      failed = !result.has_value();
      done.store(true, std::memory_order_release);
    }
    std::atomic<bool> done{false};  // release; acquire in the waiting loop
    bool failed = false;
  };
  put("a", "1");
  put("b", Bytes(100000, 'b'));
  std::vector<Read> reads(3);
  reads[0].key = at("a");
  reads[1].key = at("absent");
  reads[2].key = at("b");
  Waiting waiting;
  const auto at_once = as<AsyncReads>().start_mget(reads, {}, waiting);
  if (at_once) {
    ok(*at_once);
  } else {
    while (!waiting.done.load(std::memory_order_acquire)) std::this_thread::yield();
    EXPECT_FALSE(waiting.failed);
  }
  EXPECT_EQ(reads[0].value.view(), "1");
  EXPECT_FALSE(reads[1].info.has_value());
  EXPECT_EQ(reads[2].value.view(), Bytes(100000, 'b'));
}

}  // namespace
}  // namespace strata::conformance
