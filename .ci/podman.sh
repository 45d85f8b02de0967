# Sourced by what makes and plays containers with podman: .ci/containers, .ci/kubeflow and .ci/compose.
# shellcheck shell=bash disable=SC2034,SC2154
program=${0##*/}
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$repository/.venv/bin/python
work=

say() { printf '%5d s  %s\n' "$SECONDS" "$*"; }
stop() { printf '%s: %s\n' "$program" "$*" >&2; exit 2; }
fail() { printf '%s: %s\n' "$program" "$*" >&2; exit 1; }
quietly() { "$@" >>"$work/log" 2>&1; }  # podman without systemd complains of timers at every step

begin() {  # begin TOOL...: checks what is needed; then $work is there, and `finish` is called at the end, whatever happens
    local tool
    ((EUID == 0)) || stop "debootstrap needs root, got user $EUID; sudo .ci/$program"
    for tool in podman debootstrap "$@"; do
        command -v "$tool" >/dev/null || stop "needs $tool, got none; apt-get install podman debootstrap $*"
    done
    [[ -x $python ]] || stop "needs the environment in .venv, got none; make setup"
    work=$(mktemp -d)
    chmod 755 "$work"
    : >"$work/log"
    trap finish EXIT
    trap 'exit 130' INT TERM HUP
}

free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

size_of() { podman image inspect "$1" --format '{{.Size}}' | numfmt --to=si; }

make_base() {  # make_base TAG [,PACKAGE,…]: a Debian 13 with Python
    local file
    quietly debootstrap --variant=minbase --include="ca-certificates,python3,python3-venv${2:-}" trixie "$work/base"
    rm -rf "$work"/base/var/lib/apt/lists/* "$work"/base/var/cache/apt/*
    for file in /etc/pip.conf "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}"; do  # of a machine behind a proxy
        [[ ! -f $file ]] || install -D -m 644 "$file" "$work/base$file"
    done
    tar -C "$work/base" -c . | quietly podman import - "$1"
    rm -rf --one-file-system "$work/base"
    say "a base: $(size_of "$1")B"
}

build_image() {  # build_image BASE TAG: the project's
    quietly podman build --network host --format docker --build-arg "BASE=$1" \
        --build-arg "SSL_CERT_FILE=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" -t "$2" "$repository"
    say "built $2: $(size_of "$2")B, the base in it"
    parts_of "$2"
}

parts_of() {  # parts_of IMAGE: the sizes in docs/containers.md
    podman run --rm "$1" sh -ec '
        size() { du --summarize --apparent-size --block-size=MB "$@"; }
        size --exclude=.venv /slipway
        cd .venv/lib/python3.*/site-packages
        size tensorflow google
        size .
        find . -name "*.pyc" -print0 | size --total --files0-from=- | sed -n "s/total/of which bytecode/p"
    ' 2>>"$work/log" | sed 's/^/      /'
}

install_tools() {  # install_tools PACKAGE==VERSION...: by pip, since Debian's podman-compose garbles health checks
    quietly "$python" -m venv "$work/venv"
    quietly "$work/venv/bin/pip" install "$@"
    export PATH=$work/venv/bin:$PATH
}
