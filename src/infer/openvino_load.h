/* infer/openvino_load.h - OpenVINO's C library, found and bound at run time.
 *
 * Looked for in: the folder AKIN_OPENVINO names, lib/akin/openvino beside the program's or library's own prefix, the place
 * it was built against, the system's library path.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INFER_OPENVINO_LOAD_H
#define AKIN_INFER_OPENVINO_LOAD_H

#include <openvino/c/openvino.h>

#include "base/status.h"

/* Each row becomes a member with the function's own type. */
#define OPENVINO_FUNCTIONS(X)                                                                                          \
	X(ov_get_openvino_version)                                                                                     \
	X(ov_version_free)                                                                                             \
	X(ov_get_last_err_msg)                                                                                         \
	X(ov_get_error_info)                                                                                           \
	X(ov_free)                                                                                                     \
	X(ov_core_create)                                                                                              \
	X(ov_core_free)                                                                                                \
	X(ov_core_read_model)                                                                                          \
	X(ov_core_compile_model)                                                                                       \
	X(ov_core_import_model)                                                                                        \
	X(ov_core_set_property)                                                                                        \
	X(ov_model_free)                                                                                               \
	X(ov_model_inputs_size)                                                                                        \
	X(ov_model_const_input)                                                                                        \
	X(ov_model_const_output_by_name)                                                                               \
	X(ov_model_reshape_single_input)                                                                               \
	X(ov_model_reshape)                                                                                            \
	X(ov_port_get_partial_shape)                                                                                   \
	X(ov_output_const_port_free)                                                                                   \
	X(ov_partial_shape_free)                                                                                       \
	X(ov_partial_shape_create_static)                                                                              \
	X(ov_layout_create)                                                                                            \
	X(ov_layout_free)                                                                                              \
	X(ov_preprocess_prepostprocessor_create)                                                                       \
	X(ov_preprocess_prepostprocessor_free)                                                                         \
	X(ov_preprocess_prepostprocessor_get_input_info)                                                               \
	X(ov_preprocess_prepostprocessor_get_input_info_by_name)                                                       \
	X(ov_preprocess_prepostprocessor_get_output_info_by_name)                                                      \
	X(ov_preprocess_prepostprocessor_get_output_info_by_index)                                                     \
	X(ov_preprocess_prepostprocessor_build)                                                                        \
	X(ov_preprocess_input_info_free)                                                                               \
	X(ov_preprocess_input_info_get_tensor_info)                                                                    \
	X(ov_preprocess_input_info_get_model_info)                                                                     \
	X(ov_preprocess_input_info_get_preprocess_steps)                                                               \
	X(ov_preprocess_input_tensor_info_free)                                                                        \
	X(ov_preprocess_input_tensor_info_set_element_type)                                                            \
	X(ov_preprocess_input_tensor_info_set_layout)                                                                  \
	X(ov_preprocess_input_model_info_free)                                                                         \
	X(ov_preprocess_input_model_info_set_layout)                                                                   \
	X(ov_preprocess_preprocess_steps_free)                                                                         \
	X(ov_preprocess_preprocess_steps_convert_element_type)                                                         \
	X(ov_preprocess_preprocess_steps_reverse_channels)                                                             \
	X(ov_preprocess_preprocess_steps_mean_multi_channels)                                                          \
	X(ov_preprocess_preprocess_steps_scale_multi_channels)                                                         \
	X(ov_preprocess_output_info_free)                                                                              \
	X(ov_preprocess_output_info_get_tensor_info)                                                                   \
	X(ov_preprocess_output_tensor_info_free)                                                                       \
	X(ov_preprocess_output_set_element_type)                                                                       \
	X(ov_compiled_model_free)                                                                                      \
	X(ov_compiled_model_create_infer_request)                                                                      \
	X(ov_compiled_model_export_model)                                                                              \
	X(ov_compiled_model_get_property)                                                                              \
	X(ov_infer_request_free)                                                                                       \
	X(ov_infer_request_infer)                                                                                      \
	X(ov_infer_request_start_async)                                                                                \
	X(ov_infer_request_wait)                                                                                       \
	X(ov_infer_request_set_callback)                                                                               \
	X(ov_infer_request_get_input_tensor)                                                                           \
	X(ov_infer_request_get_tensor)                                                                                 \
	X(ov_infer_request_get_output_tensor_by_index)                                                                 \
	X(ov_tensor_data)                                                                                              \
	X(ov_tensor_get_shape)                                                                                         \
	X(ov_tensor_get_size)                                                                                          \
	X(ov_tensor_get_byte_size)                                                                                     \
	X(ov_tensor_get_element_type)                                                                                  \
	X(ov_tensor_free)                                                                                              \
	X(ov_shape_free)

struct openvino {
#define X(name) __typeof__(&name) name;
	OPENVINO_FUNCTIONS(X)
#undef X
	char where[1024]; /* the file that was loaded */
};

/* Loaded once for the process; the table lives for ever. AKIN_ERR_UNSUPPORTED says where it was looked for. */
akin_status openvino_load(const struct openvino **out, akin_error *err);

#endif
