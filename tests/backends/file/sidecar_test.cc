// Sidecars and META.json: what is written is read back, and nothing else is.
#include "backends/file/sidecar.h"

#include <gtest/gtest.h>

#include "backends/file/meta.h"
#include "backends/file/sealed_json.h"
#include "base/crc32c.h"
#include "base/random.h"

namespace strata::backends::file {
namespace {

using namespace std::string_literals;

Sidecar example() {
  Sidecar sidecar;
  sidecar.key = "hello";
  sidecar.value_file = "hello@42";
  sidecar.content_type = "text/plain; charset=utf-8";
  sidecar.sha256 = codec::sha256("world");
  sidecar.created_ms = 1'795'249'296'123;
  sidecar.modified_ms = 1'795'249'300'000;
  sidecar.info.version = Version{42};
  sidecar.info.value_bytes = 5;
  return sidecar;
}

TEST(Sidecar, IsTheTextOfItsDocument) {
  // The example of docs/formats/file.md: a change here is a change of the format.
  EXPECT_EQ(encode_sidecar(example()),
            "{\n"
            "\"strata_sidecar\": 1,\n"
            "\"key\": \"hello\",\n"
            "\"value_file\": \"hello@42\",\n"
            "\"size\": 5,\n"
            "\"sha256\": \"486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7\",\n"
            "\"content_type\": \"text/plain; charset=utf-8\",\n"
            "\"created\": \"2026-11-21T08:21:36.123Z\",\n"
            "\"modified\": \"2026-11-21T08:21:40.000Z\",\n"
            "\"version\": 42,\n"
            "\"type\": \"string\",\n"
            "\"crc32c\": \"8c372243\"\n"
            "}\n");
}

TEST(Sidecar, IsReadBackWithAllItsMembers) {
  Sidecar sidecar = example();
  EXPECT_EQ(*decode_sidecar(encode_sidecar(sidecar)), sidecar);
  sidecar.key = "\"quoted\\\" k\xC3\xB6ln";
  sidecar.info.type = ValueType::system;
  sidecar.info.expires_ms = INT64_MAX;
  sidecar.info.codec = 255;
  sidecar.info.dictionary = UINT32_MAX;
  sidecar.info.encryption_key = 7;
  sidecar.info.extension = "\0\xFF ext"s;
  sidecar.info.version = Version{UINT64_MAX};
  sidecar.info.value_bytes = kValueBytesMax;
  EXPECT_EQ(*decode_sidecar(encode_sidecar(sidecar)), sidecar);
  sidecar.info.expires_ms = -5;
  sidecar.created_ms = -1;
  EXPECT_EQ(*decode_sidecar(encode_sidecar(sidecar)), sidecar);
}

TEST(Sidecar, KeepsAnyKey) {
  base::Random random(7);
  Sidecar sidecar = example();
  for (int i = 0; i < 500; ++i) {
    sidecar.key = random.bytes(static_cast<std::size_t>(random.uniform(12)));
    ASSERT_EQ(decode_sidecar(encode_sidecar(sidecar))->key, sidecar.key) << i;
  }
  sidecar.key = Bytes(kKeyBytesMax, '\0');
  ASSERT_EQ(decode_sidecar(encode_sidecar(sidecar))->key, sidecar.key);
}

TEST(Sidecar, WithAnyByteChangedOrCutIsRefused) {
  const Bytes text = encode_sidecar(example());
  for (std::size_t i = 0; i < text.size(); ++i) {
    Bytes changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 0x01);
    const Result<Sidecar> read = decode_sidecar(changed);
    ASSERT_FALSE(read) << "byte " << i;
    EXPECT_EQ(read.error().code(), Code::corruption);
    ASSERT_FALSE(decode_sidecar(text.substr(0, i))) << "cut at " << i;
  }
}

TEST(Sidecar, WithAMemberThatIsNotKnownIsRefusedByItsName) {
  SealedWriter writer;
  writer.number("strata_sidecar", 2);
  const Result<Sidecar> later = decode_sidecar(std::move(writer).seal());
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().message(), "it has format 2, this version reads 1");

  Bytes text = encode_sidecar(example());
  text = text.substr(0, text.find("\"crc32c\""));
  SealedWriter extended;
  extended.text("shape", "round");
  const Bytes extra = std::move(extended).seal();
  text += extra.substr(2, extra.find("\"crc32c\"") - 2);
  text += "\"crc32c\": \"" + [&] {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", base::crc32c(text));
    return std::string(digits);
  }() + "\"\n}\n";
  const Result<Sidecar> unknown = decode_sidecar(text);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message(), "its member \"shape\" is not known to this version");
}

TEST(Sidecar, NamesNoFileOutsideItsFolder) {
  Sidecar sidecar = example();
  sidecar.value_file = "../../../etc/passwd";
  EXPECT_FALSE(decode_sidecar(encode_sidecar(sidecar)));
  sidecar.value_file = "hello@meta.json";
  EXPECT_FALSE(decode_sidecar(encode_sidecar(sidecar)));
}

TEST(ContentType, IsGuessedFromTheBytes) {
  EXPECT_EQ(guess_content_type("hello\nworld\n", {}), "text/plain; charset=utf-8");
  EXPECT_EQ(guess_content_type("", {}), "text/plain; charset=utf-8");
  EXPECT_EQ(guess_content_type(" {\"a\": 1}\n", {}), "application/json");
  EXPECT_EQ(guess_content_type("[1]", {}), "application/json");
  EXPECT_EQ(guess_content_type("\x89PNG\r\n", {}), "application/octet-stream");
  EXPECT_EQ(guess_content_type("a\0b"s, {}), "application/octet-stream");
  RecordAttributes compressed;
  compressed.codec = 1;
  EXPECT_EQ(guess_content_type("hello", compressed), "application/octet-stream");
  // The look ends in the middle of a character.
  Bytes umlauts;
  while (umlauts.size() < 8192) umlauts += "\xE2\x82\xAC";
  EXPECT_EQ(guess_content_type(umlauts, {}), "text/plain; charset=utf-8");
}

TEST(MetaFileText, IsReadBack) {
  Meta meta;
  meta.clean = false;
  meta.version_next = 1'048'577;
  meta.keyspaces[16] = {.records = 3, .expiring = 1, .bytes = 99, .blocks = 6};
  meta.keyspaces[UINT32_MAX] = {};
  const Bytes text = encode_meta(meta);
  EXPECT_EQ(*decode_meta(text), meta);
  for (std::size_t i = 0; i < text.size(); ++i) {
    Bytes changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 0x01);
    ASSERT_FALSE(decode_meta(changed)) << "byte " << i;
  }
}

TEST(MetaFileText, LeavesOutWhatDoesNotFit) {
  Meta meta;
  for (std::uint32_t i = 0; i < 20'000; ++i) meta.keyspaces[i].records = i;
  const Result<Meta> read = decode_meta(encode_meta(meta));
  ASSERT_TRUE(read);
  EXPECT_GT(read->keyspaces.size(), 1000u);
  EXPECT_LT(read->keyspaces.size(), 20'000u);
}

}  // namespace
}  // namespace strata::backends::file
