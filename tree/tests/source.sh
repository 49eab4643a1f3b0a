#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tree/source when Debian no longer has the version: kernel.org's tarball, from a server here that has a small archive.
source "$(dirname "$0")/tap.sh.inc"
# shellcheck disable=SC2209
find_source=$ROOT/tree/source
sources=$TMP/cache/tandem/source

# An apt whose archive has another version only.
mkdir "$TMP/bin"
cat >"$TMP/bin/apt-get" <<'@'
#!/bin/sh
case "$*" in
*indextargets*) echo mirror ;;
*update*) [ ! "$NO_LISTS" ] ;;
*) exit 100 ;;
esac
@
cat >"$TMP/bin/apt-cache" <<'@'
#!/bin/sh
case "$*" in
*search*) echo "linux-source-7.9 - the source" ;;
esac
@
chmod +x "$TMP/bin"/*
PATH=$TMP/bin:$PATH
export no_proxy=127.0.0.1

# The server: /cut ends its answer half-way unless the request continues a file.
cat >"$TMP/server" <<'@'
import http.server, os, re, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = "www" + self.path.replace("/cut/", "/good/")
        print(self.path, self.headers.get("Range", ""), file=open("requests", "a"), flush=True)
        if not os.path.isfile(path):
            return self.send_error(404)
        with open(path, "rb") as file:
            data = file.read()
        begin = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        if begin >= len(data):
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(data) - begin))
        if begin:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (begin, len(data) - 1, len(data)))
        self.end_headers()
        cut = "/cut/" in self.path and path.endswith(".xz") and not begin
        self.wfile.write(data[begin:len(data) // 2 if cut else None])
        self.close_connection = True

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
@
mkdir -p "$TMP"/www/{good,list,wrong,small}/v7.x
fake_kernel "$TMP/pack/linux-7.3.4"
head -c 100000 /dev/urandom >"$TMP/pack/linux-7.3.4/COPYING"
fake_kernel "$TMP/pack/linux-7.8" 7 8
for release in 7.3.4 7.8; do
	tar -C "$TMP/pack" -cJf "$TMP/www/good/v7.x/linux-$release.tar.xz" "linux-$release"
done
sum=$(sha256sum <"$TMP/www/good/v7.x/linux-7.3.4.tar.xz" | cut -d' ' -f1)
{
	printf -- '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n'
	(cd "$TMP/www/good/v7.x" && sha256sum linux-*)
	printf '%064d  linux-7.3.9.tar.xz\n-----BEGIN PGP SIGNATURE-----\n' 0
} >"$TMP/list"
cp "$TMP/list" "$TMP/www/good/v7.x/sha256sums.asc"
cp "$TMP/list" "$TMP/www/list/v7.x/sha256sums.asc"
sed -E "s/^[0-9a-f]{64}/$(printf '%064d' 1)/" "$TMP/list" >"$TMP/www/wrong/v7.x/sha256sums.asc"
cp "$TMP"/www/good/v7.x/linux-* "$TMP/www/wrong/v7.x"
cd "$TMP" || exit
exec 8< <(exec python3 "$TMP/server" 2>/dev/null)
server=$!
trap 'kill "$server"; chmod -R u+w "$TMP"; rm -rf "$TMP"' EXIT
read -ru 8 port
at() { export KERNEL_ORG=http:"//127.0.0.1:$port/$1"; }
# nothing [PATTERN]: no source and no file but these.
nothing() { [[ $(cd "$sources" && find . -mindepth 1 -maxdepth 1 ! -name '*.lock' ! -name "${1:-}" | tee -a "$TMP/out") == '' ]]; }
# stops TEXT COMMAND...: the command fails with one message of ours, in which TEXT is.
stops() {
	! "${@:2}" >"$TMP/out" 2>&1 </dev/null && (($(grep -c '^tandem: ' "$TMP/out") == 1)) &&
		sed '1,/^tandem: /{/^tandem: /!d}' "$TMP/out" | grep -qF -- "$1"
}

at nowhere
stops 'could not be fetched' "$find_source" && grep -q 'KDIR=' "$TMP/out" && grep -q 'KERNEL=7.9' "$TMP/out" && nothing
verdict "neither Debian nor the server has it: the message names what can be given"
NO_LISTS=1 stops 'lists could not be fetched or verified' "$find_source" && nothing
verdict "no network to Debian either"
at list
stops 'linux-7.3.4.tar.xz could not be fetched' "$find_source" && nothing
verdict "a list of checksums without the tarball (404)"
at wrong
stops 'is not the file with the checksum' "$find_source" && nothing
verdict "a tarball with another checksum is removed"
at good
KERNEL_SHA256=${sum//[0-9]/0} stops 'is not the file with the checksum' "$find_source" && nothing
verdict "KERNEL_SHA256 counts, not the server's list"
at cut
! "$find_source" >"$TMP/out" 2>&1 && ! compgen -G "$sources/linux-*/" && nothing 'linux-7.3.4.tar.xz.part'
verdict "a connection that is cut leaves no source"
copy=$("$find_source" 2>"$TMP/out") && [[ $copy == "$sources/linux-7.3.4" && -e $copy/mm/hmm.c ]] &&
	cmp -s "$copy/COPYING" "$TMP/pack/linux-7.3.4/COPYING" && nothing linux-7.3.4 && grep -q 'cut.*bytes=' "$TMP/requests"
verdict "the next run continues the file and has the source"
: >"$TMP/requests"
[[ $("$find_source" 2>"$TMP/out") == "$copy" && ! -s $TMP/requests ]]
verdict "then nothing is fetched"
rm -rf "${copy:?}"
at good
echo 'not its beginning' >"$sources/linux-7.3.4.tar.xz.part"
{ "$find_source" || "$find_source"; } >"$TMP/out" 2>&1 && cmp -s "$copy/COPYING" "$TMP/pack/linux-7.3.4/COPYING" &&
	nothing linux-7.3.4
verdict "what another file began is fetched again, at the latest by the next run"
copy=$(KERNEL=7.8 "$find_source" 2>"$TMP/out") && [[ $copy == "$sources/linux-7.8.0" && -e $copy/mm/hmm.c ]]
verdict "a KERNEL that tree/releases does not have: the newest release in the list"
KERNEL_TARBALL=$KERNEL_ORG/v7.x/linux-7.3.4.tar.xz KERNEL_SHA256=${sum//[0-9]/0} stops 'does not have the checksum' "$find_source"
verdict "KERNEL_TARBALL with another checksum than KERNEL_SHA256"
copy=$(KERNEL_TARBALL=$KERNEL_ORG/v7.x/linux-7.3.4.tar.xz KERNEL_SHA256=${sum^^} "$find_source" 2>"$TMP/out") && [[ -e $copy/mm/hmm.c ]]
verdict "KERNEL_TARBALL with that checksum"

fake_kernel "$TMP/later" 9 1
rm "$TMP/later/samples/Makefile"
! KDIR=$TMP/later "$ROOT/tree/build" vm >"$TMP/out" 2>&1 && (($(grep -c 'Linux 9.1 is later than' "$TMP/out") == 1)) &&
	sed '1,/This did not fit:/d' "$TMP/out" | grep -q 'this kernel has no .* to insert into'
verdict "a kernel later than those that were tested: one message with what does not fit"
finish
