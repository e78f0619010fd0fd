// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/timer_heap.h"

#include "weft/tasklet/wait_queue.h"

namespace weft {

timer::timer(timer_heap& heap, time_point deadline, wait_record& record)
    : heap_(heap), deadline_(deadline), order_(heap.armed_++), record_(record) {
  heap_.insert(*this);
}

timer::~timer() {
  if (index_ != disarmed) heap_.remove(*this);
}

wait_record* timer_heap::pop_due(timer::time_point now) {
  if (heap_.empty() || heap_.front()->deadline_ > now) return nullptr;
  timer& due = *heap_.front();
  remove(due);
  return &due.record_;
}

void timer_heap::insert(timer& t) {
  heap_.push_back(&t);
  sift_up(heap_.size() - 1, &t);
}

void timer_heap::remove(timer& t) noexcept {
  const std::size_t hole = t.index_;
  t.index_ = timer::disarmed;
  timer* last = heap_.back();
  heap_.pop_back();
  if (last == &t) return;
  // The last one may belong on either side of the hole.
  sift_down(hole, last);
  sift_up(last->index_, last);
}

void timer_heap::place(std::size_t index, timer* t) noexcept {
  heap_[index] = t;
  t->index_ = index;
}

void timer_heap::sift_up(std::size_t index, timer* t) noexcept {
  while (index != 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!t->before(*heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, t);
}

void timer_heap::sift_down(std::size_t index, timer* t) noexcept {
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->before(*heap_[child]))
      ++child;
    if (!heap_[child]->before(*t)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, t);
}

}  // namespace weft
