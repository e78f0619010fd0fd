// SPDX-License-Identifier: BSL-1.0
// Word frequencies, as a pipeline of tasklets.
//
//            blocks            words, by their hash           shares
//   reader ---------> splitter ---------> counter --------+----------> main
//                              ---------> counter --------|
//                              ---------> counter --------'
//
// Channels carry blocks and batches, not words: thousands of words share what a
// meeting in a channel costs. All are bounded, so the slowest stage sets the
// pace, and memory does not grow with the input.
//
// Nobody passes an error on by hand: what escapes a tasklet comes out of main's
// own wait, and the scheduler's end unwinds the tasklets that are left.
#include <sys/stat.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/examples/pipeline/progress_bar.h"
#include "weft/examples/pipeline/text_reader.h"
#include "weft/examples/pipeline/top_list.h"
#include "weft/examples/pipeline/word_splitter.h"
#include "weft/examples/pipeline/word_table.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help_text =
    R"(Usage: pipeline [OPTION]... [--] [PATH]...
Counts the words of files, of all files below directories, and of standard
input (no PATH, or -), and lists the most frequent ones.

  --top N       how many words to list (default 10)
  --counters N  how many tasklets count (default 4)
  --help        print this and exit

A word is a run of the letters A-Z and a-z; case does not matter, and the end of
a file ends a word. Standard output is, for one file, exactly that of
  tr -cs A-Za-z '\n' | tr A-Z a-z | grep . | sort | uniq -c |
    sort -k1,1nr -k2,2 | head -N
in the C locale. The totals, as all messages, go to standard error.

Below a directory, names that begin with a dot, symbolic links and special files
are passed over. What cannot be read, files with a NUL byte in their first block
and words of over 65536 letters are reported and skipped.

The input is streamed. Memory is taken by the distinct words alone: about 35
bytes for each one.

Exit status: 0 all counted, 1 something skipped or not written, 2 bad usage,
130 interrupted.
)";

struct hashed_word {
  std::string_view word;
  std::uint32_t hash;
};

// Some words of one block, and the block that they lie in.
struct batch {
  text_block_ptr block;
  std::vector<hashed_word> words;
};

// What one counter has found. No word is counted by two of them.
struct share {
  std::vector<top_list::entry> top;
  std::uint64_t words = 0;
  std::uint64_t distinct = 0;
};

void read_all(const std::vector<std::string>& paths,
              weft::sender<text_block_ptr> out, input_totals& so_far) {
  text_reader reader(out, so_far);
  for (const std::string& path : paths) reader.read(path);
  out.close();
}

void split(weft::receiver<text_block_ptr> in,
           std::deque<weft::channel<batch>>& out, input_totals& so_far) {
  word_splitter splitter;
  std::vector<std::vector<hashed_word>> words(out.size());
  for (text_block_ptr& block : in) {
    splitter(*block, [&](std::string_view word) {
      const std::uint64_t hash = std::hash<std::string_view>{}(word);
      const std::size_t counter = (hash >> 32) * out.size() >> 32;
      words[counter].push_back({word, static_cast<std::uint32_t>(hash)});
    });
    for (std::size_t i = 0; i < out.size(); ++i)
      if (!words[i].empty()) out[i].send({block, std::exchange(words[i], {})});
  }
  for (auto& each : out) each.close();
  if (splitter.dropped() == 0) return;
  so_far.skipped += splitter.dropped();
  erase_progress();
  cli::warn("words too long to be counted: " +
            std::to_string(splitter.dropped()));
}

void count(weft::receiver<batch> in, weft::sender<share> out,
           std::size_t listed) {
  word_table table;
  share found;
  for (batch& each : in) {
    for (const hashed_word& w : each.words) table.add(w.word, w.hash);
    found.words += each.words.size();
  }
  top_list top(listed);
  table.for_each([&](auto word, auto n) { top.offer(word, n); });
  found.top = top.take();
  found.distinct = table.size();
  out.send(std::move(found));
}

share merge(weft::receiver<share> in, std::size_t counters,
            std::size_t listed) {
  share all;
  top_list top(listed);
  for (std::size_t i = 0; i < counters; ++i) {
    const share one = in.take();
    for (const auto& [n, word] : one.top) top.offer(word, n);
    all.words += one.words;
    all.distinct += one.distinct;
  }
  all.top = top.take();
  return all;
}

// 0 where it cannot be known without a look into directories or pipes.
std::uint64_t bytes_expected(const std::vector<std::string>& paths) {
  std::uint64_t total = 0;
  for (const std::string& path : paths) {
    struct stat s = {};
    const int error =
        path == "-" ? fstat(STDIN_FILENO, &s) : stat(path.c_str(), &s);
    if (error == 0 && !S_ISREG(s.st_mode)) return 0;
    total += static_cast<std::uint64_t>(s.st_size);
  }
  return total;
}

share run(const std::vector<std::string>& paths, std::size_t counters,
          std::size_t listed, input_totals& so_far) {
  weft::channel<text_block_ptr> blocks(2);
  std::deque<weft::channel<batch>> words;  // one for each counter
  for (std::size_t i = 0; i < counters; ++i) words.emplace_back(1);
  weft::channel<share> shares;

  // Ends before the channels do.
  weft::scheduler scheduler;
  weft::spawn(read_all, std::cref(paths), weft::sender(blocks),
              std::ref(so_far));
  weft::spawn(split, weft::receiver(blocks), std::ref(words), std::ref(so_far));
  for (weft::channel<batch>& own : words)
    weft::spawn(count, weft::receiver(own), weft::sender(shares), listed);
  const weft::tasklet bar =
      weft::spawn(show_progress, std::cref(so_far), bytes_expected(paths));

  share all = merge(weft::receiver(shares), counters, listed);
  bar.kill();
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help_text);
  const auto listed =
      static_cast<std::size_t>(args.number("top", 10, 1, 1'000'000));
  const auto counters =
      static_cast<std::size_t>(args.number("counters", 4, 1, 1000));
  std::vector<std::string> paths = args.operands();
  if (paths.empty()) paths = {"-"};
  cli::catch_interrupt();

  try {
    input_totals input;
    const share all = run(paths, counters, listed, input);
    // As uniq -c has it.
    for (const auto& [n, word] : all.top)
      std::printf("%7" PRIu64 " %s\n", n, word.c_str());
    const int code = cli::finish_stdout(input.skipped == 0 ? 0 : 1);
    std::fprintf(stderr,
                 "files: %" PRIu64 ", bytes: %" PRIu64 ", words: %" PRIu64
                 ", distinct: %" PRIu64 ", skipped: %" PRIu64 "\n",
                 input.files, input.bytes, all.words, all.distinct,
                 input.skipped);
    return code;
  } catch (const interrupted_by_user&) {
    cli::warn("interrupted");
    return 130;
  } catch (const std::bad_alloc&) {
    cli::warn("out of memory");
    return 1;
  }
}
