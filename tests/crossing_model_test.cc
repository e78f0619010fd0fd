// SPDX-License-Identifier: BSL-1.0
// The protocols between two schedulers, as models whose every interleaving is
// explored: how mail wakes one that sleeps (scheduler/inbox.h), and who ends a
// wait that several may end (scheduler/crossing.h);
// two_schedulers_model_test.cc has both at once.
//
// The orders that are wrong are explored, too, so that it is known that a mistake
// would be found.
#include <array>
#include <catch2/catch.hpp>
#include <compare>
#include <cstddef>

#include "weft/tests/support/explore.h"

namespace {

using weft_test::explore;
using weft_test::findings;
using weft_test::steps;

// ---- mail

enum class mistake { none, rings_first, looks_then_sleeps, clears_last };

// Two threads post two letters each, to a scheduler that reads them and
// otherwise sleeps.
template <mistake M>
struct post_office {
  auto operator<=>(const post_office&) const = default;

  static constexpr int letters = 2;
  struct poster {
    auto operator<=>(const poster&) const = default;
    int at = 0;
    int posted = 0;
    bool rings = false;
  };
  std::array<poster, 2> posters;
  int home = 0;
  bool has_mail = false;
  bool asleep = false;
  bool woken = false;  // of the driver
  int come = 0;
  int read = 0;

  [[nodiscard]] bool done() const { return read == 2 * letters && home == 0; }
  [[nodiscard]] bool right() const { return come == 0; }

  void next(steps<post_office>& out) const {
    for (std::size_t i = 0; i != posters.size(); ++i) post(i, out);
    go_on(out);
  }

  void post(std::size_t i, steps<post_office>& out) const {
    if (posters[i].posted == letters) return;
    post_office s = *this;
    poster& p = s.posters[i];
    const bool links = p.at == (M == mistake::rings_first ? 1 : 0);
    if (p.at < 2 && links) {
      ++s.come;
      ++p.at;
    } else if (p.at < 2) {
      p.rings = asleep && !has_mail;
      s.has_mail = true;
      ++p.at;
    } else {
      if (p.rings) s.woken = true;
      p = {0, p.posted + 1, false};
    }
    out.push_back(s);
  }

  void go_on(steps<post_office>& out) const {
    post_office s = *this;
    switch (home) {
      case 0:  // looks whether there is mail
        if (done()) return;
        s.home = has_mail ? 1 : 3;
        break;
      case 1:  // clears the flag, or takes first
        if (M == mistake::clears_last) {
          s.read += come;
          s.come = 0;
        } else {
          s.has_mail = false;
        }
        s.home = 2;
        break;
      case 2:
        if (M == mistake::clears_last) {
          s.has_mail = false;
        } else {
          s.read += come;
          s.come = 0;
        }
        s.home = 0;
        break;
      case 3:  // marks itself asleep, and sees in the same word what has come
        s.asleep = true;
        s.home = M == mistake::looks_then_sleeps || !has_mail ? 4 : 5;
        break;
      case 4:  // sleeps
        if (!woken) return;
        s.woken = false;
        s.home = 5;
        break;
      default:
        s.asleep = false;
        s.home = 0;
    }
    out.push_back(s);
  }
};

// ---- claims

// One tasklet selects between two channels, a partner comes to each, in threads
// of their own, and at home it is killed.
template <bool Claims>
struct meeting {
  auto operator<=>(const meeting&) const = default;

  std::array<bool, 2> guard{};            // held
  std::array<bool, 2> lines{true, true};  // where its records stand
  std::array<int, 2> partner{};
  std::array<bool, 2> serves{};
  int killer = 0;
  bool claimed = false;
  int letters = 0;
  int served = 0;
  int killed = 0;
  int runnable = 0;

  [[nodiscard]] bool done() const {
    return partner[0] == 4 && partner[1] == 4 && killer == 9;
  }
  [[nodiscard]] bool right() const {
    return served + killed == 1 && runnable == 1 && !lines[0] && !lines[1] &&
           !guard[0] && !guard[1];
  }

  void next(steps<meeting>& out) const {
    serve(0, out);
    serve(1, out);
    kill(out);
  }

  bool claim() {
    const bool won = !claimed || !Claims;
    claimed = true;
    return won;
  }

  void serve(std::size_t i, steps<meeting>& out) const {
    meeting s = *this;
    switch (partner[i]) {
      case 0:
        if (guard[i]) return;
        s.guard[i] = true;
        break;
      case 1:  // whoever is first in line
        s.serves[i] = lines[i] && s.claim();
        s.lines[i] = false;
        s.served += s.serves[i] ? 1 : 0;
        break;
      case 2:
        s.guard[i] = false;
        break;
      case 3:
        s.letters += serves[i] ? 1 : 0;
        break;
      default:
        return;
    }
    ++s.partner[i];
    out.push_back(s);
  }

  // At home: it takes both guards, claims; or waits for the letter.
  void kill(steps<meeting>& out) const {
    meeting s = *this;
    switch (killer) {
      case 0:
      case 1:
      case 5:
      case 6: {
        const auto i = static_cast<std::size_t>(killer % 5);
        if (guard[i]) return;
        s.guard[i] = true;
        ++s.killer;
        break;
      }
      case 2:
        if (s.claim()) {
          s.lines = {};
          s.killed = 1;
          s.killer = 8;
        } else {
          s.killer = 3;
        }
        break;
      case 3:
        s.guard = {};
        s.killer = 4;
        break;
      case 4:  // the letter is certain to come
        if (letters == 0) return;
        s.killer = 5;
        break;
      case 7:
        s.lines = {};
        s.killer = 8;
        break;
      case 8:
        s.guard = {};
        ++s.runnable;
        s.killer = 9;
        break;
      default:
        return;
    }
    out.push_back(s);
  }
};

}  // namespace

TEST_CASE("mail that is posted while its scheduler falls asleep is read") {
  const findings found = explore(post_office<mistake::none>{});
  CHECK(found.states > 300);
  CHECK(found.ends != 0);
  CHECK(found.stuck == 0);
  CHECK(found.wrong == 0);
}

TEST_CASE("in any other order some would be lost") {
  CHECK(explore(post_office<mistake::rings_first>{}).stuck != 0);
  CHECK(explore(post_office<mistake::looks_then_sleeps>{}).stuck != 0);
  CHECK(explore(post_office<mistake::clears_last>{}).stuck != 0);
}

TEST_CASE("of those who come to a select, and a kill, exactly one wins") {
  const findings found = explore(meeting<true>{});
  CHECK(found.states > 100);
  CHECK(found.ends != 0);
  CHECK(found.stuck == 0);
  CHECK(found.wrong == 0);
}

TEST_CASE("without a claim several would") {
  CHECK(explore(meeting<false>{}).wrong != 0);
}
