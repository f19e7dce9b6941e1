"""Drumline for Spack 1.0 and later, built from the clone that this file lies in:

    spack repo add packaging/spack/spack_repo/drumline
    spack install drumline ^openmpi fabrics=auto schedulers=slurm
"""
import pathlib

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator

from spack.package import *


class Drumline(CMakePackage):
    """Trains and samples MusicVAE/GrooVAE drum models: MIDI performances become HDF5 data sets, MPI ranks train
    variational autoencoders on them, and a generator writes new MIDI."""

    git = pathlib.Path(__file__).resolve().parents[6].as_uri()

    license("Apache-2.0")

    version("main", branch="main")

    variant("mpi", default=True, description="Programs that need MPI: preprocessing, training, measuring")
    variant("onednn", default=False, description="Multiply bf16 matrices with oneDNN (--hparams=precision=bf16)")
    variant("pictures", default=False, description="Draw drum rolls with cairo (--png, --svg)")
    variant("audio", default=False, description="Make audio with FluidSynth (--wav, --ogg, --play)")

    generator("ninja")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("hdf5@1.10.3:~mpi")
    depends_on("openblas")
    depends_on("popt")
    depends_on("libsmf")
    depends_on("jansson@2.10:")
    depends_on("nettle")
    depends_on("xxhash@0.8:")
    depends_on("libseccomp")
    depends_on("zlib-api")
    depends_on("random123", type="build")
    depends_on("onednn@2.6:2 cpu_runtime=omp", when="+onednn")
    depends_on("mpi@3:", when="+mpi")
    depends_on("libarchive@3.3:", when="+mpi")
    depends_on("cairo@1.16:+png+svg", when="+pictures")
    depends_on("fluidsynth@2:", when="+audio")
    depends_on("libsndfile", when="+audio")
    depends_on("alsa-lib", when="+audio")
    depends_on("cmocka", type="test")

    conflicts("+onednn", when="~mpi", msg="only training, which needs MPI, uses bf16")

    def cmake_args(self):
        return [
            self.define_from_variant("DRUMLINE_MPI", "mpi"),
            self.define_from_variant("DRUMLINE_ONEDNN", "onednn"),
            self.define_from_variant("DRUMLINE_PICTURES", "pictures"),
            self.define_from_variant("DRUMLINE_AUDIO", "audio"),
            self.define("DRUMLINE_TESTS", self.run_tests),
            self.define("DRUMLINE_TOOLS", self.run_tests),
        ]

    def check(self):
        """What needs nothing but the build: no Slurm, no Debian, no tools for looking at the sources."""
        with working_dir(self.build_directory):
            which("ctest")("--output-on-failure", "--label-exclude", "checks|packaging|slurm|training")

    def setup_run_environment(self, env):
        env.set("DRUMLINE_JOBS", self.prefix.share.drumline.jobs)
