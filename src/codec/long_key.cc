#include "codec/long_key.h"

#include <iterator>

#include "base/coding.h"
#include "codec/sha256.h"

namespace strata::codec {

void LongKeys::put_stored(Bytes& to, BytesView physical) const {
  if (!is_long(physical)) {
    to.append(physical);
    return;
  }
  const Sha256 hash = sha256(physical);
  to.append(physical.substr(0, prefix_bytes_));
  to.append(reinterpret_cast<const char*>(hash.data()), kHashBytes);
}

void LongKeys::put_rest(Bytes& to, BytesView physical) const {
  if (is_long(physical)) base::put_sized(to, physical.substr(prefix_bytes_));
}

Result<BytesView> LongKeys::take_rest(BytesView stored, BytesView& bytes) const {
  if (!is_long(stored)) return BytesView{};
  base::Reader reader(bytes);
  const BytesView rest = reader.sized();
  if (!reader.ok() || rest.empty() || stored.size() != prefix_bytes_ + kHashBytes) {
    return Error(Code::corruption, "the rest of a long key is damaged");
  }
  bytes = reader.rest();
  return rest;
}

Bytes LongKeys::physical(BytesView stored, BytesView rest) const {
  Bytes key(stored.substr(0, prefix_bytes_));
  key.append(rest);
  return key;
}

void GroupOrder::offer(Bytes physical) {
  keys_.insert(std::move(physical));
  if (keys_.size() <= keys_max_) return;
  cut_ = true;
  keys_.erase(reverse_ ? keys_.begin() : std::prev(keys_.end()));
}

}  // namespace strata::codec
