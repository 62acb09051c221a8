# The tool: build/onnxrun, a user of the public headers and nothing else. libzip reads .npz, cJSON writes JSON.
file(GLOB tool_sources CONFIGURE_DEPENDS tools/onnxrun/*.c)
find_path(ONNXRUN_ZIP_INCLUDE zip.h)
find_library(ONNXRUN_ZIP_LIBRARY zip)
find_path(ONNXRUN_CJSON_INCLUDE cjson/cJSON.h)
find_library(ONNXRUN_CJSON_LIBRARY cjson)
mark_as_advanced(ONNXRUN_ZIP_INCLUDE ONNXRUN_ZIP_LIBRARY ONNXRUN_CJSON_INCLUDE ONNXRUN_CJSON_LIBRARY)
foreach(package IN ITEMS "ZIP;libzip-dev" "CJSON;libcjson-dev")
  list(GET package 0 name)
  list(GET package 1 debian)
  if(NOT ONNXRUN_${name}_INCLUDE OR NOT ONNXRUN_${name}_LIBRARY)
    message(FATAL_ERROR "onnxrun: the tool needs ${debian} (so it is called in Debian and Ubuntu). tools/setup installs it; "
                        "-DONNXRUN_TOOLS=OFF builds the library alone.")
  endif()
endforeach()
# Sound is optional: libsndfile decodes it, libsamplerate changes its rate.
find_path(ONNXRUN_SNDFILE_INCLUDE sndfile.h)
find_library(ONNXRUN_SNDFILE_LIBRARY sndfile)
find_path(ONNXRUN_SAMPLERATE_INCLUDE samplerate.h)
find_library(ONNXRUN_SAMPLERATE_LIBRARY samplerate)
mark_as_advanced(ONNXRUN_SNDFILE_INCLUDE ONNXRUN_SNDFILE_LIBRARY ONNXRUN_SAMPLERATE_INCLUDE ONNXRUN_SAMPLERATE_LIBRARY)
set(have_sound 0)
if(ONNXRUN_SNDFILE_INCLUDE AND ONNXRUN_SNDFILE_LIBRARY AND ONNXRUN_SAMPLERATE_INCLUDE AND ONNXRUN_SAMPLERATE_LIBRARY)
  set(have_sound 1)
else()
  message(STATUS "The tool will not read sound (Debian, Ubuntu: libsndfile1-dev libsamplerate0-dev)")
endif()
# The model that makes inputs of pictures, from its text.
set(picture "${PROJECT_BINARY_DIR}/generated/tool")
file(MAKE_DIRECTORY "${picture}")
add_custom_command(OUTPUT "${picture}/picture_model.h"
  COMMAND "${ONNXRUN_PROTOC_C}" "--proto_path=${PROJECT_SOURCE_DIR}/onnx/file" --encode=onnx.ModelProto onnx.proto
          < "${PROJECT_SOURCE_DIR}/tools/onnxrun/picture.txt" > "${picture}/picture.onnx"
  COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${picture}/picture.onnx" "-DNAME=picture_model" "-DTARGET=${picture}/picture_model.h"
          -P "${PROJECT_SOURCE_DIR}/cmake/embed.cmake"
  DEPENDS tools/onnxrun/picture.txt onnx/file/onnx.proto cmake/embed.cmake COMMENT "picture.txt" VERBATIM)
add_executable(onnxrun_tool ${tool_sources} "${picture}/picture_model.h")
set_target_properties(onnxrun_tool PROPERTIES OUTPUT_NAME onnxrun RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
target_compile_options(onnxrun_tool PRIVATE $<TARGET_PROPERTY:onnxrun_internal_flags,INTERFACE_COMPILE_OPTIONS>)
target_compile_definitions(onnxrun_tool PRIVATE _FILE_OFFSET_BITS=64 ONNXRUN_HAVE_SOUND=${have_sound})
if(ONNXRUN_COVERAGE)
  target_compile_options(onnxrun_tool PRIVATE -fprofile-instr-generate -fcoverage-mapping)
endif()
# It is written for POSIX.
if(WIN32)
  include(cmake/windows.cmake)
  target_link_libraries(onnxrun_tool PRIVATE onnxrun_posix)
  target_sources(onnxrun_tool PRIVATE tools/windows/main.c)
  target_compile_definitions(onnxrun_tool PRIVATE main=onnxrun_main)
endif()
target_include_directories(onnxrun_tool PRIVATE "${picture}")
if(have_sound)
  target_include_directories(onnxrun_tool SYSTEM PRIVATE "${ONNXRUN_SNDFILE_INCLUDE}" "${ONNXRUN_SAMPLERATE_INCLUDE}")
  target_link_libraries(onnxrun_tool PRIVATE "${ONNXRUN_SNDFILE_LIBRARY}" "${ONNXRUN_SAMPLERATE_LIBRARY}")
endif()
target_include_directories(onnxrun_tool SYSTEM PRIVATE "${ONNXRUN_ZIP_INCLUDE}" "${ONNXRUN_CJSON_INCLUDE}")
target_link_libraries(onnxrun_tool PRIVATE onnxrun "${ONNXRUN_ZIP_LIBRARY}" "${ONNXRUN_CJSON_LIBRARY}" m)
# All but what measures the processor is small rather than fast; gcc in C11 does not contract.
set(measures tools/onnxrun/peak.c)
list(TRANSFORM tool_sources REPLACE "^${PROJECT_SOURCE_DIR}/" "")
list(REMOVE_ITEM tool_sources ${measures})
set_property(SOURCE ${tool_sources} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
set_property(SOURCE ${measures} APPEND PROPERTY COMPILE_OPTIONS -ffp-contract=fast)
include(cmake/report.cmake)

# Layers of --plugin call the library's functions, which the tool has in it.
if(NOT BUILD_SHARED_LIBS)
  include(CheckLinkerFlag)
  check_linker_flag(C "-Wl,--export-dynamic-symbol=onr_*" ONNXRUN_EXPORTS_BY_NAME)
  if(WIN32)
    # no plugins: tools/windows/posix.c
  elseif(ONNXRUN_EXPORTS_BY_NAME)
    target_link_options(onnxrun_tool PRIVATE "-Wl,--export-dynamic-symbol=onr_*")
  else()
    set_target_properties(onnxrun_tool PROPERTIES ENABLE_EXPORTS ON)
  endif()
endif()
target_link_libraries(onnxrun_tool PRIVATE ${CMAKE_DL_LIBS})

# What shells and man know of it, from its own tables.
if(NOT CMAKE_CROSSCOMPILING)
  set(texts "${PROJECT_BINARY_DIR}/generated/tool")
  add_custom_command(OUTPUT "${texts}/onnxrun" "${texts}/_onnxrun" "${texts}/onnxrun.1"
    COMMAND onnxrun_tool help bash > "${texts}/onnxrun"
    COMMAND onnxrun_tool help zsh > "${texts}/_onnxrun"
    COMMAND onnxrun_tool help man > "${texts}/onnxrun.1"
    DEPENDS onnxrun_tool COMMENT "completion and the man page" VERBATIM)
  add_custom_target(onnxrun_texts ALL DEPENDS "${texts}/onnxrun" "${texts}/_onnxrun" "${texts}/onnxrun.1")
endif()

onnxrun_link_small(onnxrun_tool)
