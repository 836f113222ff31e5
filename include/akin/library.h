/* akin/library.h - a library: a folder NAME.akin/ that holds everything known of a set of pictures.
 *
 * Caveats first. One process at a time writes to a library; another gets AKIN_ERR_BUSY, readers are never blocked.
 * A library must lie on a local file system (SQLite's WAL needs shared memory). Index files inside it are a cache:
 * deleting them loses nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_LIBRARY_H
#define AKIN_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct akin_library akin_library;

/* A picture of the library: one content, shown by one or more files. Ids are never used again. 0 is no picture. */
typedef int64_t akin_id;

enum { AKIN_OPEN_CREATE = 1, AKIN_OPEN_READONLY = 2 };

typedef struct akin_open_params {
	unsigned flags;         /* AKIN_OPEN_*; 0 opens an existing library for reading and writing */
	const char *model;      /* name of the model, or the path of its card; NULL: the library's own, else the default */
	const char *models_dir; /* where models lie; NULL: AKIN_MODELS, beside the program, the data folder */
	const char *cache_dir;  /* compiled models; NULL: XDG_CACHE_HOME/akin; "" : no cache */
	unsigned threads;       /* for inference and decoding; 0: one a core */
} akin_open_params;

/* Open a library. AKIN_ERR_NOT_FOUND when there is none and AKIN_OPEN_CREATE is not set; AKIN_ERR_CORRUPT when its
 * files are damaged; AKIN_ERR_UNSUPPORTED when a newer akin wrote it. The model itself is loaded when first needed. */
AKIN_API akin_status akin_library_open(akin_library **out, const char *dir, const akin_open_params *params,
                                       akin_error *err);
AKIN_API void akin_library_close(akin_library *lib);

/* ---- indexing ---- */

typedef enum akin_outcome {
	AKIN_FILE_ADDED = 0,     /* a content that the library did not know */
	AKIN_FILE_UNCHANGED = 1, /* same path, size and time as before: not read */
	AKIN_FILE_CHANGED = 2,   /* a known path with new content */
	AKIN_FILE_MOVED = 3,     /* known content at a new path whose old path is gone: entry kept */
	AKIN_FILE_DUPLICATE = 4, /* known content at one more path */
	AKIN_FILE_MISSING = 5,   /* a known path that is no longer there */
	AKIN_FILE_PRUNED = 6,    /* a missing path that was removed from the library */
	AKIN_FILE_FAILED = 7,    /* could not be read as a picture: `reason` says why */
	AKIN_OUTCOMES = 8
} akin_outcome;

/* One file's fate. Pointers are valid during the callback only. */
typedef struct akin_file_event {
	akin_outcome outcome;
	const char *path;
	const char *old_path; /* AKIN_FILE_MOVED: where it was, NULL when another content took its place; else NULL */
	const char *reason;   /* AKIN_FILE_FAILED; else NULL */
	akin_id id;           /* 0 when there is none */
} akin_file_event;

typedef struct akin_progress {
	uint64_t found;      /* files met by the walk so far */
	uint64_t done;       /* files whose fate is durable in the store */
	uint64_t to_read;    /* files met so far that must be read (new or changed) */
	uint64_t read;       /* of these, done */
	int walk_finished;   /* then `found` and `to_read` are final */
	double seconds;      /* since the start */
} akin_progress;

typedef struct akin_index_params {
	unsigned jobs;        /* files read at once; 0: cores + 1 */
	int hidden;           /* nonzero: also hidden files and folders, @eaDir, .git */
	int follow_symlinks;  /* nonzero: follow symbolic links to folders (loops are recognised) */
	int prune;            /* nonzero: remove vanished files' entries instead of marking them missing */
	int dry_run;          /* nonzero: tell what would be done; decode and store nothing */
	int retry_failed;     /* nonzero: read unchanged files again that failed before */
	/* All callbacks run on the calling thread. A nonzero return stops: what is done stays, AKIN_ERR_CANCELLED. */
	int (*on_file)(void *user, const akin_file_event *event);
	int (*on_progress)(void *user, const akin_progress *progress); /* at most ten times a second */
	void *user;
} akin_index_params;

typedef struct akin_index_report {
	uint64_t count[AKIN_OUTCOMES]; /* by akin_outcome */
	uint64_t bytes;                /* read from files */
	double seconds;
} akin_index_report;

/* Make `paths` (files or folders) part of the library. A file given by name is tried whatever it is called; in folders,
 * only names with a picture's extension are (akin_is_picture_name). Known files below the given paths that are gone
 * count as missing. `report` may be NULL; it is filled on failure too. Files that cannot be read are not a failure of
 * the call: they are reported and remembered with their reason. */
AKIN_API akin_status akin_library_index(akin_library *lib, const char *const *paths, size_t n_paths,
                                        const akin_index_params *params, akin_index_report *report, akin_error *err);

/* Keep the library true while files change below `paths`: indexes them, then follows the kernel's notices (inotify, with
 * a rescan when they overflow) until on_progress or on_file returns nonzero or *stop becomes nonzero. */
AKIN_API akin_status akin_library_watch(akin_library *lib, const char *const *paths, size_t n_paths,
                                        const akin_index_params *params, const volatile int *stop, akin_error *err);

/* 1 when the name's extension is one that pictures have. */
AKIN_API int akin_is_picture_name(const char *name);

/* ---- what is in it ---- */

typedef struct akin_library_info {
	char *dir;              /* absolute */
	char *model;            /* name, NULL when none was used yet */
	uint64_t pictures;      /* contents with at least one present file, or foreign vectors */
	uint64_t files, missing_files, failed_files;
	uint64_t features;      /* vectors of `model` */
	unsigned dim;
	uint64_t generation;    /* grows with every write that changes vectors */
	uint64_t store_bytes, index_bytes;
	unsigned schema;
} akin_library_info;

AKIN_API akin_status akin_library_get_info(akin_library *lib, akin_library_info *info, akin_error *err);
AKIN_API void akin_library_info_deinit(akin_library_info *info);

typedef struct akin_label {
	char *name;    /* everyday English name */
	char *name_zh; /* Chinese name, "" when unknown */
	float probability;
} akin_label;

/* One of a picture's colours. */
typedef struct akin_colour {
	const char *name; /* black, grey, white, red, orange, yellow, green, blue, purple, pink, brown; static storage */
	char hex[8];      /* "#3a6ea5": the mean of the pixels that have this name */
	unsigned percent; /* of the picture */
} akin_colour;

enum { AKIN_RATING_UNKNOWN = -2 };

/* Everything known of a picture. Owned by the caller: akin_picture_deinit frees all of it. Facts that nobody has said are
 * NULL, NAN or what is named here. */
typedef struct akin_picture {
	akin_id id;
	char **paths;            /* present files first; n_paths of them, n_present present */
	size_t n_paths, n_present;
	unsigned width, height;  /* as shown, after orientation; 0 for foreign vectors */
	char *format;            /* "jpeg", "png", ... or "" */
	uint64_t bytes;          /* of the file */
	char hash[65];           /* content hash, hexadecimal */
	int64_t added_at;        /* seconds since 1970 */
	akin_label *labels;      /* most probable first */
	size_t n_labels;
	int has_vector;
	/* What its file says (EXIF, XMP, IPTC, files beside it) and its pixels show. */
	char *taken;             /* "2023-05-04T10:20:30" of the camera's clock, with "+02:00" when its zone is known */
	char *camera_make, *camera_model, *lens;
	double latitude, longitude, altitude; /* degrees, north and east positive; metres */
	int rating;              /* 1..5, 0 none, -1 rejected, AKIN_RATING_UNKNOWN */
	char *title, *caption, *creator;
	char *sidecar;           /* the text of the .txt file beside it */
	char **keywords;
	size_t n_keywords;
	char **tags;             /* given by the user: akin/tag.h */
	size_t n_tags;
	akin_colour *colours;    /* at most 5, largest first */
	size_t n_colours;
	int is_grey;             /* 1: has no colours; -1: unknown */
} akin_picture;

AKIN_API akin_status akin_picture_get(akin_library *lib, akin_id id, akin_picture *out, akin_error *err);
/* By path, as given or made absolute. AKIN_ERR_NOT_FOUND when the library does not know it. */
AKIN_API akin_status akin_picture_find(akin_library *lib, const char *path, akin_id *id, akin_error *err);
AKIN_API void akin_picture_deinit(akin_picture *picture);

enum { AKIN_LIST_PRESENT = 1, AKIN_LIST_MISSING = 2, AKIN_LIST_FAILED = 4 };

typedef struct akin_listed {
	akin_id id;        /* 0 for failed files */
	const char *path;
	const char *state; /* "present", "missing", "failed" */
	const char *reason; /* failed: why; else NULL */
	unsigned width, height;
	const char *format;
	uint64_t bytes;
} akin_listed;

/* Call `each` for every file of the kinds asked for (0: present), ordered by path, below the folder `in` (NULL: all).
 * A nonzero return of `each` ends the listing without error. */
AKIN_API akin_status akin_library_list(akin_library *lib, unsigned kinds, const char *in,
                                       int (*each)(void *user, const akin_listed *file), void *user, akin_error *err);

/* ---- upkeep ---- */

/* Forget pictures (all their files), or forget files or whole folders by path. *n is how many entries went. The files
 * themselves are never touched. */
AKIN_API akin_status akin_library_remove_ids(akin_library *lib, const akin_id *ids, size_t n_ids, uint64_t *n,
                                             akin_error *err);
AKIN_API akin_status akin_library_remove_paths(akin_library *lib, const char *const *paths, size_t n_paths, uint64_t *n,
                                               akin_error *err);

/* Verify store, features and indexes against one another; `deep` also recomputes every checksum, rereads the files and
 * compares every vector of the index with the store's. `each` receives one sentence a finding. *n_findings counts. */
AKIN_API akin_status akin_library_check(akin_library *lib, int deep, void (*each)(void *user, const char *finding),
                                        void *user, uint64_t *n_findings, akin_error *err);

/* Throw the index files and the keywords away and make them again from the store; compacts the store. */
AKIN_API akin_status akin_library_rebuild(akin_library *lib, akin_error *err);

/* Vectors out: `npy_path` gets a float32 array n x dim (row i belongs to id i of the list), `list_path` one path a line,
 * or CSV (id,path,width,height) when its name ends in .csv. Either may be NULL. *n is how many rows. */
AKIN_API akin_status akin_library_export(akin_library *lib, const char *npy_path, const char *list_path, uint64_t *n,
                                         akin_error *err);

/* Vectors in: row i of the array is the vector of line i of the list (paths as text, or CSV with a column `path`). The
 * paths need not exist. `model` names what made them; an unknown name is registered with the array's dimension. The first
 * import into an empty library makes `model` the library's own and needs the handle to itself. */
AKIN_API akin_status akin_library_import(akin_library *lib, const char *npy_path, const char *list_path,
                                         const char *model, uint64_t *n, akin_error *err);

/* ---- pictures as pixels ---- */

/* A PNG or JPEG (by `format`, "png" or "jpeg") of at most max_side pixels a side, of a file or of a picture of the
 * library (path NULL). *bytes is the caller's; free it with akin_bytes_free. */
AKIN_API akin_status akin_thumbnail(akin_library *lib, akin_id id, const char *path, unsigned max_side,
                                    const char *format, unsigned char **bytes, size_t *n_bytes, akin_error *err);
/* The same as 8-bit RGB rows without padding; *rgb is the caller's. */
AKIN_API akin_status akin_thumbnail_rgb(akin_library *lib, akin_id id, const char *path, unsigned max_side,
                                        unsigned char **rgb, unsigned *width, unsigned *height, akin_error *err);
AKIN_API void akin_bytes_free(void *bytes);

#ifdef __cplusplus
}
#endif
#endif
