# The Python package: the module _onnxrun over the library, for all CPythons from 3.11 on (the stable ABI). Beside it in
# build/python/onnxrun are links to the package's Python files and to the tool, so that PYTHONPATH=build/python has it all;
# pyproject.toml has the same installed into a wheel.
file(GLOB extension_sources CONFIGURE_DEPENDS python/extension/*.c)
find_package(Python 3.11 QUIET COMPONENTS Interpreter Development.Module)
if(NOT Python_Development.Module_FOUND)
  if(ONNXRUN_PYTHON_PACKAGE STREQUAL "AUTO")
    message(STATUS "Python package: not built, there are no headers of CPython 3.11 or newer (Debian: python3-dev)")
    return()
  endif()
  message(FATAL_ERROR "onnxrun: the Python package needs the headers of CPython 3.11 or newer (Debian, Ubuntu: python3-dev)")
endif()
message(STATUS "Python package: ${Python_INCLUDE_DIRS}")

add_library(onnxrun_python MODULE ${extension_sources})
set_target_properties(onnxrun_python PROPERTIES
  OUTPUT_NAME _onnxrun PREFIX "" SUFFIX ".abi3.so" LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/python/onnxrun")
target_include_directories(onnxrun_python SYSTEM PRIVATE ${Python_INCLUDE_DIRS})
target_compile_options(onnxrun_python PRIVATE $<TARGET_PROPERTY:onnxrun_internal_flags,INTERFACE_COMPILE_OPTIONS>)
target_link_libraries(onnxrun_python PRIVATE onnxrun)
if(APPLE)
  target_link_options(onnxrun_python PRIVATE -undefined dynamic_lookup)
else()
  target_link_options(onnxrun_python PRIVATE -Wl,--exclude-libs,ALL)
endif()

file(GLOB package_files RELATIVE "${PROJECT_SOURCE_DIR}/python/onnxrun" CONFIGURE_DEPENDS
     python/onnxrun/*.py python/onnxrun/*.pyi python/onnxrun/py.typed)
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/python/onnxrun")
foreach(file IN LISTS package_files)
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/python/onnxrun/${file}" "${PROJECT_BINARY_DIR}/python/onnxrun/${file}" SYMBOLIC)
endforeach()
if(TARGET onnxrun_tool)
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/python/onnxrun/bin")
  file(CREATE_LINK "${PROJECT_BINARY_DIR}/onnxrun" "${PROJECT_BINARY_DIR}/python/onnxrun/bin/onnxrun" SYMBOLIC)
endif()

# What a wheel has besides the Python files. Module and tool find a shared library beside them; a wheel holds no links, so the
# library's name has no version.
set(origin "$ORIGIN")
if(APPLE)
  set(origin "@loader_path")
endif()
set(found "${origin}")
if(BUILD_SHARED_LIBS AND NOT SKBUILD)
  list(APPEND found "${origin}/../..") # in the build folder
endif()
set_target_properties(onnxrun_python PROPERTIES INSTALL_RPATH "${found}" BUILD_WITH_INSTALL_RPATH ON) # see install.cmake
install(TARGETS onnxrun_python LIBRARY DESTINATION onnxrun COMPONENT python EXCLUDE_FROM_ALL)
if(SKBUILD)
  set_property(TARGET onnxrun PROPERTY VERSION)
  set_property(TARGET onnxrun PROPERTY SOVERSION)
  install(TARGETS onnxrun LIBRARY DESTINATION onnxrun COMPONENT python EXCLUDE_FROM_ALL)
  set_target_properties(onnxrun_tool PROPERTIES INSTALL_RPATH "${origin}/..")
  install(TARGETS onnxrun_tool RUNTIME DESTINATION onnxrun/bin COMPONENT python EXCLUDE_FROM_ALL)
  if(ONNXRUN_PAGE)
    install(FILES ${ONNXRUN_PAGE} DESTINATION onnxrun/share/onnxrun/report COMPONENT python EXCLUDE_FROM_ALL) # beside onnxrun/bin
  endif()
  if(ONNXRUN_XNNPACK_LICENSES)
    install(DIRECTORY "${ONNXRUN_XNNPACK_LICENSES}/" DESTINATION onnxrun/licenses COMPONENT python EXCLUDE_FROM_ALL)
  endif()
endif()
