#!/usr/bin/env bash
# The floor: for each host one ssh connection, one command that makes the checks under sudo, and the
# login by curl through the same connection. All hosts at once.
#
# floor.sh FOLDER ADDRESS:PORT...    FOLDER holds checks.sh, expected, login.curl and ssh_config
set -u
folder=$1
shift
checks=$(<"$folder/checks.sh")
expected=$(<"$folder/expected")

pass() {
    local socket=$folder/$2.socket seen='' line='' token
    coproc LINK {
        exec ssh -F "$folder/ssh_config" -p "${1#*:}" -L "$socket:127.0.0.1:80" "${1%:*}" 'exec sudo -n sh -s'
    }
    # the command ends with its stdin, so that the connection is still there for the login
    printf '{\n%s\necho end; cat >/dev/null\n}\n' "$checks" >&"${LINK[1]}"
    while [ "$line" != end ] && read -r line; do seen+="$line "; done <&"${LINK[0]}"
    token=$(curl -s --unix-socket "$socket" -K "$folder/login.curl" http://127.0.0.1/token)
    token=${token#*\"access_token\":\"}
    seen+=$(curl -s --unix-socket "$socket" -K - http://127.0.0.1/users/me \
        <<<"header = \"Authorization: Bearer ${token%%\"*}\"")
    exec {LINK[1]}>&-
    wait "$LINK_PID"
    rm -f "$socket"
    [ "$seen" = "$expected" ] || { printf '%s: %s\n' "$1" "$seen" >&2; return 1; }
}

started=()
for address in "$@"; do
    pass "$address" "${#started[@]}" &
    started+=($!)
done
status=0
for pid in "${started[@]}"; do wait "$pid" || status=1; done
exit "$status"
