# A file as a C array. Run as cmake -DSOURCE=FILE -DNAME=array -DTARGET=FILE.h -P embed.cmake
file(READ "${SOURCE}" bytes HEX)
if(bytes STREQUAL "")
  message(FATAL_ERROR "${SOURCE} is empty")
endif()
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE "${TARGET}" "static const unsigned char ${NAME}[] = {\n${bytes}};\n")
