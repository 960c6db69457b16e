#include "server/settings.h"

namespace strata::server {

bool Settings::password_matches(BytesView password) const {
  const base::MutexLock lock(mutex_);
  unsigned difference = password.size() == password_.size() ? 0 : 1;
  for (std::size_t i = 0; i < password.size(); ++i) {
    const char ours = password_.empty() ? '\0' : password_[i % password_.size()];
    difference |= static_cast<unsigned char>(password[i] ^ ours);
  }
  return difference == 0;
}

void Settings::set_password(std::string password) {
  const base::MutexLock lock(mutex_);
  password_ = std::move(password);
  password_required_.store(!password_.empty(), std::memory_order_relaxed);
}

}  // namespace strata::server
