# Run by CPack on the staged tree, before it is packed: what Debian's policy wants of documents in a package.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(documents ${root}/usr/share/doc/caisson)
configure_file(${CPACK_CAISSON_SOURCE_DIR}/deploy/debian/copyright ${documents}/copyright COPYONLY)
configure_file(${CPACK_CAISSON_SOURCE_DIR}/CHANGELOG.md ${documents}/changelog COPYONLY)
# Debian's zsh looks here for what packages bring.
file(RENAME ${root}/usr/share/zsh/site-functions ${root}/usr/share/zsh/vendor-completions)
file(REMOVE ${documents}/LICENSE)  # copyright names the system's own copy
file(GLOB pages ${root}/usr/share/man/man*/*)
# -n: no name and no time, so that the same tree gives the same package.
execute_process(COMMAND gzip -9n ${documents}/changelog ${pages} COMMAND_ERROR_IS_FATAL ANY)
