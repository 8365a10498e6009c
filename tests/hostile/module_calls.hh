// SPDX-License-Identifier: MIT
// What the hostile module can be asked to do: function ids and the shapes of their inputs. Shared by the
// module and the programs that use it.
#pragma once

#include <stdint.h>

#include <atomic>

namespace hostile {

enum Function : uint32_t {
  // Decent ones.
  kEcho = 1,   // replies its input
  kSleep = 2,  // Sleep; replies the rest of its input
  kUntilStopped =
      3,       // runs until it is told to stop or gets SIGTERM; "soft": ignores SIGTERM; "deaf": ignores both
  kAbout = 4,  // replies About
  kOpenFiles = 5,  // Number: sets the limit of open descriptors; replies the old one
  kRefuse = 6,     // Number: from now on fallocate fails with this error
  kMake = 7,       // Number: replies so many bytes, each its place % 251
  kSum = 8,        // replies the sum of its bytes as u64
  kFailOdd = 9,    // item of u64: replies it, but fails with code 7 if it is odd
  kForget = 10,    // gives no reply
  kTwice = 11,     // u64: replies twice the number
  kThrow = 12,     // throws std::runtime_error with its input as text; an int if that is empty
  // Others.
  kLie = 20,       // Lie: publishes a result of its own making
  kScribble = 21,  // Scribble
  kSpeak = 22,     // Speak: what goes over the socket
  kChunkLie = 23,  // ChunkLie: a result for a chunk
};

struct Sleep {
  uint32_t ms;
};

struct About {
  int32_t pid, ppid;
  uint32_t uid, euid, gid;
  int32_t standard[3];    // 1 open, 0 closed: descriptors 0, 1 and 2
  int32_t null_input;     // 0 is the null device
  int32_t pending_alarm;  // SIGALRM is blocked or ignored
  uint32_t number;
};

// What becomes of the worker afterwards.
enum Then : uint32_t { kReturn = 0, kExit = 1, kAbort = 2, kStay = 3, kCrash = 4 };

enum Field : uint32_t {
  kTask = 0,
  kSize = 1,
  kOffset = 2,
  kBlock = 3,
  kStatus = 4,
  kTurn = 5,
  kElapsed = 6,
  kFields = 7
};

struct Lie {
  uint32_t field;
  uint32_t relative;  // value is added to what would be true
  uint64_t value;
  uint32_t in_block;  // makes a good block first and lets the result point into it
  uint32_t then;
};

enum Place : uint32_t {
  kTaskTurns = 0,    // the turn of every task slot
  kResultTurns = 1,  // of every result slot
  kWorkerBell = 2,
  kHostBell = 3,
  kPassed = 4,
  kOrder = 5,
  kPolling = 6,
  kConsumed = 7,
  kMagic = 8,
  kTrace = 9,           // random bytes for the record of a crash
  kAllWords = 10,       // random words everywhere
  kPlausible = 11,      // random words made of what the rings hold: positions, turns, sizes
  kPassedForEver = 12,  // counts `passed` up, in a thread
  kBytesForEver = 13,   // random bytes everywhere, in a thread
  kHoles = 14,          // gives the pages of the channel back to the system
  kSegments = 15,       // random bytes over all that is shared, `value` times one after the other
  kFlight = 16,         // every word of the flight recorder and of the log
  kPlaces = 17
};

struct Scribble {
  uint32_t place;
  uint32_t then;
  uint64_t value;
  uint64_t seed;
  uint32_t ms;  // how long threads go on
};

enum Words : uint32_t {
  kRandomMessages = 0,     // messages of random bytes and sizes, the empty one too
  kDropsForEver = 1,       // orders to drop blocks that never were, without end
  kHelloPartsForEver = 2,  // empty parts of a table, without end
  kClosed = 3,             // closes the socket
  kShut = 4,               // shuts it down for both directions
  kBlockUnsealed = 5,
  kBlockShort = 6,  // smaller than said
  kBlockEmpty = 7,  // of size 0
  kBlockHuge = 8,   // said to be 2^63
  kBlockNumberZero = 9,
  kBlockTwice = 10,   // one number for two blocks
  kBlockPipe = 11,    // a pipe instead of memory
  kBlockDevice = 12,  // /dev/zero
  kBlockDirectory = 13,
  kBlockNothing = 14,   // no descriptor
  kBlockMany = 15,      // 253 descriptors
  kBlockReadOnly = 16,  // sealed against writing
  kBlockFlood = 17,     // thousands of good blocks
  kBlockSparse = 18,    // large, sealed, without pages
  kTruncate = 19,       // tries to shrink the channel and a block that was sent
  kFlood = 20,          // descriptors of everything, hundreds at once
  kSecondHello = 21,
  kRefusal = 22,
  kLastCallWhole = 23,  // what a finalizer gives, as the worker says it
  kLastCallLong = 24,   // said to be 2^40
  kLastCallOdd = 25,    // neither a value nor an error
  kLastCallHalf = 26,   // the first of more bytes
  kFullSocket = 27,     // honest words about blocks until there is no room
  kSpeeches = 28
};

struct Speak {
  uint32_t words;
  uint32_t then;
  uint64_t seed;
  uint32_t point;  // publishes a result that points into an unknown block, so that the host reads on
};

enum ChunkWords : uint32_t {
  kCountHuge = 0,
  kCountMore = 1,
  kCountLess = 2,
  kItemHuge = 3,
  kItemNegative = 4,
  kErrorGarbage = 5,
  kErrorHuge = 6,
  kShort = 7,
  kNothing = 8,
  kNoise = 9,
  kChunkWords = 10
};

struct ChunkLie {
  uint32_t words;
  uint32_t array;
  uint64_t seed;
  uint64_t count;
};

// What a worker tells the host beside the channel: memory that both map.
struct Note {
  std::atomic<uint32_t> hostile_pids[4096];  // by worker number
  std::atomic<uint32_t> tries;               // starts that the environment asked to spoil
  std::atomic<uint32_t> resisted;            // attempts that the system refused, as it should
  std::atomic<uint32_t> succeeded;           // those that it did not
  std::atomic<uint32_t> overwrites;          // of everything that a worker shares
  std::atomic<uint32_t> blocks_overwritten;  // those among them that had memory besides the channel
};

inline constexpr char kNoteVariable[] = "MPROC_HOSTILE_NOTE";    // path of the Note's memory
inline constexpr char kStartVariable[] = "MPROC_HOSTILE_START";  // what happens before the hello

}  // namespace hostile
