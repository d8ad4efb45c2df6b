"""Generated sources under strict compilers, sanitizers and C++."""

import subprocess

import pytest

MAIN = """
#include "demo.h"
int main(void)
{
    static const float observation[DEMO_OBSERVATIONS] = { 0.0F };
    static const float dts[4] = { 0.02F, -1.0F, 1e30F, 0.0F };
    demo_context context;
    float action[DEMO_ACTIONS];
    if ((demo_selftest() != DEMO_OK) || (demo_reset(&context) != DEMO_OK)) {
        return 1;
    }
    for (uint32_t k = 0U; k < 200U; ++k) {
        if ((demo_step(&context, observation, dts[k % 4U], action) & DEMO_NO_ACTION) != 0U) {
            return 2;
        }
    }
    return demo_version()[0] == 'x';
}
"""


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_sanitizers_find_nothing(lab, case, c_objects, tmp_path):
    if "gcc" not in lab.compilers:
        pytest.skip("gcc is not installed")
    files = lab.sources(case) | {"main.c": MAIN.encode()}
    flags = (
        "-O1",
        "-fsanitize=address,undefined,float-divide-by-zero,float-cast-overflow",
        "-fno-sanitize-recover=all",
    )
    compiled = c_objects.all_of(files, ["gcc"], (*lab.warnings, *flags))
    assert compiled is not None
    run("gcc", *flags, *compiled, "-o", "main", cwd=tmp_path)
    run("./main", cwd=tmp_path)


def test_no_warnings_in_any_kind(lab, case, compiler, c_objects):
    for level in ("-O0", "-O3"):
        assert c_objects.all_of(lab.sources(case), [compiler], (*lab.warnings, level, "-fPIC")) is not None


def test_the_header_is_cpp_too(lab, ltc, compiler, tmp_path):
    lab.write(lab.sources(ltc) | {"use.cpp": MAIN.replace("(void)", "()").encode()}, tmp_path)
    cpp = {"gcc": "g++", "clang": "clang++"}[compiler]
    flags = ("-Wall", "-Wextra", "-Wold-style-cast", "-pedantic", "-Werror")
    for standard in ("-std=c++11", "-std=c++17"):
        run(cpp, standard, *flags, "-fsyntax-only", "use.cpp", cwd=tmp_path)


def test_the_selftest_can_be_left_out(lab, ltc, compiler, tmp_path):
    sources = lab.write(lab.sources(("gru", ltc[1])), tmp_path)
    run(compiler, *lab.warnings, "-DDEMO_NO_SELFTEST", "-c", *sources, cwd=tmp_path)
