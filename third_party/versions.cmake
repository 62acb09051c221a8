# Every version and checksum of a dependency that is built from source: this file and no other.
#
# One line each: name | upstream version as Debian and Ubuntu spell it | SHA-256 of NAME_VERSION.orig.tar.COMPRESSION
#                | upstream repository | commit (what the archive was made from), or nothing | COMPRESSION, if not xz
#
# XNNPACK's own copies of these are older; cpuinfo must know the CPUs of 2025. XNNPACK needs no FP16 library
# since it has conversions of its own.
set(ONNXRUN_SOURCES
  "xnnpack|0.0~git20241108.4ea82e5|90bde2caef0f880f627bab0dc805a86c4b8070cd98e3243db3046ab3f3be1a99|https://github.com/google/XNNPACK|4ea82e595b36106653175dcb04b2aa532660d0d8"
  "pthreadpool|0.0~git20240616.560c60d|4cc3cbd933b28131d2a34edc54f76af9fb41bc490af5eae1a5bd3cd07ea90708|https://github.com/google/pthreadpool|560c60d342a76076f0557a3946924c6478470044"
  "cpuinfo|0.0~git20250905.877328f|557ca404a3836b9f335a3a06b65ff9fe9dbaaefab7fb5c0185f53d9f33615a10|https://github.com/pytorch/cpuinfo|877328f188a3c7d1fa855871a278eb48d530c4c0"
  "fxdiv|0.0~git20200417.b408327|7953482badaf4cb34026c3487c257b8e4ab2df061c019bd6fabbbc12ad52c44b|https://github.com/Maratyszcza/FXdiv|b408327ac2a15ec3e43352421954f5b1967701d1")

# Where the target of a build has no protobuf-c (protobuf_c.cmake).
set(ONNXRUN_PROTOBUF_C_SOURCE "protobuf-c|1.4.1|4cc4facd508172f3e0a4d3a8736225d472418aee35b4ad053384b137b220339f|||gz")

# How often an idle thread of the pool looks for work before it sleeps. Upstream's 1,000,000 keep a core busy for tens of ms after
# each call, and on a machine with other work every call waits for that: a test of many short calls took 130 s instead of 5.
set(ONNXRUN_POOL_SPINS 10000)

# Suites whose source lists carry these versions, for distributions whose own suite is older.
set(ONNXRUN_SUITES_debian trixie forky sid)
set(ONNXRUN_SUITES_ubuntu plucky questing resolute devel)

# Splits one line of these into variables of the caller.
function(onnxrun_source_fields line name version sha256 repository commit compression)
  string(REPLACE "|" ";" fields "${line};xz")
  foreach(pair IN ITEMS "0;${name}" "1;${version}" "2;${sha256}" "3;${repository}" "4;${commit}" "5;${compression}")
    list(GET pair 0 index)
    list(GET pair 1 variable)
    list(GET fields ${index} value)
    set(${variable} "${value}" PARENT_SCOPE)
  endforeach()
endfunction()
