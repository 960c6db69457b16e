// SLOWLOG and LATENCY: what took long.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "server/commands/help.h"
#include "server/commands/server_commands.h"
#include "server/instance.h"
#include "server/words.h"

namespace strata::server {
namespace {

void reply_sample(Reply& reply, const Latency::Sample& sample) {
  reply.integer(sample.time_s);
  reply.integer(sample.took_ms);
}

// One line of advice for an event.
std::string advice(const Latency::Event& event, const std::vector<Latency::Sample>& samples) {
  std::int64_t sum = 0;
  for (const Latency::Sample& sample : samples) sum += sample.took_ms;
  return fmt::format("{}: {} samples, {} ms on average, {} ms at the worst.\n", event.name,
                     samples.size(), sum / static_cast<std::int64_t>(samples.size()),
                     event.worst_ms);
}

// The history of an event as columns of text, the highest first row.
std::string graph(std::string_view name, const std::vector<Latency::Sample>& samples) {
  std::int64_t high = 1;
  for (const Latency::Sample& sample : samples) high = std::max(high, sample.took_ms);
  std::string text = fmt::format("{} - high {} ms\n", name, high);
  constexpr int kRows = 4;
  for (int row = kRows; row > 0; --row) {
    for (const Latency::Sample& sample : samples) {
      text += sample.took_ms * kRows >= high * row ? '#' : ' ';
    }
    text += '\n';
  }
  return text;
}

}  // namespace

Step slowlog_get_command(Call& call) {
  std::int64_t count = 10;
  if (call.count() > 3) {
    return call.error("ERR unknown subcommand or wrong number of arguments for '" +
                      std::string(call.argument(1)) + "'. Try SLOWLOG HELP.");
  }
  if (call.count() == 3) {
    const std::optional<std::int64_t> given = integer_of(call.argument(2));
    if (!given || *given < -1) {
      return call.error("ERR count should be greater than or equal to -1");
    }
    count = *given;
  }
  const SlowLog& log = call.session.instance.slow_log;
  const std::vector<SlowLog::Entry> entries =
      log.newest(count < 0 ? log.size() : static_cast<std::size_t>(count));
  call.reply.array(entries.size());
  for (const SlowLog::Entry& entry : entries) {
    call.reply.array(6);
    call.reply.integer(static_cast<std::int64_t>(entry.id));
    call.reply.integer(entry.time_s);
    call.reply.integer(entry.took_us);
    call.reply.array(entry.arguments.size());
    for (const std::string& argument : entry.arguments) call.reply.bulk(BytesView(argument));
    call.reply.bulk(BytesView(entry.address));
    call.reply.bulk(BytesView(entry.client_name));
  }
  return Step::done;
}

Step slowlog_len_command(Call& call) {
  call.reply.integer(static_cast<std::int64_t>(call.session.instance.slow_log.size()));
  return Step::done;
}

Step slowlog_reset_command(Call& call) {
  call.session.instance.slow_log.reset();
  call.reply.ok();
  return Step::done;
}

Step slowlog_help_command(Call& call) {
  return help(call,
              {"GET [<count>]", "    Tell the newest entries; 10 unless said, -1 for all.", "LEN",
               "    Tell how many entries there are.", "RESET", "    Forget all entries."});
}

Step latency_latest_command(Call& call) {
  const std::vector<Latency::Event> events = call.session.instance.latency.latest();
  call.reply.array(events.size());
  for (const Latency::Event& event : events) {
    call.reply.array(4);
    call.reply.bulk(BytesView(event.name));
    reply_sample(call.reply, event.latest);
    call.reply.integer(event.worst_ms);
  }
  return Step::done;
}

Step latency_history_command(Call& call) {
  const auto samples = call.session.instance.latency.history(call.argument(2));
  call.reply.array(samples.size());
  for (const Latency::Sample& sample : samples) {
    call.reply.array(2);
    reply_sample(call.reply, sample);
  }
  return Step::done;
}

Step latency_graph_command(Call& call) {
  const auto samples = call.session.instance.latency.history(call.argument(2));
  if (samples.empty()) {
    return call.error("ERR No samples available for event '" + std::string(call.argument(2)) + "'");
  }
  call.reply.verbatim("txt", graph(call.argument(2), samples));
  return Step::done;
}

Step latency_reset_command(Call& call) {
  std::vector<std::string> events;
  for (std::size_t i = 2; i < call.count(); ++i) events.emplace_back(call.argument(i));
  call.reply.integer(static_cast<std::int64_t>(call.session.instance.latency.reset(events)));
  return Step::done;
}

Step latency_doctor_command(Call& call) {
  Latency& latency = call.session.instance.latency;
  std::string text;
  for (const Latency::Event& event : latency.latest()) {
    text += advice(event, latency.history(event.name));
  }
  if (text.empty()) {
    text = call.session.instance.settings->latency_threshold_ms.load() == 0
               ? "Nothing is watched. CONFIG SET latency-monitor-threshold <milliseconds> begins.\n"
               : "Nothing took longer than the threshold.\n";
  }
  call.reply.verbatim("txt", text);
  return Step::done;
}

// The distribution of each command's run times in powers of two of a microsecond.
Step latency_histogram_command(Call& call) {
  std::vector<const Command*> wanted;
  for (const Command* command : call.session.instance.commands.rows()) {
    bool asked = call.count() == 2;
    for (std::size_t i = 2; i < call.count(); ++i) {
      const Command* parent = command->parent;
      asked = asked || is_word(call.argument(i), command->full_name) ||
              (parent != nullptr && is_word(call.argument(i), parent->full_name));
    }
    if (asked && command->times.calls() != 0) wanted.push_back(command);
  }
  call.reply.map(wanted.size());
  for (const Command* command : wanted) {
    const auto steps = command->times.cumulative();
    call.reply.bulk(BytesView(command->full_name));
    call.reply.map(2);
    call.reply.bulk(BytesView("calls"));
    call.reply.integer(static_cast<std::int64_t>(command->times.calls()));
    call.reply.bulk(BytesView("histogram_usec"));
    call.reply.map(steps.size());
    for (const auto& [bound_us, calls] : steps) {
      call.reply.integer(static_cast<std::int64_t>(bound_us));
      call.reply.integer(static_cast<std::int64_t>(calls));
    }
  }
  return Step::done;
}

Step latency_help_command(Call& call) {
  return help(call, {"DOCTOR", "    Give advice on delays that were noticed.", "GRAPH <event>",
                     "    Draw the history of an event.", "HISTORY <event>",
                     "    Tell the samples of an event.", "HISTOGRAM [<command> ...]",
                     "    Tell how run times are distributed.", "LATEST",
                     "    Tell the latest sample of every event.", "RESET [<event> ...]",
                     "    Forget the samples of some or all events."});
}

}  // namespace strata::server
