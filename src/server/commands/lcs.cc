// LCS: the longest common subsequence of two values, by the table of all prefixes' lengths.
//
// Always: the table is bounded by kValueBytesMax; a match is reported from the values' ends to
//         their beginnings, as Redis does.
#include <algorithm>
#include <vector>

#include "server/commands/strings.h"
#include "server/words.h"

namespace strata::server {
namespace {

struct LcsOptions {
  bool length = false;
  bool index = false;
  bool with_match_length = false;
  std::int64_t match_length_min = 0;
};

// Two ranges of the same bytes, both ends included.
struct Match {
  std::size_t one_begin;
  std::size_t one_end;
  std::size_t other_begin;
  std::size_t other_end;
  std::size_t size() const { return one_end - one_begin + 1; }
};

class LcsTable {
 public:
  LcsTable(BytesView one, BytesView other)
      : one_(one), other_(other), cells_((one.size() + 1) * (other.size() + 1)) {
    for (std::size_t i = 1; i <= one_.size(); ++i) {
      for (std::size_t j = 1; j <= other_.size(); ++j) {
        at(i, j) = one_[i - 1] == other_[j - 1] ? at(i - 1, j - 1) + 1
                                                : std::max(at(i - 1, j), at(i, j - 1));
      }
    }
  }

  std::uint32_t length() { return at(one_.size(), other_.size()); }

  // Walks back through the table: the subsequence, and its runs in both values.
  Bytes walk(std::vector<Match>& matches) {
    Bytes common(length(), '\0');
    std::size_t left = common.size();
    std::size_t i = one_.size();
    std::size_t j = other_.size();
    bool open = false;  // the last match may still grow
    while (i > 0 && j > 0) {
      if (one_[i - 1] == other_[j - 1]) {
        common[--left] = one_[i - 1];
        if (open) {
          --matches.back().one_begin;
          --matches.back().other_begin;
        } else {
          matches.push_back({i - 1, i - 1, j - 1, j - 1});
          open = true;
        }
        --i;
        --j;
        continue;
      }
      open = false;
      at(i - 1, j) > at(i, j - 1) ? --i : --j;
    }
    return common;
  }

 private:
  std::uint32_t& at(std::size_t i, std::size_t j) { return cells_[i * (other_.size() + 1) + j]; }
  BytesView one_;
  BytesView other_;
  std::vector<std::uint32_t> cells_;
};

// False: the reply is the error.
bool parse(Call& call, LcsOptions& options) {
  for (std::size_t i = 3; i < call.count(); ++i) {
    const BytesView word = call.argument(i);
    if (is_word(word, "idx")) {
      options.index = true;
    } else if (is_word(word, "len")) {
      options.length = true;
    } else if (is_word(word, "withmatchlen")) {
      options.with_match_length = true;
    } else if (is_word(word, "minmatchlen") && i + 1 < call.count()) {
      const std::optional<std::int64_t> number = integer_of(call.argument(++i));
      if (!number) {
        call.reply.error(kNotInteger);
        return false;
      }
      options.match_length_min = std::max<std::int64_t>(*number, 0);
    } else {
      call.reply.error(kSyntaxError);
      return false;
    }
  }
  if (options.index && options.length) {
    call.reply.error("ERR If you want both the length and indexes, please just use IDX.");
    return false;
  }
  return true;
}

void reply_matches(Call& call, std::vector<Match>& matches, const LcsOptions& options,
                   std::uint32_t length) {
  const auto least = static_cast<std::size_t>(options.match_length_min);
  std::erase_if(matches, [&](const Match& match) { return match.size() < least; });
  call.reply.map(2);
  call.reply.bulk(BytesView("matches"));
  call.reply.array(matches.size());
  for (const Match& match : matches) {
    call.reply.array(options.with_match_length ? 3 : 2);
    for (const auto& [begin, end] : {std::pair(match.one_begin, match.one_end),
                                     std::pair(match.other_begin, match.other_end)}) {
      call.reply.array(2);
      call.reply.integer(static_cast<std::int64_t>(begin));
      call.reply.integer(static_cast<std::int64_t>(end));
    }
    if (options.with_match_length) {
      call.reply.integer(static_cast<std::int64_t>(match.size()));
    }
  }
  call.reply.bulk(BytesView("len"));
  call.reply.integer(length);
}

}  // namespace

Step lcs_command(Call& call) {
  STRATA_FETCH(Record* const one, call.view.get(call.argument(1)));
  STRATA_FETCH(Record* const other, call.view.get(call.argument(2)));
  for (const Record* record : {one, other}) {
    if (record != nullptr && record->info.type != ValueType::string) {
      return call.error("ERR The specified keys must contain string values");
    }
  }
  LcsOptions options;
  if (!parse(call, options)) return Step::done;
  const BytesView a = one == nullptr ? BytesView() : one->value.view();
  const BytesView b = other == nullptr ? BytesView() : other->value.view();
  if ((a.size() + 1) * (b.size() + 1) > kValueBytesMax / sizeof(std::uint32_t)) {
    return call.error(
        "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  LcsTable table(a, b);
  std::vector<Match> matches;
  if (options.index) {
    table.walk(matches);
    reply_matches(call, matches, options, table.length());
  } else if (options.length) {
    call.reply.integer(table.length());
  } else {
    call.reply.bulk(BytesView(table.walk(matches)));
  }
  return Step::done;
}

}  // namespace strata::server
