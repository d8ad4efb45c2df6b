"""The CMake package built in every way it is used, and the logic of ESP-IDF's and Zephyr's with stand-ins."""

import json
import os
from pathlib import Path

import pytest

MAIN = """
#include <balance.h>
int main(void)
{
    return (int)balance_selftest();
}
"""
HEADER = "cmake_minimum_required(VERSION 3.16)\nproject(user LANGUAGES C)\n"
WAYS = {
    "add_subdirectory": "add_subdirectory(${FOLDER} balance)\n",
    "FetchContent": "include(FetchContent)\n"
    "FetchContent_Declare(balance SOURCE_DIR ${FOLDER})\n"
    "FetchContent_MakeAvailable(balance)\n",
    "find_package": "find_package(balance 0.1 CONFIG REQUIRED)\n",
}
APP = "add_executable(app main.c)\ntarget_link_libraries(app PRIVATE balance::balance)\n"

ESP_IDF = """
# Stands for ESP-IDF: a component is a static library of the sources that it registers.
set(ESP_PLATFORM 1)
set(COMPONENT_LIB __idf_balance)
function(idf_component_register)
  cmake_parse_arguments(component "" "" "SRCS;INCLUDE_DIRS" ${ARGN})
  if(component_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown arguments: ${component_UNPARSED_ARGUMENTS}")
  endif()
  add_library(${COMPONENT_LIB} STATIC ${component_SRCS})
  target_include_directories(${COMPONENT_LIB} PUBLIC ${component_INCLUDE_DIRS})
endfunction()
add_subdirectory(${FOLDER} balance)
add_executable(app main.c)
target_link_libraries(app PRIVATE __idf_balance)
"""
ESP_IDF_EARLY = """
# Stands for the pass in which ESP-IDF asks components what they require: a script, where nothing is built.
set(ESP_PLATFORM 1)
set(CMAKE_BUILD_EARLY_EXPANSION 1)
macro(idf_component_register)
  set(registered "${ARGN}")
  return()
endmacro()
include(${FOLDER}/CMakeLists.txt)
file(WRITE ${ANSWER} "${registered}")
"""
ZEPHYR = """
# Stands for Zephyr: every object of every library is linked.
function(zephyr_library_named name)
  add_library(${name} STATIC)
  set(ZEPHYR_CURRENT_LIBRARY ${name} PARENT_SCOPE)
  set_property(GLOBAL APPEND PROPERTY ZEPHYR_LIBS ${name})
endfunction()
function(zephyr_library_sources)
  target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endfunction()
function(zephyr_library_compile_options)
  target_compile_options(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endfunction()
function(zephyr_include_directories)
  include_directories(${ARGN})
  set_property(GLOBAL APPEND PROPERTY ZEPHYR_INCLUDES ${ARGN})
endfunction()
set(CONFIG_LTC_EDGE_BALANCE y)
set(CONFIG_LTC_EDGE_OTHER y)
foreach(module IN LISTS FOLDERS)
  get_filename_component(name ${module} NAME)
  add_subdirectory(${module}/zephyr ${name})
endforeach()
get_property(libraries GLOBAL PROPERTY ZEPHYR_LIBS)
get_property(includes GLOBAL PROPERTY ZEPHYR_INCLUDES)
add_executable(app main.c)
target_include_directories(app PRIVATE ${includes})
target_link_libraries(app PRIVATE -Wl,--whole-archive ${libraries} -Wl,--no-whole-archive)
"""


@pytest.fixture
def project(tools, tmp_path):
    """Configures, builds and runs a project of these lines; the compiler's commands, by file."""
    tools.need("cmake", "cc", "make")

    def build(lines, main=MAIN, **variables):
        (tmp_path / "CMakeLists.txt").write_text(HEADER + lines)
        (tmp_path / "main.c").write_text(main)
        settings = [f"-D{name}={value}" for name, value in variables.items()]
        settings += ["-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-Werror=dev", "-DCMAKE_BUILD_TYPE=Release"]
        tools.run("cmake", "-S", ".", "-B", "build", *settings, cwd=tmp_path, env=_environment())
        tools.run("cmake", "--build", "build", cwd=tmp_path, env=_environment())
        tools.run("build/app", cwd=tmp_path)
        commands = json.loads((tmp_path / "build" / "compile_commands.json").read_text())
        return {Path(entry["file"]).name: entry["command"] for entry in commands}

    return build


def _environment():
    return {name: value for name, value in os.environ.items() if name not in ("CFLAGS", "CC", "LDFLAGS")}


def assert_contraction_is_off(commands, folder):
    sources = [path.name for path in folder.glob("src/*.c")]
    assert sources
    for name in sources:
        assert "-ffp-contract=off" in commands[name], name


@pytest.mark.parametrize("way", ["add_subdirectory", "FetchContent"])
def test_within_a_project(packaged, project, way, tmp_path, tools):
    commands = project(WAYS[way] + APP, FOLDER=packaged())
    assert_contraction_is_off(commands, packaged())
    # A project that uses a controller does not install it unless it says so.
    tools.run("cmake", "--install", "build", "--prefix", tmp_path / "prefix", cwd=tmp_path)
    assert not (tmp_path / "prefix").exists()


def test_installed_and_found(packaged, project, tools, tmp_path):
    tools.need("cmake", "cc", "make")
    build, prefix = tmp_path / "of the package", tmp_path / "prefix"
    tools.run("cmake", "-S", packaged(), "-B", build, "-Werror=dev", cwd=tmp_path, env=_environment())
    tools.run("cmake", "--build", build, cwd=tmp_path, env=_environment())
    tools.run("cmake", "--install", build, "--prefix", prefix, cwd=tmp_path)
    assert {path.name for path in prefix.glob("include/balance/*")} == {"balance.h", "balance.hpp"}
    project(WAYS["find_package"] + APP, CMAKE_PREFIX_PATH=prefix)


@pytest.mark.parametrize("name", ["test", "m", "Install"])
def test_a_name_that_means_something_to_cmake_or_the_linker(packaged, project, name):
    lines = "enable_testing()\nadd_subdirectory(${FOLDER} it)\nadd_executable(app main.c)\n"
    lines += f"target_link_libraries(app PRIVATE {name}::{name} m)\n"
    project(lines, MAIN.replace("balance", name), FOLDER=packaged("gru", name))


def test_two_controllers_in_one_program(packaged, project):
    lines = "add_subdirectory(${FIRST} first)\nadd_subdirectory(${SECOND} second)\n" + APP
    lines += "target_link_libraries(app PRIVATE other::other)\n"
    main = MAIN.replace("<balance.h>", '<balance.h>\n#include "other.h"').replace(
        "balance_selftest()", "(balance_selftest() | other_selftest())"
    )
    project(lines, main, FIRST=packaged(), SECOND=packaged("cfc wired", "other"))


def test_esp_idf(packaged, project):
    commands = project(ESP_IDF, FOLDER=packaged())
    assert_contraction_is_off(commands, packaged())


def test_esp_idf_asks_what_a_component_requires(packaged, tools, tmp_path):
    tools.need("cmake")
    (tmp_path / "ask.cmake").write_text(ESP_IDF_EARLY)
    answer = tmp_path / "answer"
    definitions = (f"-DFOLDER={packaged()}", f"-DANSWER={answer}")
    tools.run("cmake", *definitions, "-P", "ask.cmake", cwd=tmp_path)
    sources = sorted(f"src/{path.name}" for path in packaged().glob("src/*.c"))
    assert answer.read_text().split(";") == ["SRCS", *sources, "INCLUDE_DIRS", "src"]


def test_zephyr(packaged, project):
    folders = packaged(), packaged("cfc wired", "other")
    main = MAIN.replace("<balance.h>", "<balance.h>\n#include <other.h>").replace(
        "balance_selftest()", "(balance_selftest() | other_selftest())"
    )
    commands = project(ZEPHYR, main, FOLDERS=";".join(map(str, folders)))
    assert_contraction_is_off(commands, folders[0])
