// SPDX-License-Identifier: MIT
// Memory that is not there: what cannot be had is refused before the system ends somebody for it. And memory
// that was lent, whose owner does not take it back as he should.
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "host.hh"

using namespace hostile;

namespace {

bool WriteTo(const std::string& path, const std::string& text) {
  FILE* file = fopen(path.c_str(), "we");
  if (!file) return false;
  bool good = fputs(text.c_str(), file) >= 0;
  return fclose(file) == 0 && good;
}

// A control group with a memory limit that this process is in while this lives.
class LimitedGroup {
 public:
  explicit LimitedGroup(size_t limit) {
    struct Kind {
      const char *mount, *limit;
    };
    for (const Kind& kind :
         {Kind{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, Kind{"/sys/fs/cgroup", "memory.max"}}) {
      mount_ = kind.mount;
      folder_ = mount_ + "/mproc_test_" + std::to_string(getpid());
      if (mkdir(folder_.c_str(), 0755) != 0) continue;
      if (WriteTo(folder_ + "/" + kind.limit, std::to_string(limit)) && Enter(folder_)) return;
      rmdir(folder_.c_str());
    }
    folder_.clear();
  }
  ~LimitedGroup() {
    if (folder_.empty()) return;
    CHECK(Enter(mount_));
    CHECK(Soon([this] { return rmdir(folder_.c_str()) == 0; }));
  }
  bool made() const { return !folder_.empty(); }

 private:
  static bool Enter(const std::string& folder) {
    return WriteTo(folder + "/cgroup.procs", std::to_string(getpid()));
  }
  std::string mount_, folder_;
};

}  // namespace

CASE_WITHIN(memory_limit_of_the_group, 60) {
  if (HOSTILE_SANITIZED) return Skip("a sanitizer needs memory of its own");
  constexpr size_t kLimit = size_t{300} << 20;
  LimitedGroup group(kLimit);
  if (!group.made()) return Skip("no control group can be made here");
  mproc_block_t* block = nullptr;
  CHECK_STATUS(mproc_block_create(kLimit + 1, &block), MPROC_ERROR_OUT_OF_MEMORY);
  CHECK_OK(mproc_block_create(kLimit / 3, &block));
  CHECK_STATUS(mproc_block_create(kLimit * 2 / 3, &block), MPROC_ERROR_OUT_OF_MEMORY);
  CHECK_OK(mproc_block_destroy(block));
  // Small ones, too, do not add up to more than there is.
  std::vector<mproc_block_t*> blocks;
  mproc_status_t status = MPROC_OK;
  while (status == MPROC_OK && blocks.size() < 1000) {
    status = mproc_block_create(3 << 20, &block);
    if (status == MPROC_OK) blocks.push_back(block);
  }
  CHECK_STATUS(status, MPROC_ERROR_OUT_OF_MEMORY);
  CHECK(blocks.size() > 50);
  for (auto* each : blocks) CHECK_OK(mproc_block_destroy(each));
  // A worker's value: its task fails, the worker stays.
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  mproc_future_t* future = Submit(pool, kMake, uint64_t{kLimit});
  CHECK_OK(mproc_future_wait(future, 20 * MPROC_SECOND));
  CHECK_EQ(OutcomeOf(future), MPROC_OUTCOME_ERROR);
  CHECK_OK(mproc_future_release(future));
  // A payload that the worker would have to be given.
  CHECK_OK(mproc_block_create(kLimit / 2, &block));
  void* data = nullptr;
  CHECK_OK(mproc_block_data(block, &data, nullptr));
  future = Submit(pool, kSum, data, kLimit / 2);
  CHECK_OK(mproc_future_wait(future, 20 * MPROC_SECOND));
  CHECK_EQ(OutcomeOf(future), MPROC_OUTCOME_NOT_RUN);
  CHECK_OK(mproc_future_release(future));
  // In place it fits.
  CHECK_OK(mproc_pool_submit_block(pool, kSum, block, 0, kLimit / 2, nullptr, nullptr, MPROC_FOREVER, nullptr,
                                   nullptr, nullptr, &future));
  CHECK_OK(mproc_future_wait(future, 20 * MPROC_SECOND));
  CHECK_EQ(OutcomeOf(future), MPROC_OUTCOME_VALUE);
  CHECK_OK(mproc_future_release(future));
  CHECK_OK(mproc_block_destroy(block));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK(Serves(pool));
  Destroy(pool);
  CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
}

// The call or the task has ended as it would have; the status of what it failed in tells of it.
CASE_WITHIN(release_that_throws, 30) {
  mproc_pool_t* pool = MakePool(1, [](mproc_pool_options_t* options) {
    CHECK_OK(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_DISPATCH));
  });
  if (!pool) return;
  auto thrower = [](void* owner) {
    ++*static_cast<int*>(owner);
    throw std::runtime_error("thrown by a release");
  };
  static int released;
  released = 0;
  mproc_future_t* future = nullptr;
  CHECK_STATUS(mproc_pool_submit_borrowed(pool, 9999, "x", 1, thrower, &released, 0, nullptr, nullptr,
                                          nullptr, &future),
               MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_EQ(released, 1);
  CHECK_OK(mproc_pool_submit_borrowed(pool, kEcho, "x", 1, thrower, &released, MPROC_FOREVER, nullptr,
                                      nullptr, nullptr, &future));
  CHECK_OK(mproc_future_wait(future, 5 * MPROC_SECOND));
  CHECK_STATUS(mproc_pool_dispatch(pool, 0, nullptr), MPROC_ERROR_INTERNAL);
  CHECK(std::string(mproc_last_error_message()).find("thrown by a release") != std::string::npos);
  CHECK_EQ(released, 2);
  size_t ran = 9;
  CHECK_OK(mproc_pool_dispatch(pool, 0, &ran));
  CHECK_EQ(ran, 0);
  CHECK_EQ(OutcomeOf(future), MPROC_OUTCOME_VALUE);
  CHECK_OK(mproc_future_release(future));
  CHECK(Serves(pool));
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, 5 * MPROC_SECOND));
  Destroy(pool);
}

int main(int argc, char** argv) { return Main(argc, argv); }
