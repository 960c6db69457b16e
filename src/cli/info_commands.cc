#include "cli/info_commands.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/parse.h"
#include "cli/text.h"
#include "contract/keyspaces.h"
#include "io/posix_file_system.h"
#include "stack/open.h"

namespace strata::cli {

namespace {

std::string number_text(double value) {
  constexpr double kWholeMax = 9007199254740992;  // 2^53
  if (std::fabs(value) < kWholeMax && value == std::trunc(value)) {
    return std::to_string(static_cast<std::int64_t>(value));
  }
  char text[64];
  const int n = std::snprintf(text, sizeof text, "%.6g", value);
  return {text, static_cast<std::size_t>(n)};
}

struct Figure {
  std::string name;
  std::string value;
  std::string note;  ///< for people
};

std::vector<Figure> figures_of(Engine& engine) {
  const Stats stats = engine.stats();
  const auto size = [](std::string name, std::uint64_t bytes) {
    return Figure{std::move(name), std::to_string(bytes), base::human_size(bytes)};
  };
  std::vector<Figure> figures = {{"keys", std::to_string(stats.keys), ""},
                                 size("bytes_live", stats.bytes_live),
                                 size("bytes_memory", stats.bytes_memory),
                                 size("bytes_disk", stats.bytes_disk),
                                 {"snapshots", std::to_string(stats.snapshots), ""}};
  for (const Stats::Figure& more : stats.more) {
    figures.push_back({more.name, number_text(more.value), ""});
  }
  return figures;
}

std::string names_of(const auto& specs) {
  std::string names;
  for (const auto& spec : specs) {
    if (!names.empty()) names += ' ';
    names += spec.name;
  }
  return names;
}

void pad(std::string& line, std::size_t width) {
  if (line.size() < width) line.append(width - line.size(), ' ');
}

}  // namespace

Result<ExitCode> run_stats(Context& context) {
  STRATA_LET(const std::unique_ptr<Store> store, context.open_store(false));
  Engine& engine = store->engine();
  const std::vector<Figure> figures = figures_of(engine);
  Keyspaces keyspaces(engine);
  STRATA_LET(const auto spaces, keyspaces.list());
  std::string capabilities;
  for (const CapabilityId id : engine.capabilities()) {
    capabilities.append(capabilities.empty() ? "" : " ").append(capability_name(id));
  }
  std::string text;
  if (context.common.json) {
    text = "{\"backend\":";
    append_json_string(text, stack::backend_of(*store));
    text += ",\"capabilities\":";
    append_json_string(text, capabilities);
    for (const Figure& figure : figures) text += ",\"" + figure.name + "\":" + figure.value;
    text += ",\"keyspaces\":{";
  } else {
    text = "backend                     " + stack::backend_of(*store) +
           "\ncapabilities                " + capabilities + "\n";
    for (const Figure& figure : figures) {
      std::string line = figure.name;
      pad(line, 28);
      text += line + figure.value + (figure.note.empty() ? "" : "  (" + figure.note + ")") + "\n";
    }
  }
  bool first = true;
  for (const auto& [name, space] : spaces) {
    STRATA_LET(const std::uint64_t count, engine.count(space));
    if (context.common.json) {
      if (!first) text += ',';
      append_json_string(text, name);
      text += ":" + std::to_string(count);
    } else if (count != 0) {
      text += "keyspace " + name + ": " + std::to_string(count) + " keys\n";
    }
    first = false;
  }
  if (context.common.json) text += "}}\n";
  print(stdout, text);
  STRATA_TRY(store->close());
  return ExitCode::ok;
}

Result<ExitCode> run_config_check(Context& context, const std::string& file) {
  const Registry registry = Registry::builtin();
  if (!file.empty()) {
    STRATA_TRY(Config::load(file, registry));
  } else {
    STRATA_TRY(context.configuration(registry));
  }
  if (!context.common.json) print(stdout, "ok\n");
  return ExitCode::ok;
}

Result<ExitCode> run_config_show(Context& context, bool origin) {
  const Registry registry = Registry::builtin();
  STRATA_LET(const Config config, context.configuration(registry));
  std::string section;
  std::string text;
  for (const stack::ShownValue& row : config.state().show()) {
    if (context.common.json) {
      text += "{\"section\":";
      append_json_string(text, row.section);
      text += ",\"name\":";
      append_json_string(text, row.name);
      text += ",\"value\":";
      append_json_string(text, row.value);
      text += ",\"origin\":";
      append_json_string(text, row.source.place);
      text += "}\n";
      continue;
    }
    if (row.section != section) text += (section.empty() ? "[" : "\n[") + row.section + "]\n";
    section = row.section;
    std::string line = row.name + " = ";
    append_json_string(line, row.value);
    if (origin) {
      pad(line, 40);
      line += "  # " + row.source.place;
    }
    text += line + "\n";
  }
  print(stdout, text);
  return ExitCode::ok;
}

std::string version_text() {
  const Registry registry = Registry::builtin();
  return "strata " STRATA_VERSION "\nstore format " + std::to_string(stack::kStoreFormat) +
         "\nbackends: " + names_of(registry.backends()) +
         "\nlayers: " + names_of(registry.layers()) + "\n";
}

Result<ExitCode> run_version(Context& context) {
  if (!context.common.json) {
    print(stdout, version_text());
    return ExitCode::ok;
  }
  const Registry registry = Registry::builtin();
  print(stdout, "{\"version\":\"" STRATA_VERSION "\",\"store_format\":" +
                    std::to_string(stack::kStoreFormat) + ",\"backends\":\"" +
                    names_of(registry.backends()) + "\",\"layers\":\"" +
                    names_of(registry.layers()) + "\"}\n");
  return ExitCode::ok;
}

}  // namespace strata::cli
