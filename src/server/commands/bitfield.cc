// BITFIELD: integers of 1 to 64 bits (unsigned: to 63) at any place of a value.
//
// Always: all operations are parsed before the first is carried out; the value is written once,
//         from the lowest to the highest byte that changed.
#include <algorithm>
#include <vector>

#include "server/commands/bit_offset.h"
#include "server/commands/bits.h"
#include "server/words.h"

namespace strata::server {

std::optional<std::uint64_t> bit_offset_of(Call& call, BytesView text, unsigned width) {
  const bool scaled = width > 0 && !text.empty() && text[0] == '#';
  const std::optional<std::int64_t> number = integer_of(scaled ? text.substr(1) : text);
  const std::uint64_t factor = scaled ? width : 1;
  if (!number || *number < 0 ||
      static_cast<std::uint64_t>(*number) >= kValueBytesMax * 8 / factor) {
    call.reply.error("ERR bit offset is not an integer or out of range");
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*number) * factor;
}

namespace {

__extension__ typedef __int128 Wide;  // holds every sum of two 64-bit numbers

enum class FieldAction : std::uint8_t { get, set, increment };
enum class Overflow : std::uint8_t { wrap, saturate, fail };

struct FieldOperation {
  FieldAction action = FieldAction::get;
  Overflow overflow = Overflow::wrap;
  bool is_signed = false;
  unsigned bits = 0;
  std::uint64_t offset = 0;
  std::int64_t number = 0;
};

bool parse_type(Call& call, BytesView text, FieldOperation& operation) {
  std::optional<std::int64_t> bits;
  if (!text.empty() && (text[0] == 'i' || text[0] == 'u')) {
    operation.is_signed = text[0] == 'i';
    bits = integer_of(text.substr(1));
  }
  if (!bits || *bits < 1 || *bits > (operation.is_signed ? 64 : 63)) {
    call.reply.error(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
        "i64 is.");
    return false;
  }
  operation.bits = static_cast<unsigned>(*bits);
  return true;
}

std::optional<Overflow> overflow_of(BytesView word) {
  if (is_word(word, "wrap")) return Overflow::wrap;
  if (is_word(word, "sat")) return Overflow::saturate;
  if (is_word(word, "fail")) return Overflow::fail;
  return std::nullopt;
}

// False: the reply is the error.
bool parse(Call& call, bool read_only, std::vector<FieldOperation>& operations) {
  Overflow overflow = Overflow::wrap;
  for (std::size_t i = 2; i < call.count();) {
    const BytesView word = call.argument(i);
    const std::size_t left = call.count() - i - 1;
    FieldOperation operation;
    std::size_t taken = 3;
    if (is_word(word, "get") && left >= 2) {
      operation.action = FieldAction::get;
    } else if (is_word(word, "set") && left >= 3) {
      operation.action = FieldAction::set;
      taken = 4;
    } else if (is_word(word, "incrby") && left >= 3) {
      operation.action = FieldAction::increment;
      taken = 4;
    } else if (is_word(word, "overflow") && left >= 1) {
      const std::optional<Overflow> wanted = overflow_of(call.argument(i + 1));
      if (!wanted) {
        call.reply.error("ERR Invalid OVERFLOW type specified");
        return false;
      }
      overflow = *wanted;
      i += 2;
      continue;
    } else {
      call.reply.error(kSyntaxError);
      return false;
    }
    if (!parse_type(call, call.argument(i + 1), operation)) return false;
    const std::optional<std::uint64_t> offset =
        bit_offset_of(call, call.argument(i + 2), operation.bits);
    if (!offset) return false;
    operation.offset = *offset;
    operation.overflow = overflow;
    if (operation.action != FieldAction::get) {
      if (read_only) {
        call.reply.error("ERR BITFIELD_RO only supports the GET subcommand");
        return false;
      }
      const std::optional<std::int64_t> number = integer_of(call.argument(i + 3));
      if (!number) {
        call.reply.error(kNotInteger);
        return false;
      }
      operation.number = *number;
    }
    operations.push_back(operation);
    i += taken;
  }
  return true;
}

// The present value with what was changed so far; remembers which bytes changed.
class FieldBytes {
 public:
  explicit FieldBytes(BytesView bytes) : present_(bytes) {}

  std::uint64_t read(std::uint64_t offset, unsigned bits) const {
    std::uint64_t result = 0;
    for (unsigned i = 0; i < bits; ++i) {
      const std::uint64_t at = offset + i;
      const unsigned byte =
          at / 8 < present_.size() ? static_cast<unsigned char>(present_[at / 8]) : 0u;
      result = (result << 1) | ((byte >> (7 - at % 8)) & 1u);
    }
    return result;
  }

  void write(std::uint64_t offset, unsigned bits, std::uint64_t value) {
    const std::uint64_t last = (offset + bits - 1) / 8;
    reach(last);
    if (!changed_) bytes_ = present_;
    present_ = bytes_;
    for (unsigned i = 0; i < bits; ++i) {
      const std::uint64_t at = offset + i;
      const auto mask = static_cast<unsigned char>(0x80u >> (at % 8));
      auto byte = static_cast<unsigned char>(bytes_[at / 8]);
      const bool set = ((value >> (bits - 1 - i)) & 1u) != 0;
      byte = static_cast<unsigned char>(set ? byte | mask : byte & ~mask);
      bytes_[at / 8] = static_cast<char>(byte);
    }
    first_ = std::min(first_, offset / 8);
    last_ = std::max(last_, last);
    changed_ = true;
  }

  /// Makes the value long enough for byte `last`, with zeros, even if nothing is written there.
  void reach(std::uint64_t last) {
    if (last < present_.size()) return;
    if (!changed_) bytes_ = present_;
    first_ = std::min<std::uint64_t>(first_, bytes_.size());
    last_ = last;
    bytes_.resize(last + 1);
    present_ = bytes_;
    changed_ = true;
  }

  void commit(Call& call) const {
    if (!changed_) return;
    const BytesView part = BytesView(bytes_).substr(first_, last_ - first_ + 1);
    call.batch.patch(call.key(1), first_, part.size(), part);
  }

 private:
  BytesView present_;  // the record's bytes, or bytes_ once something was written
  Bytes bytes_;
  std::uint64_t first_ = ~std::uint64_t{0};
  std::uint64_t last_ = 0;
  bool changed_ = false;
};

std::int64_t as_number(std::uint64_t field, const FieldOperation& operation) {
  if (!operation.is_signed || operation.bits == 64) return static_cast<std::int64_t>(field);
  const std::uint64_t sign = std::uint64_t{1} << (operation.bits - 1);
  return static_cast<std::int64_t>((field ^ sign) - sign);
}

// What `wanted` becomes in a field of this width; nothing: it does not fit and OVERFLOW is FAIL.
std::optional<std::uint64_t> fit(Wide wanted, const FieldOperation& operation) {
  const Wide one = 1;
  const Wide low = operation.is_signed ? -(one << (operation.bits - 1)) : 0;
  const Wide high =
      operation.is_signed ? (one << (operation.bits - 1)) - 1 : (one << operation.bits) - 1;
  const std::uint64_t mask =
      operation.bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << operation.bits) - 1;
  if (wanted < low || wanted > high) {
    if (operation.overflow == Overflow::fail) return std::nullopt;
    if (operation.overflow == Overflow::saturate) wanted = wanted < low ? low : high;
  }
  return static_cast<std::uint64_t>(wanted) & mask;
}

void carry_out(Call& call, const FieldOperation& operation, FieldBytes& bytes) {
  const std::int64_t old = as_number(bytes.read(operation.offset, operation.bits), operation);
  if (operation.action == FieldAction::get) {
    call.reply.integer(old);
    return;
  }
  const bool increment = operation.action == FieldAction::increment;
  // Redis takes the number of SET for an unsigned field as the 64 bits that it is.
  const Wide given = !increment && !operation.is_signed
                         ? static_cast<Wide>(static_cast<std::uint64_t>(operation.number))
                         : static_cast<Wide>(operation.number);
  const std::optional<std::uint64_t> field = fit(increment ? old + given : given, operation);
  if (!field) {
    call.reply.null();
    return;
  }
  bytes.write(operation.offset, operation.bits, *field);
  call.reply.integer(increment ? as_number(*field, operation) : old);
}

Step run(Call& call, bool read_only) {
  std::vector<FieldOperation> operations;
  if (!parse(call, read_only, operations)) return Step::done;
  for (const FieldOperation& operation : operations) {
    if (operation.action != FieldAction::get &&
        (operation.offset + operation.bits + 7) / 8 > kValueBytesMax) {
      return call.error("ERR bit offset is not an integer or out of range");
    }
  }
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (record != nullptr && record->info.type != ValueType::string) return call.error(kWrongType);
  FieldBytes bytes(record == nullptr ? BytesView() : record->value.view());
  // As in Redis the value grows for every field that might be written, also if OVERFLOW FAIL
  // keeps it from being so.
  for (const FieldOperation& operation : operations) {
    if (operation.action != FieldAction::get) {
      bytes.reach((operation.offset + operation.bits - 1) / 8);
    }
  }
  call.reply.array(operations.size());
  for (const FieldOperation& operation : operations) carry_out(call, operation, bytes);
  bytes.commit(call);
  return Step::done;
}

}  // namespace

bool bitfield_keys(Arguments arguments, std::vector<KeyAt>& keys) {
  std::size_t i = 2;
  while (i + 2 < arguments.size() && is_word(arguments[i], "get")) i += 3;
  const bool writes = i < arguments.size();
  keys.push_back({1, static_cast<std::uint16_t>(writes ? kKeyRW | kKeyAccess | kKeyUpdate
                                                       : kKeyRO | kKeyAccess)});
  return true;
}

Step bitfield_command(Call& call) { return run(call, false); }
Step bitfield_ro_command(Call& call) { return run(call, true); }

}  // namespace strata::server
