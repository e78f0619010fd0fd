// SPDX-License-Identifier: BSL-1.0
// How an end of a shared buffer is owned and taken away (channel/ring_end.h), as
// a model whose every interleaving is explored: with the store buffers of the
// processors, for the owner passes no fence.
//
// What is wrong without one of its parts is explored, too, so that it is known
// that a mistake would be found.
#include <array>
#include <catch2/catch.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>

#include "weft/tests/support/explore.h"

namespace {

using weft_test::explore;
using weft_test::findings;
using weft_test::steps;

enum class mistake { none, no_fence, no_wait, one_flag, unmarked };

// Two threads claim, and own the end when they can; a third stops it, claims
// once by itself and lets it flow again.
template <mistake M, int Stops>
struct shared_end {
  auto operator<=>(const shared_end&) const = default;

  static constexpr int nobody = 2;

  struct word {
    auto operator<=>(const word&) const = default;
    std::int8_t at = 0;
    bool stopped = false;
    bool owned = false;
  };
  enum class place : std::uint8_t { in, word, owner };
  struct store {
    auto operator<=>(const store&) const = default;
    place where = place::in;
    bool in = false;
    word value;
  };
  // Stores that nobody else sees yet, the first to leave first.
  struct store_buffer {
    auto operator<=>(const store_buffer&) const = default;
    std::array<store, 3> of;
    std::uint8_t size = 0;
  };
  enum class at : std::uint8_t {
    sees_owner,
    enters,
    sees_owner_again,
    reads,
    moves_on,
    leaves,
    reads_shared,
    swaps,
    becomes_owner,
    marks_owned,
    done
  };
  struct claimer {
    auto operator<=>(const claimer&) const = default;
    at now = at::sees_owner;
    int left = 2;  // claims that it tries
    word read;
    store_buffer own;
  };
  enum class stage : std::uint8_t {
    marks,
    disowns,
    fences,
    waits,
    reads,
    settles,
    reads_place,
    moves_on,
    flows,
    done
  };

  word w{0, false, true};
  int owner = 0;
  std::array<bool, 2> in{};
  std::array<claimer, 2> claimers;
  stage stopper = stage::marks;
  int stopped = 0;
  int victim = nobody;
  word read;
  std::array<std::int8_t, 8> claims{};  // of each position

  [[nodiscard]] bool done() const {
    for (const claimer& c : claimers)
      if (c.now != at::done || c.own.size != 0) return false;
    return stopper == stage::done;
  }
  [[nodiscard]] bool right() const {
    for (int p = 0; p != static_cast<int>(claims.size()); ++p)
      if (claims[static_cast<std::size_t>(p)] != (p < w.at ? 1 : 0))
        return false;
    return true;
  }

  void next(steps<shared_end>& out) const {
    for (int i = 0; i != 2; ++i) {
      const auto n = static_cast<std::size_t>(i);
      if (claimers[n].own.size != 0) {
        out.push_back(*this);
        out.back().drain(n);
      }
      claim(i, out);
    }
    stop(out);
  }

  // A thread sees its own stores at once.
  [[nodiscard]] word word_seen_by(int i) const {
    word seen = w;
    const store_buffer& b = claimers[static_cast<std::size_t>(i)].own;
    for (std::size_t k = 0; k != b.size; ++k)
      if (b.of[k].where == place::word) seen = b.of[k].value;
    return seen;
  }
  [[nodiscard]] int owner_seen_by(int i) const {
    const store_buffer& b = claimers[static_cast<std::size_t>(i)].own;
    for (std::size_t k = 0; k != b.size; ++k)
      if (b.of[k].where == place::owner) return nobody;
    return owner;
  }

  static word after(word before) {
    ++before.at;
    return before;
  }
  bool& flag(int i) {
    return in[M == mistake::one_flag ? 0 : static_cast<std::size_t>(i)];
  }
  void take(int position) { ++claims[static_cast<std::size_t>(position)]; }
  void drain(std::size_t n) {
    store_buffer& b = claimers[n].own;
    const store s = b.of[0];
    for (std::size_t i = 1; i != b.size; ++i) b.of[i - 1] = b.of[i];
    b.of[--b.size] = {};
    if (s.where == place::in) flag(static_cast<int>(n)) = s.in;
    if (s.where == place::word) w = s.value;
    if (s.where == place::owner) owner = nobody;
  }

  void claim(int i, steps<shared_end>& out) const {
    shared_end s = *this;
    claimer& c = s.claimers[static_cast<std::size_t>(i)];
    const auto put = [&c](store what) {
      if (c.own.size == c.own.of.size()) return false;
      c.own.of[c.own.size++] = what;
      return true;
    };
    const auto again = [&c] {
      c.now = --c.left == 0 ? at::done : at::sees_owner;
    };
    // What others cannot be amid waits until all stores have left.
    const bool atomic = c.own.size == 0;
    switch (c.now) {
      case at::sees_owner:
        c.now = owner_seen_by(i) == i ? at::enters : at::reads_shared;
        break;
      case at::enters:
        if (!put({place::in, true, {}})) return;
        c.now = at::sees_owner_again;
        break;
      case at::sees_owner_again:
        c.now = owner_seen_by(i) == i ? at::reads : at::leaves;
        break;
      case at::reads:
        c.read = word_seen_by(i);
        c.now = at::moves_on;
        break;
      case at::moves_on:
        if (!put({place::word, false, after(c.read)})) return;
        s.take(c.read.at);
        c.now = at::leaves;
        break;
      case at::leaves:
        if (!put({place::in, false, {}})) return;
        again();
        break;
      case at::reads_shared:
        c.read = word_seen_by(i);
        if (c.read.stopped || c.read.owned)
          again();
        else
          c.now = at::swaps;
        break;
      case at::swaps:
        if (!atomic) return;
        if (w != c.read) {
          again();
          break;
        }
        ++s.w.at;
        s.take(w.at);
        c.now = at::becomes_owner;
        break;
      case at::becomes_owner:
        if (!atomic) return;
        if (owner != nobody) {
          again();
          break;
        }
        s.owner = i;
        c.now = at::marks_owned;
        break;
      case at::marks_owned:
        if (!atomic) return;
        if (w.stopped || w.owned)
          put({place::owner, false, {}});
        else
          s.w.owned = true;
        again();
        break;
      case at::done:
        return;
    }
    out.push_back(s);
  }

  void stop(steps<shared_end>& out) const {
    shared_end s = *this;
    switch (stopper) {
      case stage::marks:
        s.w.stopped = true;
        s.stopper = w.owned ? stage::disowns : stage::reads_place;
        break;
      case stage::disowns:
        s.victim = owner;
        s.owner = nobody;
        s.stopper = stage::fences;
        break;
      case stage::fences:
        for (std::size_t n = 0; n != 2 && M != mistake::no_fence; ++n)
          while (s.claimers[n].own.size != 0) s.drain(n);
        s.stopper = stage::waits;
        break;
      case stage::waits:
        if (s.flag(victim) && M != mistake::no_wait) return;
        s.stopper = stage::reads;
        break;
      case stage::reads:
        s.read = w;
        s.stopper = stage::settles;
        break;
      case stage::settles:
        s.w = {read.at, M == mistake::unmarked ? read.stopped : true, false};
        s.stopper = stage::reads_place;
        break;
      case stage::reads_place:
        s.read = w;
        s.stopper = stage::moves_on;
        break;
      case stage::moves_on:
        s.take(read.at);
        ++s.w.at;
        s.stopper = stage::flows;
        break;
      case stage::flows:
        s.w.stopped = false;
        s.read = {};
        s.victim = nobody;
        s.stopped = stopped + 1;
        s.stopper = s.stopped == Stops ? stage::done : stage::marks;
        break;
      case stage::done:
        return;
    }
    out.push_back(s);
  }
};

}  // namespace

TEST_CASE("every position of an end that is owned and taken is claimed once") {
  const findings found = explore(shared_end<mistake::none, 2>{});
  CAPTURE(found.states);
  CHECK(found.states > 10000);
  CHECK(found.ends != 0);
  CHECK(found.stuck == 0);
  CHECK(found.wrong == 0);
}

TEST_CASE("without one of its precautions some would be claimed twice") {
  CHECK(explore(shared_end<mistake::no_fence, 1>{}).wrong != 0);
  CHECK(explore(shared_end<mistake::no_wait, 1>{}).wrong != 0);
  CHECK(explore(shared_end<mistake::one_flag, 2>{}).wrong != 0);
  CHECK(explore(shared_end<mistake::unmarked, 1>{}).wrong != 0);
}
