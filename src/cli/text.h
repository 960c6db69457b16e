// How bytes stand on the command line and in output: as they are, escaped, in hex, or in JSON.
//
// Always: stdout carries the answer and nothing else; everything about it goes to stderr.
#pragma once

#include <cstdio>
#include <string>

#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::cli {

enum class Form : unsigned char {
  plain,  ///< in: as given; out: as it is, and a line end
  raw,    ///< out: as it is, and nothing else
  hex     ///< in and out: two digits a byte
};

/// An argument as the bytes that it means.
Result<Bytes> bytes_of(const std::string& argument, Form form);
/// One value to stdout.
void print_value(BytesView value, Form form);

void append_json_string(std::string& to, BytesView utf8);
/// `"name":"text"`, or `"name_hex":"..."` where the bytes are no UTF-8.
void append_json_bytes(std::string& to, std::string_view name, BytesView bytes);

void print(std::FILE* to, BytesView text);
/// One line on stderr: "strata: ...".
void complain(const std::string& sentence);

/// All of stdin; more than a value may have is an error.
Result<Bytes> read_stdin();

}  // namespace strata::cli
