// Admission of calls, and the way along a path.
#include "io/sim_machine.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/quote.h"

namespace strata::io {

using base::MutexLock;

namespace {

Error down_error(const char* call, const std::string& path) {
  return Error(Code::io, std::string(call) + " " + base::quote(path, 512) +
                             ": the simulated machine has lost power");
}

}  // namespace

Result<> SimMachine::check_up(const SimTicket& ticket, const std::string& path) const {
  if (down || ticket.boot != boot) return down_error(ticket.call, path);
  return {};
}

Result<SimTicket> SimMachine::admit(const SimCallTraits& traits, const std::string& path,
                                    std::optional<std::uint64_t> boot_of_file) {
  SimTicket ticket{.call = traits.name, .boot = 0, .error_number = 0};
  std::int64_t delay_ms = 0;
  {
    const MutexLock lock(mutex);
    if (boot_of_file && *boot_of_file != boot) return down_error(traits.name, path);
    if (traits.mutating && calls_left && !down) {
      if (*calls_left == 0) down = true;
      if (*calls_left > 0) --*calls_left;
    }
    if (down) return down_error(traits.name, path);
    ticket.boot = boot;
    if (traits.mutating) ++mutating_calls;
    for (SimFault& fault : faults) {
      if (fault.call != SimCall::any && fault.call != traits.call) continue;
      if (path.find(fault.path_contains) == std::string::npos) continue;
      if (fault.skip > 0) {
        --fault.skip;
        continue;
      }
      if (fault.times == 0) continue;
      --fault.times;
      ticket.error_number = fault.error_number;
      delay_ms = fault.delay_ms;
      break;
    }
  }
  if (delay_ms > 0) clock.sleep_ms(delay_ms);
  return ticket;
}

SimPlace SimMachine::find(const std::string& path) {
  SimPlace place{.folder = names.root(), .name = {}};
  if (path.empty()) return {.folder = nullptr, .name = {}, .error_number = ENOENT};
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") return {.folder = nullptr, .name = {}, .error_number = EINVAL};
    if (!place.name.empty()) {
      const auto next = place.folder->entries.find(place.name);
      if (next == place.folder->entries.end()) {
        return {.folder = nullptr, .name = {}, .error_number = ENOENT};
      }
      if (next->second->kind != FileKind::directory) {
        return {.folder = nullptr, .name = {}, .error_number = ENOTDIR};
      }
      place.folder = SimNodePtr(next->second);
    }
    place.name = part;
  }
  return place;
}

SimNodePtr SimMachine::look_up(const SimPlace& place) {
  if (place.folder == nullptr) return nullptr;
  if (place.name.empty()) return place.folder;
  const auto entry = place.folder->entries.find(place.name);
  return entry == place.folder->entries.end() ? nullptr : entry->second;
}

SimNodePtr SimMachine::add(const SimPlace& place, FileKind kind) {
  SimNodePtr node = std::make_shared<SimNode>(kind, clock.wall_ms(), used_bytes);
  names.apply({{place.folder, place.name, node}});
  return node;
}

}  // namespace strata::io
