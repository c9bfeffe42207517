#include "jobs.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

namespace portico::test {
namespace {

void write_all(int descriptor, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t done = ::write(descriptor, at, size);
    if (done <= 0) _exit(3);
    at += done;
    size -= static_cast<std::size_t>(done);
  }
}

bool read_all(int descriptor, void* data, std::size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t done = ::read(descriptor, at, size);
    if (done <= 0) return false;
    at += done;
    size -= static_cast<std::size_t>(done);
  }
  return true;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return std::string("the compiler ended the process: ") + strsignal(WTERMSIG(status));
  return "the compiler ended the process with code " + std::to_string(WEXITSTATUS(status));
}

// A child works through jobs from `next` on, every `stride`-th, and answers each with a length and a text. Returns the
// index behind the last one answered.
std::size_t run_child(const std::vector<Job>& jobs, std::size_t next, std::size_t stride,
                      const std::function<void(std::size_t, std::string)>& answer) {
  int ends[2];
  if (pipe(ends) != 0) {
    answer(next, "no pipe");
    return next + stride;
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    for (std::size_t i = next; i < jobs.size(); i += stride) {
      const std::string text = jobs[i].run();
      const std::uint64_t size = text.size();
      write_all(ends[1], &size, sizeof size);
      write_all(ends[1], text.data(), text.size());
    }
    _exit(0);
  }
  close(ends[1]);
  while (next < jobs.size()) {
    std::uint64_t size = 0;
    if (!read_all(ends[0], &size, sizeof size)) break;
    std::string text(size, '\0');
    if (!read_all(ends[0], text.data(), size)) break;
    answer(next, std::move(text));
    next += stride;
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (next < jobs.size()) {
    answer(next, how_it_ended(status));
    next += stride;
  }
  return next;
}

}  // namespace

std::vector<std::string> run_jobs(const std::vector<Job>& jobs, unsigned workers) {
  std::vector<std::string> failures;
  std::mutex mutex;
  const auto answer = [&](std::size_t index, std::string text) {
    if (text.empty()) return;
    const std::lock_guard lock(mutex);
    failures.push_back(jobs[index].name + ": " + text);
    std::printf("%s\n\n", failures.back().c_str());  // at once: a run that is stopped must not lose what it found
    std::fflush(stdout);
  };
  std::vector<std::thread> threads;
  for (unsigned worker = 0; worker < workers; ++worker)
    threads.emplace_back([&, worker] {
      for (std::size_t next = worker; next < jobs.size();) next = run_child(jobs, next, workers, answer);
    });
  for (std::thread& thread : threads) thread.join();
  return failures;
}

}  // namespace portico::test
