// SPDX-License-Identifier: BSL-1.0
// The first stage: files, directories and standard input become blocks of text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weft/weft.h"

// What a pipe holds. From 16 KiB to 1 MiB the speed is the same.
inline constexpr std::size_t block_size = std::size_t{64} << 10;

// Goes through the whole pipeline and is not copied: the stages share it, and
// its memory is free again when the last counter is done with it.
struct text_block {
  std::array<char, block_size> bytes;
  std::size_t size;      // 0: the end of a file
  std::uint64_t number;  // 0, 1, 2 ... through all files
  std::string spanning;  // the word that began in earlier blocks and ends here
};
using text_block_ptr = std::shared_ptr<text_block>;

// What has been read so far.
struct input_totals {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t skipped = 0;  // files and directories, each one reported
  std::uint64_t digest = 0;   // of blocks, where one is asked for
};

// Thrown on Ctrl-C.
struct interrupted_by_user {};

class text_reader {
 public:
  // All outlive it. A signal to `ahead` comes before each block: who takes it
  // says that the block has gone its way.
  text_reader(weft::sender<text_block_ptr> out, weft::channel<void>& ahead,
              input_totals& so_far)
      : out_(out), ahead_(&ahead), so_far_(&so_far) {}

  // Sends everything `path` holds; "-" is standard input. What cannot be read
  // is reported and skipped. Parks. Throws interrupted_by_user.
  void read(const std::string& path);

 private:
  void walk(const std::string& root);
  void read_file(const std::string& path, bool found_by_walking);
  void send_blocks(int fd, const std::string& name, bool may_wait);
  void skip(const std::string& name, std::string_view why);

  weft::sender<text_block_ptr> out_;
  weft::channel<void>* ahead_;
  std::uint64_t sent_ = 0;
  input_totals* so_far_;
};
