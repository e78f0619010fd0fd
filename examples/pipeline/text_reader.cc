// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/pipeline/text_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "weft/examples/cli.h"
#include "weft/examples/pipeline/progress_bar.h"

namespace {

namespace fs = std::filesystem;

struct open_file {
  explicit open_file(int descriptor) : fd(descriptor) {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() { close(fd); }  // Also where a kill unwinds the reader.

  const int fd;
};

void stop_if_interrupted() {
  if (cli::interrupted()) throw interrupted_by_user{};
}

// As read(). Where it has to wait, the other tasklets get their turns, and
// Ctrl-C is seen even if it comes right before the poll().
ssize_t read_some(int fd, char* to, bool may_wait) {
  for (;;) {
    stop_if_interrupted();
    pollfd input = {fd, POLLIN, 0};
    if (may_wait && poll(&input, 1, 50) <= 0) {
      weft::yield();
      continue;
    }
    const ssize_t got = ::read(fd, to, block_size);
    const bool again = errno == EINTR || (may_wait && errno == EAGAIN);
    if (got >= 0 || !again) return got;
  }
}

}  // namespace

void text_reader::read(const std::string& path) {
  if (path == "-") return send_blocks(STDIN_FILENO, "standard input", true);
  std::error_code unknown;  // For the open() to find out.
  if (fs::is_directory(path, unknown)) return walk(path);
  read_file(path, false);
}

// Holds one open directory a level, and no list of names.
void text_reader::walk(const std::string& root) {
  std::vector<fs::directory_iterator> levels;
  const auto enter = [&](const fs::path& directory) {
    std::error_code error;
    fs::directory_iterator entries(directory, error);
    if (error) return skip(directory, error.message());
    levels.push_back(std::move(entries));
  };
  enter(root);
  while (!levels.empty()) {
    stop_if_interrupted();
    if (levels.back() == fs::directory_iterator()) {
      levels.pop_back();
      continue;
    }
    const fs::directory_entry entry = *levels.back();
    std::error_code error;
    levels.back().increment(error);
    if (error) skip(entry.path().parent_path(), error.message());

    if (entry.path().filename().native().starts_with('.')) continue;
    const fs::file_status status = entry.symlink_status(error);
    if (fs::is_directory(status)) enter(entry.path());
    if (fs::is_regular_file(status)) read_file(entry.path(), true);
  }
}

void text_reader::read_file(const std::string& path, bool found_by_walking) {
  // Some regular files of /proc would wait for ever; a fifo that the user named
  // is waited for.
  const int wait = found_by_walking ? O_NONBLOCK : 0;
  const open_file file(open(path.c_str(), O_RDONLY | O_CLOEXEC | wait));
  stop_if_interrupted();
  if (file.fd < 0) return skip(path, std::strerror(errno));
  send_blocks(file.fd, path, !found_by_walking);
}

void text_reader::send_blocks(int fd, const std::string& name, bool may_wait) {
  for (bool first = true;; first = false) {
    auto block = std::make_shared_for_overwrite<text_block>();
    const ssize_t got = read_some(fd, block->bytes.data(), may_wait);
    if (got < 0) skip(name, std::strerror(errno));
    block->size = got < 0 ? 0 : static_cast<std::size_t>(got);
    if (first && std::memchr(block->bytes.data(), '\0', block->size) != nullptr)
      return skip(name, "binary file");
    if (first && got >= 0) ++so_far_->files;
    so_far_->bytes += block->size;
    block->number = sent_++;
    ahead_->send();
    out_.send(std::move(block));
    if (got <= 0) return;
  }
}

void text_reader::skip(const std::string& name, std::string_view why) {
  ++so_far_->skipped;
  erase_progress();
  cli::warn(name + ": " + std::string(why));
}
