# A build for the models of ONNXRUN_OPS_FROM alone: the library of a first build, for the machine that builds and with everything in it,
# loads them and says what took part (tools/needs); only.cmake makes a header of that, which the tables of operators, layers and rewrites ask.
set(models "")
foreach(model IN LISTS ONNXRUN_OPS_FROM)
  get_filename_component(model "${model}" ABSOLUTE BASE_DIR "${PROJECT_SOURCE_DIR}")
  if(NOT EXISTS "${model}")
    message(FATAL_ERROR "onnxrun: ONNXRUN_OPS_FROM names ${model}, which is not there (a path that is not absolute begins at the source)")
  endif()
  list(APPEND models "${model}")
endforeach()
set(needs "${ONNXRUN_NEEDS}")
set(first "")
if(NOT needs)
  include(ExternalProject)
  set(needs "${PROJECT_BINARY_DIR}/first/onnxrun_needs${CMAKE_HOST_EXECUTABLE_SUFFIX}")
  ExternalProject_Add(onnxrun_first SOURCE_DIR "${PROJECT_SOURCE_DIR}" BINARY_DIR "${PROJECT_BINARY_DIR}/first"
    CMAKE_ARGS -DCMAKE_BUILD_TYPE=Release -DONNXRUN_XNNPACK=OFF -DONNXRUN_TESTS=OFF -DONNXRUN_TOOLS=OFF -DONNXRUN_INSTALL=OFF
               -DCMAKE_TOOLCHAIN_FILE= -DONNXRUN_OPS_FROM= -DONNXRUN_PYTHON_PACKAGE=OFF
    BUILD_COMMAND "${CMAKE_COMMAND}" --build <BINARY_DIR> --target onnxrun_needs
    BUILD_ALWAYS ON BUILD_BYPRODUCTS "${needs}" INSTALL_COMMAND "")
  set(first onnxrun_first)
endif()
# Other processors may take part as any of this one's levels.
set(asked avx2 avxvnni avx512 vnni fp16)
if("avx2" IN_LIST levels_of_cpu)
  set(asked ${levels})
endif()
add_custom_command(OUTPUT "${generated}/onnxrun_only.h"
  COMMAND "${CMAKE_COMMAND}" "-DNEEDS=${needs}" "-DMODELS=${models}" "-DLEVELS=${asked}" "-DLAYERS=${PROJECT_SOURCE_DIR}/src/layers/layers.inc"
          "-DTARGET=${generated}/onnxrun_only.h" -P "${PROJECT_SOURCE_DIR}/cmake/only.cmake"
  DEPENDS "${needs}" ${first} ${models} src/layers/layers.inc cmake/only.cmake COMMENT "what the models need" VERBATIM)
add_custom_target(onnxrun_only DEPENDS "${generated}/onnxrun_only.h")
foreach(source IN LISTS sources)
  if(source MATCHES "^src/(layers|nn)/")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_DEFINITIONS ONRI_ALL_LAYERS)
  endif()
endforeach()
