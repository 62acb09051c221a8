# The tool: build/onnxrun, a user of the public headers and nothing else.
file(GLOB tool_sources CONFIGURE_DEPENDS tools/onnxrun/*.c)
if(tool_sources)
  add_executable(onnxrun_tool ${tool_sources})
  set_target_properties(onnxrun_tool PROPERTIES OUTPUT_NAME onnxrun RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  target_compile_options(onnxrun_tool PRIVATE $<TARGET_PROPERTY:onnxrun_internal_flags,INTERFACE_COMPILE_OPTIONS>)
  target_link_libraries(onnxrun_tool PRIVATE onnxrun m)
endif()
