// RecordStream: all records of a keyspace, in key order where the engine has one, from a cursor on.
//
// Always: memory is bounded by one page and one value; no engine state is held between two records.
#pragma once

#include <optional>
#include <string>

#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::cli {

class RecordStream {
 public:
  /// `cursor`: what cursor() gave; empty: the beginning.
  static Result<RecordStream> begin(Engine& engine, Keyspace space, Bytes prefix,
                                    const Bytes& cursor);

  Result<bool> next();
  BytesView key() const { return key_; }
  BytesView value() const { return value_.view(); }
  ValueType type() const { return type_; }
  /// Where another stream goes on behind this record; nothing where that cannot be said here.
  std::optional<Bytes> cursor() const;

 private:
  RecordStream(Engine& engine, Keyspace space, Bytes prefix)
      : engine_(engine), space_(space), prefix_(std::move(prefix)) {}
  Result<> fill();

  Engine& engine_;
  Keyspace space_;
  Bytes prefix_;
  bool ordered_ = false;
  Range rest_;          // ordered: what is behind the page
  Bytes page_cursor_;   // unordered: behind the page
  bool ended_ = false;  // nothing is behind the page
  ScanPage page_;
  std::size_t index_ = 0;  // of the next record in the page
  Bytes key_;
  Value value_;
  ValueType type_ = ValueType::string;
};

}  // namespace strata::cli
