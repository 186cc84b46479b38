# The Debian package, by CPack (`make package`): what `make install` installs with the prefix /usr, the maintainer scripts
# of deploy/debian/, and dependencies as dpkg-shlibdeps finds them in the programs.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME caisson)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Caisson maintainers <maintainers@caisson.dev>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR})
# Absolute paths (/etc) belong into the package as well, so everything is staged with DESTDIR.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/PackageDocuments.cmake)
set(CPACK_CAISSON_SOURCE_DIR ${CMAKE_SOURCE_DIR})

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# systemd-sysusers makes the user.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS python3)
# For `caisson image build`.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "mmdebstrap, squashfs-tools | erofs-utils, python3-pip, npm")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "daemon that runs untrusted programs, each in a fresh sandbox
Caisson takes programs over gRPC on a Unix socket and runs each in a sandbox of
its own: namespaces, cgroup limits, Landlock, a syscall filter, no capability,
no network. Output streams back as it is written; the result says what ended
the run and which isolation was in force.
.
This package brings the daemon caissond with its systemd unit, the command line
caisson, the shipped profiles and the protocol definitions.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(deploy ${CMAKE_SOURCE_DIR}/deploy/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${deploy}/postinst ${deploy}/prerm ${deploy}/postrm ${deploy}/conffiles)
include(CPack)
