#include "server/operation.h"

#include <algorithm>
#include <thread>

#include "server/words.h"

namespace strata::server {
namespace {

// Behind this many commits that came too late an operation lets others run between its tries.
constexpr unsigned kPolitenessAttempts = 8;

// What an error message shows of foreign bytes: as in Redis, up to a zero byte.
BytesView shown_part(BytesView text, std::size_t bytes) {
  return text.substr(0, std::min(bytes, text.find('\0')));
}

std::string unknown_command(Arguments arguments) {
  constexpr std::size_t kShownBytes = 128;
  std::string text = "ERR unknown command '";
  text += shown_part(arguments[0], kShownBytes);
  text += "', with args beginning with: ";
  std::string shown;
  for (std::size_t i = 1; i < arguments.size() && shown.size() < kShownBytes; ++i) {
    const std::size_t room = kShownBytes - shown.size();  // the quote not counted, as in Redis
    shown += '\'';
    shown += shown_part(arguments[i], room);
    shown += "' ";
  }
  return text + shown;
}

std::string unknown_subcommand(const Command& container, Arguments arguments) {
  constexpr std::size_t kShownBytes = 128;
  return "ERR unknown subcommand '" + std::string(shown_part(arguments[1], kShownBytes)) +
         "'. Try " + upper(container.full_name) + " HELP.";
}

}  // namespace

std::string error_line(const Error& error) {
  switch (error.code()) {
    case Code::quota:
      return "OOM command not allowed: " + error.to_string();
    case Code::closed:
      return "ERR the store is closed";
    case Code::authentication:
      return "NOPERM " + error.to_string();
    default:
      return "ERR " + error.to_string();
  }
}

Operation::Operation(Instance& instance, Session& session, OutputBuffer& output,
                     std::function<void()> wake)
    : instance_(instance),
      session_(session),
      view_(instance.engine),
      reply_(output, session.encoder()) {
  view_.on_wake(std::move(wake));
}

// Refuses what the table, or the state of the session, does not allow; the reply says why.
const Command* Operation::admit(Arguments arguments) {
  const Command* container = nullptr;
  const Command* command = instance_.commands.find(arguments, &container);
  if (command == nullptr) {
    reply_.error(container != nullptr ? unknown_subcommand(*container, arguments)
                                      : unknown_command(arguments));
    return nullptr;
  }
  if (!command->arity_holds(arguments.size()) || command->spec.handler == nullptr) {
    command->rejected.fetch_add(1, std::memory_order_relaxed);
    reply_.error("ERR wrong number of arguments for '" + command->full_name + "' command");
    return nullptr;
  }
  if ((command->spec.flags & kNoAuth) == 0 && instance_.settings->password_required() &&
      !session_.authenticated.load(std::memory_order_relaxed)) {
    command->rejected.fetch_add(1, std::memory_order_relaxed);
    reply_.error("NOAUTH Authentication required.");
    return nullptr;
  }
  return command;
}

bool Operation::start(Arguments arguments) {
  arguments_ = arguments;
  reply_.use(session_.encoder());
  reply_.begin();
  attempts_ = 0;
  run_ns_ = 0;
  call_.reset();
  command_ = admit(arguments);
  if (command_ == nullptr) {
    finish(false);
    return true;
  }
  session_.last_command.store(&command_->spec, std::memory_order_relaxed);
  const std::int64_t now_ms = instance_.clock.wall_ms();
  session_.last_command_ms.store(now_ms, std::memory_order_relaxed);
  call_.emplace(Call{session_, arguments_, view_, batch_, reply_, 0, now_ms});
  declare_keys();
  view_.begin(instance_.databases->space(session_.database.load(std::memory_order_relaxed)), now_ms,
              keys_);
  return run();
}

bool Operation::resume() {
  // Since the wait began, replies before this one may have left and messages may have come.
  reply_.begin();
  if (view_.waiting()) view_.resume();
  return run();
}

void Operation::abandon() {
  if (call_) view_.finish();
  call_.reset();
}

// The keys whose content the command reads: they are fetched together. Keys that are only
// overwritten are left out.
void Operation::declare_keys() {
  keys_.clear();
  if (command_->spec.keys.empty() && command_->spec.find_keys == nullptr) return;
  key_places_.clear();
  if (!command_->keys(arguments_, key_places_)) return;
  const Keyspace space =
      instance_.databases->space(session_.database.load(std::memory_order_relaxed));
  for (const KeyAt& place : key_places_) {
    if ((place.flags & (kKeyOW | kKeyNotKey)) != 0) continue;
    keys_.push_back({space, arguments_[place.index]});
  }
}

bool Operation::run() {
  const std::int64_t began_ns = instance_.clock.monotonic_ns();
  const bool alone = (command_->spec.flags & kExclusive) != 0;
  while (true) {
    Step step;
    {
      const GatePass pass(instance_.gate, session_.loop, alone);
      batch_.clear();
      call_->wait_until_ms = 0;
      step = view_.error() ? Step::failed : command_->spec.handler(*call_);
      if (step == Step::done && !reply_.is_error() && !batch_.effects().empty() && !commit()) {
        step = Step::failed;
        if (!view_.error()) {
          // Too late: somebody changed what was read. Everything is read again, as of now.
          if (++attempts_ > kPolitenessAttempts) std::this_thread::yield();
          reply_.restart();
          declare_keys();
          view_.forget(
              instance_.databases->space(session_.database.load(std::memory_order_relaxed)),
              instance_.clock.wall_ms(), keys_);
          continue;
        }
      }
    }
    run_ns_ += instance_.clock.monotonic_ns() - began_ns;
    if (step == Step::wait) {
      reply_.restart();
      return false;
    }
    if (step == Step::failed) {
      reply_.restart();
      reply_.error(error_line(*view_.error()));
    }
    finish(true);
    return true;
  }
}

// False: refused by a condition (no error in the view) or by the store (an error in the view).
bool Operation::commit() {
  view_.require(batch_);
  const Result<Commit> result = instance_.engine.commit(batch_);
  if (!result) {
    view_.fail(result.error());
    return false;
  }
  if (!result->applied()) return false;
  instance_.statistics.add_changes(batch_.effects().size());
  return true;
}

void Operation::finish(bool counted) {
  if (counted) {
    const std::int64_t run_us = run_ns_ / 1000;
    // Not the clock's: a look at it costs as much as finding the command.
    const std::int64_t ended_ms = view_.now_ms() + run_us / 1000;
    command_->calls.fetch_add(1, std::memory_order_relaxed);
    command_->microseconds.fetch_add(static_cast<std::uint64_t>(run_us), std::memory_order_relaxed);
    command_->times.add(static_cast<std::uint64_t>(run_us));
    if (reply_.is_error()) command_->failed.fetch_add(1, std::memory_order_relaxed);
    if ((command_->spec.flags & kSkipSlowlog) == 0) {
      instance_.slow_log.offer(session_, arguments_, run_us, *instance_.settings, ended_ms);
    }
    instance_.latency.offer(command_->spec, run_us, *instance_.settings, ended_ms);
    if (instance_.monitors.any() &&
        (command_->spec.flags & (kSkipMonitor | kUnseen | kAdmin)) == 0) {
      instance_.monitors.feed(session_, arguments_, instance_.clock);
    }
    if ((command_->spec.flags & kReadonly) != 0) {
      const auto [hits, misses] = view_.hits_and_misses();
      instance_.statistics.key_hits.fetch_add(hits, std::memory_order_relaxed);
      instance_.statistics.key_misses.fetch_add(misses, std::memory_order_relaxed);
    }
    view_.finish();
    // A large batch gives its memory back.
    if (batch_.bytes() > kBatchBytesKept) batch_ = WriteBatch();
  }
  instance_.statistics.add_command(counted, reply_.is_error() ? reply_.error_text() : "");
  session_.commands.fetch_add(1, std::memory_order_relaxed);
  apply_reply_mode();
  call_.reset();
}

// CLIENT REPLY: what the client does not want to hear is taken back before it leaves.
void Operation::apply_reply_mode() {
  switch (session_.reply_mode) {
    case ReplyMode::on:
      return;
    case ReplyMode::off:
      reply_.restart();
      return;
    case ReplyMode::skip_next:  // said by this very command
      reply_.restart();
      session_.reply_mode = ReplyMode::skip;
      return;
    case ReplyMode::skip:
      reply_.restart();
      session_.reply_mode = ReplyMode::on;
      return;
  }
}

}  // namespace strata::server
