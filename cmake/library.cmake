# The library: every C file below src and, with ONNXRUN_ONNX, below onnx. A new file needs no line here.
file(GLOB_RECURSE sources RELATIVE "${PROJECT_SOURCE_DIR}" CONFIGURE_DEPENDS src/*.c)
if(ONNXRUN_ONNX)
  file(GLOB_RECURSE onnx_sources RELATIVE "${PROJECT_SOURCE_DIR}" CONFIGURE_DEPENDS onnx/*.c)
  list(APPEND sources ${onnx_sources})
endif()
# What the system gives is asked in src/base/system, in one file for each.
if(WIN32)
  list(FILTER sources EXCLUDE REGEX "^src/base/system/.*_posix\\.c$")
else()
  list(FILTER sources EXCLUDE REGEX "^src/base/system/.*_windows\\.c$")
endif()
if(NOT ONNXRUN_XNNPACK)
  list(FILTER sources EXCLUDE REGEX "^src/xnn/")
endif()

# Threads of our own: where XNNPACK takes them, and where there is none; a browser's are its page's.
if(NOT ONNXRUN_XNNPACK AND NOT EMSCRIPTEN)
  set_property(SOURCE src/base/threads.c tests/base/test_crew.c APPEND PROPERTY COMPILE_DEFINITIONS ONNXRUN_CREW)
  list(FILTER sources EXCLUDE REGEX "^src/base/pool_bridge\\.c$")
elseif(ONNXRUN_POOL_BRIDGE)
  set_property(SOURCE src/base/threads.c tests/base/test_crew.c APPEND PROPERTY COMPILE_DEFINITIONS ONNXRUN_CREW)
  set_property(SOURCE src/base/threads.c tests/base/test_pool_bridge.c tests/base/test_crew.c tests/onnx/test_thread_pool.c APPEND PROPERTY COMPILE_DEFINITIONS ONNXRUN_POOL_BRIDGE)
else()
  list(FILTER sources EXCLUDE REGEX "^src/base/(pool_bridge|crew)\\.c$")
endif()

foreach(name IN ITEMS JPEG PNG TIFF WEBP JPEG2000)
  string(TOLOWER "${name}" file)
  if(NOT name IN_LIST ONNXRUN_PICTURES)
    list(FILTER sources EXCLUDE REGEX "^src/layers/image/${file}\\.c$")
    set(have 0)
  else()
    set_property(SOURCE "src/layers/image/${file}.c" APPEND PROPERTY INCLUDE_DIRECTORIES "${ONNXRUN_PICTURE_${name}_INCLUDE}")
    set(have 1)
  endif()
  set_property(SOURCE src/layers/image/picture_file.c APPEND PROPERTY COMPILE_DEFINITIONS "ONNXRUN_HAVE_${name}=${have}")
endforeach()

# Kernels named *_simd.c are compiled once for each level of the instruction set (src/kernels/kernels.h); callers ask the
# processor first.
set(kernel_options $<$<NOT:$<CONFIG:Debug,MinSizeRel>>:-O3> -ffp-contract=fast -fno-math-errno -fno-trapping-math)
set(levels base)
set(base "")
set(avx2 -mavx2 -mfma -mf16c)
set(avxvnni ${avx2} -mavxvnni)
set(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c)
set(vnni ${avx512} -mavx512vnni)
set(fp16 ${vnni} -mavx512fp16)
set(dot -march=armv8.2-a+fp16+dotprod)
# Those of the architecture, in the order of src/base/cpu.h.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
check_c_source_compiles("#if !defined(__aarch64__)\n#error other\n#endif\nint main(void) { return 0; }" ONNXRUN_IS_AARCH64)
set(levels_of_cpu base avx2 avxvnni avx512 vnni fp16)
if(ONNXRUN_IS_AARCH64)
  set(levels_of_cpu base dot)
endif()
if(ONNXRUN_IS_AARCH64 OR (CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8))
  foreach(level IN LISTS levels_of_cpu)
    list(JOIN ${level} " " flags)
    if(level IN_LIST ONNXRUN_WIDE_LEVELS)
      check_c_compiler_flag("${flags}" ONNXRUN_COMPILER_HAS_${level})
      if(ONNXRUN_COMPILER_HAS_${level})
        list(APPEND levels ${level})
      endif()
    endif()
  endforeach()
endif()
if(levels STREQUAL "base")
  set_property(SOURCE src/base/cpu.c APPEND PROPERTY COMPILE_DEFINITIONS ONNXRUN_NO_WIDE_KERNELS)
endif()
# Which of them have a table of their own: of what computes in float16 (HALF) the first and those that can; of what multiplies bytes (DOT) all
# others; of what does not (COMMON) those that add more than that; of what wide vectors bring nothing to (NARROW) those up to AVX2.
set(HALF_levels base fp16 dot)
set(DOT_levels ${levels})
list(REMOVE_ITEM DOT_levels fp16)
set(COMMON_levels ${DOT_levels})
list(REMOVE_ITEM COMMON_levels avxvnni vnni dot)
set(NARROW_levels ${COMMON_levels})
list(REMOVE_ITEM NARROW_levels avx512)
# Each level of the processor takes the last one up to it that has.
foreach(class IN ITEMS COMMON DOT NARROW HALF)
  set(last base)
  set(all "")
  foreach(level IN LISTS levels_of_cpu)
    if(level IN_LIST levels AND level IN_LIST ${class}_levels)
      set(last ${level})
    endif()
    list(APPEND all ${last})
  endforeach()
  list(JOIN all "," all)
  set_property(SOURCE src/kernels/kernels.c APPEND PROPERTY COMPILE_DEFINITIONS "ONRI_${class}_LEVELS=${all}")
endforeach()
set(half_levels 0)
if("fp16" IN_LIST levels OR "dot" IN_LIST levels)
  set(half_levels 1)
endif()
set_property(SOURCE src/layers/matmul/product.c src/layers/conv/conv_common.c APPEND PROPERTY COMPILE_DEFINITIONS ONRI_HALF_LEVELS=${half_levels})
set(shortest -Os)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  set(shortest -Oz)
endif()
set(simd_sources ${sources})
list(FILTER simd_sources INCLUDE REGEX "_simd\\.c$")
list(FILTER sources EXCLUDE REGEX "_simd\\.c$")
# What hands work on is small rather than fast: all but these loops over elements. And of those all but some are as fast without being
# unrolled. Both were found by timing the sweeps of tools/comparing.
set(loops
  base/numbers base/digest base/env base/threads exec/frame exec/session[.]
  kernels/attention/attention_f64 kernels/conv/conv_direct kernels/conv_integer
  kernels/convert kernels/elementwise kernels/index kernels/matmul/gemm kernels/matmul/lu kernels/matmul/nbits kernels/move kernels/norm kernels/pool
  kernels/quantize kernels/reduce kernels/resize kernels/signal
  layers/conv/causal_conv layers/conv/col2im layers/conv/conv_integer layers/conv/conv_tail layers/conv/deform_conv layers/elementwise layers/image layers/index
  layers/matmul/einsum layers/matmul/integer_ layers/matmul/product layers/matmul/solve layers/ml layers/move layers/norm layers/pool layers/quantize
  layers/random layers/recurrent/byte layers/reduce layers/resize layers/signal layers/train)
set(unrolled_loops
  kernels/index kernels/matmul/gemm kernels/move kernels/reduce kernels/resize kernels/pool/pool[.]
  layers/elementwise/binary_classes layers/elementwise/where layers/index/gather layers/matmul/einsum layers/pool layers/reduce layers/resize/grid_sample
  layers/resize/roi_align layers/signal)
list(JOIN loops "|" loops)
list(JOIN unrolled_loops "|" unrolled_loops)
foreach(source IN LISTS sources)
  if(source MATCHES "^src/kernels/")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS ${kernel_options})
  endif()
  set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:MinSizeRel>:${shortest}>)
  if(ONNXRUN_COVERAGE AND source MATCHES "^(onnx|src/exec)/")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS -fprofile-instr-generate -fcoverage-mapping)
  endif()
  if(ONNXRUN_COVERAGE AND source MATCHES "^src/(base|exec)/")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_DEFINITIONS ONNXRUN_WATCHED)
  endif()
  if(source MATCHES "^src/kernels/" AND NOT source MATCHES "^src/(${loops})") # packing as -Oz has it takes a twentieth longer
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
  elseif(NOT source MATCHES "^src/(${loops})")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:${shortest}>)
  elseif(NOT source MATCHES "^src/(${unrolled_loops})")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS -fno-unroll-loops)
  endif()
  # Upstream's headers are not held to our warnings (-isystem).
  if(ONNXRUN_XNNPACK AND source MATCHES "^src/xnn/")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS
                 "-isystem${ONNXRUN_XNNPACK_INCLUDE}" "-isystem${ONNXRUN_PTHREADPOOL_INCLUDE}")
  elseif(ONNXRUN_XNNPACK AND source MATCHES "^src/base/")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS "-isystem${ONNXRUN_PTHREADPOOL_INCLUDE}")
  elseif(ONNXRUN_HAVE_PCRE2 AND source STREQUAL "src/layers/text/regex.c")
    set_property(SOURCE "${source}" APPEND PROPERTY INCLUDE_DIRECTORIES "${ONNXRUN_PCRE2_INCLUDE}")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_DEFINITIONS ONNXRUN_HAVE_PCRE2=1)
  elseif(source MATCHES "^onnx/")
    set_property(SOURCE "${source}" APPEND PROPERTY INCLUDE_DIRECTORIES
                 "${PROJECT_BINARY_DIR}/generated" "${ONNXRUN_PROTOBUF_C_INCLUDE}")
  endif()
endforeach()

# What files of packed weights are for.
set(generated "${PROJECT_BINARY_DIR}/generated")
file(MAKE_DIRECTORY "${generated}")
file(GLOB_RECURSE digested CONFIGURE_DEPENDS src/*.[ch] src/*.inc onnx/*.[ch] include/*.h)
add_custom_command(OUTPUT "${generated}/onnxrun_sources.stamp" BYPRODUCTS "${generated}/onnxrun_sources.h"
  COMMAND "${CMAKE_COMMAND}" "-DROOT=${PROJECT_SOURCE_DIR}" "-DTARGET=${generated}/onnxrun_sources.h"
          -P "${PROJECT_SOURCE_DIR}/cmake/source_digest.cmake"
  COMMAND "${CMAKE_COMMAND}" -E touch "${generated}/onnxrun_sources.stamp"
  DEPENDS ${digested} "${PROJECT_SOURCE_DIR}/cmake/source_digest.cmake" COMMENT "digest of the sources" VERBATIM)
add_custom_target(onnxrun_sources DEPENDS "${generated}/onnxrun_sources.stamp")
set_property(SOURCE src/model/packed.c APPEND PROPERTY INCLUDE_DIRECTORIES "${generated}")

# What programs that are written as C are made of.
file(GLOB parts CONFIGURE_DEPENDS src/compile/parts/*.inc)
add_custom_command(OUTPUT "${generated}/onnxrun_parts.h"
  COMMAND "${CMAKE_COMMAND}" "-DPARTS=${PROJECT_SOURCE_DIR}/src/compile/parts" "-DTARGET=${generated}/onnxrun_parts.h"
          -P "${PROJECT_SOURCE_DIR}/cmake/parts.cmake"
  DEPENDS ${parts} "${PROJECT_SOURCE_DIR}/cmake/parts.cmake" COMMENT "parts of programs" VERBATIM)
list(APPEND sources "${generated}/onnxrun_parts.h")
set_property(SOURCE src/compile/text.c APPEND PROPERTY INCLUDE_DIRECTORIES "${generated}")

if(ONNXRUN_OPS_FROM)
  include(cmake/ops_from.cmake)
endif()

# What onr_version says.
set(kernel_library none)
if(ONNXRUN_XNNPACK)
  set(kernel_library "xnnpack ${ONNXRUN_XNNPACK_VERSION}")
endif()
set_property(SOURCE src/base/version.c APPEND PROPERTY COMPILE_DEFINITIONS "ONNXRUN_KERNEL_LIBRARY=\"${kernel_library}\"")

# A parent project that says nothing of its build type would get kernels without optimisation.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  add_compile_options(-O2)
endif()

# What all code inside the repository is compiled with, tests included.
add_library(onnxrun_internal_flags INTERFACE)
target_include_directories(onnxrun_internal_flags INTERFACE
  "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
target_compile_options(onnxrun_internal_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wno-sign-conversion
  $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> # messages are bounded on purpose
  $<$<BOOL:${ONNXRUN_WERROR}>:-Werror>)
target_compile_definitions(onnxrun_internal_flags INTERFACE
  _FILE_OFFSET_BITS=64 # files beyond 2 GiB, also where a long has 32 bits
  $<$<BOOL:${MINGW}>:__USE_MINGW_ANSI_STDIO=1> # %zu and %lld as in C
  $<$<BOOL:${ONNXRUN_XNNPACK}>:ONNXRUN_HAVE_XNNPACK=1>
  $<$<BOOL:${ONNXRUN_XNNPACK}>:ONNXRUN_HAVE_PTHREADPOOL=1> # it comes with XNNPACK
  $<$<BOOL:${ONNXRUN_ONNX}>:ONNXRUN_HAVE_ONNX=1>
  $<$<BOOL:${ONNXRUN_OPS_FROM}>:ONNXRUN_ONLY>)
if(ONNXRUN_OPS_FROM)
  target_include_directories(onnxrun_internal_flags INTERFACE "${generated}")
  target_compile_options(onnxrun_internal_flags INTERFACE -Wno-unused-function -Wno-unused-const-variable) # what no row names
endif()

add_library(onnxrun_objects OBJECT ${sources})
add_dependencies(onnxrun_objects onnxrun_sources)
if(ONNXRUN_OPS_FROM)
  add_dependencies(onnxrun_objects onnxrun_only)
endif()
if(ONNXRUN_XNNPACK)
  add_dependencies(onnxrun_objects onnxrun_xnnpack)
endif()
target_link_libraries(onnxrun_objects PRIVATE onnxrun_internal_flags)
target_compile_definitions(onnxrun_objects PRIVATE ONNXRUN_BUILDING $<$<NOT:$<BOOL:${ONNXRUN_MESSAGES}>>:ONNXRUN_BRIEF> $<$<BOOL:${BUILD_SHARED_LIBS}>:ONNXRUN_SHARED>)
set(objects $<TARGET_OBJECTS:onnxrun_objects>)
# Loops in vectors are written as wide as they are to be: what the compiler unrolls beyond that is a seventh of their code, and no faster but
# in these. Those that memory bounds, of which there are hundreds, do not gain from -O3 either.
set(unrolled ${simd_sources})
list(FILTER unrolled INCLUDE REGEX "/(move|norm|resize)/")
set_property(SOURCE ${simd_sources} APPEND PROPERTY COMPILE_OPTIONS -fno-unroll-loops)
set_property(SOURCE ${unrolled} APPEND PROPERTY COMPILE_OPTIONS $<$<NOT:$<CONFIG:MinSizeRel>>:-funroll-loops>)
set_property(SOURCE src/kernels/convert/convert_simd.c src/kernels/elementwise/typed_narrow_simd.c src/kernels/reduce/reduce_simd.c
             APPEND PROPERTY COMPILE_OPTIONS $<$<NOT:$<CONFIG:MinSizeRel>>:-O2>)
set(short_sources ${simd_sources})
list(FILTER short_sources INCLUDE REGEX "/(pool|norm)/|/winograd_simd")
set_property(SOURCE ${short_sources} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
foreach(level IN LISTS levels)
  set(level_sources ${simd_sources})
  if(NOT level IN_LIST HALF_levels)
    list(FILTER level_sources EXCLUDE REGEX "_half_simd\\.c$")
  endif()
  if(NOT level IN_LIST DOT_levels)
    list(FILTER level_sources INCLUDE REGEX "_half_simd\\.c$")
  elseif(NOT level IN_LIST COMMON_levels)
    list(FILTER level_sources INCLUDE REGEX "_(dot|half)_simd\\.c$")
  elseif(NOT level IN_LIST NARROW_levels)
    list(FILTER level_sources EXCLUDE REGEX "_narrow_simd\\.c$")
  endif()
  add_library(onnxrun_kernels_${level} OBJECT ${level_sources})
  target_link_libraries(onnxrun_kernels_${level} PRIVATE onnxrun_internal_flags)
  if(ONNXRUN_OPS_FROM)
    add_dependencies(onnxrun_kernels_${level} onnxrun_only)
  endif()
  target_compile_options(onnxrun_kernels_${level} PRIVATE ${kernel_options} ${${level}})
  if(ONNXRUN_FUZZ) # no counters: which of their branches is taken tells a fuzzer little, and they are most of all there are
    target_compile_options(onnxrun_kernels_${level} PRIVATE -fno-sanitize-coverage=edge,inline-8bit-counters,pc-table)
  endif()
  # Where there are others, the first level is for processors of before 2013: short rather than unrolled for each size.
  # MinSizeRel has every level so.
  set(plain $<CONFIG:MinSizeRel>:ONRI_PLAIN=2)
  set(short $<CONFIG:MinSizeRel>)
  if("${level}" STREQUAL "base" AND "avx2" IN_LIST levels) # in quotes: names of levels are names of variables
    list(APPEND plain $<CONFIG:Release>:ONRI_PLAIN=1)
    set(short $<CONFIG:Release,MinSizeRel>)
  endif()
  list(TRANSFORM plain REPLACE ".+" "$<\\0>")
  set(loops_stay ${short})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^riscv") # vectors of one element
    set(loops_stay 1)
  endif()
  target_compile_options(onnxrun_kernels_${level} PRIVATE $<${short}:${shortest}> $<${loops_stay}:-Wno-pass-failed>)
  target_compile_definitions(onnxrun_kernels_${level} PRIVATE ${plain})
  target_compile_definitions(onnxrun_kernels_${level} PRIVATE ONRI_LEVEL=${level} ONNXRUN_BUILDING $<$<BOOL:${BUILD_SHARED_LIBS}>:ONNXRUN_SHARED>)
  list(APPEND objects $<TARGET_OBJECTS:onnxrun_kernels_${level}>)
endforeach()

if(ONNXRUN_ONNX AND EXISTS "${PROJECT_SOURCE_DIR}/onnx/file/onnx.proto")
  add_custom_command(OUTPUT "${generated}/onnx.pb-c.c" "${generated}/onnx.pb-c.h"
    COMMAND "${ONNXRUN_PROTOC_C}" "--proto_path=${PROJECT_SOURCE_DIR}/onnx/file" "--c_out=${generated}" onnx.proto
    DEPENDS "${PROJECT_SOURCE_DIR}/onnx/file/onnx.proto" COMMENT "protoc-c onnx.proto" VERBATIM)
  add_custom_target(onnxrun_proto DEPENDS "${generated}/onnx.pb-c.h" ${ONNXRUN_PROTOBUF_C_HEADER})
  add_dependencies(onnxrun_objects onnxrun_proto)
endif()

# A static library leaves its own dependencies to whoever links it; after installation ours lie beside it.
set(dependencies "")
if(ONNXRUN_XNNPACK)
  foreach(file IN LISTS ONNXRUN_XNNPACK_LIBRARIES)
    if(ONNXRUN_XNNPACK_BUNDLED)
      get_filename_component(name "${file}" NAME)
      list(APPEND dependencies $<BUILD_INTERFACE:${file}>
           $<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${CMAKE_INSTALL_LIBDIR}/onnxrun/${name}>)
    else()
      list(APPEND dependencies "${file}")
    endif()
  endforeach()
endif()
if(ONNXRUN_HAVE_PCRE2)
  list(APPEND dependencies $<BUILD_INTERFACE:${ONNXRUN_PCRE2_LIBRARY}> $<INSTALL_INTERFACE:pcre2-8>)
endif()
foreach(name IN LISTS ONNXRUN_PICTURES)
  string(REGEX REPLACE "^lib|-4$" "" plain "${ONNXRUN_PICTURE_${name}_PC}")
  list(APPEND dependencies $<BUILD_INTERFACE:${ONNXRUN_PICTURE_${name}_LIBRARY}> $<INSTALL_INTERFACE:${plain}>)
endforeach()
list(APPEND dependencies Threads::Threads m)
if(WIN32)
  list(APPEND dependencies ntdll) # src/base/system/file_windows.c
endif()

# Tests reach inside, so they link a static library also where the product is a shared one.
add_library(onnxrun ${objects})
add_library(onnxrun::onnxrun ALIAS onnxrun)
if(BUILD_SHARED_LIBS)
  add_library(onnxrun_internal STATIC EXCLUDE_FROM_ALL ${objects})
  if(NOT APPLE)
    target_link_options(onnxrun PRIVATE -Wl,--exclude-libs,ALL)
  endif()
else()
  add_library(onnxrun_internal ALIAS onnxrun)
endif()
foreach(library IN ITEMS onnxrun onnxrun_internal)
  get_target_property(alias ${library} ALIASED_TARGET)
  if(NOT alias)
    set_target_properties(${library} PROPERTIES LINKER_LANGUAGE C)
    target_link_libraries(${library} PRIVATE ${dependencies})
  endif()
endforeach()
# What may break binaries by the rule in version.h.
set(binary_version ${PROJECT_VERSION_MAJOR})
if(binary_version EQUAL 0)
  set(binary_version "0.${PROJECT_VERSION_MINOR}")
endif()
set_target_properties(onnxrun PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${binary_version})
target_compile_definitions(onnxrun INTERFACE $<$<BOOL:${BUILD_SHARED_LIBS}>:ONNXRUN_SHARED>)
target_include_directories(onnxrun INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
