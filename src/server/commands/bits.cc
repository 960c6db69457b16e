// GETBIT, SETBIT, BITCOUNT, BITPOS, BITOP. Bit 0 is the highest bit of byte 0; beyond the value's
// end all bits are clear.
#include "server/commands/bits.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "server/commands/bit_offset.h"
#include "server/words.h"

namespace strata::server {
namespace {

unsigned byte_at(BytesView bytes, std::uint64_t index) {
  return index < bytes.size() ? static_cast<unsigned char>(bytes[index]) : 0u;
}

std::uint64_t word_at(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

std::int64_t ones_in(BytesView bytes) {
  std::int64_t count = 0;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) count += std::popcount(word_at(bytes.data() + i));
  for (; i < bytes.size(); ++i) count += std::popcount(byte_at(bytes, i));
  return count;
}

// A range of bits [begin, end) of a value.
struct BitRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool empty() const { return begin >= end; }
};

std::int64_t ones_in(BytesView bytes, BitRange range) {
  if (range.empty()) return 0;
  const std::uint64_t first = range.begin / 8;
  const std::uint64_t last = (range.end - 1) / 8;
  std::int64_t count = ones_in(bytes.substr(first, last - first + 1));
  count -= std::popcount(byte_at(bytes, first) & (0xFF00u >> (range.begin % 8)) & 0xFFu);
  count -= std::popcount(byte_at(bytes, last) & (0xFFu >> ((range.end - 1) % 8 + 1)));
  return count;
}

// The first bit of the range that equals `bit`.
std::optional<std::uint64_t> find_bit(BytesView bytes, BitRange range, bool bit) {
  const unsigned char skipped = bit ? 0x00 : 0xFF;
  for (std::uint64_t at = range.begin; at < range.end;) {
    if (at % 8 == 0) {
      while (at + 8 <= range.end && byte_at(bytes, at / 8) == skipped) at += 8;
      if (at >= range.end) break;
    }
    if (((byte_at(bytes, at / 8) >> (7 - at % 8)) & 1u) == (bit ? 1u : 0u)) return at;
    ++at;
  }
  return std::nullopt;
}

// Start, end and unit as BITCOUNT and BITPOS take them; false: the reply is the error.
struct RangeArguments {
  std::int64_t start = 0;
  std::int64_t end = -1;
  bool in_bits = false;
  bool end_given = false;
};

bool parse_range(Call& call, std::size_t first, RangeArguments& range) {
  const auto number = [&](std::size_t at, std::int64_t& into) {
    const std::optional<std::int64_t> value = integer_of(call.argument(at));
    if (value) into = *value;
    return value.has_value();
  };
  if (call.count() > first && !number(first, range.start)) {
    call.reply.error(kNotInteger);
    return false;
  }
  if (call.count() > first + 2) {
    range.in_bits = is_word(call.argument(first + 2), "bit");
    if (!range.in_bits && !is_word(call.argument(first + 2), "byte")) {
      call.reply.error(kSyntaxError);
      return false;
    }
  }
  if (call.count() > first + 1) {
    range.end_given = true;
    if (!number(first + 1, range.end)) {
      call.reply.error(kNotInteger);
      return false;
    }
  }
  return true;
}

// Negative places count from the end; the result lies within the value.
BitRange bits_of(const RangeArguments& range, std::uint64_t value_bytes) {
  const auto units = static_cast<std::int64_t>(range.in_bits ? value_bytes * 8 : value_bytes);
  if (range.start < 0 && range.end < 0 && range.start > range.end) return {};
  std::int64_t start =
      range.start < 0 ? std::max<std::int64_t>(units + range.start, 0) : range.start;
  std::int64_t end = range.end < 0 ? std::max<std::int64_t>(units + range.end, 0) : range.end;
  end = std::min(end, units - 1);
  if (start > end) return {};
  const std::uint64_t scale = range.in_bits ? 1 : 8;
  return {static_cast<std::uint64_t>(start) * scale, (static_cast<std::uint64_t>(end) + 1) * scale};
}

enum class BitOperation : std::uint8_t { conjunction, disjunction, exclusive, negation };

std::optional<BitOperation> operation_of(BytesView word) {
  if (is_word(word, "and")) return BitOperation::conjunction;
  if (is_word(word, "or")) return BitOperation::disjunction;
  if (is_word(word, "xor")) return BitOperation::exclusive;
  if (is_word(word, "not")) return BitOperation::negation;
  return std::nullopt;
}

template <class T>
T apply(BitOperation operation, T one, T other) {
  switch (operation) {
    case BitOperation::conjunction:
      return static_cast<T>(one & other);
    case BitOperation::disjunction:
      return static_cast<T>(one | other);
    case BitOperation::exclusive:
      return static_cast<T>(one ^ other);
    case BitOperation::negation:
      break;
  }
  return static_cast<T>(~one);
}

// Combines `bytes`, as if it had zeros behind its end, into `result`.
void combine(BitOperation operation, Bytes& result, BytesView bytes) {
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    const std::uint64_t word =
        apply(operation, word_at(result.data() + i), word_at(bytes.data() + i));
    std::memcpy(result.data() + i, &word, sizeof(word));
  }
  for (; i < result.size(); ++i) {
    result[i] = static_cast<char>(apply(operation, byte_at(result, i), byte_at(bytes, i)));
  }
}

}  // namespace

Step getbit_command(Call& call) {
  const std::optional<std::uint64_t> offset = bit_offset_of(call, call.argument(2));
  if (!offset) return Step::done;
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (is_no_string(record)) return call.error(kWrongType);
  const unsigned byte = record == nullptr ? 0 : byte_at(record->value.view(), *offset / 8);
  call.reply.integer((byte >> (7 - *offset % 8)) & 1u);
  return Step::done;
}

Step setbit_command(Call& call) {
  const std::optional<std::uint64_t> offset = bit_offset_of(call, call.argument(2));
  if (!offset) return Step::done;
  const std::optional<std::int64_t> bit = integer_of(call.argument(3));
  if (!bit || (*bit != 0 && *bit != 1)) {
    return call.error("ERR bit is not an integer or out of range");
  }
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (is_no_string(record)) return call.error(kWrongType);
  const unsigned old = record == nullptr ? 0 : byte_at(record->value.view(), *offset / 8);
  const unsigned mask = 0x80u >> (*offset % 8);
  const auto byte = static_cast<char>(*bit != 0 ? old | mask : old & ~mask);
  call.batch.patch(call.key(1), *offset / 8, 1, {&byte, 1});
  call.reply.integer((old & mask) != 0 ? 1 : 0);
  return Step::done;
}

Step bitcount_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (record == nullptr) {
    call.reply.integer(0);
    return Step::done;
  }
  if (is_no_string(record)) return call.error(kWrongType);
  if (call.count() == 3 || call.count() > 5) return call.error(kSyntaxError);
  RangeArguments range;
  if (!parse_range(call, 2, range)) return Step::done;
  const BytesView value = record->value.view();
  call.reply.integer(ones_in(value, bits_of(range, value.size())));
  return Step::done;
}

Step bitpos_command(Call& call) {
  const std::optional<std::int64_t> bit = integer_of(call.argument(2));
  if (!bit) return call.error(kNotInteger);
  if (*bit != 0 && *bit != 1) return call.error("ERR The bit argument must be 1 or 0.");
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (record == nullptr) {
    call.reply.integer(*bit != 0 ? -1 : 0);
    return Step::done;
  }
  if (is_no_string(record)) return call.error(kWrongType);
  if (call.count() > 6) return call.error(kSyntaxError);
  RangeArguments range;
  if (!parse_range(call, 3, range)) return Step::done;
  const BytesView value = record->value.view();
  const BitRange bits = bits_of(range, value.size());
  const std::optional<std::uint64_t> found = find_bit(value, bits, *bit != 0);
  if (found) {
    call.reply.integer(static_cast<std::int64_t>(*found));
  } else if (*bit == 0 && !range.end_given && !bits.empty()) {
    // Behind the value all bits are clear, and nobody said where to stop.
    call.reply.integer(static_cast<std::int64_t>(value.size() * 8));
  } else {
    call.reply.integer(-1);
  }
  return Step::done;
}

Step bitop_command(Call& call) {
  const std::optional<BitOperation> operation = operation_of(call.argument(1));
  if (!operation) return call.error(kSyntaxError);
  if (*operation == BitOperation::negation && call.count() != 4) {
    return call.error("ERR BITOP NOT must be called with a single source key.");
  }
  std::vector<BytesView> sources;
  std::size_t longest = 0;
  for (std::size_t i = 3; i < call.count(); ++i) {
    STRATA_FETCH(Record* const record, call.view.get(call.argument(i)));
    if (is_no_string(record)) return call.error(kWrongType);
    sources.push_back(record == nullptr ? BytesView() : record->value.view());
    longest = std::max(longest, sources.back().size());
  }
  if (longest == 0) {
    call.batch.remove(call.key(2));
    call.reply.integer(0);
    return Step::done;
  }
  Bytes result(longest, '\0');
  result.replace(0, sources[0].size(), sources[0]);
  if (*operation == BitOperation::negation) combine(*operation, result, {});
  for (std::size_t i = 1; i < sources.size(); ++i) combine(*operation, result, sources[i]);
  call.batch.put(call.key(2), result);
  call.reply.integer(static_cast<std::int64_t>(longest));
  return Step::done;
}

}  // namespace strata::server
