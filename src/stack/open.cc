// Opening, step by step: what is there, what is wanted, the lock, then the engines.
#include "stack/open.h"

#include <random>

#include "base/nearest.h"
#include "base/quote.h"
#include "base/random.h"
#include "io/files.h"
#include "io/posix_file_system.h"
#include "stack/store_state.h"
#include "strata/version.h"

namespace strata::stack {

namespace {

constexpr std::size_t kPathShown = 512;

std::string shown(const std::string& path) { return base::quote(path, kPathShown); }

Durability durability_of(const Config::State& config, const OpenOptions& options) {
  if (options.durability != Durability::store_default) return options.durability;
  const std::string& name = config.section("storage").values.text("durability");
  if (name == "none") return Durability::none;
  return name == "commit" ? Durability::commit : Durability::interval;
}

/// One attempt to open one folder. It remembers what it made, to take it away if it fails.
class Opening {
 public:
  Opening(const Ground& ground, std::string folder, const Config::State& config,
          const OpenOptions& options, const Registry& registry)
      : ground_(ground),
        folder_(std::move(folder)),
        config_(config),
        options_(options),
        registry_(registry) {}

  Result<std::unique_ptr<Store>> run();

 private:
  Result<> look();
  Result<> refuse_foreign_folder();
  Result<> choose_backend();
  Result<> take_lock();
  Result<std::unique_ptr<Engine>> open_engine();
  Result<std::unique_ptr<Engine>> make_engine();
  Result<std::unique_ptr<Engine>> stack_engines(bool create);
  void undo();
  Error no_store() const;

  bool persists() const { return !folder_.empty(); }
  bool is_new() const { return !found_ || found_->state == StoreState::being_made; }
  std::string path(std::string_view name) const { return io::join_path(folder_, name); }

  const Ground ground_;
  const std::string folder_;
  const Config::State& config_;
  const OpenOptions& options_;
  const Registry& registry_;
  std::optional<StoreFile> found_;
  const BackendSpec* backend_ = nullptr;
  std::unique_ptr<io::FileLock> lock_;
  std::vector<std::string> made_folders_;  // the innermost first
  bool made_lock_ = false;
  bool making_ = false;  // under the lock: what is in the folder is this attempt's own
};

Error Opening::no_store() const {
  return {Code::invalid_argument, "there is no store in " + shown(folder_)};
}

Result<std::unique_ptr<Store>> Opening::run() {
  if (persists()) STRATA_TRY(look());
  STRATA_TRY(choose_backend());
  if (persists() && !options_.read_only) {
    if (Result<> locked = take_lock(); !locked) {
      undo();
      return locked.error();
    }
  }
  Result<std::unique_ptr<Engine>> engine = open_engine();
  if (!engine) {
    undo();
    return engine.error();
  }
  auto state = std::make_unique<Store::State>();
  state->folder = folder_;
  state->backend = backend_->name;
  state->read_only = options_.read_only;
  state->lock = std::move(lock_);
  state->engine = *std::move(engine);
  return std::make_unique<Store>(std::move(state));
}

/// What is in the folder, and whether it may be opened as it is asked for.
Result<> Opening::look() {
  STRATA_LET(const std::optional<io::FileInfo> folder, ground_.files.stat(folder_));
  if (folder && folder->kind != io::FileKind::directory) {
    return Error(Code::invalid_argument, shown(folder_) + " is not a folder");
  }
  if (folder) {
    STRATA_LET(found_, read_store_file(ground_.files, folder_));
  }
  const bool may_make = options_.create && !options_.read_only;
  if (is_new() && !may_make) return no_store();
  if (folder && !found_) return refuse_foreign_folder();
  return {};
}

Result<> Opening::refuse_foreign_folder() {
  std::string other;
  const std::string temporary = std::string(kStoreFileName) + ".tmp";
  STRATA_TRY(ground_.files.list_directory(folder_, [&](std::string_view name, io::FileKind) {
    const bool ours = name == kLockFileName || name == kConfigFileName || name == temporary;
    if (!ours) other = name;
    return ours;
  }));
  if (other.empty()) return {};
  return Error(Code::invalid_argument, shown(folder_) + " is not empty (" + shown(other) +
                                           ") and has no file STORE: it is no store");
}

Result<> Opening::choose_backend() {
  const Section& storage = config_.section("storage");
  std::string name(options_.backend);
  if (name.empty() && storage.is_set("backend")) name = storage.values.text("backend");
  if (!is_new()) {
    if (!name.empty() && name != found_->backend) {
      return Error(Code::invalid_argument,
                   "the store in " + shown(folder_) + " was made with the backend " +
                       base::quote(found_->backend) + ", not " + base::quote(name));
    }
    name = found_->backend;
  }
  if (name.empty()) name = kDefaultBackend;
  backend_ = registry_.backend(name);
  if (backend_ != nullptr) return {};
  std::vector<std::string_view> known;
  for (const BackendSpec& spec : registry_.backends()) known.push_back(spec.name);
  return Error(
      is_new() ? Code::invalid_argument : Code::not_supported,
      "this program has no backend " + base::quote(name) + base::did_you_mean(name, known));
}

/// Makes the folder where it is missing, and looks again once nobody else can change it.
Result<> Opening::take_lock() {
  for (std::string at = folder_;; at = io::parent_path(at)) {
    STRATA_LET(const std::optional<io::FileInfo> there, ground_.files.stat(at));
    if (there) break;
    made_folders_.push_back(at);
  }
  STRATA_TRY(io::create_directories(ground_.files, folder_));
  STRATA_LET(const std::optional<io::FileInfo> lock, ground_.files.stat(path(kLockFileName)));
  Result<std::unique_ptr<io::FileLock>> taken = ground_.files.lock_file(path(kLockFileName));
  if (!taken) {
    // It is another's, folder and all.
    made_folders_.clear();
    return Error(taken.error().code(), "the store in " + shown(folder_) + " is in use",
                 taken.error());
  }
  lock_ = *std::move(taken);
  made_lock_ = !lock.has_value();
  STRATA_TRY(look());
  return choose_backend();
}

Result<std::unique_ptr<Engine>> Opening::open_engine() {
  if (!persists()) return stack_engines(true);
  if (is_new()) return make_engine();
  STRATA_LET(const std::optional<io::FileInfo> there, ground_.files.stat(path(kEngineFolderName)));
  if (there && there->kind == io::FileKind::directory) return stack_engines(false);
  return Error(Code::corruption, "the store in " + shown(folder_) + " has lost its folder " +
                                     shown(path(kEngineFolderName)));
}

/// The file STORE says `being_made` until the engine is there.
Result<std::unique_ptr<Engine>> Opening::make_engine() {
  StoreFile store;
  store.created_ms = ground_.clock.wall_ms();
  store.backend = backend_->name;
  store.made_by = STRATA_VERSION;
  base::Random(ground_.seed).fill(store.id);
  making_ = true;
  STRATA_TRY(write_store_file(ground_.files, folder_, store));
  found_ = store;
  STRATA_TRY(io::remove_all(ground_.files, path(kEngineFolderName)));
  STRATA_TRY(io::create_directories(ground_.files, path(kEngineFolderName)));
  STRATA_LET(std::unique_ptr<Engine> engine, stack_engines(true));
  store.state = StoreState::ready;
  STRATA_TRY(write_store_file(ground_.files, folder_, store));
  return engine;
}

Result<std::unique_ptr<Engine>> Opening::stack_engines(bool create) {
  const Section& storage = config_.section("storage");
  const Environment environment{
      .files = ground_.files,
      .clock = ground_.clock,
      .folder = persists() ? path(kEngineFolderName) : std::string(),
      .read_only = options_.read_only,
      .create = create,
      .durability = durability_of(config_, options_),
      .interval_ms = storage.values.number("interval"),
      .memory_bytes = options_.memory_bytes != 0
                          ? options_.memory_bytes
                          : static_cast<std::uint64_t>(storage.values.number("memory"))};
  // A backend that was added after the configuration was read has no table in it: all defaults.
  const auto own = config_.sections.find("backend." + std::string(backend_->name));
  const OptionValues values =
      own != config_.sections.end() ? own->second.values : OptionValues(backend_->options);
  STRATA_LET(std::unique_ptr<Engine> engine, backend_->open(values, environment));
  // The default is not a promise that somebody asked for; `commit` is.
  if (environment.durability == Durability::commit &&
      engine->limits().durability_max < Durability::commit) {
    return Error(Code::not_supported, "backend " + std::string(backend_->name) +
                                          " cannot keep durability commit: choose none");
  }
  const std::vector<std::string> layers = config_.layers();
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    const LayerSpec* spec = registry_.layer(*layer);
    if (spec == nullptr) {
      return Error(Code::invalid_argument, "this program has no layer " + base::quote(*layer));
    }
    const OptionValues& options = config_.section("layer." + *layer).values;
    STRATA_LET(engine, spec->wrap(std::move(engine), options, environment));
  }
  return engine;
}

/// Takes away what this attempt made; what cannot be taken away is an empty shell that the next
/// open makes its store in.
void Opening::undo() {
  if (making_) {
    static_cast<void>(io::remove_all(ground_.files, path(kEngineFolderName)));
    static_cast<void>(ground_.files.remove(path(kStoreFileName)));
  }
  if (made_lock_ && is_new()) static_cast<void>(ground_.files.remove(path(kLockFileName)));
  lock_.reset();
  for (const std::string& made : made_folders_) {
    static_cast<void>(ground_.files.remove_directory(made));
  }
}

}  // namespace

Result<std::unique_ptr<Store>> open_folder(const Ground& ground, const std::string& folder,
                                           const Config& config, const OpenOptions& options,
                                           const Registry& registry) {
  return Opening(ground, folder, config.state(), options, registry).run();
}

FolderState inspect(io::FileSystem& files, const std::string& folder) {
  const Result<std::optional<StoreFile>> store = read_store_file(files, folder);
  if (!store) {
    return store.error().code() == Code::not_supported ? FolderState::too_new
                                                       : FolderState::damaged;
  }
  return *store && (*store)->state == StoreState::ready ? FolderState::ready : FolderState::absent;
}

Result<Config> folder_config(io::FileSystem& files, const std::string& folder,
                             const Registry& registry) {
  ConfigBuilder builder(registry);
  const std::string path = io::join_path(folder, kConfigFileName);
  STRATA_LET(const std::optional<Bytes> text, io::read_file(files, path, 1024 * 1024));
  if (text) STRATA_TRY(builder.add_toml(*text, path));
  return std::move(builder).build();
}

const std::string& backend_of(const Store& store) { return Store::State::of(store).backend; }

}  // namespace strata::stack

namespace strata {

namespace {

stack::Ground machine() {
  std::random_device entropy;
  return {io::posix(), base::system_clock(), (std::uint64_t{entropy()} << 32) | entropy()};
}

}  // namespace

Result<std::unique_ptr<Store>> open(const std::string& folder, const OpenOptions& options) {
  if (folder.empty()) return Error(Code::invalid_argument, "a store needs a folder");
  const Registry registry = Registry::builtin();
  STRATA_LET(const Config config, stack::folder_config(io::posix(), folder, registry));
  return stack::open_folder(machine(), folder, config, options, registry);
}

Result<std::unique_ptr<Store>> open(const Config& config, const OpenOptions& options,
                                    const Registry& registry) {
  const std::string& folder = config.state().section("storage").values.text("data");
  return stack::open_folder(machine(), folder, config, options, registry);
}

}  // namespace strata
