// SPDX-License-Identifier: BSL-1.0
// What an example reads: a file, standard input or a text, with the place of
// each character for its errors.
//
//   cli::input in = cli::input::file("trees.txt");
//   while (in.peek() != EOF)
//     if (in.get() == '\t') in.fail(in.where(), "a tab is no blank here");
//
// Throws std::runtime_error, which says one sentence: "trees.txt: Is a
// directory", "trees.txt:3:7: a tab is no blank here".
//
// Thread safety: none.
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace cli {

// Both count from 1; columns are bytes.
struct place {
  unsigned long line = 1;
  unsigned long column = 1;

  friend bool operator==(const place&, const place&) = default;
};

class input {
 public:
  // `-` is standard input.
  [[nodiscard]] static input file(const std::string& path);
  // `name` is for messages.
  [[nodiscard]] static input text(std::string name, std::string_view text);

  // The next character, or EOF.
  [[nodiscard]] int peek();
  int get();
  // Of what peek() gives.
  [[nodiscard]] place where() const { return where_; }
  // Reads up to `size` bytes, without regard to places; 0: there are no more.
  [[nodiscard]] std::size_t read(char* to, std::size_t size);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[noreturn]] void fail(std::string_view why) const;
  [[noreturn]] void fail(place at, std::string_view why) const;

 private:
  struct closer {
    void operator()(FILE* file) const;
  };

  input(std::string name, FILE* file);
  void check() const;

  std::string name_;
  std::unique_ptr<FILE, closer> file_;
  place where_;
};

// How a character reads in a message.
[[nodiscard]] std::string quoted(int character);

}  // namespace cli
