# XNNPACK calls pthreadpool, which has threads of its own alone. In our copy of XNNPACK these calls are renamed
# (link_xnnpack.cmake), so that src/base/pool_bridge.c sees them first and a caller's pool can take them. Sets
# ONNXRUN_POOL_BRIDGE. Without it (XNNPACK of the system, no objcopy) XNNPACK runs on the calling thread there.
set(ONNXRUN_POOL_BRIDGE FALSE)
if(CMAKE_OBJCOPY AND UNIX AND NOT APPLE AND NOT EMSCRIPTEN)
  set(ONNXRUN_POOL_BRIDGE TRUE)
endif()
