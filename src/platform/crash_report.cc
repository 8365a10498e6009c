// SPDX-License-Identifier: MIT
// The host's side of crash_trace.hh: reads what a dead worker left. The worker may have scribbled on it, so
// the area is copied once and every number in the copy is checked before it is used.
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "platform/crash_area.hh"
#include "platform/crash_trace.hh"
#include "platform/symbols.hh"

namespace mproc::platform {
namespace {

constexpr size_t kMaxAreaSize = 64 * 1024;
constexpr int kMaxSignal = 64;
constexpr size_t kNoMapping = SIZE_MAX;

const char* SignalName(int signal_number) {
  switch (signal_number) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    case SIGABRT:
      return "SIGABRT";
    case SIGTRAP:
      return "SIGTRAP";
    default:
      return "signal";
  }
}

std::string Hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

void ReadMappings(const std::vector<char>& area, size_t offset, size_t count, CrashReport* report) {
  for (size_t i = 0; i < std::min(count, kMaxCrashFrames); ++i) {
    CrashAreaMapping entry;
    if (area.size() - offset < sizeof entry) return;
    std::memcpy(&entry, area.data() + offset, sizeof entry);
    offset += sizeof entry;
    if (entry.start >= entry.end || entry.path_size > area.size() - offset) return;
    report->mappings.push_back(
        {entry.start, entry.end, entry.file_offset, std::string(area.data() + offset, entry.path_size)});
    offset = std::min(area.size(), offset + PaddedPathSize(entry.path_size));
  }
}

struct NamedFrame {
  size_t mapping = kNoMapping;
  SymbolQuery symbol;
};

std::vector<NamedFrame> NameFrames(const CrashReport& report) {
  std::vector<NamedFrame> named(report.frames.size());
  SymbolResolver resolver;
  for (size_t m = 0; m < report.mappings.size(); ++m) {
    const CrashMapping& mapping = report.mappings[m];
    std::vector<SymbolQuery> queries;
    std::vector<size_t> asked;
    for (size_t i = 0; i < named.size(); ++i) {
      const uint64_t pc = InstructionOfFrame(i, report.frames[i]);
      if (named[i].mapping != kNoMapping || pc < mapping.start || pc >= mapping.end) continue;
      named[i].mapping = m;
      asked.push_back(i);
      queries.emplace_back().file_offset = pc - mapping.start + mapping.file_offset;
    }
    // Names such as "[vdso]" are no files.
    if (!asked.empty() && mapping.path.starts_with('/')) resolver.Resolve(mapping.path, &queries);
    for (size_t i = 0; i < asked.size(); ++i) named[asked[i]].symbol = queries[i];
  }
  return named;
}

std::string FrameText(size_t index, uint64_t pc, const NamedFrame& frame, const CrashReport& report) {
  // The symbol's numbers are about the call; the line is about the return address.
  const uint64_t behind = pc - InstructionOfFrame(index, pc);
  const bool has_name = !frame.symbol.name.empty();
  std::string text = "#";
  text.append(std::to_string(index)).append(" ").append(Hex(pc));
  if (has_name) {
    text.append(" ").append(Printable(frame.symbol.name));
    text.append("+").append(Hex(frame.symbol.displacement + behind));
  }
  if (frame.mapping != kNoMapping && !report.mappings[frame.mapping].path.empty()) {
    text.append(" (").append(Printable(report.mappings[frame.mapping].path));
    if (!has_name) text.append("+").append(Hex(frame.symbol.file_offset + behind));
    text.append(")");
  }
  return text + "\n";
}

}  // namespace

void ClearCrashTrace(void* area, size_t size) {
  if (area != nullptr && size >= kMinCrashAreaSize) std::memset(area, 0, sizeof(CrashAreaHeader));
}

std::optional<CrashReport> ParseCrashTrace(const void* area, size_t size) {
  if (area == nullptr || size < sizeof(CrashAreaHeader)) return std::nullopt;
  std::vector<char> copy(std::min(size, kMaxAreaSize));
  std::memcpy(copy.data(), area, copy.size());

  CrashAreaHeader header;
  std::memcpy(&header, copy.data(), sizeof header);
  if (header.state != kCrashBegun && header.state != kCrashComplete) return std::nullopt;
  if (header.signal < 1 || header.signal > kMaxSignal || header.frame_count > kMaxCrashFrames) {
    return std::nullopt;
  }
  const size_t frame_bytes = header.frame_count * sizeof(uint64_t);
  if (frame_bytes > copy.size() - sizeof header) return std::nullopt;

  CrashReport report;
  report.signal = header.signal;
  report.code = header.code;
  report.address = header.address;
  report.sender = header.sender;
  report.complete = header.state == kCrashComplete;
  report.frames.resize(header.frame_count);
  if (frame_bytes > 0) std::memcpy(report.frames.data(), copy.data() + sizeof header, frame_bytes);
  ReadMappings(copy, sizeof header + frame_bytes, header.map_count, &report);
  return report;
}

std::string FormatCrashTrace(const void* area, size_t size) {
  const std::optional<CrashReport> report = ParseCrashTrace(area, size);
  if (!report) return "";
  std::string text = SignalName(report->signal);
  text.append(" (signal ").append(std::to_string(report->signal));
  text.append(", code ").append(std::to_string(report->code)).append(")");
  if (report->code > 0) {
    text.append(" at address ").append(Hex(report->address));
  } else {
    text.append(" sent by process ").append(std::to_string(report->sender));
  }
  text += report->complete ? "\n" : ", trace cut off\n";
  const std::vector<NamedFrame> named = NameFrames(*report);
  for (size_t i = 0; i < named.size(); ++i) text += FrameText(i, report->frames[i], named[i], *report);
  return text;
}

}  // namespace mproc::platform
