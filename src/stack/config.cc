// The rows of [storage], how sources are laid over one another, and what of them is shown.
#include "stack/config.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/nearest.h"
#include "base/quote.h"
#include "io/files.h"
#include "io/posix_file_system.h"
#include "stack/server_options.h"
#include "stack/toml_file.h"

namespace strata::stack {

namespace {

constexpr std::array<std::string_view, 3> kDurabilities = {"none", "interval", "commit"};

constexpr std::array kStorageOptions = {
    OptionSpec{.name = "backend",
               .fallback = kDefaultBackend,
               .help = "What keeps the bytes. Chosen when a store is made; it stays."},
    OptionSpec{.name = "data", .fallback = "data", .help = "Folder of the store."},
    OptionSpec{.name = "layers",
               .help = "Layers over the backend, the topmost first: [\"metrics\"]."},
    OptionSpec{.name = "durability",
               .kind = OptionKind::choice,
               .fallback = "interval",
               .choices = kDurabilities,
               .help = "When a write is safe from a crash of the machine: whenever the system gets "
                       "to it, within `interval`, or before it is acknowledged."},
    OptionSpec{.name = "interval",
               .kind = OptionKind::duration_ms,
               .fallback = "1s",
               .min = 1,
               .max = 3'600'000,
               .help = "Of durability \"interval\": how much time may be lost."},
    OptionSpec{.name = "memory",
               .kind = OptionKind::bytes,
               .fallback = "0",
               .help = "Budget for what the store holds in memory; 0: the smaller of 25 % of the "
                       "machine's and 60 % of the control group's."}};

/// The table whose names are the server's to check.
constexpr std::string_view kParameterTable = "redis";

/// The only option that is written as a list.
constexpr std::string_view kListOption = "layers";

std::string_view kind_name(TomlKind kind) {
  constexpr std::array<std::string_view, 6> kNames = {
      "a table", "text", "an integer", "true or false", "an array of texts", "something else"};
  return kNames[static_cast<std::size_t>(kind)];
}

/// Whether a value of this kind may stand for the option, and what else would have to.
Result<> check_kind(const OptionSpec& spec, TomlKind kind) {
  const bool is_text = kind == TomlKind::text;
  const bool is_integer = kind == TomlKind::integer;
  bool right = false;
  std::string_view wanted;
  switch (spec.kind) {
    case OptionKind::text:
    case OptionKind::choice:
      right = spec.name == kListOption ? kind == TomlKind::texts : is_text;
      wanted = spec.name == kListOption ? "an array of texts" : "text in quotes";
      break;
    case OptionKind::integer:
      right = is_integer;
      wanted = "an integer";
      break;
    case OptionKind::bytes:
      right = is_text || is_integer;
      wanted = "a size such as \"4GiB\"";
      break;
    case OptionKind::duration_ms:
      right = is_text || is_integer;
      wanted = "a time such as \"1s\"";
      break;
    case OptionKind::boolean:
      right = kind == TomlKind::boolean;
      wanted = "true or false";
      break;
  }
  if (right) return {};
  return Error(Code::invalid_argument, std::string(spec.name) + ": " + std::string(wanted) +
                                           " is wanted, this is " + std::string(kind_name(kind)));
}

std::string joined(const std::vector<std::string>& words, char between) {
  std::string text;
  for (const std::string& word : words) {
    if (&word != &words.front()) text += between;
    text += word;
  }
  return text;
}

std::vector<std::string_view> names_of(const auto& specs) {
  std::vector<std::string_view> names;
  for (const auto& spec : specs) names.push_back(spec.name);
  return names;
}

Error at(const std::string& where, const Error& error) {
  return {error.code(), where + error.message()};
}

const OptionSpec* find_spec(std::span<const OptionSpec> specs, std::string_view name) {
  for (const OptionSpec& spec : specs) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return made;
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

ConfigBuilder::ConfigBuilder(const Registry& registry) : registry_(registry) {
  state_.sections.emplace("storage", Section{OptionValues(kStorageOptions), {}});
  state_.sections.emplace("server", Section{OptionValues(server_options()), {}});
  for (const BackendSpec& backend : registry.backends()) {
    state_.sections.emplace("backend." + std::string(backend.name),
                            Section{OptionValues(backend.options), {}});
  }
  for (const LayerSpec& layer : registry.layers()) {
    state_.sections.emplace("layer." + std::string(layer.name),
                            Section{OptionValues(layer.options), {}});
  }
}

Error ConfigBuilder::unknown_section(std::string_view name) const {
  std::vector<std::string_view> known;
  for (const auto& [section, values] : state_.sections) known.push_back(section);
  return {Code::invalid_argument,
          "unknown table " + base::quote(name) + base::did_you_mean(name, known)};
}

Result<> ConfigBuilder::set(std::string_view section, std::string_view name,
                            std::string_view written, Source source) {
  const auto found = state_.sections.find(section);
  if (found == state_.sections.end()) return unknown_section(section);
  STRATA_TRY(found->second.values.set(name, written));
  found->second.sources.insert_or_assign(std::string(name), std::move(source));
  return {};
}

Result<> ConfigBuilder::add_toml(std::string_view text, std::string_view name) {
  STRATA_LET(const std::vector<TomlEntry> entries, parse_toml(text, name));
  for (const TomlEntry& entry : entries) {
    const std::string where = place(name, entry.line, entry.column);
    if (const Result<> done = add_entry(entry, where); !done) {
      return at(where + ": ", done.error());
    }
  }
  return {};
}

Result<> ConfigBuilder::add_entry(const TomlEntry& entry, const std::string& where) {
  const std::string& key = entry.path.back();
  const std::string whole = joined(entry.path, '.');
  const std::string above =
      joined(std::vector<std::string>(entry.path.begin(), entry.path.end() - 1), '.');
  for (const std::string& part : entry.path) {
    // Names of ours have none, so a quoted one with a dot must not pass for two.
    if (part.find('.') != std::string::npos) return unknown_section(whole);
  }
  if (above == kParameterTable) return add_parameter(entry, where);
  const auto found = state_.sections.find(above);
  const OptionSpec* spec =
      found == state_.sections.end() ? nullptr : find_spec(found->second.values.specs(), key);
  if (spec == nullptr && entry.kind == TomlKind::table) {
    if (state_.sections.contains(whole) || whole == "backend" || whole == "layer" ||
        whole == kParameterTable)
      return {};
    return unknown_section(whole);
  }
  if (found == state_.sections.end()) {
    return Error(Code::invalid_argument,
                 "unknown key " + base::quote(whole) + ": keys stand in a table such as [storage]");
  }
  if (spec == nullptr) {
    return Error(Code::invalid_argument,
                 "unknown key " + base::quote(key) + " in [" + above + "]" +
                     base::did_you_mean(key, names_of(found->second.values.specs())));
  }
  STRATA_TRY(check_kind(*spec, entry.kind));
  const std::string written = entry.kind == TomlKind::texts ? joined(entry.texts, ',') : entry.text;
  return set(above, key, written, Source{Origin::file, where});
}

Result<> ConfigBuilder::add_parameter(const TomlEntry& entry, const std::string& where) {
  const bool written = entry.kind == TomlKind::text || entry.kind == TomlKind::integer ||
                       entry.kind == TomlKind::boolean;
  if (!written) {
    return Error(Code::invalid_argument, entry.path.back() +
                                             ": text, an integer or true or false is wanted, this "
                                             "is " +
                                             std::string(kind_name(entry.kind)));
  }
  std::string value = entry.text;
  if (entry.kind == TomlKind::boolean) value = value == "true" ? "yes" : "no";
  state_.parameters.push_back({entry.path.back(), std::move(value), where});
  return {};
}

Result<> ConfigBuilder::add_file(io::FileSystem& files, const std::string& path) {
  STRATA_LET(const std::optional<Bytes> text, io::read_file(files, path, kTomlBytesMax));
  if (!text) {
    return Error(Code::invalid_argument, base::quote(path, 512) + ": there is no such file");
  }
  return add_toml(*text, path);
}

Result<> ConfigBuilder::add_environment(const char* const* environment) {
  constexpr std::string_view kPrefix = "STRATA__";
  for (; *environment != nullptr; ++environment) {
    const std::string_view variable(*environment);
    const std::size_t equals = variable.find('=');
    if (!variable.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    STRATA_TRY(add_variable(variable.substr(0, equals), variable.substr(equals + 1)));
  }
  return {};
}

/// The last part is the key; the parts between are the table.
Result<> ConfigBuilder::add_variable(std::string_view name, std::string_view value) {
  std::string_view rest = name.substr(std::string_view("STRATA__").size());
  std::vector<std::string> path;
  for (std::size_t cut; (cut = rest.find("__")) != std::string_view::npos;) {
    path.push_back(lower(rest.substr(0, cut)));
    rest.remove_prefix(cut + 2);
  }
  const std::string key = lower(rest);
  const std::string where = "environment variable " + std::string(name) + ": ";
  const Result<> done =
      set(joined(path, '.'), key, value, Source{Origin::environment, std::string(name)});
  if (!done) return at(where, done.error());
  return {};
}

Result<> ConfigBuilder::check_backend() const {
  const Section& storage = state_.section("storage");
  const std::string& name = storage.values.text("backend");
  // The built-in choice is looked for only when a store is made with it.
  const auto source = storage.sources.find("backend");
  if (source == storage.sources.end() || registry_.backend(name) != nullptr) return {};
  return Error(Code::invalid_argument,
               source->second.place + ": unknown backend " + base::quote(name) +
                   base::did_you_mean(name, names_of(registry_.backends())));
}

Result<> ConfigBuilder::check_layers() const {
  for (const std::string& name : state_.layers()) {
    if (registry_.layer(name) != nullptr) continue;
    return Error(Code::invalid_argument,
                 state_.section("storage").sources.find(kListOption)->second.place +
                     ": unknown layer " + base::quote(name) +
                     base::did_you_mean(name, names_of(registry_.layers())));
  }
  return {};
}

Result<Config> ConfigBuilder::build() && {
  STRATA_TRY(check_backend());
  STRATA_TRY(check_layers());
  return Config::State::wrap(std::move(state_));
}

}  // namespace strata::stack

namespace strata {

Config::Config(std::unique_ptr<State> state) : state_(std::move(state)) {}
Config::Config(Config&&) noexcept = default;
Config& Config::operator=(Config&&) noexcept = default;
Config::~Config() = default;

Config Config::State::wrap(State state) {
  return Config(std::make_unique<State>(std::move(state)));
}

const stack::Section& Config::State::section(std::string_view name) const {
  const auto found = sections.find(name);
  STRATA_CHECK(found != sections.end());
  return found->second;
}

std::vector<std::string> Config::State::layers() const {
  return stack::split_list(section("storage").values.text(stack::kListOption));
}

std::vector<stack::ShownValue> Config::State::show() const {
  std::vector<std::string> names = {"storage"};
  const std::string backend = "backend." + section("storage").values.text("backend");
  if (sections.contains(backend)) names.push_back(backend);
  for (const std::string& layer : layers()) names.push_back("layer." + layer);
  names.emplace_back("server");
  std::vector<stack::ShownValue> rows;
  for (const std::string& name : names) {
    const stack::Section& shown = section(name);
    for (const OptionSpec& spec : shown.values.specs()) {
      const auto source = shown.sources.find(spec.name);
      const std::string& written = shown.values.written(spec.name);
      rows.push_back({name, std::string(spec.name),
                      spec.secret && !written.empty() ? "(secret)" : written,
                      source == shown.sources.end() ? stack::Source{} : source->second});
    }
  }
  for (const stack::Parameter& parameter : parameters) {
    // Which of them are secret only the server knows.
    const bool secret = parameter.name.find("pass") != std::string::npos ||
                        parameter.name.find("auth") != std::string::npos;
    rows.push_back({std::string(stack::kParameterTable),
                    parameter.name,
                    secret && !parameter.value.empty() ? "(secret)" : parameter.value,
                    {stack::Origin::file, parameter.place}});
  }
  return rows;
}

Result<Config> Config::parse(std::string_view toml, std::string_view name,
                             const Registry& registry) {
  stack::ConfigBuilder builder(registry);
  STRATA_TRY(builder.add_toml(toml, name));
  return std::move(builder).build();
}

Result<Config> Config::load(const std::string& path, const Registry& registry) {
  stack::ConfigBuilder builder(registry);
  STRATA_TRY(builder.add_file(io::posix(), path));
  return std::move(builder).build();
}

}  // namespace strata
