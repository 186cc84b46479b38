# caisson_library(NAME SOURCES... [PUBLIC libs] [PRIVATE libs]): the STATIC library of one folder, alias caisson::NAME.
# Headers are included as "folder/header.h" from src/.
function(caisson_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(caisson_${name} STATIC ${ARG_SOURCES})
  add_library(caisson::${name} ALIAS caisson_${name})
  target_include_directories(caisson_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(caisson_${name} PUBLIC ${ARG_PUBLIC} PRIVATE caisson::options ${ARG_PRIVATE})
endfunction()

# caisson_program(NAME SOURCES... LIBS...): a thin program in build/bin.
function(caisson_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE caisson::options ${ARG_LIBS})
endfunction()
