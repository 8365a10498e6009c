// SPDX-License-Identifier: MIT
#include "queue/queue.hh"

#include <mproc/queue.h>

#include "base/clock.hh"
#include "capi/message.hh"
#include "capi/passing.hh"

using namespace mproc;
using namespace mproc::capi;
using queue::Queue;

mproc_status_t mproc_queue_create(uint64_t most_items, uint64_t most_bytes, uint32_t flags,
                                  mproc_queue_t** queue) {
  return Guard([&] {
    if (!queue) return BadArgument("queue is null");
    if (flags > MPROC_QUEUE_OBJECTS) return BadArgument("no such flag");
    return GiveOutObject(Queue::Create({most_items, most_bytes}, (flags & MPROC_QUEUE_OBJECTS) != 0), queue);
  });
}

mproc_status_t mproc_queue_put(mproc_queue_t* queue, const void* data, size_t size, int64_t limit) {
  return GuardObject<Queue>(queue, [&](Queue& q) {
    if (!data && size) return BadArgument("data is null, size is not 0");
    return q.Put(AsBytes(data, size), {}, Deadline::After(limit));
  });
}

mproc_status_t mproc_queue_put_objects(mproc_queue_t* queue, const void* data, size_t size,
                                       void* const* objects, size_t count, int64_t limit) {
  return GuardObject<Queue>(queue, [&](Queue& q) -> Status {
    if (!data && size) return BadArgument("data is null, size is not 0");
    auto passed = PassAll(objects, count);
    if (!passed.ok()) return passed.status();
    return q.Put(AsBytes(data, size), *passed, Deadline::After(limit));
  });
}

mproc_status_t mproc_queue_get(mproc_queue_t* queue, int64_t limit, mproc_message_t** message) {
  return GuardObject<Queue>(queue, [&](Queue& q) -> Status {
    if (!message) return BadArgument("message is null");
    return GiveOutMessage(message,
                          [&](object::Message* taken) { return q.Get(taken, Deadline::After(limit)); });
  });
}

mproc_status_t mproc_queue_get_into(mproc_queue_t* queue, void* buffer, size_t capacity, size_t* size,
                                    int64_t limit) {
  return GuardObject<Queue>(queue, [&](Queue& q) {
    if (!size) return BadArgument("size is null");
    if (!buffer && capacity) return BadArgument("buffer is null, capacity is not 0");
    return q.GetInto(buffer, capacity, size, Deadline::After(limit));
  });
}

mproc_status_t mproc_queue_count(mproc_queue_t* queue, uint64_t* items, uint64_t* bytes, uint64_t* open,
                                 uint64_t* memory) {
  return GuardObject<Queue>(queue, [&](Queue& q) -> Status {
    auto counts = q.Count();
    if (!counts.ok()) return counts.status();
    if (items) *items = counts->items;
    if (bytes) *bytes = counts->bytes;
    if (open) *open = counts->open;
    if (memory) *memory = counts->memory;
    return Status();
  });
}

mproc_status_t mproc_queue_task_done(mproc_queue_t* queue) {
  return GuardObject<Queue>(queue, [&](Queue& q) { return q.ReportDone(); });
}

mproc_status_t mproc_queue_join(mproc_queue_t* queue, int64_t limit) {
  return GuardObject<Queue>(queue, [&](Queue& q) { return q.WaitUntilDone(Deadline::After(limit)); });
}

mproc_status_t mproc_queue_close(mproc_queue_t* queue) {
  return GuardObject<Queue>(queue, [&](Queue& q) {
    q.Close();
    return Status();
  });
}

mproc_status_t mproc_queue_destroy(mproc_queue_t* queue) { return GuardDestroyObject<Queue>(queue); }
