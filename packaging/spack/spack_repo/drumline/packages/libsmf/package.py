"""libsmf, which Spack's own packages lack."""
from spack_repo.builtin.build_systems.autotools import AutotoolsPackage

from spack.package import *


class Libsmf(AutotoolsPackage):
    """Reads and writes Standard MIDI Files."""

    homepage = "https://sourceforge.net/projects/libsmf/"
    url = "https://deb.debian.org/debian/pool/main/libs/libsmf/libsmf_1.3.orig.tar.gz"

    license("BSD-2-Clause")

    version("1.3", sha256="d3549f15de94ac8905ad365639ac6a2689cb1b51fdfa02d77fa6640001b18099")

    depends_on("c", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("glib@2.2:")

    def configure_args(self):
        return ["--without-readline"]
