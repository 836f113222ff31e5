# What `make install` puts where, besides the program, the libraries and the headers: man pages and completions that the
# program itself writes, the pkg-config file, the models, and OpenVINO's libraries unless the system has its own.

# ---- man pages and completions ----
set(pages_dir ${CMAKE_BINARY_DIR}/man)
set(completions_dir ${CMAKE_BINARY_DIR}/completions)
file(MAKE_DIRECTORY ${pages_dir} ${completions_dir})
set(pages ${pages_dir}/akin.1)
add_custom_command(OUTPUT ${pages_dir}/akin.1 COMMAND akin help --man > ${pages_dir}/akin.1 VERBATIM)
file(GLOB command_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/app/cli/cmd_*.c)
foreach(source ${command_sources})
  get_filename_component(name ${source} NAME_WE)
  string(REPLACE cmd_ "" name ${name})
  set(page ${pages_dir}/akin-${name}.1)
  add_custom_command(OUTPUT ${page} COMMAND akin help --man ${name} > ${page} VERBATIM)
  list(APPEND pages ${page})
endforeach()
set(bash_file ${completions_dir}/akin)
set(zsh_file ${completions_dir}/_akin)
set(fish_file ${completions_dir}/akin.fish)
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${${shell}_file} COMMAND akin completion ${shell} > ${${shell}_file} VERBATIM)
endforeach()
add_custom_target(pages ALL DEPENDS ${pages} ${bash_file} ${zsh_file} ${fish_file})
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${bash_file} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${zsh_file} DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${fish_file} DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# ---- pkg-config ----
# Configured at install time, because `cmake --install --prefix` may name another prefix than the configuration did.
install(CODE "set(PROJECT_VERSION ${PROJECT_VERSION})
  set(CMAKE_INSTALL_FULL_LIBDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}\")
  set(CMAKE_INSTALL_FULL_INCLUDEDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}\")
  configure_file(\"${CMAKE_SOURCE_DIR}/cmake/akin.pc.in\" \"${CMAKE_BINARY_DIR}/akin.pc\" @ONLY)")
install(FILES ${CMAKE_BINARY_DIR}/akin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# ---- models, OpenVINO ----
if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/models)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/akin/models)
endif()
if(IS_DIRECTORY ${AKIN_OPENVINO_DIR}/libs AND NOT EXISTS /usr/include/openvino/c/openvino.h)
  install(DIRECTORY ${AKIN_OPENVINO_DIR}/libs/ DESTINATION lib/akin/openvino
    USE_SOURCE_PERMISSIONS)
endif()
