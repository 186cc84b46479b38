# Mutation builds: caissond and its init with one layer left out each, in build/mutation/<layer>/. Tests use them as
# negative controls; nothing installs them. Everything else is the released code, linked again.
set(CAISSON_MUTATIONS
  syscall_filter landlock capability_drop user_namespace_ban network_namespace ipc_namespace uts_namespace
  cgroup_namespace read_only_root restricted_proc pids_limit memory_limit no_new_privs own_descriptors
  user_namespace pid_namespace pivoted_root)

function(caisson_mutation layer)
  string(TOUPPER "CAISSON_WITHOUT_${layer}" definition)
  string(REPLACE "_" "-" suffix ${layer})
  set(directory ${CMAKE_BINARY_DIR}/mutation/${layer})
  caisson_init_program(caisson-init-without-${suffix} ${definition})
  set_target_properties(caisson-init-without-${suffix} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${directory} OUTPUT_NAME caisson-init)
  caisson_init_objects(caisson_init_objects_without_${layer} ${directory}/caisson-init ${definition})
  add_dependencies(caisson_init_objects_without_${layer} caisson-init-without-${suffix})
  caissond_program(caissond-without-${suffix} caisson_init_objects_without_${layer})
  set_target_properties(caissond-without-${suffix} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${directory} OUTPUT_NAME caissond)
  # caissond looks for the dispatcher beside itself, and for profiles in ../../profiles.
  file(MAKE_DIRECTORY ${directory})
  file(CREATE_LINK ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/caisson-dispatcher ${directory}/caisson-dispatcher SYMBOLIC)
endfunction()

foreach(layer IN LISTS CAISSON_MUTATIONS)
  caisson_mutation(${layer})
endforeach()
