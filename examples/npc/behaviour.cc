// SPDX-License-Identifier: BSL-1.0
// The scripts. Every step, wait, sentence and call parks: between them nothing
// else in the world moves, and at any of them the character may be killed.
#include "weft/examples/npc/behaviour.h"

#include <algorithm>
#include <optional>

#include "weft/examples/npc/conversation.h"
#include "weft/weft.h"

namespace npc {
namespace {

// Frames a step.
constexpr long stroll = 6;
constexpr long flight = 3;
constexpr long gallop = 2;
// Squares.
constexpr long villager_sight = 8;
constexpr long wolf_sight = 10;
constexpr long earshot = 6;

bool wolf_in_sight(character& me) {
  if (me.nearest(kind::wolf, villager_sight) == nullptr) return false;
  me.wolf_seen = me.home().frames.now();
  return true;
}

bool disturbed(character& me) {
  if (me.what() == kind::wolf)
    return me.nearest(kind::villager, wolf_sight) != nullptr;
  return me.calls.balance() > 0 || wolf_in_sight(me);
}

void patrol(character& me) {
  me.begin(behaviour::patrol);
  const claim goal(me);
  if (!goal) return me.wait(30);
  while (me.at() != goal.at()) {
    me.step_towards(goal.at(), stroll);
    if (disturbed(me)) return;
  }
  me.wait(30);
}

void flee(character& me) {
  me.begin(behaviour::flee);
  while (const character* wolf = me.nearest(kind::wolf, villager_sight))
    me.step_away(wolf->at(), flight);
}

void chase(character& me) {
  me.begin(behaviour::chase);
  for (int breath = 40; breath > 0; --breath) {
    character* prey = me.nearest(kind::villager, wolf_sight);
    if (prey == nullptr) return;
    if (distance(me.at(), prey->at()) <= 1) {
      prey->kill(me.home().count.eaten);
      return me.wait(300);  // digests
    }
    me.step_towards(prey->at(), gallop);
  }
  me.wait(60);  // out of breath
}

void learn(character& me, long news) {
  if (news <= me.wolf_seen) return;
  me.wolf_seen = news;
  ++me.home().count.warnings;
  me.home().note(static_cast<std::uint64_t>(news));
}

void talk(character& me, character& other) {
  me.begin(behaviour::talk);
  conversation mine(me);
  try {
    other.calls.send(&mine);
  } catch (const weft::channel_closed&) {
    return;  // The other has died before it had time.
  }
  for (int sentences = 0; sentences != 3; ++sentences) {
    if (!mine.say(me.wolf_seen)) return;
    const std::optional<long> news = mine.hear();
    if (!news) return;
    learn(me, *news);
    if (wolf_in_sight(me)) return;
  }
  ++me.home().count.finished_talks;
}

void answer(character& me, conversation& caller) {
  me.begin(behaviour::talk);
  conversation mine(me, caller);
  while (const std::optional<long> news = mine.hear()) {
    learn(me, *news);
    if (wolf_in_sight(me) || !mine.say(me.wolf_seen)) return;
  }
}

void greet_somebody(character& me) {
  if (me.home().random(3) != 0) return;
  character* other = me.nearest(kind::villager, earshot);
  if (other != nullptr && other->doing() == behaviour::patrol && !disturbed(me))
    talk(me, *other);
}

}  // namespace

void villager(world& w) {
  character me(w, kind::villager);
  me.wait(1 + w.random(60));
  for (;;) {
    if (wolf_in_sight(me)) {
      flee(me);
    } else if (const auto caller = me.calls.try_receive()) {
      answer(me, **caller);
    } else {
      patrol(me);
      greet_somebody(me);
    }
  }
}

void wolf(world& w) {
  character me(w, kind::wolf);
  me.wait(1 + w.random(60));
  for (;;) {
    if (disturbed(me))
      chase(me);
    else
      patrol(me);
  }
}

}  // namespace npc
