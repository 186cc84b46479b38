# Manual pages and shell completions, made from what the built programs say with --help, from docs/man/ and from the
# configuration's schema. Target: operator_files; part of `make build`, since `make install` installs them.
set(caisson_tools ${CMAKE_SOURCE_DIR}/tools)
set(caisson_cli_reader ${caisson_tools}/cli_model.py)
set(caisson_man_pages)
foreach(page caisson.1 caisson-gateway.8 caisson-tls.8 caissond.8 caissond.json.5)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/man/${page}
    COMMAND /usr/bin/python3 ${caisson_tools}/make_man.py --version ${PROJECT_VERSION} --program $<TARGET_FILE:caisson>
            --program $<TARGET_FILE:caissond> --program $<TARGET_FILE:caisson-gateway>
            --program $<TARGET_FILE:caisson-tls> ${CMAKE_SOURCE_DIR}/docs/man/${page}.md ${CMAKE_BINARY_DIR}/man/${page}
    DEPENDS caisson caissond caisson-gateway caisson-tls ${caisson_cli_reader} ${caisson_tools}/make_man.py ${caisson_tools}/man_roff.py
            ${CMAKE_SOURCE_DIR}/docs/man/${page}.md ${CMAKE_SOURCE_DIR}/docs/specification.md
            ${CMAKE_SOURCE_DIR}/deploy/caissond.schema.json
    COMMENT "Making the manual page ${page}" VERBATIM)
  list(APPEND caisson_man_pages ${CMAKE_BINARY_DIR}/man/${page})
  string(REGEX REPLACE ".*\\." "" section ${page})
  install(FILES ${CMAKE_BINARY_DIR}/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

set(caisson_completions ${CMAKE_BINARY_DIR}/completions)
set(caisson_completion_files)
foreach(program caisson caissond)
  foreach(pair bash/${program}=bash-completion/completions zsh/_${program}=zsh/site-functions
               fish/${program}.fish=fish/vendor_completions.d)
    string(REPLACE "=" ";" pair ${pair})
    list(GET pair 0 file)
    list(GET pair 1 directory)
    list(APPEND caisson_completion_files ${caisson_completions}/${file})
    install(FILES ${caisson_completions}/${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/${directory})
  endforeach()
endforeach()
add_custom_command(OUTPUT ${caisson_completion_files}
  COMMAND /usr/bin/python3 ${caisson_tools}/make_completions.py --proto ${CMAKE_SOURCE_DIR}/proto/caisson/v1/run.proto
          --output ${caisson_completions} $<TARGET_FILE:caisson> $<TARGET_FILE:caissond>
  DEPENDS caisson caissond ${caisson_cli_reader} ${caisson_tools}/make_completions.py ${caisson_tools}/completion_bash.py
          ${caisson_tools}/completion_zsh.py ${caisson_tools}/completion_fish.py
          ${CMAKE_SOURCE_DIR}/proto/caisson/v1/run.proto
  COMMENT "Making the shell completions" VERBATIM)

add_custom_target(operator_files DEPENDS ${caisson_man_pages} ${caisson_completion_files})
