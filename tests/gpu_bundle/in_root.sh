#!/bin/bash
# in_root.sh FOLDER COMMAND...: runs the command in the root folder, with /proc as every system has it; $ORIGIN in a program's
# library path needs it. The mount is this process's own and goes with it.
exec unshare --mount bash -c 'mount --bind /proc "$0/proc" && exec chroot "$0" "$@"' "$@"
