"""The recipes of packaging/ for systems that need not be here: Spack's package is executed with stand-ins for Spack's names,
and CMake configured with what it asks for; Apptainer's definition is taken apart, its shell checked and its files looked for.

    test_recipes.py SOURCE_DIR
"""
import glob
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import types
import unittest

SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()
SPACK = SOURCE / "packaging/spack/spack_repo/drumline"
DEFINITION = SOURCE / "packaging/apptainer/drumline.def"

# What pkg-config and CMake look for -> Spack's name of the package.
SPACK_NAMES = {"smf": "libsmf", "libxxhash": "xxhash", "HDF5": "hdf5", "Openblas": "openblas", "MPI": "mpi",
               "Random123": "random123", "PkgConfig": "pkgconfig", "Onednn": "onednn", "sndfile": "libsndfile",
               "alsa": "alsa-lib", "zlib": "zlib-api"}


class Recipe:
    """A package.py, executed: the directives it gave, and instances of its class with chosen variants."""

    def __init__(self, name, base):
        self.directives = []
        self.path = SPACK / "packages" / name / "package.py"
        spack = types.ModuleType("spack.package")
        for directive in ("depends_on", "variant", "version", "license", "conflicts", "maintainers"):
            setattr(spack, directive, self.record(directive))
        system = types.ModuleType(f"spack_repo.builtin.build_systems.{base}")
        classes = {"cmake": "CMakePackage", "autotools": "AutotoolsPackage"}
        setattr(system, classes[base], type(classes[base], (), {
            "define": staticmethod(lambda option, value: f"-D{option}={value_text(value)}"),
            "define_from_variant": lambda package, option, variant:
                f"-D{option}={value_text(package.variants[variant])}"}))
        system.generator = self.record("generator")
        modules = {"spack": types.ModuleType("spack"), spack.__name__: spack, system.__name__: system}
        for package in ("spack_repo", "spack_repo.builtin", "spack_repo.builtin.build_systems"):
            modules[package] = types.ModuleType(package)
        names = {"__file__": str(self.path), "__name__": f"spack_repo.drumline.packages.{name}.package"}
        kept = dict(sys.modules)
        sys.modules.update(modules)
        try:
            exec(compile(self.path.read_text(encoding="utf-8"), self.path, "exec"), names)  # pylint: disable=exec-used
        finally:
            sys.modules.clear()
            sys.modules.update(kept)
        self.package_class = names[name.capitalize()]

    def record(self, directive):
        return lambda *arguments, **options: self.directives.append((directive, arguments, options))

    def given(self, directive):
        return [(arguments, options) for name, arguments, options in self.directives if name == directive]

    def dependencies(self):
        """name -> the condition under which it is needed, or None."""
        return {re.match(r"[a-z0-9-]+", arguments[0]).group(): options.get("when")
                for arguments, options in self.given("depends_on")}

    def make(self, run_tests=False, **variants):
        package = self.package_class()
        package.variants = {arguments[0]: options["default"] for arguments, options in self.given("variant")}
        assert variants.keys() <= package.variants.keys()
        package.variants.update(variants)
        package.run_tests = run_tests
        return package


def value_text(value):
    return {True: "ON", False: "OFF"}.get(value, str(value))


class Spack(unittest.TestCase):
    def setUp(self):
        self.recipe = Recipe("drumline", "cmake")
        self.cmake = (SOURCE / "CMakeLists.txt").read_text(encoding="utf-8")

    def test_repository(self):
        self.assertRegex((SPACK / "repo.yaml").read_text(encoding="utf-8"),
                         r"^repo:\n  namespace: drumline\n  api: v2\.\d\n$")
        self.assertEqual(SPACK.parent.name, "spack_repo")

    def test_source_is_this_clone(self):
        self.assertEqual(self.recipe.package_class.git, SOURCE.as_uri())
        self.assertIn((("main",), {"branch": "main"}), self.recipe.given("version"))

    def test_every_tag_is_a_version(self):
        tags = subprocess.run(["git", "-C", SOURCE, "tag", "--list", "v*"], capture_output=True, text=True, check=False)
        versions = {arguments[0] for arguments, _ in self.recipe.given("version")}
        self.assertLessEqual({tag[1:] for tag in tags.stdout.split()}, versions)

    def test_options_are_cmakes(self):
        for argument in self.recipe.make().cmake_args():
            option = re.match(r"-D(\w+)=(ON|OFF)$", argument).group(1)
            self.assertRegex(self.cmake, rf"(?m)^(option|set)\({option} ", f"CMakeLists.txt has no {option}")

    def test_variants_reach_cmake(self):
        for variant, option in (("mpi", "DRUMLINE_MPI"), ("onednn", "DRUMLINE_ONEDNN"), ("pictures", "DRUMLINE_PICTURES"),
                                ("audio", "DRUMLINE_AUDIO")):
            for value in (True, False):
                self.assertIn(f"-D{option}={value_text(value)}", self.recipe.make(**{variant: value}).cmake_args())
        self.assertIn("-DDRUMLINE_TESTS=ON", self.recipe.make(run_tests=True).cmake_args())

    def test_dependencies_are_what_cmake_looks_for(self):
        wanted = set(re.findall(r"pkg_check_modules\(\w+ (?:REQUIRED )?IMPORTED_TARGET (\w+)", self.cmake))
        wanted |= set(re.findall(r"find_package\((\w+)", self.cmake)) - {"Threads"} | {"Random123"}
        found = self.recipe.dependencies()
        for name in wanted:
            self.assertIn(SPACK_NAMES.get(name, name), found)
        self.assertEqual(found["mpi"], "+mpi")
        self.assertEqual(found["onednn"], "+onednn")
        self.assertEqual(found["cairo"], "+pictures")
        self.assertEqual([found[name] for name in ("fluidsynth", "libsndfile", "alsa-lib")], 3 * ["+audio"])

    def test_cmake_takes_the_arguments(self):
        with tempfile.TemporaryDirectory() as folder:
            job = subprocess.run(["cmake", "-S", SOURCE, "-B", folder, "-G", "Ninja",
                                  *self.recipe.make(mpi=False).cmake_args()], capture_output=True, text=True,
                                 check=False)
            self.assertEqual(job.returncode, 0, job.stderr)
            self.assertNotIn("not used by the project", job.stderr)
            self.assertFalse(os.path.exists(os.path.join(folder, "tests")))

    def test_libsmf(self):
        recipe = Recipe("libsmf", "autotools")
        (version,), options = recipe.given("version")[0]
        self.assertRegex(options["sha256"], "^[0-9a-f]{64}$")
        self.assertIn(f"_{version}.", recipe.package_class.url)
        self.assertIn("glib", recipe.dependencies())


def read_definition(path):
    """The stages of an Apptainer definition, each a header (name -> value) and sections (name -> lines)."""
    stages, section = [], None
    for line in path.read_text(encoding="utf-8").splitlines():
        header = re.match(r"([A-Z][a-z]+): (\S+)$", line)
        if header:
            if header.group(1) == "Bootstrap":
                stages.append(({}, {}))
            stages[-1][0][header.group(1)] = header.group(2)
            section = None
        elif line.startswith("%"):
            section = stages[-1][1][line[1:]] = []
        elif section is not None:
            section.append(line[4:] if line.startswith("    ") else line)
        elif line and not line.startswith("#"):
            raise ValueError(f"{path}: a line outside of any section: {line}")
    return stages


class Apptainer(unittest.TestCase):
    def setUp(self):
        self.stages = read_definition(DEFINITION)

    def test_stages(self):
        self.assertEqual([header["Stage"] for header, _ in self.stages], ["build", "final"])
        for header, sections in self.stages:
            self.assertEqual(header["Bootstrap"], "docker")
            self.assertIn("bookworm", header["From"])
            self.assertIn("post", sections)
        self.assertIn("files from build", self.stages[1][1])
        known = {"files", "files from build", "post", "environment", "runscript", "test", "labels", "help"}
        self.assertLessEqual({name for _, sections in self.stages for name in sections}, known)

    def test_files_are_there(self):
        lines = [line.split() for line in self.stages[0][1]["files"] if line]
        self.assertGreater(len(lines), 5)
        for source, destination in lines:
            self.assertTrue(glob.glob(str(SOURCE / source)), source)
            self.assertEqual(destination, f"/opt/drumline/{source}")

    def test_shell(self):
        for _, sections in self.stages:
            for name in set(sections) & {"post", "environment", "runscript", "test"}:
                script = "\n".join(["#!/bin/sh"] + sections[name]) + "\n"
                subprocess.run(["sh", "-n"], input=script, text=True, check=True)
                subprocess.run(["shellcheck", "-"], input=script, text=True, check=True)

    def test_runscript(self):
        script = "\n".join(self.stages[1][1]["runscript"])
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "drumline-info")
            with open(program, "w", encoding="utf-8") as file:
                file.write('#!/bin/sh\necho "$# $2"\n')
            os.chmod(program, 0o755)
            environment = {"PATH": f"{folder}:/usr/bin:/bin"}

            def run(*words):
                return subprocess.run(["sh", "-c", script, "run", *words], env=environment, text=True,
                                      capture_output=True, check=False)

            self.assertEqual(run("info", "--json", "two words").stdout, "2 two words\n")
            for words in ((), ("nonsense",)):
                self.assertEqual(run(*words).returncode, 2)
                self.assertIn("usage: apptainer run", run(*words).stderr)


if __name__ == "__main__":
    unittest.main()
