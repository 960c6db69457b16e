#include "backends/memory/checkpoint_code.h"

#include "backends/memory/prepared.h"
#include "base/coding.h"

namespace strata::backends::memory {

namespace {

void encode_attributes(const RecordAttributes& attributes, Bytes& to) {
  base::put_u8(to, static_cast<std::uint8_t>(attributes.type));
  base::put_u8(to, attributes.codec);
  base::put_u16_le(to, 0);
  base::put_u32_le(to, attributes.dictionary);
  base::put_u32_le(to, attributes.encryption_key);
  base::put_u64_le(to, static_cast<std::uint64_t>(attributes.expires_ms));
  base::put_sized(to, attributes.extension);
}

Error damaged(std::string_view what) { return {Code::corruption, std::string(what)}; }

Result<RecordAttributes> decode_attributes(base::Reader& reader) {
  RecordAttributes attributes;
  const std::uint8_t type = reader.u8();
  attributes.codec = reader.u8();
  const std::uint16_t reserved = reader.u16_le();
  attributes.dictionary = reader.u32_le();
  attributes.encryption_key = reader.u32_le();
  attributes.expires_ms = static_cast<std::int64_t>(reader.u64_le());
  attributes.extension = reader.sized();
  if (!reader.ok()) return damaged("attributes are cut off");
  if (type > static_cast<std::uint8_t>(ValueType::system) || reserved != 0) {
    return damaged("unknown type or flags of a record");
  }
  if (attributes.extension.size() > kExtensionBytesMax) return damaged("an extension is too long");
  attributes.type = static_cast<ValueType>(type);
  return attributes;
}

Result<> decode_effect(base::Reader& reader, WriteBatch& batch) {
  const std::uint8_t kind = reader.u8();
  const Keyspace space{reader.u32_le()};
  const BytesView key = reader.sized();
  const BytesView value = reader.sized();
  const std::uint64_t offset = reader.u64_le();
  const std::uint64_t erase = reader.u64_le();
  STRATA_LET(RecordAttributes attributes, decode_attributes(reader));
  if (kind > static_cast<std::uint8_t>(EffectKind::delete_range)) {
    return damaged("unknown kind of effect");
  }
  append_effect(Effect{.kind = static_cast<EffectKind>(kind),
                       .key = {space, key},
                       .value = value,
                       .offset = offset,
                       .erase = erase,
                       .attributes = std::move(attributes)},
                batch);
  return {};
}

Result<> decode_condition(base::Reader& reader, WriteBatch& batch) {
  const std::uint8_t kind = reader.u8();
  const Keyspace space{reader.u32_le()};
  const BytesView key = reader.sized();
  const Version version{reader.u64_le()};
  if (!reader.ok()) return damaged("a condition is cut off");
  if (kind > static_cast<std::uint8_t>(ConditionKind::unchanged)) {
    return damaged("unknown kind of condition");
  }
  append_condition({static_cast<ConditionKind>(kind), {space, key}, version}, batch);
  return {};
}

}  // namespace

void encode_record(Keyspace space, BytesView key, const RecordInfo& info, BytesView value,
                   Bytes& to) {
  base::put_u32_le(to, static_cast<std::uint32_t>(space));
  encode_attributes(info, to);
  base::put_u64_le(to, info.version.value);
  base::put_sized(to, key);
  base::put_sized(to, value);
}

Result<std::uint64_t> decode_records(BytesView payload, Version newest,
                                     CheckpointVisitor& visitor) {
  base::Reader reader(payload);
  std::uint64_t count = 0;
  while (!reader.finished()) {
    const Keyspace space{reader.u32_le()};
    STRATA_LET(RecordAttributes attributes, decode_attributes(reader));
    const Version version{reader.u64_le()};
    const BytesView key = reader.sized();
    const BytesView value = reader.sized();
    if (!reader.ok()) return damaged("a record is cut off");
    if (key.size() > kKeyBytesMax) return damaged("a key is too long");
    if (value.size() > kValueBytesMax) return damaged("a value is too long");
    if (version > newest) return damaged("a record is newer than the checkpoint");
    visitor.record(space, key,
                   {version, std::move(attributes), std::make_shared<const Bytes>(value)});
    ++count;
  }
  return count;
}

Bytes encode_prepared(BytesView id, const WriteBatch& batch) {
  Bytes to;
  base::put_sized(to, id);
  base::put_u32_le(to, static_cast<std::uint32_t>(batch.effects().size()));
  for (const Effect& effect : batch.effects()) {
    base::put_u8(to, static_cast<std::uint8_t>(effect.kind));
    base::put_u32_le(to, static_cast<std::uint32_t>(effect.key.space));
    base::put_sized(to, effect.key.key);
    base::put_sized(to, effect.value);
    base::put_u64_le(to, effect.offset);
    base::put_u64_le(to, effect.erase);
    encode_attributes(effect.attributes, to);
  }
  base::put_u32_le(to, static_cast<std::uint32_t>(batch.conditions().size()));
  for (const Condition& condition : batch.conditions()) {
    base::put_u8(to, static_cast<std::uint8_t>(condition.kind));
    base::put_u32_le(to, static_cast<std::uint32_t>(condition.key.space));
    base::put_sized(to, condition.key.key);
    base::put_u64_le(to, condition.version.value);
  }
  return to;
}

Result<> decode_prepared(BytesView payload, CheckpointVisitor& visitor) {
  base::Reader reader(payload);
  const Bytes id(reader.sized());
  WriteBatch batch;
  for (std::uint32_t left = reader.u32_le(); left != 0; --left) {
    STRATA_TRY(decode_effect(reader, batch));
  }
  for (std::uint32_t left = reader.u32_le(); left != 0; --left) {
    STRATA_TRY(decode_condition(reader, batch));
  }
  if (!reader.finished()) return damaged("a prepared batch is not as long as its block");
  visitor.prepared(id, std::move(batch));
  return {};
}

}  // namespace strata::backends::memory
