// SPDX-License-Identifier: MIT
#include "pool/early_due.hh"

#include "pool/callbacks.hh"
#include "pool/pool.hh"

namespace mproc::pool {

void EarlyDue::QueueOnce(bool last) {
  Retain(task_);
  if (!task_->pool->QueueDueOnce(this, last)) Release(task_);
}

void EarlyDue::Run() {
  struct Ran {
    Future* task;
    ~Ran() {
      task->pool->DueRan();
      Release(task);
    }
  } ran{task_};
  LentHandle handle(ran.task);
  InsideCallback inside(ran.task->pool);
  Tell(*ran.task, handle.get());
}

}  // namespace mproc::pool
