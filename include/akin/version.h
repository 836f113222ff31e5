/* akin/version.h - version of the library and the export mark.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_VERSION_H
#define AKIN_VERSION_H

#define AKIN_VERSION_MAJOR 0
#define AKIN_VERSION_MINOR 1
#define AKIN_VERSION_PATCH 0
#define AKIN_VERSION "0.1.0"

#if defined(__GNUC__)
#define AKIN_API __attribute__((visibility("default")))
#else
#define AKIN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, which may differ from the header's: "0.1.0". Static storage. */
AKIN_API const char *akin_version(void);

#ifdef __cplusplus
}
#endif
#endif
