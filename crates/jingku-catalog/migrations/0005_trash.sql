-- What the trash holds, the oldest first.
CREATE INDEX images_trash ON images (deleted_at, id) WHERE deleted_at IS NOT NULL;
-- Whether an image was made of an instance before.
CREATE INDEX jobs_done_of_instance ON jobs (instance_id) WHERE outcome = 'done';
