#!/bin/bash
# archives.sh BUILD_DIR VERSION SOURCE_DIR: cpack's .tar.gz runs where it is unpacked; its .deb has the right dependencies and files, and
# nothing that lintian calls an error.
# shellcheck source=tests/packaging/common.sh
. "$(dirname "$0")/common.sh"
build=$1 version=$2 source=$3

(cd "$work" && cpack --config "$build/CPackConfig.cmake" -B "$work" -D CPACK_PACKAGE_CONTACT="A <a@tester.debian.org>" \
    >log 2>&1) || fail "cpack failed: $(cat "$work/log")"

tar -xzf "$work"/drumline-"$version"-*.tar.gz -C "$work"
mkdir "$work/a folder"
mv "$work"/drumline-"$version"-*/ "$work/a folder/drumline"
runs_everywhere "$work/a folder/drumline/bin" "$version"
reads_files "$work/a folder/drumline/bin" "$source"
[ -r "$work/a folder/drumline/share/drumline/jobs/site.sh" ] || fail "the archive has no job scripts"

command -v dpkg-deb >/dev/null || { printf 'no dpkg: the .deb was not checked\n'; exit 0; }
package=$(echo "$work"/drumline_"$version"_*.deb)
depends=$(dpkg-deb -f "$package" Depends)
for library in libc6 libhdf5 libopenblas libsmf0 libpopt0 libjansson4 libarchive13 libnettle8 libxxhash0; do
    [[ $depends == *"$library"* ]] || fail "the package does not depend on $library: $depends"
done
[[ $depends =~ libopenmpi|libmpich ]] || fail "the package depends on no MPI: $depends"
dpkg-deb -x "$package" "$work/root"
[ -z "$(run_path "$work/root/usr/bin/drumline-train")" ] || fail "the package's programs have a run path"
[ -r "$work/root/etc/drumline/site.sh" ] || fail "the package has no /etc/drumline/site.sh"
[ "$(readlink "$work/root/usr/share/drumline/jobs/site.sh")" = /etc/drumline/site.sh ] || fail "site.sh is no link"
[ "$(dpkg-deb -I "$package" conffiles)" = /etc/drumline/site.sh ] || fail "site.sh is no configuration file"
[ ! -e "$work/root/usr/share/modulefiles" ] || fail "the package has modulefiles, which would take /usr/bin out of PATH"
[ -r "$work/root/usr/share/man/man1/drumline-train.1.gz" ] || fail "the package has no man page"
runs_everywhere "$work/root/usr/bin" "$version"
reads_files "$work/root/usr/bin" "$source"

command -v lintian >/dev/null || { printf 'lintian is not installed\n'; exit 0; }
lintian --allow-root --fail-on error "$package" || fail "lintian finds errors (see above)"
