-- store/schema.sql - the tables of a library, version 1. Told in prose by docs/schema.md.
-- SPDX-License-Identifier: Apache-2.0
--
-- Unsigned 64-bit numbers (inode, device, generation) are kept as SQLite's signed ones, bit for bit.

PRAGMA application_id = 0x616b696e; -- "akin"

-- One row: what the file is.
CREATE TABLE state (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	identity BLOB NOT NULL CHECK (length(identity) = 16), -- random, made with the file; index files name it
	generation INTEGER NOT NULL                           -- the last seq given to a change of features
) STRICT;
INSERT INTO state VALUES (1, randomblob(16), 0);

CREATE TABLE setting (
	name TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE model (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), -- of the card's content and its files
	name TEXT NOT NULL,                                  -- not unique: a new version of a model keeps the name
	dim INTEGER NOT NULL CHECK (dim > 0),
	metric INTEGER NOT NULL                              -- enum metric
) STRICT;

-- Names of what a model's classifier tells apart.
CREATE TABLE class (
	model_id INTEGER NOT NULL REFERENCES model,
	class_index INTEGER NOT NULL,
	name TEXT NOT NULL,
	name_zh TEXT NOT NULL,                               -- '' when unknown
	PRIMARY KEY (model_id, class_index)
) STRICT, WITHOUT ROWID;

-- One content, whatever the number of files that hold it. AUTOINCREMENT: ids are never used again.
CREATE TABLE picture (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), -- BLAKE2b-256 of the file's bytes
	width INTEGER NOT NULL,                              -- pixels, after orientation
	height INTEGER NOT NULL,
	format TEXT NOT NULL,
	bytes INTEGER NOT NULL,
	added_at INTEGER NOT NULL,                           -- seconds since 1970
	is_foreign INTEGER NOT NULL CHECK (is_foreign IN (0, 1)) -- an imported vector: akin never read the file
) STRICT;

-- Paths and what became of them. A path that could not be read as a picture is a row too (state 2), so that no path can
-- be a file and a failure at once. Clustered by path: a folder is one range.
CREATE TABLE file (
	path BLOB PRIMARY KEY,                               -- bytes, compared as bytes
	state INTEGER NOT NULL,                              -- 0 present, 1 missing, 2 failed
	picture_id INTEGER REFERENCES picture,
	size INTEGER NOT NULL,                               -- size .. device: the stamp of an unchanged file
	mtime_ns INTEGER NOT NULL,
	inode INTEGER NOT NULL,
	device INTEGER NOT NULL,
	status INTEGER,                                      -- of a failure: akin_status
	reason TEXT,                                         -- of a failure: the sentence
	CHECK (state IN (0, 1, 2)),
	CHECK ((state = 2) = (picture_id IS NULL)),
	CHECK ((state = 2) = (status IS NOT NULL) AND (state = 2) = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX file_by_picture ON file (picture_id, state) WHERE picture_id IS NOT NULL;

-- seq is the rowid: new and changed vectors lie at the end, and a scan in the order of seq reads the file forwards.
CREATE TABLE feature (
	seq INTEGER PRIMARY KEY,
	picture_id INTEGER NOT NULL REFERENCES picture,
	model_id INTEGER NOT NULL REFERENCES model,
	encoding INTEGER NOT NULL CHECK (encoding IN (1, 2)), -- 1 float32, 2 float16; little endian
	data BLOB NOT NULL,
	UNIQUE (picture_id, model_id)
) STRICT;
CREATE INDEX feature_by_model ON feature (model_id); -- a rowid follows each key: (model_id, seq)

-- What index files must forget. No references: the rows outlive their pictures. About 15 bytes a row, kept for ever, because
-- an index file of any age may come back.
CREATE TABLE removal (
	seq INTEGER PRIMARY KEY,
	model_id INTEGER NOT NULL,
	picture_id INTEGER NOT NULL
) STRICT;

CREATE TABLE label (
	picture_id INTEGER NOT NULL REFERENCES picture,
	model_id INTEGER NOT NULL REFERENCES model,
	class_index INTEGER NOT NULL,
	probability REAL NOT NULL,
	PRIMARY KEY (picture_id, model_id, class_index)
) STRICT, WITHOUT ROWID;
