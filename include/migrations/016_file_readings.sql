-- How the text of a file was read, where its contract leaves a choice: in one encoding, or
-- line by line in the first of several that fits; null before this was kept.
alter table audit.load_files add column encodings text[];
alter table audit.load_files add column delimiter text;
