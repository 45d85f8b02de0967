#!/bin/sh
# Makes .venv: looks at the machine, picks a lane of pipeline/lanes.txt, installs requirements.txt and this project.
#
#   sh setup.sh                                     set up; what is missing is one line with the command, exit 2
#   sh setup.sh --dry-run                           look only, install nothing
#   SLIPWAY_PYTHON=/path/to/python3.11 sh setup.sh  take this Python and no other
#
# Nothing is written outside the clone. Without a change since the last time it ends at once.
set -eu
unset CDPATH
cd "$(dirname "$0")"
here=$(pwd -P)
log=.slipway/setup.log
lock=.slipway/setup.lock
stamp=.venv/.set-up
disk_gb=5  # the environment takes 3.8 GB, bytecode included

say() { printf 'setup: %s\n' "$*"; }
stop() { say "$*" >&2; exit 2; }
lanes() { grep -v '^#' pipeline/lanes.txt; }
tfx_of() { lanes | awk -v version="$1" '$1 == version { print $4; exit }'; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

# --- the machine -----------------------------------------------------------------------------------------------------

at_least() {  # at_least 2.41 2.39; "-" asks for nothing
    [ "$2" = - ] || [ "$(printf '%s\n%s\n' "$2" "$1" | sort -t. -k1,1n -k2,2n | head -n 1)" = "$2" ]
}

look_at_machine() {  # sets machine, glibc, and fitting: the Python versions that have a lane here, best first
    machine=$(uname -s)-$(uname -m)
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p')
    fitting=$(lanes | while read -r version on least _; do
        if [ "$on" = "$machine" ] && at_least "${glibc:-0}" "$least"; then printf '%s ' "$version"; fi
    done)
    [ -z "$fitting" ] || return 0
    least=$(lanes | awk -v on="$machine" '$2 == on { least = $3 } END { print least }')
    # shellcheck disable=SC2046  # one word per machine
    [ -n "$least" ] || stop "TFX has no build for $machine, only for" $(lanes | awk '{ print $2 }' | sort -u)
    stop "TFX needs glibc $least or newer, got ${glibc:-another C library (musl?)};" \
        "in a container: docker run -it -v \"\$PWD:/slipway\" -w /slipway python:3.13 make demo"
}

# --- a Python that fits ----------------------------------------------------------------------------------------------

find_python() {  # sets python and version, or stops with the command that brings one
    if [ -n "${SLIPWAY_PYTHON:-}" ]; then
        set -- "$SLIPWAY_PYTHON"
    else
        # shellcheck disable=SC2046,SC2086  # one word per version
        set -- $(printf 'python%s ' $fitting) python3 python
    fi
    bare=
    for version in $fitting; do
        for name in "$@"; do
            [ "$(version_of "$name")" = "$version" ] || continue
            # The interpreter behind the name: `name` itself may sit in the .venv that is about to be replaced.
            if python=$("$name" -c 'import ensurepip, sys, venv; print(sys._base_executable)' 2>/dev/null); then return; fi
            bare=${bare:-$version}
        done
    done
    no_python
}

no_python() {
    # shellcheck disable=SC2086
    wanted=$(printf 'Python %s' "$(echo $fitting | sed 's/ / or /g')")
    [ -z "$bare" ] || stop "Python $bare has no venv module; to get it: $(install_command "$bare")"
    got=$(version_of "${SLIPWAY_PYTHON:-python3}")
    [ -z "${SLIPWAY_PYTHON:-}" ] || stop "SLIPWAY_PYTHON must be $wanted here, got $SLIPWAY_PYTHON (${got:-does not run})"
    stop "$wanted is needed, got ${got:-none}; to get it: $(install_command)"
}

install_command() {  # install_command [version]: how this distribution installs a fitting Python with its venv module
    best=${fitting%% *}
    sudo=$([ "$(id -u)" = 0 ] || echo 'sudo ')
    case "$machine $(os_release ID) $(os_release ID_LIKE) " in
        Darwin*) echo "brew install python@$best" ;;
        *" debian "*|*" ubuntu "*)
            apt=${1:-$(apt_version)}
            [ -n "$apt" ] && echo "${sudo}apt-get update && ${sudo}apt-get install -y python$apt-venv" || install_yourself ;;
        *" rhel "*) echo "${sudo}dnf install -y python$([ "$best" = 3.11 ] && echo 3.11 || echo 3.12)" ;;
        *" fedora "*) echo "${sudo}dnf install -y python$best" ;;
        *suse*) echo "${sudo}zypper install -y python$(echo "$best" | tr -d .)" ;;
        *) install_yourself ;;
    esac
}

install_yourself() { echo "pyenv or uv install it, then SLIPWAY_PYTHON=/path/to/python$best sh setup.sh"; }

os_release() {  # os_release ID: one field of the distribution's description of itself
    # shellcheck disable=SC1090
    (. "${SLIPWAY_OS_RELEASE:-/etc/os-release}" && eval "printf '%s' \"\${$1:-}\"") 2>/dev/null || true
}

apt_version() {  # the Python in Debian's and Ubuntu's own archive that has a lane, if there is one
    codename=$(os_release UBUNTU_CODENAME)
    case "${codename:-$(os_release VERSION_CODENAME)}" in
        bookworm|jammy) echo 3.11 ;;
        noble|oracular) echo 3.12 ;;
        trixie|plucky|questing) echo 3.13 ;;
    esac
}

# --- the environment -------------------------------------------------------------------------------------------------

fingerprint() {  # of all that decides what .venv holds; the path too, since the scripts in it name it
    echo "$here $(cat requirements.txt pyproject.toml pipeline/lanes.txt setup.sh | cksum)"
}

holds_wanted_python() {  # sets have: the version in .venv
    have=$(version_of .venv/bin/python)
    [ -n "$have" ] && { [ -z "${SLIPWAY_PYTHON:-}" ] || [ "$have" = "$(version_of "$SLIPWAY_PYTHON")" ]; }
}

stop_when_ready() {
    if [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ] && holds_wanted_python; then
        say "ready: Python $have, TFX $(tfx_of "$have")"
        exit 0
    fi
}

# A finished environment of this clone is brought up to date. Anything else (a moved clone, another Python, an
# interrupted setup, which can leave a package half written) is made anew, out of the download cache.
needs_new_environment() {
    case "$(cat "$stamp" 2>/dev/null)" in "$here "*) ;; *) return 0 ;; esac
    holds_wanted_python || return 0
    case " $fitting" in *" $have "*) return 1 ;; esac
}

take_lock() {  # a link that names our process: made in one step, and a dead owner shows
    until ln -s "$$" "$lock" 2>/dev/null; do
        owner=$(readlink "$lock") || continue
        kill -0 "$owner" 2>/dev/null || { rm -f "$lock"; continue; }
        [ -n "${waiting:-}" ] || say "waiting for another setup of this clone, process $owner"
        waiting=1
        sleep 1
    done
    trap 'rm -f "$lock"' EXIT
    trap 'exit 130' HUP INT TERM
}

step() {  # step "what it does" command...: its output goes to the log, its seconds to the screen
    what=$1
    began=$(date +%s)
    shift
    if "$@" >>"$log" 2>&1; then
        say "$what: $(($(date +%s) - began)) s"
    else
        tail -n 12 "$log" >&2
        say "$what: failed; all of it is in $log" >&2
        exit 1
    fi
}

check_disk() {
    free_gb=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
    [ "$free_gb" -ge "$disk_gb" ] || stop "the environment needs $disk_gb GB of disk, got $free_gb GB free in $here"
}

empty_environment() {  # && throughout: `set -e` does not hold inside step
    for old in .venv/* .venv/.[!.]*; do
        [ "$old" = .venv/.uv-cache ] || rm -rf "$old" || return 1
    done
    "$python" -m venv .venv &&
        # The installer comes from the lock too; with setuptools at hand this project builds without a download.
        sed -n '/^uv==/,/[^\\]$/p; /^setuptools==/,/[^\\]$/p' requirements.txt |
        PIP_USER=0 .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r /dev/stdin
}

# Bytecode costs 15 s here, once. Without it the first `import tfx.v1` takes 12 s longer, and every one of them does where
# PYTHONDONTWRITEBYTECODE is set, as in many containers.
packages() {
    # uv does not read pip's settings, so a mirror named there is handed on.
    index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    export UV_CACHE_DIR="${UV_CACHE_DIR:-$here/.venv/.uv-cache}"
    echo '-e .' |
        .venv/bin/uv pip sync --python .venv/bin/python --no-build-isolation --compile-bytecode requirements.txt -
}

main() {
    [ "${1:-}" = --dry-run ] || stop_when_ready
    look_at_machine
    find_python
    say "$machine${glibc:+, glibc $glibc}, $python: Python $version, TFX $(tfx_of "$version")"
    [ "${1:-}" != --dry-run ] || exit 0

    mkdir -p .slipway
    take_lock
    stop_when_ready
    started=$(date +%s)
    : >"$log"
    anew=
    if needs_new_environment; then
        check_disk
        anew=1
    fi
    rm -f "$stamp"
    [ -z "$anew" ] || step "an empty .venv" empty_environment
    step "the packages of requirements.txt" packages
    fingerprint >"$stamp"
    say "done in $(($(date +%s) - started)) s"
}

main "$@"
