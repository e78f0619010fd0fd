// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/input.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace cli {

input input::file(const std::string& path) {
  if (path == "-") return {"standard input", stdin};
  return {path, std::fopen(path.c_str(), "rbe")};
}

input input::text(std::string name, std::string_view text) {
  FILE* const file = fmemopen(nullptr, text.size() + 1, "w+");
  if (file != nullptr) {
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), file));
    static_cast<void>(std::fseek(file, 0, SEEK_SET));
  }
  return {std::move(name), file};
}

input::input(std::string name, FILE* file)
    : name_(std::move(name)), file_(file) {
  if (file == nullptr) fail(std::strerror(errno));
}

void input::closer::operator()(FILE* file) const {
  if (file != stdin) static_cast<void>(std::fclose(file));
}

int input::peek() {
  const int next = std::getc(file_.get());
  if (next == EOF)
    check();
  else
    static_cast<void>(std::ungetc(next, file_.get()));
  return next;
}

int input::get() {
  const int next = std::getc(file_.get());
  if (next == EOF) {
    check();
  } else if (next == '\n') {
    ++where_.line;
    where_.column = 1;
  } else {
    ++where_.column;
  }
  return next;
}

std::size_t input::read(char* to, std::size_t size) {
  const std::size_t got = std::fread(to, 1, size, file_.get());
  if (got == 0) check();
  return got;
}

void input::check() const {
  if (std::ferror(file_.get()) != 0) fail(std::strerror(errno));
}

void input::fail(std::string_view why) const {
  throw std::runtime_error(name_ + ": " + std::string(why));
}

void input::fail(place at, std::string_view why) const {
  throw std::runtime_error(name_ + ":" + std::to_string(at.line) + ":" +
                           std::to_string(at.column) + ": " + std::string(why));
}

std::string quoted(int character) {
  if (character == EOF) return "the end";
  if (character == '\n') return "the end of the line";
  if (character < ' ' || character > '~')
    return "byte " + std::to_string(character);
  return std::string("'") + static_cast<char>(character) + "'";
}

}  // namespace cli
