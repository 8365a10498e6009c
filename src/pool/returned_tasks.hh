// SPDX-License-Identifier: MIT
// Tasks that had been given to a worker, or nearly, and came back: they go before all that never were, in the
// order of their priority and submission. Linked by the records themselves, so that none is lost for want of
// memory. The pool's mutex guards it.
#pragma once

#include "pool/future.hh"

namespace mproc::pool {

class ReturnedTasks {
 public:
  bool empty() const { return !first_; }
  Future* front() const { return first_; }
  Future* PopFront() {
    Future* task = first_;
    first_ = task->next;
    return task;
  }
  // It was the next one, and is again.
  void PushFront(Future* task) {
    task->next = first_;
    first_ = task;
  }
  // Puts it where it belongs; `after` is known to go before it, or null.
  void Insert(Future* task, Future* after = nullptr) {
    Future** link = after ? &after->next : &first_;
    while (*link && !GoesBefore(*task, **link)) link = &(*link)->next;
    task->next = *link;
    *link = task;
  }
  static bool GoesBefore(const Future& one, const Future& other) {
    int32_t priority = one.priority(), others = other.priority();
    return priority != others ? priority > others : one.id < other.id;
  }
  // Takes those out for which `which` holds, and hands each to `taken`.
  template <typename Which, typename Taken>
  void TakeOut(Which which, Taken taken) {
    for (Future** link = &first_; *link;) {
      Future* task = *link;
      if (!which(task)) {
        link = &task->next;
        continue;
      }
      *link = task->next;
      taken(task);
    }
  }

 private:
  Future* first_ = nullptr;
};

}  // namespace mproc::pool
