#include "server/settings.h"

#include <algorithm>

#include "server/parameter_value.h"
#include "server/words.h"

namespace strata::server {
namespace {

const Parameter* find(std::string_view name) {
  for (const Parameter& parameter : parameters()) {
    if (!is_word(name, parameter.name)) continue;
    return parameter.alias_of.empty() ? &parameter : find(parameter.alias_of);
  }
  return nullptr;
}

Error refusal(BytesView name, std::string_view why) {
  return Error(Code::invalid_argument, "CONFIG SET failed (possibly related to argument '" +
                                           std::string(name) + "') - " + std::string(why));
}

}  // namespace

Settings::Settings() {
  const base::MutexLock lock(mutex_);
  for (const Parameter& parameter : parameters()) {
    if (parameter.alias_of.empty()) {
      values_.emplace(parameter.name, parameter.fallback);
      apply({&parameter, std::string(parameter.fallback)});
    }
  }
}

Result<Settings::Change> Settings::check(const Pair& pair, bool starting) const {
  const Parameter* parameter = find(pair.first);
  if (parameter == nullptr) {
    return Error(
        Code::invalid_argument,
        "Unknown option or number of arguments for CONFIG SET - '" + std::string(pair.first) + "'");
  }
  if (!starting && parameter->access == Parameter::Access::immutable) {
    return refusal(pair.first, "can't set immutable config");
  }
  if (!starting && parameter->access == Parameter::Access::guarded) {
    return refusal(pair.first, "can't set protected config");
  }
  const auto present = values_.find(parameter->name);
  const Result<std::string> value =
      normal_value(*parameter, pair.second, present == values_.end() ? "" : present->second);
  if (!value) return refusal(pair.first, value.error().message());
  return Change{parameter, *value};
}

Result<> Settings::set(std::span<const Pair> pairs, bool starting) {
  const base::MutexLock lock(mutex_);
  std::vector<Change> changes;
  for (const Pair& pair : pairs) {
    STRATA_LET(Change change, check(pair, starting));
    for (const Change& other : changes) {
      if (other.parameter == change.parameter) return refusal(pair.first, "duplicate parameter");
    }
    changes.push_back(std::move(change));
  }
  for (const Change& change : changes) apply(change);
  return {};
}

void Settings::apply(const Change& change) {
  const Parameter& parameter = *change.parameter;
  values_.insert_or_assign(std::string(parameter.name), change.value);
  if (parameter.name == "requirepass") {
    password_required_.store(!change.value.empty(), std::memory_order_relaxed);
  } else if (parameter.kind == Parameter::Kind::output_limits) {
    apply_output_limits(change.value);
  } else if (parameter.kind == Parameter::Kind::boolean) {
    apply_number(parameter.name, change.value == "yes" ? 1 : 0);
  } else if (const std::optional<std::int64_t> number = integer_of(change.value)) {
    apply_number(parameter.name, *number);
  }
}

// What a parameter means here. Those that are not named are only kept.
void Settings::apply_number(std::string_view name, std::int64_t value) {
  const auto relaxed = std::memory_order_relaxed;
  const auto size = static_cast<std::uint64_t>(value);
  if (name == "maxclients") network.clients_max.store(size, relaxed);
  if (name == "client-query-buffer-limit") network.query_bytes_max.store(size, relaxed);
  if (name == "proto-max-bulk-len") network.bulk_bytes_max.store(size, relaxed);
  if (name == "timeout") network.idle_timeout_s.store(value, relaxed);
  if (name == "tcp-keepalive") network.keepalive_s.store(value, relaxed);
  if (name == "protected-mode") network.protected_mode.store(value != 0, relaxed);
  if (name == "slowlog-log-slower-than") slowlog_log_slower_than_us.store(value, relaxed);
  if (name == "slowlog-max-len") slowlog_max_len.store(value, relaxed);
  if (name == "latency-monitor-threshold") latency_threshold_ms.store(value, relaxed);
}

void Settings::apply_output_limits(const std::string& text) {
  for (const OutputClass& limit : output_classes(text)) {
    NetworkSettings::OutputLimit* target = nullptr;
    if (limit.name == "normal") target = &network.output_normal;
    if (limit.name == "pubsub") target = &network.output_pushed;
    if (target == nullptr) continue;
    target->hard_bytes.store(limit.hard_bytes, std::memory_order_relaxed);
    target->soft_bytes.store(limit.soft_bytes, std::memory_order_relaxed);
    target->soft_s.store(limit.soft_s, std::memory_order_relaxed);
  }
}

std::map<std::string, std::string> Settings::matching(std::span<const BytesView> patterns) const {
  std::map<std::string, std::string> found;
  const base::MutexLock lock(mutex_);
  for (const Parameter& parameter : parameters()) {
    const auto value =
        values_.find(parameter.alias_of.empty() ? parameter.name : parameter.alias_of);
    if (value == values_.end()) continue;
    for (const BytesView pattern : patterns) {
      if (!matches(pattern, parameter.name, true)) continue;
      // As in Redis, a name without wildcards comes back in the letters in which it was asked for.
      const bool exact = pattern.find_first_of("*?[") == BytesView::npos;
      found.emplace(exact ? pattern : BytesView(parameter.name), value->second);
    }
  }
  return found;
}

std::map<std::string, std::string> Settings::changed() const {
  std::map<std::string, std::string> found;
  const base::MutexLock lock(mutex_);
  for (const Parameter& parameter : parameters()) {
    if (!parameter.alias_of.empty() || parameter.secret) continue;
    const auto value = values_.find(parameter.name);
    if (value != values_.end() && value->second != parameter.fallback) found.insert(*value);
  }
  return found;
}

bool Settings::password_matches(BytesView password) const {
  const base::MutexLock lock(mutex_);
  const auto known = values_.find("requirepass");
  const BytesView ours = known == values_.end() ? BytesView() : BytesView(known->second);
  unsigned difference = password.size() == ours.size() ? 0 : 1;
  for (std::size_t i = 0; i < password.size(); ++i) {
    const char letter = ours.empty() ? '\0' : ours[i % ours.size()];
    difference |= static_cast<unsigned char>(password[i] ^ letter);
  }
  return difference == 0;
}

void Settings::set_password(std::string password) {
  const base::MutexLock lock(mutex_);
  password_required_.store(!password.empty(), std::memory_order_relaxed);
  values_.insert_or_assign("requirepass", std::move(password));
}

}  // namespace strata::server
