// The simulated machine. A call first asks to be admitted (is the machine up, shall the call wait
// or fail), which may sleep and so holds no lock; then it takes the mutex and has its effect.
#include "io/sim_file_system.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/quote.h"
#include "io/sim_names.h"
#include "io/system_error.h"

namespace strata::io {

using Node = SimNames::Node;
using base::MutexLock;

namespace {

constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 62;

struct CallTraits {
  SimCall call;
  const char* name;  // as the machine's own file system says it in errors
  bool mutating;
};

/// What is going on: given by admit(), needed under the mutex.
struct Ticket {
  const char* call;
  std::uint64_t boot;
  int error_number;
};

constexpr CallTraits kOpenToRead{SimCall::open, "open", false};
constexpr CallTraits kOpenToWrite{SimCall::open, "open", true};
constexpr CallTraits kRead{SimCall::read, "read", false};
constexpr CallTraits kWrite{SimCall::write, "write", true};
constexpr CallTraits kSync{SimCall::sync, "sync", true};
constexpr CallTraits kTruncate{SimCall::truncate, "truncate", true};
constexpr CallTraits kAllocate{SimCall::allocate, "allocate", true};
constexpr CallTraits kClose{SimCall::close, "close", false};
constexpr CallTraits kStat{SimCall::stat, "stat", false};
constexpr CallTraits kList{SimCall::list_directory, "list", false};
constexpr CallTraits kCreateDirectory{SimCall::create_directory, "create folder", true};
constexpr CallTraits kRemove{SimCall::remove, "remove", true};
constexpr CallTraits kRemoveDirectory{SimCall::remove, "remove folder", true};
constexpr CallTraits kRename{SimCall::rename, "rename", true};
constexpr CallTraits kSyncDirectory{SimCall::sync_directory, "sync folder", true};
constexpr CallTraits kLock{SimCall::lock, "lock", true};
constexpr CallTraits kSpace{SimCall::space, "space of", false};

Error down_error(const char* call, const std::string& path) {
  return Error(Code::io, std::string(call) + " " + base::quote(path, 512) +
                             ": the simulated machine has lost power");
}

/// A path's folder (null where there is none) and the name in it.
struct Place {
  Node folder;
  std::string name;  // empty: the root itself
  int error_number = 0;
};

}  // namespace

struct SimMachine {
  SimMachine(std::uint64_t seed, base::Clock& its_clock, SimOptions its_options)
      : clock(its_clock),
        write_back_one_in(its_options.write_back_one_in),
        random(seed),
        names(its_clock.wall_ms(), used_bytes),
        capacity_bytes(its_options.capacity_bytes) {}

  Result<Ticket> admit(const CallTraits& traits, const std::string& path,
                       std::optional<std::uint64_t> boot_of_file) STRATA_EXCLUDES(mutex);
  /// The machine may have gone down while the call waited.
  Result<> check_up(const Ticket& ticket, const std::string& path) STRATA_REQUIRES(mutex) {
    if (down || ticket.boot != boot) return down_error(ticket.call, path);
    return {};
  }
  Place find(const std::string& path) STRATA_REQUIRES(mutex);
  /// The node, or null, in which case the place says why when it is more than absence.
  Node look_up(const Place& place) STRATA_REQUIRES(mutex);
  Node add(const Place& place, FileKind kind) STRATA_REQUIRES(mutex);
  std::uint64_t room_bytes() const STRATA_REQUIRES(mutex) {
    const std::uint64_t used = used_bytes.load(std::memory_order_relaxed);
    return used < capacity_bytes ? capacity_bytes - used : 0;
  }

  base::Clock& clock;
  const std::uint64_t write_back_one_in;
  SimUsedBytes used_bytes{0};

  base::Mutex mutex;
  base::Random random STRATA_GUARDED_BY(mutex);
  SimNames names STRATA_GUARDED_BY(mutex);
  std::uint64_t capacity_bytes STRATA_GUARDED_BY(mutex);
  std::vector<SimFault> faults STRATA_GUARDED_BY(mutex);
  std::uint64_t mutating_calls STRATA_GUARDED_BY(mutex) = 0;
  std::optional<std::uint64_t> calls_left STRATA_GUARDED_BY(mutex);
  std::uint64_t boot STRATA_GUARDED_BY(mutex) = 0;
  bool down STRATA_GUARDED_BY(mutex) = false;
};

Result<Ticket> SimMachine::admit(const CallTraits& traits, const std::string& path,
                                 std::optional<std::uint64_t> boot_of_file) {
  Ticket ticket{.call = traits.name, .boot = 0, .error_number = 0};
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

Place SimMachine::find(const std::string& path) {
  Place place{.folder = names.root(), .name = {}};
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
      place.folder = Node(next->second);
    }
    place.name = part;
  }
  return place;
}

Node SimMachine::look_up(const Place& place) {
  if (place.folder == nullptr) return nullptr;
  if (place.name.empty()) return place.folder;
  const auto entry = place.folder->entries.find(place.name);
  return entry == place.folder->entries.end() ? nullptr : entry->second;
}

Node SimMachine::add(const Place& place, FileKind kind) {
  Node node = std::make_shared<SimNode>(kind, clock.wall_ms(), used_bytes);
  names.apply({{place.folder, place.name, node}});
  return node;
}

namespace {

class SimFile final : public File {
 public:
  SimFile(std::shared_ptr<SimMachine> machine, Node node, std::string path, std::uint64_t boot,
          bool writable)
      : machine_(std::move(machine)),
        node_(std::move(node)),
        path_(std::move(path)),
        boot_(boot),
        writable_(writable),
        end_(node_->content.size()) {}

  Result<std::size_t> pread(std::uint64_t offset, std::span<char> to) override {
    STRATA_LET(const Ticket ticket, admit(kRead));
    const MutexLock lock(machine_->mutex);
    STRATA_TRY(go_on(ticket));
    if (offset > kFileBytesMax) return system_error(ticket.call, path_, EINVAL);
    return node_->content.read(offset, to);
  }

  Result<> pwrite(std::uint64_t offset, BytesView bytes) override {
    STRATA_LET(const Ticket ticket, admit(kWrite));
    const MutexLock lock(machine_->mutex);
    return write(ticket, offset, bytes);
  }

  Result<> append(BytesView bytes) override {
    STRATA_LET(const Ticket ticket, admit(kWrite));
    const MutexLock lock(machine_->mutex);
    return write(ticket, end_, bytes);
  }

  Result<> sync() override {
    STRATA_LET(const Ticket ticket, admit(kSync));
    const MutexLock lock(machine_->mutex);
    STRATA_TRY(machine_->check_up(ticket, path_));
    if (ticket.error_number != 0) {
      node_->content.drop_dirty();
      return system_error(ticket.call, path_, ticket.error_number);
    }
    node_->content.sync();
    return {};
  }

  Result<> truncate(std::uint64_t bytes) override {
    STRATA_LET(const Ticket ticket, admit(kTruncate));
    const MutexLock lock(machine_->mutex);
    STRATA_TRY(resize(ticket, bytes));
    end_ = bytes;
    return {};
  }

  Result<> allocate(std::uint64_t bytes) override {
    STRATA_LET(const Ticket ticket, admit(kAllocate));
    const MutexLock lock(machine_->mutex);
    STRATA_TRY(resize(ticket, std::max(bytes, node_->content.size())));
    end_ = std::max(end_, bytes);
    return {};
  }

  Result<std::uint64_t> size() override {
    STRATA_LET(const Ticket ticket, admit(kStat));
    const MutexLock lock(machine_->mutex);
    STRATA_TRY(go_on(ticket));
    return node_->content.size();
  }

  Result<> close() override {
    STRATA_LET(const Ticket ticket, admit(kClose));
    const MutexLock lock(machine_->mutex);
    closed_.store(true, std::memory_order_relaxed);
    return go_on(ticket);
  }

  const std::string& path() const noexcept override { return path_; }

 private:
  Result<Ticket> admit(const CallTraits& traits) {
    if (closed_.load(std::memory_order_relaxed)) {
      return Error(Code::closed,
                   std::string(traits.name) + " " + base::quote(path_) + ": used after close");
    }
    if (traits.mutating && !writable_) return system_error(traits.name, path_, EBADF);
    return machine_->admit(traits, path_, boot_);
  }

  Result<> go_on(const Ticket& ticket) const STRATA_REQUIRES(machine_->mutex) {
    STRATA_TRY(machine_->check_up(ticket, path_));
    if (ticket.error_number != 0) return system_error(ticket.call, path_, ticket.error_number);
    return {};
  }

  Result<> write(const Ticket& ticket, std::uint64_t offset, BytesView bytes)
      STRATA_REQUIRES(machine_->mutex) {
    STRATA_TRY(machine_->check_up(ticket, path_));
    if (offset > kFileBytesMax) return system_error(ticket.call, path_, EINVAL);
    base::Random& random = machine_->random;
    int error_number = ticket.error_number;
    if (error_number != 0) bytes = bytes.substr(0, random.uniform(bytes.size() + 1));
    const std::uint64_t room_end = node_->content.size() + machine_->room_bytes();
    if (offset + bytes.size() > room_end) {
      if (error_number == 0) error_number = ENOSPC;
      bytes = bytes.substr(0, room_end > offset ? room_end - offset : 0);
    }
    if (machine_->write_back_one_in > 0 && random.one_in(machine_->write_back_one_in)) {
      node_->content.write_back(random);
    }
    node_->content.write(offset, bytes);
    changed();
    if (error_number != 0) return system_error(ticket.call, path_, error_number);
    end_ = std::max(end_, offset + bytes.size());
    return {};
  }

  Result<> resize(const Ticket& ticket, std::uint64_t bytes) STRATA_REQUIRES(machine_->mutex) {
    STRATA_TRY(go_on(ticket));
    if (bytes > kFileBytesMax) return system_error(ticket.call, path_, EINVAL);
    const std::uint64_t before = node_->content.size();
    if (bytes > before && bytes - before > machine_->room_bytes()) {
      return system_error(ticket.call, path_, ENOSPC);
    }
    node_->content.resize(bytes);
    changed();
    return {};
  }

  void changed() STRATA_REQUIRES(machine_->mutex) {
    node_->count_bytes();
    node_->modified_ms = machine_->clock.wall_ms();
  }

  const std::shared_ptr<SimMachine> machine_;
  const Node node_;
  const std::string path_;
  const std::uint64_t boot_;
  const bool writable_;
  std::atomic<bool> closed_{false};  // relaxed: close() is the last call by contract
  std::uint64_t end_;                // under the machine's mutex, like what node_ points to
};

class SimLock final : public FileLock {
 public:
  SimLock(std::shared_ptr<SimMachine> machine, Node node, std::uint64_t boot)
      : machine_(std::move(machine)), node_(std::move(node)), boot_(boot) {}
  ~SimLock() override {
    const MutexLock lock(machine_->mutex);
    if (machine_->boot == boot_) node_->locked = false;
  }

 private:
  const std::shared_ptr<SimMachine> machine_;
  const Node node_;
  const std::uint64_t boot_;
};

}  // namespace

SimFileSystem::SimFileSystem(std::uint64_t seed, base::Clock& clock, SimOptions options)
    : machine_(std::make_shared<SimMachine>(seed, clock, options)) {}

SimFileSystem::~SimFileSystem() = default;

Result<std::unique_ptr<File>> SimFileSystem::open(const std::string& path, OpenMode mode) {
  return open_node(path, mode, false);
}

Result<std::unique_ptr<File>> SimFileSystem::open_if_exists(const std::string& path) {
  return open_node(path, OpenMode::read, true);
}

Result<std::unique_ptr<File>> SimFileSystem::open_node(const std::string& path, OpenMode mode,
                                                       bool absence_is_an_answer) {
  SimMachine& machine = *machine_;
  const bool writes = mode != OpenMode::read;
  STRATA_LET(const Ticket ticket,
             machine.admit(writes ? kOpenToWrite : kOpenToRead, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const Place place = machine.find(path);
  Node node = machine.look_up(place);
  if (node == nullptr) {
    const int reason = place.folder == nullptr ? place.error_number : writes ? 0 : ENOENT;
    if (absence_is_an_answer && (reason == ENOENT || reason == ENOTDIR)) {
      return std::unique_ptr<File>();
    }
    if (reason != 0) return system_error(ticket.call, path, reason);
    node = machine.add(place, FileKind::file);
  } else if (mode == OpenMode::create_new) {
    return system_error(ticket.call, path, EEXIST);
  } else if (node->kind == FileKind::directory) {
    return system_error(ticket.call, path, EISDIR);
  } else if (mode == OpenMode::truncate) {
    node->content.resize(0);
    node->count_bytes();
    node->modified_ms = machine.clock.wall_ms();
  }
  return std::make_unique<SimFile>(machine_, std::move(node), path, ticket.boot, writes);
}

Result<std::optional<FileInfo>> SimFileSystem::stat(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const Ticket ticket, machine.admit(kStat, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const Place place = machine.find(path);
  if (place.error_number == EINVAL) return system_error(ticket.call, path, EINVAL);
  const Node node = machine.look_up(place);
  if (node == nullptr) return std::optional<FileInfo>();
  return std::optional<FileInfo>({.kind = node->kind,
                                  .bytes = node->content.size(),
                                  .created_ms = node->created_ms,
                                  .modified_ms = node->modified_ms});
}

Result<> SimFileSystem::list_directory(const std::string& path, const DirectoryVisitor& visit) {
  constexpr std::size_t kBatch = 64;
  SimMachine& machine = *machine_;
  STRATA_LET(const Ticket ticket, machine.admit(kList, path, std::nullopt));
  std::vector<std::pair<std::string, FileKind>> batch;
  std::string last;  // no entry has an empty name
  do {
    {
      const MutexLock lock(machine.mutex);
      STRATA_TRY(machine.check_up(ticket, path));
      if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
      const Place place = machine.find(path);
      const Node node = machine.look_up(place);
      if (node == nullptr || node->kind != FileKind::directory) {
        const int reason = node != nullptr ? ENOTDIR : ENOENT;
        return system_error(ticket.call, path,
                            place.error_number != 0 ? place.error_number : reason);
      }
      auto entry = last.empty() ? node->entries.begin() : node->entries.upper_bound(last);
      for (batch.clear(); entry != node->entries.end() && batch.size() < kBatch; ++entry) {
        batch.emplace_back(entry->first, entry->second->kind);
      }
    }
    for (const auto& [name, kind] : batch) {
      if (!visit(name, kind)) return {};
      last = name;
    }
  } while (!batch.empty());
  return {};
}

Result<bool> SimFileSystem::create_directory(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const Ticket ticket, machine.admit(kCreateDirectory, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const Place place = machine.find(path);
  if (place.folder == nullptr) return system_error(ticket.call, path, place.error_number);
  const Node node = machine.look_up(place);
  if (node != nullptr) {
    if (node->kind == FileKind::directory) return false;
    return system_error(ticket.call, path, EEXIST);
  }
  machine.add(place, FileKind::directory);
  return true;
}

Result<bool> SimFileSystem::remove(const std::string& path) {
  return remove_node(path, FileKind::file);
}

Result<bool> SimFileSystem::remove_directory(const std::string& path) {
  return remove_node(path, FileKind::directory);
}

Result<bool> SimFileSystem::remove_node(const std::string& path, FileKind kind) {
  SimMachine& machine = *machine_;
  const bool folder = kind == FileKind::directory;
  STRATA_LET(const Ticket ticket,
             machine.admit(folder ? kRemoveDirectory : kRemove, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const Place place = machine.find(path);
  if (place.error_number == EINVAL ||
      (folder && place.error_number != 0 && place.error_number != ENOENT)) {
    return system_error(ticket.call, path, place.error_number);
  }
  const Node node = machine.look_up(place);
  if (node == nullptr) return false;
  if (node->kind != kind) return system_error(ticket.call, path, folder ? ENOTDIR : EISDIR);
  if (place.name.empty()) return system_error(ticket.call, path, EBUSY);
  if (!node->entries.empty()) return system_error(ticket.call, path, ENOTEMPTY);
  machine.names.apply({{place.folder, place.name, nullptr}});
  return true;
}

namespace {

/// Whether `folder` is `node` or lies below it.
bool contains(const SimNode& node, const SimNode& folder) {
  if (&node == &folder) return true;
  return std::any_of(node.entries.begin(), node.entries.end(), [&folder](const auto& entry) {
    return entry.second->kind == FileKind::directory && contains(*entry.second, folder);
  });
}

/// Why the node may not take the place of the other one (null: nothing there); 0: it may.
int rename_error(const Node& node, const Place& to, const Node& there) {
  if (to.folder == nullptr) return to.error_number;
  if (node == nullptr) return ENOENT;
  if (to.name.empty()) return EBUSY;
  if (node->kind == FileKind::directory && contains(*node, *to.folder)) return EINVAL;
  if (there == nullptr) return 0;
  if (there->kind != node->kind) return there->kind == FileKind::directory ? EISDIR : ENOTDIR;
  return there->entries.empty() ? 0 : ENOTEMPTY;
}

}  // namespace

Result<> SimFileSystem::rename(const std::string& from, const std::string& to) {
  SimMachine& machine = *machine_;
  STRATA_LET(const Ticket ticket, machine.admit(kRename, from, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, from));
  const Place source = machine.find(from);
  const Place target = machine.find(to);
  const Node node = machine.look_up(source);
  const Node there = machine.look_up(target);
  int error_number = ticket.error_number;
  if (error_number == 0) error_number = source.error_number;
  if (error_number == 0 && source.name.empty()) error_number = EBUSY;
  if (error_number == 0) error_number = rename_error(node, target, there);
  if (error_number != 0) {
    const Error error = system_error(ticket.call, from, error_number);
    return Error(error.code(), error.message() + " (to " + base::quote(to, 512) + ")");
  }
  if (node == there) return {};
  machine.names.apply({{source.folder, source.name, nullptr}, {target.folder, target.name, node}});
  return {};
}

Result<> SimFileSystem::sync_directory(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const Ticket ticket, machine.admit(kSyncDirectory, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const Place place = machine.find(path);
  const Node node = machine.look_up(place);
  if (node == nullptr) {
    return system_error(ticket.call, path, place.error_number != 0 ? place.error_number : ENOENT);
  }
  if (node->kind != FileKind::directory) return system_error(ticket.call, path, ENOTDIR);
  machine.names.sync(node);
  return {};
}

Result<std::unique_ptr<FileLock>> SimFileSystem::lock_file(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const Ticket ticket, machine.admit(kLock, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  const Place place = machine.find(path);
  if (place.folder == nullptr) return system_error(ticket.call, path, place.error_number);
  Node node = machine.look_up(place);
  if (node == nullptr) node = machine.add(place, FileKind::file);
  if (node->kind == FileKind::directory) return system_error(ticket.call, path, EISDIR);
  const std::string pid = std::to_string(::getpid());
  if (node->locked) {
    return Error(Code::busy, "lock " + base::quote(path, 512) + ": held by process " + pid);
  }
  node->locked = true;
  node->content.resize(0);
  node->content.write(0, pid + "\n");
  node->count_bytes();
  return std::make_unique<SimLock>(machine_, std::move(node), ticket.boot);
}

Result<SpaceInfo> SimFileSystem::space(const std::string& path) {
  SimMachine& machine = *machine_;
  STRATA_LET(const Ticket ticket, machine.admit(kSpace, path, std::nullopt));
  const MutexLock lock(machine.mutex);
  STRATA_TRY(machine.check_up(ticket, path));
  if (ticket.error_number != 0) return system_error(ticket.call, path, ticket.error_number);
  if (machine.look_up(machine.find(path)) == nullptr) {
    return system_error(ticket.call, path, ENOENT);
  }
  return SpaceInfo{.total_bytes = machine.capacity_bytes, .free_bytes = machine.room_bytes()};
}

void SimFileSystem::inject(SimFault fault) {
  const MutexLock lock(machine_->mutex);
  machine_->faults.push_back(std::move(fault));
}

void SimFileSystem::clear_faults() {
  const MutexLock lock(machine_->mutex);
  machine_->faults.clear();
}

std::uint64_t SimFileSystem::mutating_calls() const {
  const MutexLock lock(machine_->mutex);
  return machine_->mutating_calls;
}

void SimFileSystem::crash_after(std::uint64_t calls) {
  const MutexLock lock(machine_->mutex);
  machine_->calls_left = calls;
}

bool SimFileSystem::is_down() const {
  const MutexLock lock(machine_->mutex);
  return machine_->down;
}

void SimFileSystem::crash(CrashStyle style) {
  const MutexLock lock(machine_->mutex);
  machine_->names.crash(machine_->random, style);
  machine_->calls_left.reset();
  machine_->down = false;
  ++machine_->boot;
}

Result<> SimFileSystem::flip_bit(const std::string& path, std::uint64_t bit) {
  const MutexLock lock(machine_->mutex);
  const Node node = machine_->look_up(machine_->find(path));
  if (node == nullptr) return system_error("flip a bit of", path, ENOENT);
  if (bit / 8 >= node->content.size()) return system_error("flip a bit of", path, EINVAL);
  node->content.flip(bit);
  return {};
}

Result<std::uint64_t> SimFileSystem::flip_random_bit(const std::string& path) {
  std::uint64_t bit = 0;
  {
    const MutexLock lock(machine_->mutex);
    const Node node = machine_->look_up(machine_->find(path));
    const std::uint64_t bytes = node == nullptr ? 0 : node->content.size();
    if (bytes > 0) bit = machine_->random.uniform(bytes * 8);
  }
  STRATA_TRY(flip_bit(path, bit));
  return bit;
}

void SimFileSystem::set_capacity_bytes(std::uint64_t bytes) {
  const MutexLock lock(machine_->mutex);
  machine_->capacity_bytes = bytes;
}

}  // namespace strata::io
