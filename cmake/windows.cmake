# What the tool and the tests take from POSIX, on Windows (tools/windows).
include_guard()
add_library(onnxrun_posix STATIC tools/windows/posix.c)
target_include_directories(onnxrun_posix PUBLIC tools/windows)
target_compile_options(onnxrun_posix PUBLIC "SHELL:-include posix.h")
target_compile_definitions(onnxrun_posix PUBLIC _POSIX_C_SOURCE=200809L)
set_property(TARGET onnxrun_posix PROPERTY C_EXTENSIONS ON)
