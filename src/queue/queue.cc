// SPDX-License-Identifier: MIT
//
// All that is in a queue lies in memory that every process with the queue has mapped; whoever puts or takes
// holds the queue's lock meanwhile. The lock is a robust one: if its holder is killed, the next one takes it
// over. What the killed one was about is either done or not, by one store (queue/state.hh), so there is
// nothing to mend: an item whose copying in was cut off was never in, one whose copying out was cut off is
// still there, and one that was taken a moment before the kill is lost with its taker.
//
// Objects cannot lie in memory. They wait in a socket that belongs to the queue: put sends the descriptors,
// with a ticket that the item has, too, before the item is there; get receives them before the item is gone.
// Both do so with the lock held, so what is in the socket is in the order of the items. No ticket is given
// out twice: one that no item has is of a put that was cut off, and what came with it is dropped.
//
// The bells are rung when the lock has been given back. A killed process may owe a ring; see queue/bell.hh.
#include "queue/queue.hh"

#include <algorithm>
#include <climits>
#include <cstring>

#include "platform/cpu.hh"
#include "platform/socket.hh"

namespace mproc::queue {
namespace {

constexpr uint32_t kMark = 0x6d746971;        // "qitm"
constexpr int64_t kPatience = 1'000'000'000;  // with another's call, in one that is not to wait
constexpr int kGlances = 400;
constexpr sync::LockOptions kRobust{false, true};

uint64_t Padded(uint64_t size) { return (size + 7) & ~uint64_t{7}; }

// Of what a queue's first item may have: later sums cannot wrap.
constexpr uint64_t kLargestItem = uint64_t{1} << 40;

// Before the bytes of an item with objects stand its ticket and a note on each.
uint64_t SizeOfNotes(uint64_t objects) {
  return objects ? sizeof(uint64_t) + objects * sizeof(object::ObjectNote) : 0;
}

}  // namespace

// The lock, while this lives.
class Queue::Held {
 public:
  explicit Held(Queue* queue) : queue_(queue) {}
  Held(const Held&) = delete;
  ~Held() { GiveBack(); }
  void GiveBack() {
    if (queue_) queue_->Unlock();
    queue_ = nullptr;
  }

 private:
  Queue* queue_;
};

Queue::Queue(platform::SharedMemory memory, object::ReceivedFds sockets)
    : SharedObject(kKind, std::move(memory)),
      body_(body<Body>()),
      limits_(body_->limits),
      sockets_(std::move(sockets)),
      ring_(fd()) {}

Result<std::shared_ptr<Queue>> Queue::Create(const Limits& limits, bool carries_objects) {
  object::ReceivedFds sockets;
  if (carries_objects) {
    auto pair = platform::MakeSocketPair();
    if (!pair.ok()) return pair.status();
    sockets.push_back(std::move(pair->first));
    sockets.push_back(std::move(pair->second));
  }
  auto memory = AllocateSparse(kKind, sizeof(Body), kFileSize);
  if (!memory.ok()) return memory.status();
  auto* body = reinterpret_cast<Body*>(memory->data() + sizeof(object::ObjectHead));
  body->limits = limits;
  body->carries_objects = carries_objects;
  State state;
  state.capacity = state.reserved = kSmallestRing;
  body->state.Commit(state);
  if (Status had = platform::ReserveRegion(memory->fd(), kRingBegin, kSmallestRing); !had.ok()) return had;
  return std::shared_ptr<Queue>(new Queue(std::move(*memory), std::move(sockets)));
}

Result<std::shared_ptr<Queue>> Queue::Adopt(object::ReceivedFds fds) {
  auto memory = Receive(kKind, sizeof(Body), std::move(fds[0]));
  if (!memory.ok()) return memory.status();
  fds.erase(fds.begin());
  auto* body = reinterpret_cast<const Body*>(memory->data() + sizeof(object::ObjectHead));
  if (fds.size() != (body->carries_objects ? 2 : 0))
    return Status(MPROC_ERROR_PROTOCOL, "the queue came without its socket");
  for (const auto& socket : fds) {
    if (!platform::IsMessageSocket(socket.get()))
      return Status(MPROC_ERROR_PROTOCOL, "the queue came with a socket that is none");
  }
  return std::shared_ptr<Queue>(new Queue(std::move(*memory), std::move(fds)));
}

std::vector<int> Queue::Descriptors() const {
  std::vector<int> fds{fd()};
  for (const auto& socket : sockets_) fds.push_back(socket.get());
  return fds;
}

Status Queue::Lock(const Deadline& deadline) {
  if (body_->lock.TryAcquire()) return Status();
  const Deadline patience = Deadline::After(std::max(deadline.Remaining(), kPatience));
  for (;;) {
    switch (body_->lock.Acquire(kRobust, patience)) {
      case sync::Acquired::kYes:
      case sync::Acquired::kOwnerDied:
        return Status();
      case sync::Acquired::kInterrupted:
        if (deadline.immediate()) continue;  // a call that does not wait has no use for it
        return Status(MPROC_ERROR_INTERRUPTED);
      default:
        return Status(MPROC_ERROR_BUSY,
                      "a process has been stopped in the middle of a call on the queue: thread " +
                          std::to_string(body_->lock.GetHolder().tid));
    }
  }
}

void Queue::Unlock() { (void)body_->lock.Release(kRobust); }

// Tries, with the lock held, until the attempt says something else than QUEUE_FULL, QUEUE_EMPTY or NOT_READY;
// sleeps on the bell in between. At the end of its time it tries once more. Memory is given back only when a
// queue has been empty for a slice of sleep: where items come and go it is used again at once.
template <typename Try>
Status Queue::Await(Bell* bell, const Deadline& deadline, Try&& attempt) {
  bool idle = deadline.immediate();  // nothing has come for a while, or nobody waits for it
  for (bool last = deadline.immediate();;) {
    if (closed_.load(std::memory_order_relaxed)) return Status(MPROC_ERROR_CLOSED);
    uint32_t armed = 0;
    {
      if (Status locked = Lock(deadline); !locked.ok()) return locked;
      Held held(this);
      State state = body_->state.Load();
      if (Status good = ring_.Check(state); !good.ok()) return good;
      Status tried = attempt(&state, &held, idle);
      bool waits = tried.code() == MPROC_ERROR_QUEUE_FULL || tried.code() == MPROC_ERROR_QUEUE_EMPTY ||
                   tried.code() == MPROC_ERROR_NOT_READY;
      if (!waits || last) return tried;
      armed = bell->Arm();
    }
    switch (bell->Sleep(armed, deadline)) {
      case sync::Woke::kInterrupted:
        return Status(MPROC_ERROR_INTERRUPTED);
      case sync::Woke::kTimedOut:
        last = idle = true;
        break;
      case sync::Woke::kSliceEnded:
        idle = true;
        break;
      default:
        break;
    }
  }
}

bool Queue::IsFull(const State& state, uint64_t size) const {
  if (limits_.items && state.items >= limits_.items) return true;
  return limits_.bytes && state.items > 0 && state.used() + size > limits_.bytes;  // one always fits
}

Status Queue::Append(State* state, ByteView bytes, std::span<const object::PassedObject> objects) {
  Item item{bytes.size() + SizeOfNotes(objects.size()), static_cast<uint32_t>(objects.size()), kMark};
  uint64_t at = state->tail;
  MPROC_STEP();
  auto add = [&](const void* from, size_t size) {
    ring_.CopyIn(at, from, size);
    at += size;
  };
  add(&item, sizeof item);
  if (!objects.empty()) {
    uint64_t ticket = body_->next_ticket.fetch_add(1, std::memory_order_relaxed);
    MPROC_STEP();
    std::vector<std::byte> notes;
    std::vector<int> fds;
    for (const auto& object : objects) object::Tell(object, &notes, &fds);
    add(&ticket, sizeof ticket);
    add(notes.data(), notes.size());
    Status sent = platform::SendMessage(sockets_[0].get(), AsBytes(&ticket, sizeof ticket), fds, false);
    if (!sent.ok()) return sent;
  }
  add(bytes.data(), bytes.size());
  MPROC_STEP();
  state->tail += sizeof item + Padded(item.size);
  state->items++;
  state->open++;
  return Status();
}

Status Queue::PutWithin(State* state, uint64_t size, ByteView bytes,
                        std::span<const object::PassedObject> objects) {
  if (!ring_.Fits(*state, size) && !state->untidy) {  // from here on a kill may leave pages behind
    state->untidy = 1;
    body_->state.Commit(*state);
  }
  Status put = ring_.MakeRoom(state, size);
  if (put.ok()) put = Append(state, bytes, objects);
  if (put.ok()) body_->state.Commit(*state);
  return put;
}

Status Queue::Put(ByteView bytes, std::span<const object::PassedObject> objects, const Deadline& deadline) {
  if (bytes.size() > kLargestItem) return Status(MPROC_ERROR_TOO_LARGE, "an item has at most 2^40 bytes");
  if (!objects.empty() && sockets_.empty())
    return Status(MPROC_ERROR_UNSUPPORTED, "the queue was made without MPROC_QUEUE_OBJECTS");
  uint64_t size = sizeof(Item) + Padded(bytes.size() + SizeOfNotes(objects.size()));
  Status put = Await(&body_->room, deadline, [&](State* state, Held* held, bool) {
    if (IsFull(*state, size)) return Status(MPROC_ERROR_QUEUE_FULL);
    Status within = PutWithin(state, size, bytes, objects);
    if (within.ok()) held->GiveBack();  // else the bell may have to be armed
    return within;
  });
  if (put.ok()) body_->items.Ring(1);
  return put;
}

Status Queue::ReadItem(const State& state, Item* item) {
  if (Status mapped = ring_.Map(state); !mapped.ok()) return mapped;
  bool good = state.used() >= sizeof *item;
  if (good) {
    ring_.CopyOut(state.head, item, sizeof *item);
    good = item->mark == kMark && item->size <= state.used() - sizeof *item &&
           item->objects <= object::kMostPassed && SizeOfNotes(item->objects) <= item->size &&
           ring_.Has(item->size);
  }
  return good ? Status() : Spoilt();
}

// The objects that were sent with this ticket. Earlier ones belong to nobody; later ones to items behind. All
// memory is there before they are received: without any, the item stays, and has them still.
Status Queue::TakeObjects(uint64_t ticket, ByteView notes, std::vector<object::ReceivedObject>* objects) {
  size_t descriptors = object::CountDescriptors(notes);
  if (descriptors > platform::kMaxFdsPerMessage) return Spoilt();
  *objects = object::ReadNotes(notes);
  platform::Message came;
  came.fds.reserve(platform::kMaxFdsPerMessage);
  came.bytes.reserve(sizeof ticket);
  uint64_t said = 0;
  do {
    if (sockets_.empty() || platform::PeekBytes(sockets_[1].get(), &said, sizeof said) != sizeof said ||
        said > ticket ||
        platform::ReceiveMessage(sockets_[1].get(), false, &came) != platform::Receive::kMessage) {
      return Status(MPROC_ERROR_PROTOCOL, "the objects of the item were lost with a process that was killed");
    }
  } while (said < ticket);
  if (came.fds_lost)
    return Status(MPROC_ERROR_DESCRIPTOR_LIMIT,
                  "there was no room for the descriptors of the item's objects");
  if (descriptors != came.fds.size()) return Spoilt();
  object::GiveDescriptors(came.fds, objects);
  return Status();
}

Status Queue::TakeItem(State* state, const Item& item, object::Message* message) {
  uint64_t at = state->head + sizeof item;
  size_t told = SizeOfNotes(item.objects), size = item.size - told;
  if (!message->bytes.Reserve(size)) return Status(MPROC_ERROR_OUT_OF_MEMORY);  // it stays
  ring_.CopyOut(at + told, message->bytes.data(), size);
  message->bytes.SetSize(size);
  if (!item.objects) return Status();
  uint64_t ticket;
  std::vector<std::byte> notes(told - sizeof ticket);
  ring_.CopyOut(at, &ticket, sizeof ticket);
  ring_.CopyOut(at + sizeof ticket, notes.data(), notes.size());
  return TakeObjects(ticket, notes, &message->objects);
}

// Of an empty queue.
void Queue::GiveMemoryBack(State* state) {
  ring_.Shrink(state);
  state->untidy = 1;
  body_->state.Commit(*state);
  ring_.ReleaseAll();
  MPROC_STEP();
  state->untidy = 0;
  body_->state.Commit(*state);
}

// `take` is given the first item; if it says that it has it, or lost it, the item is gone.
template <typename Take>
Status Queue::GetWith(const Deadline& deadline, Take&& take) {
  if (!deadline.immediate()) SpinForItems();
  bool gone = false, had_objects = false;
  Status got = Await(&body_->items, deadline, [&](State* state, Held* held, bool idle) -> Status {
    if (state->items == 0) {
      if (idle && !ring_.IsSmallest(*state)) GiveMemoryBack(state);
      return Status(MPROC_ERROR_QUEUE_EMPTY);
    }
    Item item;
    if (Status read = ReadItem(*state, &item); !read.ok()) return read;
    Status took = take(state, item, &gone);
    if (!gone) return took;
    had_objects = item.objects > 0;
    MPROC_STEP();
    state->head += sizeof item + Padded(item.size);
    state->items--;
    if (state->items == 0) state->head = state->tail = 0;  // what was used last is in the caches
    body_->state.Commit(*state);
    held->GiveBack();
    return took;
  });
  // One of no limits is full when its socket is; and where not every item needs the same, all look.
  bool makes_room = limits_.items || limits_.bytes || had_objects;
  if (gone && makes_room) body_->room.Ring(limits_.bytes || had_objects ? INT_MAX : 1);
  return got;
}

Status Queue::Get(object::Message* message, const Deadline& deadline) {
  return GetWith(deadline, [&](State* state, const Item& item, bool* gone) {
    Status took = TakeItem(state, item, message);
    *gone = took.code() != MPROC_ERROR_OUT_OF_MEMORY;
    return took;
  });
}

Status Queue::GetInto(void* buffer, size_t capacity, size_t* size, const Deadline& deadline) {
  return GetWith(deadline, [&](State* state, const Item& item, bool* gone) -> Status {
    if (item.objects) return Status(MPROC_ERROR_WRONG_KIND, "the item has objects: take it as a message");
    *size = item.size;
    if (item.size > capacity) return Status(MPROC_ERROR_BUFFER_TOO_SMALL);
    ring_.CopyOut(state->head + sizeof item, buffer, item.size);
    *gone = true;
    return Status();
  });
}

// To sleep and be woken costs more than most items take to come. Where it did not pay several times in a row,
// it is tried seldom.
void Queue::SpinForItems() {
  if (body_->state.ItemsNow() || !platform::SeveralCpus()) return;
  uint32_t vain = vain_.load(std::memory_order_relaxed);
  if (vain >= 4 && vain % 64) {
    vain_.store(vain + 1, std::memory_order_relaxed);
    return;
  }
  for (int i = 0; i < kGlances; i++) {
    if (body_->state.ItemsNow()) {
      vain_.store(0, std::memory_order_relaxed);
      return;
    }
    platform::CpuRelax();
  }
  vain_.store(vain + 1, std::memory_order_relaxed);
}

// Of what was taken before it was closed, too.
Status Queue::ReportDone() {
  if (Status locked = Lock(Deadline::After(0)); !locked.ok()) return locked;
  Held held(this);
  State state = body_->state.Load();
  if (Status good = ring_.Check(state); !good.ok()) return good;
  if (state.open == 0)
    return Status(MPROC_ERROR_RELEASED_TOO_OFTEN, "as many items were reported done as were put");
  bool all = --state.open == 0;
  body_->state.Commit(state);
  held.GiveBack();
  if (all) body_->done.Ring(INT_MAX);
  return Status();
}

Status Queue::WaitUntilDone(const Deadline& deadline) {
  Status done = Await(&body_->done, deadline, [&](State* state, Held*, bool) {
    return state->open == 0 ? Status() : Status(MPROC_ERROR_NOT_READY);
  });
  return done.code() == MPROC_ERROR_NOT_READY ? Status(MPROC_ERROR_TIMED_OUT) : done;
}

Result<Counts> Queue::Count() {
  if (Status locked = Lock(Deadline::After(0)); !locked.ok()) return locked;
  Held held(this);
  State state = body_->state.Load();
  if (Status good = ring_.Check(state); !good.ok()) return good;
  return Counts{state.items, state.used(), state.open, state.capacity};
}

}  // namespace mproc::queue
