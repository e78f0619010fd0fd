// SPDX-License-Identifier: BSL-1.0
// Word frequencies, as a pipeline of tasklets, on one thread or several.
//
//            blocks            cut blocks      words, by their hash      shares
//   reader ---------> splitter ---------> sewer ---------> counter ---+--> main
//            `------> splitter -----'       `------------> counter ---|
//            `------> splitter -----'       `------------> counter ---'
//
// Each thread has a scheduler with a splitter, and some of the counters; that of
// main has the reader and the sewer, too. A splitter takes the next block when
// it has done with one, so threads that are slow, or have more else to do, split
// fewer. The sewer puts blocks in order again, and together what their ends cut
// in two. All channels are shared: which thread is at the other end, none of the
// stages knows.
//
// Channels carry blocks and batches, not words: thousands of words share what a
// meeting in a channel costs. All are bounded, so the slowest stage sets the
// pace, and memory does not grow with the input.
//
// No stage passes an error on: what escapes a tasklet of main's thread comes out
// of main's own wait, what escapes those of others is sent there (see run()),
// and the ends of the schedulers unwind the tasklets that are left.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/examples/pipeline/progress_bar.h"
#include "weft/examples/pipeline/text_reader.h"
#include "weft/examples/pipeline/top_list.h"
#include "weft/examples/pipeline/word_splitter.h"
#include "weft/examples/pipeline/word_table.h"
#include "weft/examples/random.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help_text =
    R"(Usage: pipeline [OPTION]... [--] [PATH]...
Counts the words of files, of all files below directories, and of standard
input (no PATH, or -), and lists the most frequent ones.

  --top N       how many words to list (default 10)
  --counters N  how many tasklets count (default 4)
  --threads N   how many threads, this one included (default 1)
  --unordered   words are counted as blocks come from the threads, not in the
                order of the text; the answer is the same
  --work N      a stage to keep the threads busy: N digests of every block, some
                0.3 ms each (default 0); their sum is in the totals
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

struct plan {
  std::vector<std::string> paths;
  std::size_t listed;
  std::size_t counters;
  std::size_t threads;
  bool unordered;
  long work;
};

struct hashed_word {
  std::string_view word;
  std::uint32_t hash;
};

// Some words of one block, and the block that they lie in.
struct batch {
  text_block_ptr block;
  std::vector<hashed_word> words;
};

// A block and its words, those of each counter on their own.
struct cut_block {
  text_block_ptr block;
  std::vector<std::vector<hashed_word>> words;
  loose_ends ends{};
  std::uint64_t digest = 0;

  void add(std::string_view word) {
    const std::uint64_t hash = std::hash<std::string_view>{}(word);
    const std::size_t counter = (hash >> 32) * words.size() >> 32;
    words[counter].push_back({word, static_cast<std::uint32_t>(hash)});
  }
};

// What one counter has found. No word is counted by two of them.
struct share {
  std::vector<top_list::entry> top;
  std::uint64_t words = 0;
  std::uint64_t distinct = 0;
};

// All outlive the tasklets of all threads.
struct channels {
  channels(std::size_t counters, std::size_t threads)
      : blocks(2 * threads, weft::shared),
        ahead(8 * threads, weft::shared),
        cut(2 * threads, weft::shared),
        shares(weft::shared) {
    for (std::size_t i = 0; i < counters; ++i)
      words.emplace_back(2 * threads, weft::shared);
  }

  weft::channel<text_block_ptr> blocks;
  // One signal for each block that is between reader and sewer. The bound to
  // the blocks that wait for one that a slow thread has.
  weft::channel<void> ahead;
  weft::channel<cut_block> cut;
  std::deque<weft::channel<batch>> words;  // one for each counter
  weft::channel<share> shares;
};

void read_all(const std::vector<std::string>& paths, channels& to,
              input_totals& so_far) {
  text_reader reader(to.blocks, to.ahead, so_far);
  for (const std::string& path : paths) reader.read(path);
  to.blocks.close();
}

std::uint64_t digest_of(const text_block& block, long rounds) {
  if (rounds == 0) return 0;
  std::uint64_t digest = block.number;
  for (; rounds != 0; --rounds)
    for (const char c : std::string_view(block.bytes.data(), block.size))
      digest = examples::mix(digest ^ static_cast<unsigned char>(c));
  return digest;
}

// `splitters`: how many have not ended.
void split(channels& all, const plan& p, std::atomic<std::size_t>& splitters) {
  for (text_block_ptr& block : all.blocks) {
    cut_block made{std::move(block), {}};
    made.words.resize(p.counters);
    made.ends = split_words(*made.block, [&](auto word) { made.add(word); });
    made.digest = digest_of(*made.block, p.work);
    all.cut.send(std::move(made));
    weft::yield();  // Who counts here is not to wait for the next block, too.
  }
  if (--splitters == 0) all.cut.close();
}

void deliver(cut_block& from, std::deque<weft::channel<batch>>& to) {
  for (std::size_t i = 0; i < to.size(); ++i)
    if (!from.words[i].empty())
      to[i].send({from.block, std::exchange(from.words[i], {})});
}

void sew(channels& all, const plan& p, input_totals& so_far) {
  word_sewer sewer;
  std::map<std::uint64_t, cut_block> early;  // at most as `ahead` holds
  std::uint64_t next = 0;
  for (cut_block& each : all.cut) {
    if (p.unordered) deliver(each, all.words);
    early.emplace(each.block->number, std::move(each));
    for (; !early.empty() && early.begin()->first == next; ++next) {
      cut_block now = std::move(early.extract(early.begin()).mapped());
      const std::string_view word = sewer(*now.block, now.ends);
      if (!word.empty()) now.add(word);
      deliver(now, all.words);
      so_far.digest += now.digest;
      all.ahead.receive();
    }
  }
  for (auto& each : all.words) each.close();
  if (sewer.dropped() == 0) return;
  so_far.skipped += sewer.dropped();
  erase_progress();
  cli::warn("words too long to be counted: " + std::to_string(sewer.dropped()));
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

share run(const plan& p, input_totals& so_far) {
  channels all(p.counters, p.threads);
  std::atomic<std::size_t> splitters = p.threads;

  // These end before the channels do.
  std::optional<weft::scheduler_pool> others;
  if (p.threads > 1)
    others.emplace(weft::scheduler_pool_options{
        .threads = p.threads - 1, .pin = false, .name = "pipeline"});
  if (others) {
    // There is memory for a stack in each of them, or this throws.
    others->broadcast([] {});
    others->join();
  }
  weft::scheduler scheduler;

  // What thread i does for all; the first is this one.
  const auto work_on = [&](std::size_t i) {
    weft::scope stages;
    stages.spawn([&] { split(all, p, splitters); });
    for (std::size_t c = i; c < p.counters; c += p.threads)
      stages.spawn([&, c] { count(all.words[c], all.shares, p.listed); });
    stages.join();
  };
  weft::spawn([&] { read_all(p.paths, all, so_far); });
  weft::spawn([&] { sew(all, p, so_far); });
  weft::spawn(work_on, 0);
  for (std::size_t i = 1; i < p.threads; ++i)
    others->spawn_on(i - 1, [&, i] {
      try {
        work_on(i);
      } catch (const weft::tasklet_exit&) {
        throw;
      } catch (...) {
        all.shares.send_exception(std::current_exception());
      }
    });
  const weft::tasklet bar =
      weft::spawn(show_progress, std::cref(so_far), bytes_expected(p.paths));

  share found = merge(all.shares, p.counters, p.listed);
  bar.kill();
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help_text);
  const auto number = [&](std::string_view name, long otherwise, long most) {
    return static_cast<std::size_t>(args.number(name, otherwise, 1, most));
  };
  plan p{.paths = {},
         .listed = number("top", 10, 1'000'000),
         .counters = number("counters", 4, 1000),
         .threads = number("threads", 1, 256),
         .unordered = args.flag("unordered"),
         .work = args.number("work", 0, 0, 1'000'000)};
  p.paths = args.operands();
  if (p.paths.empty()) p.paths = {"-"};
  cli::catch_interrupt();

  try {
    input_totals input;
    const share all = run(p, input);
    // As uniq -c has it.
    for (const auto& [n, word] : all.top)
      std::printf("%7" PRIu64 " %s\n", n, word.c_str());
    const int code = cli::finish_stdout(input.skipped == 0 ? 0 : 1);
    std::fprintf(stderr,
                 "files: %" PRIu64 ", bytes: %" PRIu64 ", words: %" PRIu64
                 ", distinct: %" PRIu64 ", skipped: %" PRIu64 "\n",
                 input.files, input.bytes, all.words, all.distinct,
                 input.skipped);
    if (p.work != 0)
      std::fprintf(stderr, "digest: %016" PRIx64 "\n", input.digest);
    return code;
  } catch (const interrupted_by_user&) {
    cli::warn("interrupted");
    return 130;
  } catch (const std::bad_alloc&) {
    cli::warn("out of memory");
    return 1;
  } catch (const std::system_error& e) {
    cli::warn(std::string("no more threads: ") + e.what());
    return 1;
  } catch (const std::exception& e) {
    cli::warn(e.what());
    return 1;
  }
}
