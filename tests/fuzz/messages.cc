// SPDX-License-Identifier: MIT
// What comes over sockets and in results, taken apart: tables, errors, set-ups, chunks, the launcher's
// messages, records of a crash. The first byte says which. What decodes is encoded and decoded once more.
#include <memory>
#include <string>
#include <vector>

#include "input.hh"
#include "ipc/launcher_protocol.hh"
#include "ipc/message.hh"
#include "platform/crash_trace.hh"
#include "platform/memory_file.hh"
#include "start/link.hh"
#include "task/chunk.hh"
#include "task/error.hh"
#include "task/item_results.hh"
#include "task/setup.hh"
#include "task/table.hh"

namespace mproc::fuzz {
namespace {

void ATable(Input input) {
  auto table = task::Table::Decode(input.rest());
  if (!table.ok()) return;
  REQUIRE(table->size() <= input.rest().size());
  for (const auto& function : table->functions()) {
    REQUIRE(!function.name.empty() && function.name.size() <= 255 && !function.entry);
    REQUIRE(table->Find(function.id) && table->FindByName(function.name) == table->Find(function.id));
  }
  auto again = task::Table::Decode(table->Encode());
  REQUIRE(again.ok() && again->Fingerprint() == table->Fingerprint() && again->size() == table->size());
}

void AnError(Input input) {
  task::TaskError error, again;
  if (!task::DecodeError(input.rest(), &error)) return;
  auto bytes = task::EncodeError(error);
  REQUIRE(std::ranges::equal(bytes, input.rest()));
  REQUIRE(task::DecodeError(bytes, &again) && again.message == error.message);
}

void ASetup(Input input) {
  auto setup = task::DecodeSetup(input.rest());
  if (!setup.ok()) return;
  REQUIRE(std::ranges::equal(task::EncodeSetup(*setup), input.rest()));
}

void AChunk(Input input) {
  task::ItemReader reader;
  ByteView bytes = input.rest(), item;
  if (!reader.Open(bytes)) return;
  size_t total = 0;
  // Items of no size have no bytes to count against; their number is the host's own word.
  for (int i = 0; i < 1000 && reader.Next(&item); i++) {
    if (!item.empty())
      REQUIRE(item.data() >= bytes.data() && item.data() + item.size() <= bytes.data() + bytes.size());
    total += item.size();
  }
  REQUIRE(total <= bytes.size());
}

void ItemsResult(Input input) {
  auto most = input.Take<uint16_t>();
  ByteView bytes = input.rest();
  task::ItemResults results;
  if (!results.Open(bytes, most)) return;
  REQUIRE(results.done() <= most && results.failed() <= results.done());
  task::ItemResultsWriter writer;
  uint64_t failed = 0;
  for (uint64_t i = 0; i < results.done(); i++) {
    ByteView item = results.at(i);
    if (results.failed_at(i)) {
      failed++;
      writer.AddFailed(item);
      continue;
    }
    if (!item.empty()) std::memcpy(writer.Room(item.size()), item.data(), item.size());
    writer.Add(item.size());
  }
  REQUIRE(failed == results.failed());
  std::vector<std::byte> copy(writer.size());
  writer.Write(copy.data());
  task::ItemResults again;
  REQUIRE(again.Open(copy, results.done()) && again.done() == results.done() && again.failed() == failed);
  for (uint64_t i = 0; i < results.done(); i++) REQUIRE(std::ranges::equal(again.at(i), results.at(i)));
}

void AnArrayResult(Input input) {
  auto count = input.Take<uint64_t>();
  auto stride =
      input.Take<uint64_t>() & ((uint64_t{1} << 46) - 1);  // both are the host's; their product is bounded
  if (stride && count > (uint64_t{1} << 46) / stride) return;
  task::ArrayResult result;
  if (!task::ReadArrayResult(input.rest(), count, stride, &result)) return;
  REQUIRE(result.done <= count && result.outputs.size() == result.done * stride);
  REQUIRE(result.outputs.size() + result.error.size() + sizeof(task::ChunkResultHead) == input.rest().size());
}

void AProgram(Input input) {
  auto text = ipc::DecodeText(input.rest());
  if (!text) return;
  auto bytes = ipc::EncodeText(*text);
  REQUIRE(bytes.ok() && std::ranges::equal(*bytes, input.rest()));
}

void AControl(Input input) {
  static const platform::UniqueFd file = std::move(*platform::MakeMemoryFile("mproc-fuzz", {}));
  platform::Message message;
  auto fds = input.Take<uint8_t>();
  message.fds_lost = fds & 8;
  for (int i = 0; i < (fds & 7); i++) message.fds.push_back(std::move(*platform::DuplicateFd(file.get())));
  message.bytes.assign(input.rest().begin(), input.rest().end());
  auto head = ipc::PeekHead(message.bytes);
  auto received = ipc::DecodeControl(&message);
  if (!received) return;
  REQUIRE(head && received->head.version == ipc::kControlVersion && message.fds.empty());
  bool start = received->head.type == static_cast<uint8_t>(ipc::ControlType::kStart);
  if (start) REQUIRE(received->process.valid() == ((head->present & ipc::kPartProcess) != 0));
  if (!received->body.empty())
    AProgram({reinterpret_cast<const uint8_t*>(received->body.data()), received->body.size()});
}

void ALongBody(Input input) {
  ipc::LongBody body(256);
  while (!input.empty() && !body.complete()) {
    auto head = input.Take<ipc::MessageHead>();
    if (!body.Add(head, input.TakeBytes(head.number % 64))) return;
    REQUIRE(body.bytes().size() <= 256);
  }
}

void ACrash(Input input) {
  std::string text = platform::FormatCrashTrace(input.rest().data(), input.rest().size());
  REQUIRE(text.size() < (1 << 20));
  auto report = platform::ParseCrashTrace(input.rest().data(), input.rest().size());
  REQUIRE(report.has_value() == !text.empty());
}

// The last words of a worker: messages of the sizes and bytes that the input gives.
void LastWords(Input input) {
  auto ends = platform::MakeGuardedSocketPair();
  REQUIRE(ends.ok());
  int exits = 0, answers = 0;
  auto link = std::make_shared<start::ChildLink>(
      nullptr, std::move(ends->first), [&](const start::ChildEvent& event) {
        (event.kind == start::ChildEvent::Kind::kExited ? exits : answers)++;
        REQUIRE(event.kind != start::ChildEvent::Kind::kHello || event.table);
      });
  for (int i = 0; i < 8 && !input.empty(); i++) {
    auto size = input.Take<uint8_t>();
    Status sent = platform::SendMessage(ends->second.get(), input.TakeBytes(size), {}, false);
    REQUIRE(sent.ok());
  }
  ends->second.Reset();
  link->OnExited(1, runtime::ChildExit{true, 0, 0});
  REQUIRE(exits == 1 && answers <= 1);
}

}  // namespace
}  // namespace mproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mproc::fuzz;
  static constexpr void (*kTargets[])(Input) = {ATable,      AnError,       ASetup,   AChunk,
                                                ItemsResult, AnArrayResult, AProgram, AControl,
                                                ALongBody,   ACrash,        LastWords};
  Input input(data, size);
  auto which = input.Take<uint8_t>();
  if (which < std::size(kTargets)) kTargets[which](input);
  return 0;
}
