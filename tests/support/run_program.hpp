// Runs a program as a user would and keeps what it said, both streams apart.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace portico::test {

struct ProgramRun {
  int code = 0;  ///< exit code, or 128 + signal
  std::string out;
  std::string err;
};

/// Runs `command` by the shell, so that it may set variables and redirect: "env PORTICO_CACHE=0 'program' --json".
inline ProgramRun run_program(const std::string& command) {
  char err_name[] = "/tmp/portico-test-stderr-XXXXXX";
  const int descriptor = mkstemp(err_name);
  if (descriptor < 0) throw std::runtime_error("cannot make a temporary file");
  close(descriptor);
  ProgramRun run;
  std::FILE* pipe = popen(("{ " + command + "; } 2>" + err_name).c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start a shell");
  char part[4096];
  for (std::size_t size; (size = std::fread(part, 1, sizeof part, pipe)) > 0;) run.out.append(part, size);
  const int status = pclose(pipe);
  run.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::ifstream err(err_name);
  run.err.assign(std::istreambuf_iterator<char>(err), {});
  unlink(err_name);
  return run;
}

/// Starts `command` by the shell and returns its process, for a test that interrupts it: the program itself when the
/// command is one program ("env A=1 'program' >out"). `exit_code` waits for it.
inline pid_t start_program(const std::string& command) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot start a process");
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
    _exit(127);
  }
  return child;
}

/// The exit code of a started program, or 128 + signal.
inline int exit_code(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw std::runtime_error("the started process is gone");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace portico::test
