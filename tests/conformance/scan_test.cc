// Scans in key order: ranges, prefixes, both directions, pages, limits, positions.
#include <algorithm>

#include "base/random.h"
#include "conformance/fixture.h"

namespace strata::conformance {
namespace {

class Scans : public Conformance {
 protected:
  void fill(const std::vector<Bytes>& names) {
    for (const Bytes& name : names) put(name, "of " + name);
  }
  ScanOptions reversed() {
    ScanOptions options;
    options.reverse = true;
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Contract, Scans, testing::ValuesIn(subjects_here()), subject_name);

TEST_P(Scans, GoInTheOrderOfUnsignedBytes) {
  NEEDS(ordered);
  std::vector<Bytes> names = {"a",
                              Bytes("a\0", 2),
                              Bytes("a\0\0", 3),
                              Bytes("a\0b", 3),
                              "a\x01",
                              "aa",
                              "b",
                              "B",
                              "\x7f",
                              "\x80",
                              "\xff",
                              "\xff\xff",
                              "\x01",
                              Bytes(1, '\0'),
                              "z"};
  if (GetParam().limits.key_bytes_min == 0) names.push_back("");
  fill(names);
  ok(engine().put({Keyspace{19}, "below"}, ""));
  ok(engine().put({kOther, "above"}, ""));
  std::ranges::sort(names);  // std::string compares as unsigned bytes
  std::vector<Item> expected;
  for (const Bytes& name : names) expected.push_back({name, "of " + name});
  EXPECT_EQ(scan_all(), expected);
  std::ranges::reverse(expected);
  EXPECT_EQ(scan(Range::all(kSpace), reversed()), expected);
}

TEST_P(Scans, KeepToTheirRange) {
  NEEDS(ordered);
  fill({"a", "b", "b1", "c", "d", "\xff"});
  const auto in = [&](BytesView begin, BytesView end) {
    const Range range{kSpace, Bytes(begin), Bytes(end)};
    std::vector<Bytes> forward = keys(range);
    std::vector<Bytes> backward = keys(range, reversed());
    std::ranges::reverse(backward);
    EXPECT_EQ(forward, backward) << begin << " to " << end;
    EXPECT_EQ(ok(as<Ordered>().count_range(range)), forward.size());
    return forward;
  };
  using Names = std::vector<Bytes>;
  EXPECT_EQ(in("b", "c"), (Names{"b", "b1"}));
  EXPECT_EQ(in("b", "c\x01"), (Names{"b", "b1", "c"}));
  EXPECT_EQ(in("", "b"), (Names{"a"}));
  EXPECT_EQ(in("c", ""), (Names{"c", "d", "\xff"}));
  EXPECT_EQ(in("aa", "aaa"), Names{});
  EXPECT_EQ(in("b", "b"), Names{});
  EXPECT_EQ(in("d", "a"), Names{});
  EXPECT_EQ(in("\xff\xff", ""), Names{});
}

TEST_P(Scans, OfAPrefixGiveAllThatStartWithIt) {
  NEEDS(ordered);
  fill({"a", "ab", Bytes("ab\0", 3), "abc", "ab\xff", "ab\xff\xff", "ac", "b", "\xff", "\xff\xff",
        "\xff\xff\x01"});
  using Names = std::vector<Bytes>;
  EXPECT_EQ(keys(Range::prefix(kSpace, "ab")),
            (Names{"ab", Bytes("ab\0", 3), "abc", "ab\xff", "ab\xff\xff"}));
  EXPECT_EQ(keys(Range::prefix(kSpace, "ab\xff")), (Names{"ab\xff", "ab\xff\xff"}));
  EXPECT_EQ(keys(Range::prefix(kSpace, "\xff\xff")), (Names{"\xff\xff", "\xff\xff\x01"}));
  EXPECT_EQ(keys(Range::prefix(kSpace, "\xff\xff"), reversed()),
            (Names{"\xff\xff\x01", "\xff\xff"}));
  EXPECT_EQ(keys(Range::prefix(kSpace, "x")), Names{});
  EXPECT_EQ(keys(Range::prefix(kSpace, "")).size(), 11u);
}

TEST_P(Scans, GiveTheSameInPagesOfAnySize) {
  NEEDS(ordered);
  base::Random random(7);
  for (int i = 0; i < 60; ++i)
    put(random.bytes(random.between(1, 3)), random.bytes(random.uniform(40)));
  const std::vector<Item> all = scan_all();
  EXPECT_EQ(all.size(), count());
  for (const bool reverse : {false, true}) {
    for (const std::uint32_t records : {1u, 2u, 7u, 1000u}) {
      for (const std::uint32_t bytes : {1u, 50u, 1000u}) {
        ScanOptions options;
        options.reverse = reverse;
        options.page_records = records;
        options.page_bytes = bytes;
        std::vector<Item> found = scan(Range::all(kSpace), options);
        if (reverse) std::ranges::reverse(found);
        EXPECT_EQ(found, all) << records << " records, " << bytes << " bytes";
      }
    }
  }
}

TEST_P(Scans, EndAPageBehindTheRecordThatReachesItsBound) {
  NEEDS(ordered);
  for (int i = 0; i < 10; ++i) put("k" + std::to_string(i), Bytes(100, 'v'));
  ScanPage page;
  ScanOptions options;
  options.page_records = 4;
  ok(as<Ordered>().scan(Range::all(kSpace), options, page));
  EXPECT_EQ(page.size(), 4u);
  EXPECT_TRUE(page.more());
  page.clear();
  options.page_records = 100;
  options.page_bytes = 250;
  ok(as<Ordered>().scan(Range::all(kSpace), options, page));
  EXPECT_EQ(page.size(), 3u);
  EXPECT_TRUE(page.more());
  page.clear();
  options.page_bytes = 100000;
  ok(as<Ordered>().scan(Range::all(kSpace), options, page));
  EXPECT_EQ(page.size(), 10u);
  EXPECT_FALSE(page.more());
}

TEST_P(Scans, StopAtTheirLimit) {
  NEEDS(ordered);
  fill({"a", "b", "c", "d", "e"});
  ScanOptions options;
  options.page_records = 2;
  using Names = std::vector<Bytes>;
  options.limit = 3;
  EXPECT_EQ(keys(Range::all(kSpace), options), (Names{"a", "b", "c"}));
  options.reverse = true;
  EXPECT_EQ(keys(Range::all(kSpace), options), (Names{"e", "d", "c"}));
  options.limit = 100;
  EXPECT_EQ(keys(Range::all(kSpace), options).size(), 5u);
}

TEST_P(Scans, GoOnFromTheirPosition) {
  NEEDS(ordered);
  std::vector<Bytes> names;
  for (int i = 0; i < 26; ++i) names.push_back(Bytes(1, static_cast<char>('a' + i)));
  fill(names);
  for (const bool reverse : {false, true}) {
    ScanOptions options;
    options.reverse = reverse;
    options.page_records = 4;
    std::vector<Bytes> found;
    Range rest = Range::all(kSpace);
    while (true) {
      ScanIterator iterator(as<Ordered>(), rest, options);
      if (!ok(iterator.next())) break;
      found.emplace_back(iterator.entry().key);
      if (ok(iterator.next())) found.emplace_back(iterator.entry().key);
      rest = iterator.rest();
    }
    if (reverse) std::ranges::reverse(found);
    EXPECT_EQ(found, names);
  }
}

TEST_P(Scans, ReportAttributesAndLengthsWithoutValues) {
  NEEDS(ordered);
  RecordAttributes attributes;
  attributes.type = ValueType::stream;
  attributes.expires_ms = now() + 1000;
  attributes.codec = 3;
  attributes.extension = "ext";
  const Version version = put("k", "value", attributes);
  for (const bool keys_only : {false, true}) {
    ScanOptions options;
    options.keys_only = keys_only;
    ScanPage page;
    ok(as<Ordered>().scan(Range::all(kSpace), options, page));
    ASSERT_EQ(page.size(), 1u);
    EXPECT_EQ(page[0].value, keys_only ? "" : "value");
    EXPECT_EQ(page[0].info.value_bytes, 5u);
    EXPECT_EQ(page[0].info.version, version);
    EXPECT_EQ(static_cast<const RecordAttributes&>(page[0].info), attributes);
  }
}

TEST_P(Scans, SeeWhatIsWrittenBeforeTheirNextPage) {
  NEEDS(ordered);
  fill({"a", "b", "c", "d"});
  ScanOptions options;
  options.page_records = 2;
  ScanIterator iterator(as<Ordered>(), Range::all(kSpace), options);
  ASSERT_TRUE(ok(iterator.next()));
  ASSERT_TRUE(ok(iterator.next()));
  remove("c");
  put("cc", "new");
  ASSERT_TRUE(ok(iterator.next()));
  EXPECT_EQ(iterator.entry().key, "cc");
  ASSERT_TRUE(ok(iterator.next()));
  EXPECT_EQ(iterator.entry().key, "d");
  EXPECT_FALSE(ok(iterator.next()));
  EXPECT_FALSE(ok(iterator.next()));
}

TEST_P(Scans, KeepLongKeysInOrder) {
  NEEDS(ordered);
  const std::size_t longest = GetParam().limits.key_bytes_max;
  std::vector<Bytes> names;
  for (const char last : {'a', 'b', 'c'}) {
    names.push_back(Bytes(longest - 1, 'k') + last);
    names.push_back(Bytes(longest / 2, 'k') + last);
    names.push_back(Bytes("k") + last);
  }
  fill(names);
  std::ranges::sort(names);
  EXPECT_EQ(keys(Range::all(kSpace)), names);
  std::ranges::reverse(names);
  EXPECT_EQ(keys(Range::all(kSpace), reversed()), names);
  EXPECT_EQ(keys({kSpace, Bytes(longest - 1, 'k') + "b", Bytes(longest - 1, 'k') + "c"}),
            std::vector<Bytes>{Bytes(longest - 1, 'k') + "b"});
}

TEST_P(Scans, MayStopInTheMiddle) {
  NEEDS(ordered);
  fill({"a", "b", "c"});
  int visits = 0;
  ok(for_each(as<Ordered>(), Range::all(kSpace), {}, [&](const ScanEntry&) {
    ++visits;
    return visits < 2;
  }));
  EXPECT_EQ(visits, 2);
}

CONFORMANCE_PART(Cursors);

TEST_P(Cursors, GiveEveryRecordWhateverTheCount) {
  std::vector<Bytes> names;
  for (int i = 0; i < 100; ++i) names.push_back("key" + std::to_string(i));
  for (const Bytes& name : names) put(name, "of " + name);
  ok(engine().put({kOther, "other"}, ""));
  std::ranges::sort(names);
  for (const std::uint32_t step : {0u, 1u, 3u, 10u, 1000u}) {
    CursorOptions options;
    options.count = step;
    std::vector<Bytes> found;
    for (const auto& [key, times] : cursor_keys(options)) {
      found.push_back(key);
      EXPECT_EQ(times, 1) << key << " though nobody writes";
    }
    EXPECT_EQ(found, names) << "in steps of " << step;
  }
}

TEST_P(Cursors, EndAtOnceInAnEmptyKeyspace) {
  Bytes cursor;
  ScanPage page;
  ok(engine().scan_some(kSpace, cursor, {}, page));
  EXPECT_TRUE(cursor.empty());
  EXPECT_TRUE(page.empty());
}

TEST_P(Cursors, KeepToTheirPrefixAndAboutToTheirCount) {
  for (int i = 0; i < 300; ++i) put((i % 3 == 0 ? "a:" : "b:") + std::to_string(i), "v");
  CursorOptions options;
  options.prefix = "a:";
  std::size_t found = 0;
  for (const auto& [key, times] : cursor_keys(options)) {
    if (key.starts_with("a:")) ++found;
  }
  EXPECT_EQ(found, 100u);
  options.prefix = {};
  options.count = 10;
  Bytes cursor;
  ScanPage page;
  ok(engine().scan_some(kSpace, cursor, options, page));
  EXPECT_LE(page.size(), 100u) << "a step of 10";
  EXPECT_FALSE(cursor.empty());
}

TEST_P(Cursors, FetchValuesWhenAsked) {
  for (int i = 0; i < 20; ++i) put("k" + std::to_string(i), "v" + std::to_string(i));
  CursorOptions options;
  options.count = 100;
  options.keys_only = false;
  Bytes cursor;
  ScanPage page;
  std::size_t fetched = 0;
  do {  // a step may come back with nothing, and all of them have all
    ok(engine().scan_some(kSpace, cursor, options, page));
    for (std::size_t i = 0; i < page.size(); ++i, ++fetched) {
      EXPECT_EQ(page[i].value.substr(1), page[i].key.substr(1));
      EXPECT_EQ(page[i].info.value_bytes, page[i].value.size());
    }
  } while (!cursor.empty());
  EXPECT_GE(fetched, 20u);
}

TEST_P(Cursors, LoseNothingThatStaysWhileOthersComeAndGo) {
  for (int i = 0; i < 50; ++i) put("stays" + std::to_string(i), "v");
  for (int i = 0; i < 50; ++i) put("goes" + std::to_string(i), "v");
  CursorOptions options;
  options.count = 5;
  std::map<Bytes, int> seen;
  Bytes cursor;
  ScanPage page;
  int step = 0;
  do {
    page.clear();
    ok(engine().scan_some(kSpace, cursor, options, page));
    for (std::size_t i = 0; i < page.size(); ++i) ++seen[Bytes(page[i].key)];
    // Also the very record that the cursor stands on may go.
    if (!page.empty() && page[page.size() - 1].key.starts_with("goes")) {
      remove(page[page.size() - 1].key);
    }
    if (step < 50) remove("goes" + std::to_string(step));
    put("comes" + std::to_string(step), "v");
    ASSERT_LT(++step, 2000) << "the cursor did not come to its end";
  } while (!cursor.empty());
  for (int i = 0; i < 50; ++i) EXPECT_GT(seen["stays" + std::to_string(i)], 0) << i;
}

TEST_P(Cursors, ThatAreNotOfThisEngineAreRefused) {
  put("k", "v");
  ScanPage page;
  for (const BytesView strange : {BytesView("\xee\xee"), BytesView("garbage-cursor")}) {
    Bytes cursor(strange);
    EXPECT_CODE(engine().scan_some(kSpace, cursor, {}, page), Code::invalid_argument);
  }
}

}  // namespace
}  // namespace strata::conformance
