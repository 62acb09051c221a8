# Brings the sources WANTED, lines of versions.cmake, into SOURCES/NAME, checked. Set WANTED, SOURCES, DOWNLOADS and perhaps DEPS, and
# include.
#
# From the first of these that has an archive: DEPS (a folder of archives), DOWNLOADS (what an earlier run got), the machine's package
# manager, upstream's git.
include("${CMAKE_CURRENT_LIST_DIR}/versions.cmake")

# Apt's options for a sources list of our own: the machine's apt configuration is neither read as a list nor changed.
function(onnxrun_apt_prepare)
  set(ONNXRUN_APT "" PARENT_SCOPE)
  find_program(apt_get apt-get)
  find_program(apt_cache apt-cache)
  if(NOT apt_get OR NOT apt_cache OR NOT EXISTS /etc/os-release)
    return()
  endif()
  file(STRINGS /etc/os-release release REGEX "^(ID|VERSION_CODENAME)=")
  string(REGEX MATCH "(^|;)ID=\"?([a-z]+)" unused "${release}")
  set(id "${CMAKE_MATCH_2}")
  string(REGEX MATCH "VERSION_CODENAME=\"?([a-z]+)" unused "${release}")
  set(codename "${CMAKE_MATCH_1}")
  if(NOT ONNXRUN_SUITES_${id})
    return()
  endif()

  # The address the machine itself gets packages from, whichever way its sources are written down.
  execute_process(COMMAND "${apt_get}" indextargets --format "$(REPO_URI) $(RELEASE) $(COMPONENT)" "Created-By: Packages"
                  OUTPUT_VARIABLE targets ERROR_QUIET)
  if(NOT targets MATCHES "([^ \n]+) ${codename} main")
    return()
  endif()
  set(site "${CMAKE_MATCH_1}")

  set(options "")
  foreach(keyring IN ITEMS /usr/share/keyrings/${id}-archive-keyring.pgp /usr/share/keyrings/${id}-archive-keyring.gpg)
    if(EXISTS "${keyring}")
      set(options "[signed-by=${keyring}] ")
      break()
    endif()
  endforeach()
  set(list "")
  foreach(suite IN ITEMS ${codename} LISTS ONNXRUN_SUITES_${id})
    string(APPEND list "deb-src ${options}${site} ${suite} main universe\n")
  endforeach()
  if(id STREQUAL debian)
    string(REPLACE " universe" "" list "${list}")
  endif()

  set(work "${SOURCES}/apt")
  file(MAKE_DIRECTORY "${work}/lists/partial" "${work}/cache/archives/partial")
  file(WRITE "${work}/sources.list" "${list}")
  # A mirror may be frozen, its lists expired: no harm, as what they lead to is checked against our own sums.
  set(configuration -o "Dir::Etc::sourcelist=${work}/sources.list" -o Dir::Etc::sourceparts=-
      -o "Dir::State::lists=${work}/lists" -o "Dir::Cache=${work}/cache"
      -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=2
      -o Acquire::Check-Valid-Until=false)
  message(STATUS "asking ${site} for the sources (${codename} and newer)")
  # A suite that does not exist (any more) makes update fail; what counts is whether a version is found below.
  execute_process(COMMAND "${apt_get}" ${configuration} -qq update OUTPUT_QUIET ERROR_QUIET)
  set(ONNXRUN_APT_GET "${apt_get}" PARENT_SCOPE)
  set(ONNXRUN_APT_CACHE "${apt_cache}" PARENT_SCOPE)
  set(ONNXRUN_APT "${configuration}" PARENT_SCOPE)
endfunction()

# Downloads FILE of the source NAME with apt, checks it and moves it into DOWNLOADS, which so never holds half a file.
function(onnxrun_apt_download name version sha256 file)
  if(NOT ONNXRUN_APT)
    return()
  endif()
  execute_process(COMMAND "${ONNXRUN_APT_CACHE}" ${ONNXRUN_APT} showsrc --only-source ${name}
                  OUTPUT_VARIABLE found ERROR_QUIET)
  string(REPLACE "." "\\." pattern "${version}")
  if(NOT found MATCHES "\nVersion: (([0-9]+:)?${pattern}-[^\n]*)\n")
    message(STATUS "${name} ${version}: no suite of this machine's distribution has it")
    return()
  endif()
  execute_process(COMMAND "${ONNXRUN_APT_GET}" ${ONNXRUN_APT} -qq source --download-only --tar-only
                          "${name}=${CMAKE_MATCH_1}"
                  WORKING_DIRECTORY "${SOURCES}/apt" OUTPUT_QUIET ERROR_QUIET)
  if(EXISTS "${SOURCES}/apt/${file}")
    onnxrun_check_sha256("${SOURCES}/apt/${file}" ${sha256})
    file(RENAME "${SOURCES}/apt/${file}" "${DOWNLOADS}/${file}")
  endif()
endfunction()

# Checks out COMMIT of REPOSITORY into DIRECTORY. A git commit is its own checksum.
function(onnxrun_git_checkout repository commit directory result)
  set(${result} FALSE PARENT_SCOPE)
  find_program(git git)
  if(NOT git)
    return()
  endif()
  message(STATUS "asking ${repository} for commit ${commit}")
  file(MAKE_DIRECTORY "${directory}")
  foreach(step IN ITEMS "init;--quiet" "fetch;--quiet;--depth=1;${repository};${commit}" "checkout;--quiet;FETCH_HEAD")
    execute_process(COMMAND "${CMAKE_COMMAND}" -E env GIT_TERMINAL_PROMPT=0 "${git}" ${step}
                    WORKING_DIRECTORY "${directory}" RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    if(failed)
      file(REMOVE_RECURSE "${directory}")
      return()
    endif()
  endforeach()
  execute_process(COMMAND "${git}" rev-parse HEAD WORKING_DIRECTORY "${directory}"
                  OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT head STREQUAL commit)
    message(FATAL_ERROR "onnxrun: ${repository} answered with commit ${head}, expected ${commit}")
  endif()
  set(${result} TRUE PARENT_SCOPE)
endfunction()

# Unpacks ARCHIVE into DIRECTORY, without the folder on top inside if there is one.
function(onnxrun_unpack archive directory)
  file(REMOVE_RECURSE "${directory}" "${directory}.unpack")
  file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${directory}.unpack")
  set(root "${directory}.unpack")
  file(GLOB inside "${root}/*")
  list(LENGTH inside count)
  if(count EQUAL 1)
    set(root "${inside}")
  endif()
  file(RENAME "${root}" "${directory}")
  file(REMOVE_RECURSE "${directory}.unpack")
endfunction()

function(onnxrun_check_sha256 archive sha256)
  file(SHA256 "${archive}" found)
  if(NOT found STREQUAL sha256)
    message(FATAL_ERROR "onnxrun: ${archive} is not the file this version was tested with\n"
                        "  SHA-256 expected ${sha256}\n  SHA-256 found    ${found}\n"
                        "Replace or remove it.")
  endif()
endfunction()

function(onnxrun_fetch line)
  onnxrun_source_fields("${line}" name version sha256 repository commit compression)
  set(file "${name}_${version}.orig.tar.${compression}")
  set(archive "${DEPS}/${file}")
  if(NOT DEPS OR NOT EXISTS "${archive}")
    set(archive "${DOWNLOADS}/${file}")
    if(NOT EXISTS "${archive}")
      if(NOT DEFINED ONNXRUN_APT)
        onnxrun_apt_prepare()
        foreach(variable IN ITEMS ONNXRUN_APT ONNXRUN_APT_GET ONNXRUN_APT_CACHE)
          set(${variable} "${${variable}}" PARENT_SCOPE)
        endforeach()
      endif()
      onnxrun_apt_download(${name} ${version} ${sha256} "${file}")
    endif()
  endif()
  if(EXISTS "${archive}")
    onnxrun_check_sha256("${archive}" ${sha256})
    onnxrun_unpack("${archive}" "${SOURCES}/${name}")
    return()
  endif()
  set(done FALSE)
  if(repository)
    onnxrun_git_checkout(${repository} ${commit} "${SOURCES}/${name}" done)
  endif()
  if(NOT done)
    message(FATAL_ERROR "onnxrun: cannot get the source of ${name} ${version}\n"
                        "This machine's package manager did not give it, nor did upstream ${repository}: is there a network?\n"
                        "Without one, put ${file} (SHA-256 ${sha256}) into a folder and set ONNXRUN_DEPS to it.")
  endif()
endfunction()

file(MAKE_DIRECTORY "${SOURCES}" "${DOWNLOADS}")
foreach(source IN LISTS WANTED)
  onnxrun_fetch("${source}")
endforeach()
file(REMOVE_RECURSE "${SOURCES}/apt")
