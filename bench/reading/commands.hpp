// The subcommands that read results. Arguments begin with the subcommand's name.
#pragma once

namespace portico::bench {

int report_command(int argc, char** argv);
int compare_command(int argc, char** argv);

}  // namespace portico::bench
