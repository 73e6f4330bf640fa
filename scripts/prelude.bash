# Sourced by the other scripts: where the checkout is, how they speak, and how they end what they started.
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C.UTF-8

# The top of the checkout, whatever folder the caller is in.
# shellcheck disable=SC2034  # used by the scripts that source this file
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold='' dim='' plain=''
fi

# A step that begins.
step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }

# A line that says a little more about it.
note() { printf '%s    %s%s\n' "$dim" "$*" "$plain"; }

# Ends the script with one line on what is missing and what to do about it.
cannot() { # STATUS MESSAGE…
    local status=$1
    shift
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit "$status"
}

# Prints the comment that a script begins with: its help.
help_of() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$1"; }

# Asks a child to end, and makes it after some seconds.
stop_child() { # PID [SECONDS]
    local pid=$1 tenths=$((${2:-15} * 10))
    kill -TERM "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null && [ "$tenths" -gt 0 ]; do
        sleep 0.1
        tenths=$((tenths - 1))
    done
    kill -KILL "$pid" 2>/dev/null || true
}

# Whether something answers on a TCP port of this machine's loopback address.
port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The first port from PORT on that nothing answers on; fails when 100 of them are taken.
free_port_from() { # PORT
    local port
    for port in $(seq "$1" $(($1 + 99))); do
        port_is_taken "$port" || { echo "$port" && return 0; }
    done
    return 1
}
