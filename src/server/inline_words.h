// Words of an inline request: a line as a person types it, with redis-cli's quoting rules.
#pragma once

#include <vector>

#include "strata/bytes.h"

namespace strata::server {

/// Splits at blanks. "..." knows \n \r \t \b \a \xHH and \c for any other c; '...' knows only \'.
/// A closing quote must be followed by a blank or the end. False: the quotes do not match, and
/// `words` are unspecified.
bool split_words(BytesView line, std::vector<Bytes>& words);

}  // namespace strata::server
