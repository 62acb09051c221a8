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

# Where the target of a build has not got the header of protobuf-c (protobuf_c.cmake).
set(ONNXRUN_PROTOBUF_C_SOURCE "protobuf-c|1.4.1|4cc4facd508172f3e0a4d3a8736225d472418aee35b4ad053384b137b220339f|||gz")

# For targets that have no packages of what is taken from the system elsewhere (companions.cmake), in the order of building: in place of
# the commit stand options of their CMake files.
set(ONNXRUN_COMPANIONS
  "zlib|1.2.13.dfsg|71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1|||bz2"
  "cmocka|1.1.5|f0ccd8242d55e2fd74b16ba518359151f6f8383ff8aef4976e48393f77bba8b6||-DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF -DWITH_STATIC_LIB=ON|xz"
  "cjson|1.7.15|5308fd4bd90cef7aa060558514de6a1a4a0819974a26e6ed13973c5f624c24b2||-DENABLE_CJSON_TEST=OFF -DENABLE_CUSTOM_COMPILER_FLAGS=OFF|gz"
  "libzip|1.7.3|a60473ffdb7b4260c08bfa19c2ccea0438edac11193c3afbbb1f17fbcf6c6132||-DENABLE_COMMONCRYPTO=OFF -DENABLE_GNUTLS=OFF -DENABLE_MBEDTLS=OFF -DENABLE_OPENSSL=OFF -DENABLE_WINDOWS_CRYPTO=OFF -DENABLE_BZIP2=OFF -DENABLE_LZMA=OFF -DBUILD_TOOLS=OFF -DBUILD_REGRESS=OFF -DBUILD_EXAMPLES=OFF -DBUILD_DOC=OFF|xz"
  "pcre2|10.42|c33b418e3b936ee3153de2c61cc638e7e4fe3156022a5c77d0711bcbb9d64f1f||-DPCRE2_BUILD_PCRE2GREP=OFF -DPCRE2_BUILD_TESTS=OFF -DPCRE2_SUPPORT_JIT=ON -DPCRE2_SUPPORT_LIBZ=OFF -DPCRE2_SUPPORT_LIBBZ2=OFF|gz"
  "libpng1.6|1.6.39|a00e9d2f2f664186e4202db9299397f851aea71b36a35e74910b8820e380d441||-DPNG_SHARED=OFF -DPNG_TESTS=OFF -DAWK=|gz"
  "libjpeg-turbo|2.1.5|254f3642b04e309fee775123133c6464181addc150499561020312ec61c1bf7c||-DENABLE_SHARED=OFF -DWITH_SIMD=OFF -DWITH_TURBOJPEG=OFF|gz"
  "tiff|4.5.0|638f43d7dea33948d5dee7f39572fc0194d9cc3c74195de9dd26a4388a1f880a||-Dtiff-tools=OFF -Dtiff-tests=OFF -Dtiff-contrib=OFF -Dtiff-docs=OFF -Dcxx=OFF -Dwebp=OFF -Dlzma=OFF -Dzstd=OFF -Djbig=OFF -Djpeg=OFF -Dlerc=OFF -Dlibdeflate=OFF|bz2"
  "libwebp|1.2.4|7bf5a8a28cc69bcfa8cb214f2c3095703c6b73ac5fba4d5480c205331d9494df||-DWEBP_BUILD_ANIM_UTILS=OFF -DWEBP_BUILD_CWEBP=OFF -DWEBP_BUILD_DWEBP=OFF -DWEBP_BUILD_GIF2WEBP=OFF -DWEBP_BUILD_IMG2WEBP=OFF -DWEBP_BUILD_VWEBP=OFF -DWEBP_BUILD_WEBPINFO=OFF -DWEBP_BUILD_WEBPMUX=OFF -DWEBP_BUILD_EXTRAS=OFF|gz"
  "openjpeg2|2.5.0|007e19d772c8b6b22e35379630b06ff3549e49ba719d96453607a36ad7b4de73||-DBUILD_CODEC=OFF|xz")

# How often an idle thread of the pool looks for work before it sleeps. Upstream's 1,000,000 keep a core busy for tens of ms after
# each call, and on a machine with other work every call waits for that: a test of many short calls took 130 s instead of 5.
set(ONNXRUN_POOL_SPINS 10000)

# Suites whose source lists carry these versions, for distributions whose own suite is older.
set(ONNXRUN_SUITES_debian bookworm trixie forky sid)
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
