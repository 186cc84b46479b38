# What `make install` installs. caisson-init is not among it: it lives inside caissond and is executed from a sealed
# memory file. Profiles are shipped defaults and go to share/; an operator who changes them copies the directory and
# names the copy in the configuration (profiles_dir), so an upgrade never meets an edited file.
# Nothing is setuid or has file capabilities: caissond is started as root.
install(TARGETS caisson RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS caissond RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS caisson-gateway caisson-tls RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS caisson-dispatcher RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/caisson)

install(DIRECTORY profiles/ DESTINATION ${CMAKE_INSTALL_DATADIR}/caisson/profiles
  FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
  DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE
  FILES_MATCHING PATTERN "*.json")
install(DIRECTORY proto/caisson third_party/google DESTINATION ${CMAKE_INSTALL_DATADIR}/caisson/proto
  FILES_MATCHING PATTERN "*.proto")

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(CODE "
  set(CAISSON_SOURCE_DIR \"${CMAKE_SOURCE_DIR}\")
  set(CAISSON_GENERATED_DIR \"${CMAKE_BINARY_DIR}/service\")
  include(\"${CMAKE_SOURCE_DIR}/cmake/InstallServiceFiles.cmake\")")

include(CaissonOperatorFiles)
