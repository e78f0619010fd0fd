// SPDX-License-Identifier: BSL-1.0
// A benchmark program, run as a process of its own by the protocol of
// bench/harness.h.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace compare {

// A program could not be run, failed, or does not follow the protocol; what()
// is a sentence.
struct program_failed : std::runtime_error {
  using runtime_error::runtime_error;
};

struct result {
  std::string unit;
  double value;
};

class program {
 public:
  // GOMAXPROCS is `processors` when it runs; means nothing but to Go.
  program(std::string impl, std::string path, int processors);

  [[nodiscard]] const std::string& impl() const { return impl_; }

  // The names of its cases. Throws program_failed.
  [[nodiscard]] std::vector<std::string> list() const;

  // Runs one case; `options` come before it. Throws program_failed.
  [[nodiscard]] result run(const std::string& name,
                           const std::vector<std::string>& options) const;

 private:
  // Gives what it printed. `doing` is for messages.
  [[nodiscard]] std::string output(std::vector<std::string> arguments,
                                   const std::string& doing) const;

  std::string impl_;
  std::string path_;
  std::string processors_;
};

}  // namespace compare
