// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/npc/world.h"

#include <utility>

namespace npc {

world::world(std::uint64_t seed, std::size_t population) : random_(seed) {
  for (cells_ = block_size;
       static_cast<std::size_t>(cells_ * cells_) < population;)
    cells_ += block_size;
  side_ = cells_ * cell_size;
  cells_of_map_.resize(static_cast<std::size_t>(cells_ * cells_));
  constexpr long block = cell_size * block_size;
  for (long y = 0; y < side_; y += block)
    for (long x = 0; x < side_; x += block)
      waypoints_.push_back({{x + random(block), y + random(block)}});
}

// SplitMix64 (Steele, Lea, Flood 2014).
long world::random(long n) {
  std::uint64_t z = random_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  return static_cast<long>((z >> 32) * static_cast<std::uint64_t>(n) >> 32);
}

square world::inside(square s) const {
  return {std::clamp(s.x, 0L, side_ - 1), std::clamp(s.y, 0L, side_ - 1)};
}

waypoint* world::free_waypoint(square s) {
  constexpr long block = cell_size * block_size;
  for (int attempt = 0; attempt != 4; ++attempt) {
    const square near =
        inside({s.x + (random(3) - 1) * block, s.y + (random(3) - 1) * block});
    waypoint& w = waypoints_[static_cast<std::size_t>(
        near.y / block * (side_ / block) + near.x / block)];
    if (!w.claimed) return &w;
  }
  return nullptr;
}

character* world::nearest(const character& of, kind what, long sight) const {
  character* best = nullptr;
  const square low = inside({of.at_.x - sight, of.at_.y - sight});
  const square high = inside({of.at_.x + sight, of.at_.y + sight});
  for (long y = low.y / cell_size; y <= high.y / cell_size; ++y)
    for (long x = low.x / cell_size; x <= high.x / cell_size; ++x)
      for (const sighting& seen :
           cells_of_map_[static_cast<std::size_t>(y * cells_ + x)]) {
        if (seen.who == &of || seen.what != what) continue;
        const long d = distance(of.at_, seen.at);
        if (d > sight) continue;
        sight = d - 1;
        best = seen.who;
      }
  return best;
}

void world::enter(character& c) {
  ++count.awake;
  c.index_ = cast_.size();
  cast_.push_back(&c);
  cell_of(c.at_).push_back({&c, c.what_, c.at_});
}

void world::leave(character& c) {
  note(c.self_.id());
  cast_.back()->index_ = c.index_;
  std::swap(cast_[c.index_], cast_.back());
  cast_.pop_back();
  forget(c);
}

void world::move(character& c, square to) {
  forget(c);
  c.at_ = to;
  cell_of(to).push_back({&c, c.what_, to});
  note(c.self_.id() ^ static_cast<std::uint64_t>(to.y * side_ + to.x) << 24);
}

void world::forget(const character& c) {
  std::erase_if(cell_of(c.at_),
                [&c](const sighting& seen) { return seen.who == &c; });
}

// FNV-1a, a word at a time.
void world::note(std::uint64_t event) {
  digest = (digest ^ event) * 0x100000001b3;
  digest ^= digest >> 29;
}

std::size_t world::claimed() const {
  return static_cast<std::size_t>(
      std::count_if(waypoints_.begin(), waypoints_.end(),
                    [](const waypoint& w) { return w.claimed; }));
}

character::character(world& w, kind what)
    : world_(w), what_(what), at_(w.random_square()) {
  calls.set_preference(weft::preference::neither);
  w.enter(*this);
}

void character::begin(behaviour b) {
  doing_ = b;
  ++world_.count.begun[static_cast<std::size_t>(b)];
}

void character::step_towards(square to, long pace) {
  const auto one = [](long d) { return std::clamp(d, -1L, 1L); };
  const long now = world_.frames.now();
  if (std::exchange(stepped_, now) == now) ++world_.count.hurried;
  world_.move(*this, world_.inside({at_.x + one(to.x - at_.x),
                                    at_.y + one(to.y - at_.y)}));
  wait(pace);
}

void character::step_away(square from, long pace) {
  step_towards({2 * at_.x - from.x, 2 * at_.y - from.y}, pace);
}

void character::kill(std::uint64_t& cause) {
  if (std::exchange(doomed_, true)) return;
  ++cause;
  self_.kill();
}

}  // namespace npc
