# Run at install time, so that one build serves every prefix (make install, make package): writes the service files
# with the paths of this prefix in them. Expects CAISSON_SOURCE_DIR and CAISSON_GENERATED_DIR; honours DESTDIR.
set(bindir "${CMAKE_INSTALL_PREFIX}/bin")
set(sbindir "${CMAKE_INSTALL_PREFIX}/sbin")
set(datadir "${CMAKE_INSTALL_PREFIX}/share/caisson")
# /usr and /usr/local share the host's /etc; any other prefix keeps to itself.
if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
  set(sysconfdir "/etc")
else()
  set(sysconfdir "${CMAKE_INSTALL_PREFIX}/etc")
endif()

function(caisson_install_generated destination name)
  file(INSTALL "${CAISSON_GENERATED_DIR}${destination}/${name}" DESTINATION "${destination}" TYPE FILE
    PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endfunction()

# Each of deploy/SOURCE to DESTINATION/NAME, with @bindir@ and the like replaced.
function(caisson_install_service_file source destination name)
  configure_file("${CAISSON_SOURCE_DIR}/deploy/${source}" "${CAISSON_GENERATED_DIR}${destination}/${name}" @ONLY)
  caisson_install_generated("${destination}" "${name}")
endfunction()

# systemd looks into lib/ below /usr and /usr/local.
caisson_install_service_file(caissond.service.in "${CMAKE_INSTALL_PREFIX}/lib/systemd/system" caissond.service)
caisson_install_service_file(caisson-gateway.service.in "${CMAKE_INSTALL_PREFIX}/lib/systemd/system" caisson-gateway.service)
caisson_install_service_file(caisson.sysusers "${CMAKE_INSTALL_PREFIX}/lib/sysusers.d" caisson.conf)
caisson_install_service_file(caisson.tmpfiles "${CMAKE_INSTALL_PREFIX}/lib/tmpfiles.d" caisson.conf)
caisson_install_service_file(apparmor/caissond "${datadir}/apparmor" caissond)
caisson_install_service_file(caissond.schema.json "${datadir}" caissond.schema.json)
caisson_install_service_file(tenant-policy.schema.json "${datadir}" tenant-policy.schema.json)
caisson_install_service_file(../docs/openapi.json "${datadir}" openapi.json)
caisson_install_service_file(tokens.schema.json "${datadir}" tokens.schema.json)
caisson_install_service_file(caissond-check.schema.json "${datadir}" caissond-check.schema.json)
foreach(name IN ITEMS prometheus.yml caisson-alerts.yml caisson-metrics.socket caisson-metrics.service)
  caisson_install_service_file(prometheus/${name} "${datadir}/prometheus" ${name})
endforeach()
caisson_install_service_file(grafana/caisson-dashboard.json "${datadir}/grafana" caisson-dashboard.json)

# The administrator's file is never overwritten; the defaults always lie beside the documentation.
file(READ "${CAISSON_SOURCE_DIR}/deploy/caissond.json" configuration)
string(REPLACE "./caissond.schema.json" "${datadir}/caissond.schema.json" configuration "${configuration}")
set(example "${CMAKE_INSTALL_PREFIX}/share/doc/caisson/example")
foreach(destination IN ITEMS "${example}" "${sysconfdir}/caisson")
  if(destination STREQUAL example OR NOT EXISTS "$ENV{DESTDIR}${destination}/caissond.json")
    file(WRITE "${CAISSON_GENERATED_DIR}${destination}/caissond.json" "${configuration}")
    caisson_install_generated("${destination}" caissond.json)
  else()
    message(STATUS "Kept: $ENV{DESTDIR}${destination}/caissond.json")
  endif()
endforeach()
