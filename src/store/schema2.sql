-- store/schema2.sql - from version 1 to 2: facts, tags, keywords.
-- SPDX-License-Identifier: Apache-2.0

-- Facts that filters compare stand in the picture's row: one scan of this table answers them.
ALTER TABLE picture ADD COLUMN facts INTEGER NOT NULL DEFAULT 0; -- version of what read them; 0: not read
ALTER TABLE picture ADD COLUMN taken INTEGER;                    -- what the camera's clock showed, seconds since 1970 without zone
ALTER TABLE picture ADD COLUMN zone INTEGER;                     -- minutes east of UTC; NULL: unknown
ALTER TABLE picture ADD COLUMN latitude REAL;                    -- degrees, north positive
ALTER TABLE picture ADD COLUMN longitude REAL;                   -- degrees, east positive
ALTER TABLE picture ADD COLUMN altitude REAL;                    -- metres
ALTER TABLE picture ADD COLUMN rating INTEGER;                   -- -1 rejected, 0..5
ALTER TABLE picture ADD COLUMN grey INTEGER;                     -- 1: without colours; NULL: unknown, as colours and palette
ALTER TABLE picture ADD COLUMN colours INTEGER;                  -- bit n: enum colour n is in the palette
ALTER TABLE picture ADD COLUMN palette BLOB;                     -- 5 bytes each: enum colour, percent, red, green, blue

-- Texts of a picture, where there are any. NULL: unknown.
CREATE TABLE description (
	picture_id INTEGER PRIMARY KEY REFERENCES picture,
	make TEXT,                                           -- of the camera
	model TEXT,
	lens TEXT,
	title TEXT,
	caption TEXT,
	creator TEXT,
	keywords TEXT,                                       -- one a line
	sidecar TEXT                                         -- of a .txt file beside the picture
) STRICT;

-- What the user calls a picture.
CREATE TABLE tag (
	picture_id INTEGER NOT NULL REFERENCES picture,
	folded TEXT NOT NULL,                                -- what is compared: no case, no accents
	name TEXT NOT NULL,                                  -- as it was written first
	PRIMARY KEY (picture_id, folded)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_by_name ON tag (folded);

CREATE INDEX label_by_class ON label (class_index, model_id, probability);

-- Words that pictures are found by; rowid is the picture's id. Every row follows from other tables (keywords.c): the store
-- makes it again, before the commit, when one of them changes. The tokenizer is akin's own (tokenizer.c).
CREATE VIRTUAL TABLE keyword USING fts5(tags, names, folders, texts, sidecar, labels, camera, tokenize = 'akin');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab('keyword', 'row');
