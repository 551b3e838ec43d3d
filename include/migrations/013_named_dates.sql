-- The first file of a load whose name tells an earlier date than the feed's names do.
alter table audit.load_profiles add column misdated_file text;
